#!/usr/bin/env python3
"""Writes the result of one part of `tests/run.sh --long` into LONG.md, in place of the one before.

    long.py PART "N passed, N failed" SECONDS

With the commit; "and changes" where the tree has some beside what tests write.
"""

import datetime
import os
import re
import subprocess
import sys

PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "LONG.md")
WRITTEN = ("tests/LONG.md", "tests/engines/RESULTS.md", "tests/suites/RESULTS.md", "tests/e2e/PROVED.md",
           "README.md")
HEAD = """# The last results of tests/run.sh --long

`tests/run.sh --long` writes this file: each part's last run. What CI runs is not in it.

| part | result | date | commit | seconds |
|---|---|---|---|---|
"""


def git(*arguments):
    return subprocess.run(["git", "-C", os.path.dirname(PATH), *arguments], check=True, capture_output=True,
                          text=True).stdout.strip()


def main():
    part, result, seconds = sys.argv[1:]
    rows = {}
    if os.path.exists(PATH):
        for line in open(PATH, encoding="utf-8").read().split("|---|\n")[-1].splitlines():
            rows[re.split(r"\s*\|\s*", line.strip("| "))[0]] = line
    commit = git("rev-parse", "--short", "HEAD")
    if git("status", "--porcelain", "--", ":/", *(f":(top,exclude){path}" for path in WRITTEN)):
        commit += " and changes"
    rows[part] = f"| {part} | {result} | {datetime.date.today().isoformat()} | {commit} | {seconds} |"
    with open(PATH + ".new", "w", encoding="utf-8") as file:
        file.write(HEAD + "".join(row + "\n" for row in rows.values()))
    os.replace(PATH + ".new", PATH)


main()
