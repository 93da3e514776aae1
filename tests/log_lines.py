#!/usr/bin/python3
"""Holds every line of the decision logs below the directories that are named against
profiles/schema/log.schema.json, or with --format falco|ocsf every line of the files that are named against
tests/log_formats. Prints what does not conform, and how many lines were held; the exit
status is 0 if all conform and there is one."""

import json
import pathlib
import sys

import jsonschema

TESTS = pathlib.Path(__file__).resolve().parent


def main():
    schema = TESTS.parent / "profiles/schema/log.schema.json"
    places = sys.argv[1:]
    if places[:1] == ["--format"]:
        schema = TESTS / f"log_formats/{places[1]}.schema.json"
        places = places[2:]
    validator = jsonschema.Draft7Validator(json.loads(schema.read_text()))
    lines = faults = 0
    for place in map(pathlib.Path, places):
        for file in sorted(place.rglob("audit.jsonl*")) if place.is_dir() else [place]:
            for number, line in enumerate(file.read_text(errors="replace").splitlines(), 1):
                lines += 1
                try:
                    error = jsonschema.exceptions.best_match(validator.iter_errors(json.loads(line)))
                except ValueError as fault:
                    error = fault
                if error is None:
                    continue
                faults += 1
                where = "/".join(str(p) for p in getattr(error, "absolute_path", []))
                print(f"{file}:{number}: {where}: {str(error).splitlines()[0]}: {line[:300]}")
    print(f"{lines} lines, {faults} do not conform")
    return 0 if lines and not faults else 1


if __name__ == "__main__":
    sys.exit(main())
