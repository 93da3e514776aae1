#!/usr/bin/python3
"""Holds policies against profiles/schema: those that are shipped pass, those with a fault of form
fail. A schema cannot know everything that runcladctl policy lint knows; what it need not know is
listed. The last line is `N passed, N failed`."""

import json
import pathlib
import sys

import jsonschema

ROOT = pathlib.Path(__file__).resolve().parent.parent
FAULTS = ROOT / "tests/data/policies/faults"

# Faults that are no matter of form, or that JSON readers of Python do not see.
BEYOND_A_SCHEMA = {
    "01-not-json",
    "06-unknown-syscall",
    "10-dotted-path",
    "12-member-twice",
    "21-waiver-no-such-day",
    "38-image-bad-tag",
}


def read(path):
    return json.loads(path.read_text())


def schema_of(path, folder):
    relative = path.relative_to(folder)
    if relative.parts[0] == "images" and relative.name != "_default.json":
        return "image"
    return "policy" if relative.parts[0] in ("policy.json", "policy.d") else "shared"


def main():
    validators = {}
    for sort in ("policy", "image", "shared"):
        schema = read(ROOT / f"profiles/schema/{sort}.schema.json")
        jsonschema.Draft7Validator.check_schema(schema)
        validators[sort] = jsonschema.Draft7Validator(schema)
    passed, failed = 0, []

    def hold(what, is_so):
        nonlocal passed
        if is_so:
            passed += 1
        else:
            failed.append(what)

    for path in sorted((ROOT / "profiles/images").rglob("*.json")):
        hold(f"{path} is valid", validators["image"].is_valid(read(path)))
    for name in ("restricted", "baseline", "build"):
        path = ROOT / f"profiles/{name}.json"
        hold(f"{path} is valid", validators["policy"].is_valid(read(path)))

    for case in sorted(FAULTS.iterdir()):
        for line in (case / "EXPECT").read_text().splitlines():
            place, _, kind = line.rsplit(" ", 2)
            path = case / place.rsplit(":", 1)[0]
            if path.suffix != ".json" or kind == "unreachable":
                continue
            sort = schema_of(path, case)
            if kind == "format" and case.name not in BEYOND_A_SCHEMA:
                hold(f"{path} is not valid", not validators[sort].is_valid(read(path)))
            elif kind != "format":
                hold(f"{path} is valid in form", validators[sort].is_valid(read(path)))

    for what in failed:
        print(f"not ok - {what}")
    print(f"{passed} passed, {len(failed)} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
