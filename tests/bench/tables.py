"""Turns the result of times.py, and the counts in the log of the run, into tables (Markdown) and a plot (SVG).

tables.py RESULT.json LOG [--write DIRECTORY]
"""
import argparse
import datetime
import json
import os
import platform
import re
import subprocess

VERBS = ("create", "state", "start", "exec", "delete")


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(map(str, row)) + " |" for row in rows]) + "\n"


def ms(value):
    return f"{value / 1000:.2f}"


def counts(log):
    """What instructions.sh and image_files.sh print: of each measure its value, unit, limit and, if there is one, time."""
    line = re.compile(r" *(\d+) (instructions|KiB|bytes)(?:, (\d+) us \(median of \d+\))?(?: \(at most (\d+)\))?: (.+)")
    found = {}
    for match in filter(None, map(line.fullmatch, log.splitlines())):
        value, unit, microseconds, limit, what = match.groups()
        found[what] = {"value": int(value), "unit": unit, "limit": limit, "us": microseconds}
    return found


def targets(result, counted):
    lives = result["lives"]
    shim, runc = lives["runclad"], lives["runc"]
    hardened = lives["runc, hardened document"]
    go, hop = lives["wrapper in Go"], lives["hop without libc"]

    def added(one, base, verb):
        return one[verb]["median"] - base[verb]["median"]

    def ratio(above, below):
        return f"{above / below:.2f}" if below > 0 else "within noise"

    alone = {size: one["create"]["median"] for size, one in result["shim alone"].items()}
    mounts = result["host mounts"]
    own = alone["9 KB"] - alone["nothing"]
    rows = [
        ("`state` / runc's", "≤ 1.05", shim["state"]["ratio"]),
        ("added to `state` / added by a hop without libc", "≤ 1.5",
         ratio(added(shim, runc, "state"), added(hop, runc, "state"))),
        ("`exec` / runc's", "≤ 1.03", shim["exec"]["ratio"]),
        ("`start` / runc's of the same hardened document", "≤ 1.10",
         ratio(shim["start"]["median"], hardened["start"]["median"])),
        ("shim's own part of `create` / runc's `create` of the same hardened document", "≤ 0.03",
         ratio(own, hardened["create"]["median"])),
        ("added to `create` by the wrapper in Go / by runclad", "≥ 2",
         ratio(added(go, hardened, "create"), added(shim, hardened, "create"))),
        ("a document of 4 MB / of 40 KB, shim alone", "≤ 110",
         ratio(alone["4000 KB"] - alone["nothing"], alone["40 KB"] - alone["nothing"])),
        ("5,000 host mounts / 30, `create` with one bind", "≤ 1.3",
         ratio(mounts["5000"]["runclad"]["create"]["median"],
               mounts["30"]["runclad"]["create"]["median"])),
        ("the same with runc alone", "–", ratio(mounts["5000"]["runc"]["create"]["median"],
                                                mounts["30"]["runc"]["create"]["median"])),
        ("256 creates at once / runc's", "≤ 1.05",
         ratio(result["at once"]["256"]["runclad"], result["at once"]["256"]["runc"])),
    ]
    rows += [(f"instructions: {name}", f"≤ {most:,}", f"{counted[what]['value']:,}") for name, most, what in (
        ("`create`", 1_500_000, "create of a Docker document"),
        ("`start`", 1_000_000, "start as Docker calls it"),
        ("`exec`", 800_000, "exec as Docker calls it"),
        ("pass-through above an empty program", 1_500, "pass-through of state")) if what in counted]
    few, many = (counted.get(f"create with {count} image files") for count in (10, 100_000))
    if few and many:
        rows.append(("`create` with 100,000 image files / 10, instructions", "≤ 1.02",
                     ratio(many["value"], few["value"])))
    if "the most memory of create" in counted:
        rows.append(("memory of `create`, 9 KB document, KiB", "≤ 4,096",
                     f"{counted['the most memory of create']['value']:,}"))
    if "crun" in lives:
        rows.insert(1, ("`state` with crun / crun's", "≤ 1.25",
                        ratio(lives["runclad with crun"]["state"]["median"],
                              lives["crun"]["state"]["median"])))
    return table(("what", "target", "measured"), rows)


