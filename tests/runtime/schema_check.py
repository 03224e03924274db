#!/usr/bin/env python3
"""Checks YAML files against a JSON Schema with python3-jsonschema.

schema_check.py SCHEMA FILE...   prints what is wrong, one line each; exit 1 where a file does not fit.
Exit 77 where a module is missing: nothing was checked.
"""
import json
import sys

try:
    import jsonschema
    import yaml
except ImportError as missing:
    print(missing)
    sys.exit(77)


def main() -> int:
    with open(sys.argv[1], encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    wrong = 0
    for path in sys.argv[2:]:
        with open(path, encoding="utf-8") as file:
            # Through JSON, since YAML 1.1 makes dates of some texts.
            document = json.loads(json.dumps(yaml.safe_load(file), default=str))
        for error in validator.iter_errors(document):
            wrong += 1
            place = "/".join(str(part) for part in error.absolute_path)
            print(f"{path}: {place}: {error.message}")
    return 1 if wrong else 0


sys.exit(main())
