#!/usr/bin/env python3
"""Writes one run of run.sh into RESULTS.md, as a column: what ran, and how many assertions of each topic held.

    results.py RESULTS.md "SUITE, LAYOUT" COMMIT LOG
"""

import datetime
import os
import re
import sys

HEAD = """# Engines that the end-to-end tests ran with

`tests/engines/run.sh --write-results` writes this file; a column is the last run of all topics with that
suite's engines and cgroup layout. A topic's figure is the number of its assertions, all of which held, or
`passed/all`.

"""


def read_table(path):
    """{column: {row: cell}}, in the file's order."""
    columns = {}
    if not os.path.exists(path):
        return columns
    rows = [re.split(r"\s*\|\s*", line.strip().strip("|").strip())
            for line in open(path, encoding="utf-8") if line.startswith("|")]
    for name in rows[0][1:] if rows else []:
        columns[name] = {}
    for row in rows[2:]:
        for name, cell in zip(columns, row[1:]):
            columns[name][row[0]] = cell
    return columns


def read_log(path):
    """What a run says: {row: cell}, and whether it ran to its end without a failure."""
    column, topic, counts, versions, last = {}, None, {}, {}, ""
    for line in open(path, encoding="utf-8", errors="replace"):
        line = line.rstrip("\n")
        if match := re.fullmatch(r"# version (\S+) (\S+)", line):
            versions[f"package {match[1]}"] = match[2]  # a topic may have the same name
        elif match := re.fullmatch(r"# ([a-z0-9_]+|what is left)", line):
            topic = match[1]
            counts[topic] = [0, 0]
        elif topic and re.match(r"(not )?ok - ", line):
            counts[topic][0] += line.startswith("ok")
            counts[topic][1] += 1
        last = line or last
    column.update(versions)
    for name, (passed, total) in counts.items():
        column[name] = str(total) if passed == total else f"{passed}/{total}"
    if not re.fullmatch(r"[0-9]+ passed, [0-9]+ failed", last):
        sys.exit(f"results: the run broke off: {last}")
    column["all"] = last
    return column


def main():
    path, name, commit, log = sys.argv[1:]
    columns = read_table(path)
    columns[name] = {"date": datetime.date.today().isoformat(), "commit": commit,
                     "kernel": os.uname().release, **read_log(log)}
    rows = list(dict.fromkeys(row for column in columns.values() for row in column))
    rows.remove("all")
    rows.append("all")
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.write(HEAD)
        file.write("| | " + " | ".join(columns) + " |\n")
        file.write("|---" * (len(columns) + 1) + "|\n")
        for row in rows:
            file.write(f"| {row} | " + " | ".join(column.get(row, "–") for column in columns.values()) + " |\n")
    os.replace(path + ".new", path)


main()
