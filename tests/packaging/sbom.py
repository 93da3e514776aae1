#!/usr/bin/env python3
"""A bill of materials has what SPDX 2.3 demands of one, and names the libraries that are linked.

  tests/packaging/sbom.py FILE PROGRAM…   (the programs that it describes)
"""
import hashlib
import json
import pathlib
import re
import sys

import jsonschema

ID = {"type": "string", "pattern": "^SPDXRef-[A-Za-z0-9.-]+$"}
TEXT = {"type": "string", "minLength": 1}


def entries(required, **properties):
    return {"type": "array", "minItems": 1,
            "items": {"type": "object", "required": required, "properties": properties}}


# The mandatory fields of SPDX 2.3, clauses 6, 7, 8 and 11, and the values that they may have.
SCHEMA = {
    "type": "object",
    "required": ["SPDXID", "spdxVersion", "dataLicense", "name", "documentNamespace", "creationInfo",
                 "packages", "files", "relationships"],
    "properties": {
        "SPDXID": {"const": "SPDXRef-DOCUMENT"},
        "spdxVersion": {"const": "SPDX-2.3"},
        "dataLicense": {"const": "CC0-1.0"},
        "name": TEXT,
        "documentNamespace": {"type": "string", "pattern": "^https://[^#]+$"},
        "creationInfo": {
            "type": "object",
            "required": ["created", "creators"],
            "properties": {
                "created": {"pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"},
                "creators": {"type": "array", "minItems": 1,
                             "items": {"pattern": "^(Tool|Person|Organization): .+"}},
            },
        },
        "packages": entries(
            ["SPDXID", "name", "versionInfo", "downloadLocation", "filesAnalyzed"],
            SPDXID=ID, name=TEXT, versionInfo=TEXT, downloadLocation=TEXT,
            filesAnalyzed={"const": False},
            supplier={"pattern": "^(NOASSERTION$|Organization: .+|Person: .+)"},
            externalRefs=entries(
                ["referenceCategory", "referenceType", "referenceLocator"],
                referenceCategory={"enum": ["PACKAGE-MANAGER"]},
                referenceType={"const": "purl"},
                referenceLocator={"pattern": r"^pkg:deb/debian/[a-z0-9+.-]+@[^@ +]+\?arch=[a-z0-9]+$"})),
        "files": entries(
            ["SPDXID", "fileName", "checksums"],
            SPDXID=ID, fileName={"pattern": r"^\./"},
            checksums={
                **entries(["algorithm", "checksumValue"],
                          algorithm={"enum": ["SHA1", "SHA256"]},
                          checksumValue={"pattern": "^([0-9a-f]{40}|[0-9a-f]{64})$"}),
                "contains": {"properties": {"algorithm": {"const": "SHA1"}}},
            }),
        "relationships": entries(
            ["spdxElementId", "relationshipType", "relatedSpdxElement"],
            spdxElementId=ID, relatedSpdxElement=ID,
            relationshipType={"enum": ["DESCRIBES", "CONTAINS", "STATIC_LINK"]}),
    },
}

# What is known to be in the programs, by source package.
LIBRARIES = ("glibc", "gcc-12", "libcap-ng", "libmd", "libseccomp", "sqlite3", "nlohmann-json3", "spdlog",
             "fmtlib", "cli11", "libyaml")


def main():
    bill = json.loads(pathlib.Path(sys.argv[1]).read_text())
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    jsonschema.validate(bill, SCHEMA, cls=jsonschema.Draft7Validator)

    elements = [bill["SPDXID"], *(each["SPDXID"] for each in bill["packages"] + bill["files"])]
    assert len(set(elements)) == len(elements), "an SPDXID occurs twice"
    for relation in bill["relationships"]:
        for end in ("spdxElementId", "relatedSpdxElement"):
            assert relation[end] in elements, f"{relation[end]} is not described"
    related = {relation["relatedSpdxElement"] for relation in bill["relationships"]}
    assert related == set(elements[1:]), f"not related: {set(elements[1:]) - related}"

    sources = " ".join(each.get("sourceInfo", "") for each in bill["packages"])
    for library in LIBRARIES:
        # A cross compiler's libraries are built from a source of their own.
        assert re.search(rf"built from {re.escape(library)}(-cross)? ", sources), f"{library} is missing"
    for path in map(pathlib.Path, sys.argv[2:]):
        file = next(each for each in bill["files"] if each["fileName"] == f"./{path.name}")
        for checksum in file["checksums"]:
            expected = hashlib.new(checksum["algorithm"], path.read_bytes()).hexdigest()
            assert checksum["checksumValue"] == expected, f"{path.name}: another {checksum['algorithm']}"


main()
