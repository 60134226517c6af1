#!/usr/bin/env python3
"""Every comparison.json that we write fits proto/comparison.schema.json, holds no field that the schema does not name, and
the schema refuses what is not a comparison."""
from _schema import check_fits, check_refuses, documents_of, strict_validator


def main():
    strict = strict_validator("comparison.schema.json")
    comparisons = documents_of("test_comparison", "a/*/comparison.json")
    assert sorted(comparisons) == ["begun", "gate", "hostile", "three", "two"], sorted(comparisons)
    check_fits(strict, comparisons)
    check_refuses(strict, comparisons["gate"], [
        (["schema"], "servepath.comparison/2"), (["metrics", 0, "ratio"], "NaN"), (["metrics", 0, "interval"], [1]),
        (["metrics", 0, "verdict"], "faster"), (["gate", "verdict"], "maybe"), (["pairs"], -1), (["sides"], {}),
        (["sides", 0, "counts", "lost"], None), (["trials", 0, "seed"], "1"), (["complete"], 1)])


main()
