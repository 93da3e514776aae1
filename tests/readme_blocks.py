#!/usr/bin/env python3
"""README.md's blocks of code.

    readme_blocks.py BEGINNING   prints the one whose first line begins so
    readme_blocks.py             checks that each of them is run by a test: that one asks for it by readme_block
"""

import glob
import os
import re
import sys
import textwrap

HERE = os.path.dirname(os.path.abspath(__file__))
# What cannot run in a test of its own.
ELSEWHERE = {"tests/run.sh": "is what runs the tests"}


def blocks():
    text = open(os.path.join(HERE, "../README.md"), encoding="utf-8").read()
    for match in re.finditer(r"^( *)```[a-z]+\n(.*?)^\1```$", text, re.MULTILINE | re.DOTALL):
        yield textwrap.dedent(match[2])


def beginnings():
    """{what a test asks for: the test}"""
    found = {}
    for path in sorted(glob.glob(os.path.join(HERE, "**/*.sh"), recursive=True)):
        for match in re.finditer(r"(?:readme_block|commands_of_block) '([^']+)'", open(path, encoding="utf-8").read()):
            found[match[1]] = os.path.relpath(path, HERE)
    return found


def main():
    if len(sys.argv) > 1:
        found = [block for block in blocks() if block.startswith(sys.argv[1])]
        if len(found) != 1:
            sys.exit(f"README.md has {len(found)} blocks that begin with {sys.argv[1]!r}")
        sys.stdout.write(found[0])
        return
    tested = {**beginnings(), **ELSEWHERE}
    faults = []
    for block in blocks():
        first = block.splitlines()[0]
        where = [tested[beginning] for beginning in tested if block.startswith(beginning)]
        if where:
            print(f"{first:60.60} {where[0]}")
        else:
            faults.append(f"no test runs README.md's block that begins with {first!r}")
    faults += [f"{test} asks for a block that README.md does not have: {beginning!r}"
               for beginning, test in tested.items() if not any(block.startswith(beginning) for block in blocks())]
    sys.exit("\n".join(faults) if faults else 0)


main()
