#!/usr/bin/env python3
"""Every result.json that we write fits proto/result.schema.json, holds no field that the schema does not name, and the
schema refuses what is not a result."""
from _schema import check_fits, check_refuses, documents_of, strict_validator


def main():
    strict = strict_validator("result.schema.json")
    results = documents_of("test_result", "a/b/*/result.json")
    assert sorted(results) == ["begun", "closed", "full"], sorted(results)
    check_fits(strict, results)
    check_refuses(strict, results["full"], [
        (["schema"], "servepath.result/2"), (["counts", "ok"], -1), (["response_ns", "p50"], "9us"),
        (["validity", "verdict"], "fine"), (["complete"], 1), (["timeline"], {})])


main()