def tables(result, counted):
    parts = ["## Against the targets\n\n" + targets(result, counted)]
    parts.append(f"## One container's life, {result['rounds']} rounds\n\n"
                 "Median in ms (99th percentile; ratio to runc alone, median of the rounds). runc's own work is larger "
                 "for a hardened document, whoever hardened it.\n\n" + table(
                     ("", *VERBS),
                     [[name] + [f"{ms(one[v]['median'])} ({ms(one[v]['p99'])}; {one[v]['ratio']:.2f})"
                                for v in VERBS] for name, one in result["lives"].items()]))
    parts.append("## The shim alone\n\n`create` with a lower runtime that ends at once, in ms.\n\n" + table(
        ("document", "median", "99th percentile"),
        [[name, ms(one["create"]["median"]), ms(one["create"]["p99"])]
         for name, one in sorted(result["shim alone"].items(),
                                 key=lambda item: item[1]["create"]["median"])]))
    parts.append("## Host mounts\n\n`create` with one bind mount, in ms.\n\n" + table(
        ("mounts of the host", "runc", "runclad", "ratio"),
        [[count, ms(one["runc"]["create"]["median"]), ms(one["runclad"]["create"]["median"]),
          f"{one['runclad']['create']['ratio']:.2f}"] for count, one in result["host mounts"].items()]))
    parts.append("## At once\n\nWall time until all creates have ended, in ms.\n\n" + table(
        ("creates", "runc", "runclad", "ratio"),
        [[count, ms(one["runc"]), ms(one["runclad"]), f"{one['runclad'] / one['runc']:.2f}"]
         for count, one in result["at once"].items()]))
    parts.append("## Nothing in the page cache\n\nIn ms.\n\n" + table(
        ("", "create", "state"),
        [[name, ms(one["create"]), ms(one["state"])] for name, one in result["cold"].items()]))
    calls, health = result["docker"]["calls"], result["docker"]["health check"]
    parts.append("## Through Docker\n\nMedian in ms (ratio).\n\n" + table(
        ("", "docker run", "docker exec", "health check"),
        [[name.removeprefix("bench-")] +
         [f"{ms(one[v]['median'])} ({one[v]['ratio']:.2f})" for v in ("docker run", "docker exec")] +
         [ms(health[name])] for name, one in calls.items()]))
    parts.append("## Instructions and memory\n\nUp to where the shim becomes the lower runtime, under valgrind. "
                 "They are the same on every machine; `tests/run.sh` holds them to the limits. Times of the image "
                 "files are those of a whole call from a shell.\n\n" + table(
                     ("", "measured", "limit", "median in ms"),
                     [[what, f"{one['value']:,} {one['unit']}", f"{int(one['limit']):,}" if one["limit"] else "–",
                       ms(int(one["us"])) if one["us"] else "–"] for what, one in counted.items()]))
    return "\n".join(parts)


def machine():
    def first(path, start):
        with open(path) as file:
            return next((line.split(":", 1)[1].strip() for line in file if line.startswith(start)), "?")

    def output(*argv):
        return subprocess.run(argv, capture_output=True, text=True, check=False).stdout.strip()

    dirty = " with changes" if output("git", "status", "--porcelain", "--untracked-files=no") else ""
    return table(("", ""), [
        ("date", datetime.date.today().isoformat()),
        ("commit", output("git", "rev-parse", "--short", "HEAD") + dirty),
        ("processor", f"{first('/proc/cpuinfo', 'model name')}, {os.cpu_count()} cores, a virtual machine"),
        ("memory", f"{int(first('/proc/meminfo', 'MemTotal').split()[0]) // 1048576} GiB"),
        ("kernel", platform.release()),
        ("runtime", output("runc", "--version").splitlines()[0]),
        ("runclad", output("build/release/runclad", "--runclad-version")),
    ])


def plot(result):
    """A bar for each program and verb, in ms."""
    names = [name for name in result["lives"] if "crun" not in name]
    verbs = ("create", "state", "start", "exec")
    longest = max(result["lives"][n][v]["median"] for n in names for v in verbs)
    row, left, width, y = 18, 190, 460, 30
    parts = []
    for verb in verbs:
        parts.append(f'<text x="8" y="{y}" font-weight="bold">{verb}</text>')
        y += 8
        for name in names:
            value = result["lives"][name][verb]["median"]
            length = value / longest * width
            colour = "#1f6f5c" if name == "runclad" else "#9aa7b1"
            parts.append(f'<text x="{left - 8}" y="{y + 11}" text-anchor="end">{name}</text>'
                         f'<rect x="{left}" y="{y}" width="{length:.1f}" height="{row - 5}" fill="{colour}"/>'
                         f'<text x="{left + length + 6:.1f}" y="{y + 11}">{ms(value)}</text>')
            y += row
        y += 24
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="720" height="{y}" font-family="sans-serif" '
            f'font-size="12"><rect width="100%" height="100%" fill="#fff"/>'
            f'<title>Median milliseconds of each call</title>{"".join(parts)}</svg>\n')


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("result")
    parser.add_argument("log")
    parser.add_argument("--write", metavar="DIRECTORY")
    arguments = parser.parse_args()
    with open(arguments.result) as file:
        result = json.load(file)
    with open(arguments.log, errors="replace") as file:
        text = tables(result, counts(file.read()))
    print(text)
    if arguments.write:
        with open(f"{arguments.write}/RESULTS.md", "w") as file:
            file.write("# What runclad costs\n\n`tests/bench/run.sh --write-results` writes this file. Times depend on "
                       "the machine; compare the ratios.\n\n" + machine() +
                       "\n![Median milliseconds of each call](results.svg)\n\n" + text)
        with open(f"{arguments.write}/results.svg", "w") as file:
            file.write(plot(result))


main()
