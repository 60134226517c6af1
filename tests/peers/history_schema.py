#!/usr/bin/env python3
"""Every line of the history and every calibration that we write fits its schema in proto/, holds no field that the schema does
not name, and the schemas refuse what is neither."""
from _schema import check_fits, check_refuses, documents_of, strict_validator


def main():
    strict = strict_validator("history.schema.json")
    lines = documents_of("test_history", "*/history.jsonl")
    assert sorted(lines) == ["bare", "full"], sorted(lines)
    check_fits(strict, lines)
    check_refuses(strict, lines["full"], [
        (["schema"], "servepath.history/2"), (["verb"], "run"), (["verdict"], "maybe"), (["at"], None), (["case"], 1),
        (["metrics"], []), (["metrics", "response_p50"], "fast"), (["tags", "branch"], {}), (["trials"], -1)])

    strict = strict_validator("calibration.schema.json")
    calibrations = documents_of("test_margins", "*/calibration.json")
    assert sorted(calibrations) == ["made"], sorted(calibrations)
    check_fits(strict, calibrations)
    check_refuses(strict, calibrations["made"], [
        (["schema"], "servepath.calibration/2"), (["fingerprint"], None), (["pairs"], 1.5), (["blocks"], -1), (["mean_of"], 0),
        (["pause_s"], "60s"), (["margins"], {"response_p50": None}), (["margins"], {"response_p50": 11})])


main()
