#!/usr/bin/env python3
"""A search.json that we write fits proto/search.schema.json, holds no field that the schema does not name, and the schema refuses
what is not a search."""
from _schema import check_fits, strict_validator, documents_of


def main():
    strict = strict_validator("search.schema.json")
    searches = documents_of("test_search_forms", "*/search.json")
    assert sorted(searches) == ["bracket"], sorted(searches)
    check_fits(strict, searches)
    for alter in (lambda s: s.update(schema="servepath.search/2"), lambda s: s["sides"][0].update(verdict="fine"),
                  lambda s: s["sides"][0]["trials"][0].update(rate_per_s=0), lambda s: s.pop("sides"),
                  lambda s: s["sides"][0].update(low_per_s="4800")):
        altered = documents_of("test_search_forms", "*/search.json")["bracket"]
        alter(altered)
        assert not strict.is_valid(altered), altered


main()
