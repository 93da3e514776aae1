#!/usr/bin/env python3
"""Writes one run of run.sh into RESULTS.md, as a column: what ran, and how many assertions of each topic held; and
the sums of that into README.md.

    results.py "SUITE, LAYOUT" COMMIT LOG
    results.py --readme   README.md alone
    results.py --check    whether README.md has what RESULTS.md says
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


# What README's table says of a run: the topics that a word of its heading stands for.
GROUPS = {
    "life": "docker_life ordinary containerd cri pods podman process streams passthrough crun resources compose",
    "hostile list": "docker_confinement docker_refusals filters host_directories attacks hostile destinations "
                    "devices drift joins promise hooks bounds",
    "identity and pins": "identity pins image_volumes unverified containerd_store",
    "builds": "builds buildkit buildah",
    "exec": "exec by_hand",
}
ENGINES = {"docker.io": "Docker", "docker-buildx": "buildx", "docker-compose": "compose", "containerd": "containerd",
           "podman": "podman", "buildah": "buildah"}
RUNTIMES = ("runc", "crun")
BEGIN, END = "<!-- written by tests/engines/results.py -->\n", "<!-- end -->\n"


def version(text):
    """26.1.5 for 26.1.5+dfsg1-9+deb13u1+b1"""
    return re.match(r"[0-9.]*[0-9]", text)[0]


def sum_of(column, topics):
    """The assertions of some topics as a cell: "96", or "95/96"."""
    cells = [column[topic].split("/") for topic in topics.split() if column.get(topic, "–") != "–"]
    passed, total = (sum(int(cell[index]) for cell in cells) for index in (0, -1))
    return str(total) if passed == total else f"{passed}/{total}"


def readme_table(columns):
    rows = [["engines", "lower runtimes", "cgroup layout", *GROUPS, "all", "date"]]
    rows.append(["---"] * len(rows[0]))
    for name, column in columns.items():
        suite, layout = name.split(", ")
        packages = {row[len("package "):]: cell for row, cell in column.items() if row.startswith("package ")}
        engines = ", ".join(f"{word} {version(packages[package])}" for package, word in ENGINES.items()
                            if packages.get(package, "–") not in "–-")  # Debian 12 has no buildx
        passed, failed = re.fullmatch(r"([0-9]+) passed, ([0-9]+) failed", column["all"]).groups()
        rows.append([f"Debian {suite}: {engines}",
                     ", ".join(f"{name} {version(packages[name])}" for name in RUNTIMES),
                     "cgroup v2 alone" if layout == "cgroup v2" else layout,
                     *(sum_of(column, topics) for topics in GROUPS.values()),
                     passed if failed == "0" else f"{passed}, {failed} failed", column["date"]])
    return "".join("| " + " | ".join(row) + " |\n" for row in rows)


def with_table(readme, columns):
    """README's text with the table between its marks."""
    start, end = readme.index(BEGIN) + len(BEGIN), readme.index(END)
    return readme[:start] + readme_table(columns) + readme[end:]


def replace(path, text):
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(path + ".new", path)


def results_text(columns):
    rows = list(dict.fromkeys(row for column in columns.values() for row in column))
    # A package that an earlier column does not name is beside the others all the same.
    rows.sort(key=lambda row: 2 if row == "all" else row not in ("date", "commit", "kernel") and "package " not in row)
    lines = ["| | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    lines += [f"| {row} | " + " | ".join(column.get(row, "–") for column in columns.values()) + " |" for row in rows]
    return HEAD + "\n".join(lines) + "\n"


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    path, readme = os.path.join(here, "RESULTS.md"), os.path.join(here, "../../README.md")
    columns = read_table(path)
    text = open(readme, encoding="utf-8").read()
    if sys.argv[1:] == ["--check"]:
        if text != with_table(text, columns):
            sys.exit("README.md's table of engines is not that of tests/engines/RESULTS.md: "
                     "run tests/engines/results.py --readme")
        return
    if sys.argv[1:] != ["--readme"]:
        name, commit, log = sys.argv[1:]
        columns[name] = {"date": datetime.date.today().isoformat(), "commit": commit,
                         "kernel": os.uname().release, **read_log(log)}
        replace(path, results_text(columns))
    replace(readme, with_table(text, columns))


main()
