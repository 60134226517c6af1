#!/usr/bin/env python3
"""Every sweep.json that we write fits proto/sweep.schema.json, holds no field that the schema does not name, and the schema
refuses what is not a sweep."""
from _schema import check_fits, check_refuses, documents_of, strict_validator


def main():
    strict = strict_validator("sweep.schema.json")
    sweeps = documents_of("test_sweep", "*/sweep.json")
    assert {"resumed", "failing"} <= set(sweeps), sorted(sweeps)
    check_fits(strict, sweeps)
    check_refuses(strict, sweeps["resumed"], [
        (["schema"], "servepath.sweep/2"), (["complete"], 1), (["axes"], []), (["axes", 0, "values"], []),
        (["cells", 0, "state"], "well"), (["cells", 0, "metrics", 0, "verdict"], "faster"),
        (["cells", 0, "metrics", 0, "ratio"], "NaN"), (["cells", 0, "sides", 0, "meets_bounds"], "yes")])


main()
