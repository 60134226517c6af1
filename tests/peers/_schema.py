"""What the tests of our JSON schemas share."""
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


def strict_validator(name):
    """Of proto/NAME, a valid schema itself, made strict."""
    schema = json.loads((Path(os.environ["SOURCE_DIR"]) / "proto" / name).read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(closed(schema))


def documents_of(program, pattern):
    """What a test program leaves in the folder that it is given, by the name of the folder that holds each."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([Path(os.environ["BUILD_DIR"]) / program, folder], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        return {path.parent.name: json.loads(path.read_text()) for path in sorted(Path(folder).glob(pattern))}


def check_fits(strict, documents):
    for name, document in documents.items():
        errors = [f"{list(error.path)}: {error.message}" for error in strict.iter_errors(document)]
        assert not errors, f"{name}: {errors}"
        print(f"{name}: fits")


def check_refuses(strict, document, altered_values):
    """Each (path, value) alone makes the document unfit, and so does leaving out any field of the top."""
    for path, value in altered_values:
        altered = copy.deepcopy(document)
        at = altered
        for key in path[:-1]:
            at = at[key]
        at[path[-1]] = value
        assert not strict.is_valid(altered), f"{path} = {value!r} is accepted"
    for name in document:
        altered = {key: value for key, value in document.items() if key != name}
        assert not strict.is_valid(altered), f"a document without {name} is accepted"
