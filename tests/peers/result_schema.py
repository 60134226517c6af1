#!/usr/bin/env python3
"""Every result.json that we write fits proto/result.schema.json, holds no field that the schema does not name, and the
schema refuses what is not a result."""
import copy
import json
import os
import subprocess
import tempfile
from pathlib import Path

import jsonschema


def closed(schema):
    """The schema with no room for fields that it does not name."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    schema = {key: closed(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and "type" in schema:
        schema["additionalProperties"] = False
    return schema


def main():
    schema = json.loads((Path(os.environ["SOURCE_DIR"]) / "proto/result.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    strict = jsonschema.Draft202012Validator(closed(schema))
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([Path(os.environ["BUILD_DIR"]) / "test_result", folder], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        files = sorted(Path(folder).glob("a/b/*/result.json"))
        results = {path.parent.name: json.loads(path.read_text()) for path in files}
    assert sorted(results) == ["begun", "closed", "full"], sorted(results)
    for name, result in results.items():
        errors = [f"{list(error.path)}: {error.message}" for error in strict.iter_errors(result)]
        assert not errors, f"{name}: {errors}"
        print(f"{name}: fits")
    for path, value in [(["schema"], "servepath.result/2"), (["counts", "ok"], -1), (["response_ns", "p50"], "9us"),
                        (["validity", "verdict"], "fine"), (["complete"], 1), (["timeline"], {})]:
        altered = copy.deepcopy(results["full"])
        at = altered
        for key in path[:-1]:
            at = at[key]
        at[path[-1]] = value
        assert not strict.is_valid(altered), f"{path} = {value!r} is accepted"
    for name in results["full"]:
        altered = {key: value for key, value in results["full"].items() if key != name}
        assert not strict.is_valid(altered), f"a result without {name} is accepted"


main()
