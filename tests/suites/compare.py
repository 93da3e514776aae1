#!/usr/bin/env python3
"""Compares the results that tests/suites/run.sh left: the plain runtime's with those of runclad in mode audit.

    compare.py differing known.toml RESULTS/SUITE
        prints the files of the suite with a test that is not in known.toml and had two results in every round so far
    compare.py summary RESULTS [--write RESULTS.md] known.toml SUITE…
        prints the differences of each suite and, last, `N passed, N failed`
    compare.py tap REPORT.xml
        prints what a JUnit report of ginkgo says in the Test Anything Protocol

RESULTS/SUITE/{plain,audit}/ROUND/FILE.tap is in the Test Anything Protocol, from bats or crun's own runner. A test is
known by its file and title. A difference fails unless known.toml has it, with the reason and the words of
packaging/doc/enforcement.md that say so.
"""

import datetime
import pathlib
import re
import sys
import tomllib
import xml.etree.ElementTree

TREE = pathlib.Path(__file__).resolve().parents[2]
MANUAL = TREE / "packaging/doc/enforcement.md"
LINE = re.compile(r"^(not ok|ok) (\d+)(?: -)? ?(.*?)\s*(#\s*skip.*)?$", re.IGNORECASE)


def tests_of(path):
    """The results of one file by title: "passed", "failed" or "skipped"."""
    found = {}
    if not path.exists():
        return found
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        match = LINE.match(line)
        if not match:
            continue
        status, number, title, skip = match.groups()
        title = title or f"test {number}"
        while title in found:
            title += " (again)"
        found[title] = "skipped" if skip else {"ok": "passed", "not ok": "failed"}[status]
    return found


def rounds_of(suite):
    """For each test, by (file, title): its two results in each round that it ran in."""
    tests = {}
    for directory in sorted((suite / "plain").iterdir(), key=lambda path: int(path.name)):
        for path in sorted(directory.rglob("*.tap")):
            file = str(path.relative_to(directory))[:-len(".tap")]
            plain = tests_of(path)
            audit = tests_of(suite / "audit" / directory.name / (file + ".tap"))
            if not plain and not audit:
                tests.setdefault((file, "the file as a whole"), []).append(("broken", "broken"))
            for title in plain | audit:
                pair = plain.get(title, "not run"), audit.get(title, "not run")
                tests.setdefault((file, title), []).append(pair)
    return tests


def differs(pairs):
    return all(plain != audit for plain, audit in pairs)


def counts(tests, side):
    results = [pairs[0][side] for pairs in tests.values()]
    text = "/".join(str(results.count(result)) for result in ("passed", "failed", "skipped"))
    others = len(results) - sum(results.count(result) for result in ("passed", "failed", "skipped"))
    return text + (f", {others} not run" if others else "")


def known_differences(path):
    known = {}
    manual = " ".join(MANUAL.read_text(encoding="utf-8").split())
    for entry in tomllib.loads(path.read_text(encoding="utf-8")).get("difference", []):
        missing = {"suite", "file", "test", "why", "manual"} - entry.keys()
        if missing:
            sys.exit(f"{path}: {entry} has no {', '.join(sorted(missing))}")
        if entry["manual"] not in manual:
            sys.exit(f"{path}: {MANUAL.name} has no words {entry['manual']!r}, which {entry['test']!r} refers to")
        known[entry["suite"], entry["file"], entry["test"]] = entry["why"]
    return known


