#!/usr/bin/env python3
"""proto/scenario.schema.json against the reference validator: a valid schema, that takes the shipped scenarios as an
independent YAML reader gives them, what servepath itself resolves, and refuses mistakes."""
import json
import os
import pathlib
import subprocess
import sys

import jsonschema

source = pathlib.Path(os.environ["SOURCE_DIR"])
schema = json.loads((source / "proto/scenario.schema.json").read_text())
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)


def small(**changes):
    scenario = {
        "version": 1,
        "recording": "x.sprec",
        "model": "models/x",
        "input": {"tensors": [{"name": "x", "shape": [1, 2], "columns": ["A", {"column": "B", "missing": "nan"}]}]},
        "output": {"tensor": "y"},
        "sides": {"embedded": {"path": "embedded"}},
    }
    scenario.update(changes)
    return scenario


good = [
    small(),
    small(load={"rate": "2000/s", "warmup": "250us", "speed": "1e-5", "seed": 7}),
    small(expect={"not_ok": "0.1%", "abs": "1e-5"}),
    small(expect={"not_ok": 0.001, "abs": 1e-5, "p99": None}),
    small(sides={"rpc": {"path": "rpc", "server": {"threads": 1}}}),
    small(kafka={"producer": {"linger.ms": 0}, "consumer": None}),
]
bad = [
    {k: v for k, v in small().items() if k != "recording"},
    small(version=2),
    small(lod={}),
    small(load={"ratee": "1/s"}),
    small(load={"rate": 2000}),
    small(load={"rate": "2000"}),
    small(load={"duration": "10 s"}),
    small(load={"arrival": "poison"}),
    small(expect={"not_ok": 2}),
    small(sides={"rpc": {"threads": "many"}}),
    small(sides=["rpc"]),
    small(input={"tensors": [{"name": "x", "shape": 2}]}),
    small(input={"tensors": [{"steps": [{"pad": {"side": "left"}}]}]}),
]
for scenario in good:
    validator.validate(scenario)
for scenario in bad:
    assert list(validator.iter_errors(scenario)), f"the schema takes {scenario}"

# The shipped scenarios, read and resolved by servepath itself: as a result holds them.
for name in ("fraud", "airline", "tweet"):
    resolved = subprocess.run(
        [os.environ["SERVEPATH"], "reference", "--resolve", str(source / "fixtures" / name)],
        check=True, capture_output=True, text=True,
    ).stdout
    validator.validate(json.loads(resolved))
sys.exit(0)
