#!/usr/bin/python3
"""What `runcladctl metrics` prints is read by Prometheus' own parser: every family has its help and
type, counters do not fall between two scrapes, labels come back as they were, and none is an id.

    tests/metrics.py [BUILD]   (default: build/release)

The last line is `N passed, N failed`."""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

from prometheus_client.parser import text_string_to_metric_families

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT / "build/release"
COUNTS = {True: 0, False: 0}
CONTAINER = "3f2a9c" + 58 * "0"
# What no registry has, and a label must survive: see runclad-policy(5) for the names of tags.
FOLDER = 'exa"mple\\'


def check(sentence, is_so, more=""):
    COUNTS[bool(is_so)] += 1
    print(f"{'ok' if is_so else 'not ok'}: {sentence}" + ("" if is_so else f"\n{more}"))


def line(number, outcome="refused"):
    return json.dumps({"container": CONTAINER, "engine": "docker", "mode": "enforce",
                       "outcome": outcome, "verb": "create", "time": f"T{number}",
                       "findings": [{"rule": "host-mounts", "action": "refused"},
                                    {"rule": CONTAINER, "action": "warned"}]}) + "\n"


def scrape(directory):
    run = subprocess.run([BUILD / "runcladctl", "metrics", "--config", directory / "etc",
                          "--state", directory / "state"], capture_output=True, text=True)
    check("metrics ends with 0 or 1", run.returncode in (0, 1), run.stderr)
    return run.stdout, list(text_string_to_metric_families(run.stdout))


def counters(families):
    return {(s.name, tuple(sorted(s.labels.items()))): s.value
            for f in families if f.type == "counter" for s in f.samples}


def main():
    directory = pathlib.Path(tempfile.mkdtemp(prefix="runclad-metrics-", dir="/var/tmp"))
    try:
        log = directory / "audit.jsonl"
        images = directory / "etc/images" / FOLDER
        images.mkdir(parents=True)
        (directory / "etc/policy.json").write_text(json.dumps(
            {"extends": "baseline", "log": {"target": f"file:{log}"}}))
        (images / "app.json").write_text(json.dumps(
            {"waivers": [{"rule": "privileged", "reason": "r", "expires": "2031-01-01"}]}))
        log.write_text("".join(line(n) for n in range(3)))
        text, families = scrape(directory)
        names = {f.name for f in families}
        for name in ("runclad_decisions", "runclad_findings", "runclad_policy_usable",
                     "runclad_waiver_expiry_timestamp_seconds", "runclad_lower_runtime_info",
                     "runclad_roads_open", "runclad_break_glass_until_timestamp_seconds"):
            check(f"there is {name}", name in names, text)
        check("every family has its help and its type",
              all(f.documentation and f.type in ("counter", "gauge") for f in families), text)
        check("each sample belongs to the family above it",
              all(s.name in (f.name, f.name + "_total") for f in families for s in f.samples), text)
        expiry = next(f for f in families if f.name == "runclad_waiver_expiry_timestamp_seconds")
        check("a quotation mark and a backslash in a label come back",
              [s.labels["image"] for s in expiry.samples] == [FOLDER + "/app"], text)
        check("no label has the id of a container", CONTAINER[:12] not in text, text)
        check("no label looks like an id, but for the policy's digest",
              not re.search(r"[0-9a-f]{32}", re.sub(r'digest="[^"]*"', "", text)), text)
        before = counters(families)
        check("three decisions are counted",
              sum(v for (n, _), v in before.items() if n == "runclad_decisions_total") == 3, text)
        again = counters(scrape(directory)[1])
        check("a second scrape says the same", again == before, str(again))
        log.rename(directory / "audit.jsonl.1")
        log.write_text(line(4, "rewritten"))
        after = counters(scrape(directory)[1])
        check("no counter falls when the log is rotated",
              all(after.get(k, -1) >= v for k, v in before.items()), str(after))
        check("the new file is counted, too",
              sum(v for (n, _), v in after.items() if n == "runclad_decisions_total") == 4, str(after))
    finally:
        subprocess.run(["rm", "-rf", directory], check=False)
    print(f"{COUNTS[True]} passed, {COUNTS[False]} failed")
    return 0 if not COUNTS[False] and COUNTS[True] else 1


if __name__ == "__main__":
    sys.exit(main())