def summarize(results, suites, known):
    """Prints each suite's differences; gives the rows for RESULTS.md and the two sums."""
    rows, passed, failed = [], 0, 0
    for name in suites:
        suite = results / name
        if not (suite / "plain").is_dir():
            print(f"not ok - {name} has no results")
            failed += 1
            continue
        tests = rounds_of(suite)
        differing = {test: pairs for test, pairs in tests.items() if differs(pairs)}
        sometimes = [test for test, pairs in tests.items()
                     if not differs(pairs) and any(plain != audit for plain, audit in pairs)]
        print(f"\n# {name}: plain {counts(tests, 0)}, audit {counts(tests, 1)} (passed/failed/skipped)")
        for file, title in sometimes:
            print(f"#   only sometimes: {file}: {title} {tests[file, title]}")
        unknown = 0
        for (file, title), pairs in sorted(differing.items()):
            plain, audit = pairs[-1]
            why = known.get((name, file, title))
            unknown += why is None
            print(f"{'not ok' if why is None else 'ok'} - {name}: {file}: {title}: plain {plain}, audit {audit}"
                  + (f" ({why})" if why else ""))
        if (suite / "whole").exists():
            for key in known:
                if key[0] == name and key[1:] not in differing:
                    print(f"not ok - {name}: {key[1]}: {key[2]} is in known.toml, and there is no such difference")
                    unknown += 1
        part = "" if (suite / "whole").exists() else f", {len({file for file, _ in tests})} of its files"
        version = (suite / "version").read_text(encoding="utf-8").strip()
        commit = (suite / "commit").read_text(encoding="utf-8").strip()
        date = datetime.date.fromtimestamp((suite / "version").stat().st_mtime).isoformat()
        rows.append((name + part, version, str(len(tests)), counts(tests, 0), counts(tests, 1), str(len(differing)),
                     str(unknown), str(len(sometimes)), date, commit[:7]))
        passed += len(tests) - unknown if unknown <= len(tests) else 0
        failed += unknown
    return rows, passed, failed


HEAD = """# The peers' own suites, with the plain runtime and with runclad in mode audit

`tests/suites/run.sh --write-results` writes this file. The figures are tests passed/failed/skipped of the first round;
what failed with the plain runtime is the machine's. A difference is a test that had two results in every round;
`known.toml` has those that are meant, with the reason. "Sometimes" counts the tests that had two results in one round
and one in another. The commit is that of the program under test.

| suite | version | tests | plain | audit | differences | not in known.toml | sometimes | date | commit |
|---|---|---|---|---|---|---|---|---|---|
"""


def write(path, rows):
    kept = {}  # by the suite's name
    if path.exists():
        for line in path.read_text(encoding="utf-8").split("|---|\n")[-1].splitlines():
            kept[re.split(r"[ ,|]+", line)[1]] = line
    for row in rows:
        suite = row[0].split(",")[0]
        # Some files take the place of some files, not of a whole suite.
        if suite == row[0] or not kept.get(suite, "").startswith(f"| {suite} |"):
            kept[suite] = f"| {' | '.join(row)} |"
    path.write_text(HEAD + "".join(line + "\n" for line in kept.values()), encoding="utf-8")


def print_tap(report):
    """Those that the filter left out are not in it: ginkgo skips them without a reason."""
    for case in xml.etree.ElementTree.parse(report).getroot().iter("testcase"):
        leaf, _, title = case.get("name").replace("#", "").partition(" ")
        skipped = case.find("skipped")
        failed = case.find("failure") is not None or case.find("error") is not None
        if skipped is not None and skipped.get("message") == "skipped" or leaf != "[It]":
            continue
        print(f"{'not ok' if failed else 'ok'} 1 - {title}{' # skip' if skipped is not None else ''}")


def main():
    if sys.argv[1] == "tap":
        print_tap(sys.argv[2])
        return
    if sys.argv[1] == "differing":
        known = known_differences(pathlib.Path(sys.argv[2]))
        suite = pathlib.Path(sys.argv[3])
        print("\n".join(sorted({test[0] for test, pairs in rounds_of(suite).items()
                                if differs(pairs) and (suite.name, *test) not in known})))
        return
    arguments = sys.argv[2:]
    results = pathlib.Path(arguments.pop(0))
    table = None
    if arguments[0] == "--write":
        table = pathlib.Path(arguments[1])
        arguments = arguments[2:]
    known = known_differences(pathlib.Path(arguments.pop(0)))
    rows, passed, failed = summarize(results, arguments, known)
    if table:
        write(table, rows)
    print(f"\n{passed} passed, {failed} failed")
    sys.exit(failed != 0 or passed == 0)


main()
