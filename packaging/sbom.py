#!/usr/bin/env python3
"""What the programs of a build are made of.

  packaging/sbom.py --version RELEASE BUILD
                                         a software bill of materials, SPDX 2.3 as JSON
  packaging/sbom.py --built-using BUILD  Debian's source packages, for the field Built-Using

Read from the build itself: the headers that ninja recorded for each object, and the archives that the
linker took (its dependency files). dpkg says which package, in which version, each of them belongs to.
"""
import argparse
import datetime
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

PROGRAMS = ("runclad", "runcladctl")


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def inputs(build):
    """The absolute paths of system files that were compiled or linked into the programs."""
    files = set()
    is_ours = False
    for line in run("ninja", "-C", build, "-t", "deps").splitlines():
        if not line.startswith(" "):  # "src/CMakeFiles/….o: #deps 12, …"
            is_ours = line.startswith("src/")
        elif is_ours:
            files.add(line.strip())
    for program in PROGRAMS:
        text = (build / f"{program}.link.d").read_text().replace("\\\n", " ")
        # Behind the first rule there is an empty one for each file.
        files.update(text.split("\n", 1)[0].split(":", 1)[1].split())
    return {os.path.normpath(file) for file in files if file.startswith("/")}


def packages_of(files):
    """dpkg's packages of these files: name -> {version, source, source version, architecture}."""
    # With a merged /usr, dpkg knows a file under the name that its package has for it.
    names = files | {os.path.realpath(file) for file in files}
    names |= {name.removeprefix("/usr") for name in names if name.startswith("/usr/lib")}
    found = set()
    names = sorted(names)
    for at in range(0, len(names), 500):
        answer = subprocess.run(("dpkg-query", "-S", *names[at : at + 500]), capture_output=True,
                                text=True, env={**os.environ, "LC_ALL": "C"}, check=False)
        for line in answer.stdout.splitlines():
            found.update(name.strip() for name in line.rsplit(": ", 1)[0].split(","))
    fields = "${Package}\t${Version}\t${source:Package}\t${source:Version}\t${Architecture}\n"
    packages = {}
    for line in run("dpkg-query", "-W", f"-f={fields}", *sorted(found)).splitlines():
        name, *rest = line.split("\t")
        packages[name] = dict(zip(("version", "source", "source_version", "architecture"), rest))
    return packages


def digest(path, algorithm):
    return hashlib.new(algorithm, path.read_bytes()).hexdigest()


def package_entry(name, package):
    return {
        "SPDXID": f"SPDXRef-Package-{re.sub('[^A-Za-z0-9.-]', '-', name)}",
        "name": name,
        "versionInfo": package["version"],
        "supplier": "Organization: Debian",
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": "NOASSERTION",
        "copyrightText": "NOASSERTION",
        "sourceInfo": f"built from {package['source']} {package['source_version']}",
        "externalRefs": [{
            "referenceCategory": "PACKAGE-MANAGER",
            "referenceType": "purl",
            "referenceLocator": f"pkg:deb/debian/{name}@{package['version'].replace('+', '%2B')}"
                                f"?arch={package['architecture']}",
        }],
    }


def document(build, version, programs, packages):
    """The bill of the programs at the paths `programs`."""
    seconds = int(os.environ.get("SOURCE_DATE_EPOCH") or build.stat().st_mtime)
    created = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    files = [{
        "SPDXID": f"SPDXRef-File-{path.name}",
        "fileName": f"./{path.name}",
        "fileTypes": ["BINARY"],
        "checksums": [{"algorithm": name.upper(), "checksumValue": digest(path, name)}
                      for name in ("sha1", "sha256")],
        "licenseConcluded": "NOASSERTION",
        "copyrightText": "NOASSERTION",
    } for path in programs]
    own = {
        "SPDXID": "SPDXRef-Package-runclad",
        "name": "runclad",
        "versionInfo": version,
        "supplier": "NOASSERTION",
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": "Apache-2.0",
        "copyrightText": "NOASSERTION",
        "primaryPackagePurpose": "APPLICATION",
    }
    libraries = [package_entry(name, packages[name]) for name in sorted(packages)]

    def relation(element, kind, other):
        return {"spdxElementId": element["SPDXID"], "relationshipType": kind,
                "relatedSpdxElement": other["SPDXID"]}

    self = {"SPDXID": "SPDXRef-DOCUMENT"}
    name = f"runclad-{version}"
    # The same programs of the same packages have the same name.
    fingerprint = hashlib.sha256(json.dumps([files, libraries], sort_keys=True).encode()).hexdigest()
    return {
        **self,
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "name": name,
        "documentNamespace": f"https://spdx.org/spdxdocs/{name}-{fingerprint[:32]}",
        "creationInfo": {
            "created": created.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "creators": [f"Tool: runclad-sbom-{version}"],
        },
        "packages": [own, *libraries],
        "files": files,
        "relationships": [
            relation(self, "DESCRIBES", own),
            *(relation(own, "CONTAINS", file) for file in files),
            *(relation(own, "STATIC_LINK", library) for library in libraries),
        ],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--built-using", action="store_true")
    # The programs need not run here: they may be for another architecture.
    parser.add_argument("--version", help="of the programs")
    parser.add_argument("--programs", type=pathlib.Path, help="their directory, if not BUILD")
    parser.add_argument("build", type=pathlib.Path)
    arguments = parser.parse_args()
    packages = packages_of(inputs(arguments.build))
    if not packages:
        sys.exit(f"sbom: dpkg knows no file of the build {arguments.build}")
    if arguments.built_using:
        sources = {(package["source"], package["source_version"]) for package in packages.values()}
        print(", ".join(f"{name} (= {version})" for name, version in sorted(sources)))
        return
    if not arguments.version:
        parser.error("--version is missing")
    directory = arguments.programs or arguments.build
    programs = [directory / program for program in PROGRAMS]
    print(json.dumps(document(arguments.build, arguments.version, programs, packages), indent=2))


if __name__ == "__main__":
    main()
