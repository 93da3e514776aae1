"""Times the shim against its lower runtime and against other wrappers, interleaved in one run.

Called by times.sh, which has started the engines. Every figure is a whole process from its start to
its end, in microseconds; what is compared is the ratio within one round, since the speed of a
machine drifts. Prints one JSON object.
"""
import argparse
import ctypes
import json
import os
import random
import select
import shutil
import signal
import statistics
import subprocess
import sys
import time

PR_SET_CHILD_SUBREAPER = 36


def spawn(argv, log):
    """Starts a program with nothing on its input and its output in a file."""
    return os.posix_spawn(
        argv[0], argv, os.environ,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0),
            (os.POSIX_SPAWN_OPEN, 2, log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
        ])


class Bench:
    def __init__(self, work, lower):
        self.work = work
        self.lower = lower
        self.state = f"{work}/state"
        self.log = f"{work}/stderr"
        self.number = 0

    def timed(self, argv):
        begin = time.perf_counter_ns()
        _, status = os.waitpid(spawn(argv, self.log), 0)
        elapsed = (time.perf_counter_ns() - begin) / 1000
        if status != 0:
            with open(self.log, errors="replace") as log:
                sys.exit(f"bench: {' '.join(argv)}: status {status}: {log.read()[-800:]}")
        return elapsed

    def bundle(self, name):
        """A directory with a root filesystem of its own, of hard links, so that hundreds are cheap."""
        path = f"{self.work}/bundles/{name}"
        if not os.path.isdir(path):
            os.makedirs(path)
            subprocess.run(["cp", "-al", f"{self.work}/rootfs", f"{path}/rootfs"], check=True)
        return path

    def write(self, bundle, document, name):
        document = document.replace('"@CGROUP@"', json.dumps(f"{os.environ['E2E_CGROUP']}/{name}"))
        with open(f"{bundle}/config.json", "w") as config:
            config.write(document)

    def end(self, name):
        """Kills a container's first process and waits for it."""
        with open(f"{self.work}/{name}.pid") as file:
            pid = int(file.read())
        descriptor = os.pidfd_open(pid)
        signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        select.select([descriptor], [], [], 20)
        os.close(descriptor)
        try:
            os.waitpid(pid, 0)
        except ChildProcessError:
            pass

    def life(self, runtime, argv, document):
        """create, state, start, exec and delete of one container; the microseconds of each."""
        self.number += 1
        name = f"{runtime}-{self.number}"
        bundle = self.bundle(runtime)
        self.write(bundle, document, name)
        call = argv + ["--root", self.state]
        times = {
            "create": self.timed(call + ["create", "--bundle", bundle, "--pid-file",
                                         f"{self.work}/{name}.pid", name]),
            "state": self.timed(call + ["state", name]),
            "start": self.timed(call + ["start", name]),
            "exec": self.timed(call + ["exec", name, "/bin/true"]),
        }
        self.end(name)
        times["delete"] = self.timed(call + ["delete", name])
        return times


def summary(rounds, base):
    """Median, 99th percentile, and the median of the ratios to `base` within one round."""
    result = {}
    for runtime in rounds[0]:
        result[runtime] = {}
        for verb in rounds[0][runtime]:
            values = sorted(one[runtime][verb] for one in rounds)
            ratios = [one[runtime][verb] / one[base][verb] for one in rounds]
            result[runtime][verb] = {
                "median": round(statistics.median(values)),
                "p99": round(values[min(len(values) - 1, int(len(values) * 0.99))]),
                "ratio": round(statistics.median(ratios), 3),
            }
    return result


def identifier(name):
    return "".join(c if c.isalnum() else "-" for c in name)


def lives(bench, runtimes, documents, count):
    rounds = []
    for _ in range(count + 2):
        one = {}
        order = list(runtimes)
        random.shuffle(order)
        for name in order:
            document = documents["hardened" if name == "runc, hardened document" else "asked"]
            one[name] = bench.life(identifier(name), runtimes[name], document)
        rounds.append({name: one[name] for name in runtimes})
    return summary(rounds[2:], "runc")  # the first two only warm the caches


def own_time(bench, shim, nothing, documents, count):
    """create by the shim alone: the lower runtime is a program that ends at once."""
    argv = shim(nothing)
    rounds = []
    bundle = bench.bundle("own")
    for _ in range(count + 1):
        one = {}
        for size, document in random.sample(list(documents.items()), len(documents)):
            bench.write(bundle, document, "own")
            one[size] = {"create": bench.timed(
                argv + ["--root", bench.state, "create", "--bundle", bundle, "own"])}
        one["nothing"] = {"create": bench.timed([nothing])}
        rounds.append(one)
    return summary(rounds[1:], "nothing")


def padded(document, size):
    """The document with variables until it has so many bytes."""
    spec = json.loads(document)
    missing = size - len(document)
    spec["process"].setdefault("env", []).extend(
        f"PAD_{i}={'x' * 88}" for i in range(max(0, missing // 103)))
    return json.dumps(spec)


def with_mounts(bench, runtimes, document, counts, rounds):
    """create with one bind where the host has so many mounts, each in a namespace of its own."""
    result = {}
    spec = json.loads(document)
    spec["mounts"].append({"destination": "/mnt", "type": "bind", "source": os.environ["E2E_SRV"],
                           "options": ["rbind", "ro"]})
    libc = ctypes.CDLL(None, use_errno=True)
    mounted = 0
    os.makedirs(f"{bench.work}/mounts", exist_ok=True)
    for count in counts:
        while mounted < count:
            place = f"{bench.work}/mounts/{mounted}"
            os.makedirs(place, exist_ok=True)
            if libc.mount(b"tmpfs", place.encode(), b"tmpfs", 0, b"size=4k") != 0:
                sys.exit(f"bench: mount {place}: {os.strerror(ctypes.get_errno())}")
            mounted += 1
        result[count] = lives(bench, runtimes, {"asked": json.dumps(spec)}, rounds)
    subprocess.run(["sh", "-c", f"umount {bench.work}/mounts/*"], check=True)
    return result


def at_once(bench, runtimes, document, counts):
    """The wall time of so many creates at the same time, of each runtime in turn."""
    result = {}
    for count in counts:
        bundles = [bench.bundle(f"at-once-{i}") for i in range(count)]
        times = {name: [] for name in runtimes}
        for turn in range(5 if count < 256 else 3):
            for name in random.sample(list(runtimes), len(runtimes)):
                argv = runtimes[name] + ["--root", bench.state]
                for i, bundle in enumerate(bundles):
                    bench.write(bundle, document, f"once-{i}")
                begin = time.perf_counter_ns()
                children = [spawn(argv + ["create", "--bundle", bundle, "--pid-file",
                                          f"{bench.work}/once-{i}.pid", f"once-{i}"],
                                  f"{bench.work}/once-{i}.log") for i, bundle in enumerate(bundles)]
                status = [os.waitpid(child, 0)[1] for child in children]
                times[name].append((time.perf_counter_ns() - begin) / 1000)
                if any(status):
                    sys.exit(f"bench: {count} at once: {sum(map(bool, status))} failed ({name})")
                for i in range(count):
                    bench.end(f"once-{i}")
                    bench.timed(argv + ["delete", f"once-{i}"])
        result[count] = {name: round(statistics.median(values)) for name, values in times.items()}
    return result


def cold(bench, runtimes, document, rounds):
    """`state` and create with nothing in the page cache."""
    result = {name: {"create": [], "state": []} for name in runtimes}
    for _ in range(rounds):
        for name, argv in runtimes.items():
            bench.number += 1
            container = f"cold-{bench.number}"
            bundle = bench.bundle("cold")
            bench.write(bundle, document, container)
            for verb, arguments in (("create", ["create", "--bundle", bundle, "--pid-file",
                                                f"{bench.work}/{container}.pid", container]),
                                    ("state", ["state", container])):
                os.sync()
                with open("/proc/sys/vm/drop_caches", "w") as file:
                    file.write("3")
                result[name][verb].append(bench.timed(argv + ["--root", bench.state] + arguments))
            bench.end(container)
            bench.timed(argv + ["--root", bench.state, "delete", container])
    return {name: {verb: round(statistics.median(values)) for verb, values in verbs.items()}
            for name, verbs in result.items()}


def docker(bench, rounds):
    """docker run and docker exec, with runc and with runclad, in turn."""
    program = shutil.which("docker")
    runtimes = ("bench-runc", "bench-runclad")
    for name in runtimes:
        bench.timed([program, "run", "-d", "--name", name, "--network", "none", "--runtime", name,
                     "--health-cmd", "true", "--health-interval", "1s", "box", "sleep", "600"])
    result = []
    for _ in range(rounds + 1):
        one = {}
        for name in random.sample(runtimes, 2):
            one[name] = {
                "docker run": bench.timed([program, "run", "--rm", "--network", "none", "--runtime",
                                           name, "box", "true"]),
                "docker exec": bench.timed([program, "exec", name, "true"]),
            }
        result.append({name: one[name] for name in runtimes})
    health = {}
    for name in runtimes:
        inspected = json.loads(subprocess.check_output([program, "inspect", name]))
        health[name] = health_times(inspected[0]["State"]["Health"]["Log"])
        bench.timed([program, "rm", "-f", name])
    return {"calls": summary(result[1:], "bench-runc"), "health check": health}


def health_times(log):
    def seconds(text):  # 2026-11-26T18:05:29.123456789Z
        whole, fraction = text.rstrip("Z").split(".")
        whole = time.mktime(time.strptime(whole, "%Y-%m-%dT%H:%M:%S"))
        return whole + float("0." + fraction)
    return round(statistics.median(
        (seconds(one["End"]) - seconds(one["Start"])) * 1e6 for one in log))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", required=True)
    parser.add_argument("--shim", required=True)
    parser.add_argument("--policy", required=True)
    parser.add_argument("--runc", required=True)
    parser.add_argument("--crun")
    parser.add_argument("--rounds", type=int, default=40)
    arguments = parser.parse_args()
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    random.seed(1)
    work, rounds = arguments.work, arguments.rounds
    bench = Bench(work, arguments.runc)
    documents = {name: open(f"{work}/{name}.json").read() for name in ("asked", "hardened")}

    def shim(lower):
        return [arguments.shim, f"--runclad-config={arguments.policy}", f"--runclad-runtime={lower}"]

    runtimes = {
        "runc": [arguments.runc],
        "runc, hardened document": [arguments.runc],
        "hop without libc": [f"{work}/hop-without-libc"],
        "hop in C": [f"{work}/hop"],
        "wrapper in Go": [f"{work}/wrapper-go"],
        "wrapper in bash and jq": [f"{work}/wrapper.sh"],
        "runclad": shim(arguments.runc),
    }
    if arguments.crun:
        runtimes["crun"] = [arguments.crun]
        runtimes["runclad with crun"] = shim(arguments.crun)
    pair = {name: runtimes[name] for name in ("runc", "runclad")}
    sizes = {f"{size // 1000} KB": padded(documents["asked"], size)
             for size in (9_000, 40_000, 400_000, 4_000_000)}
    result = {
        "rounds": rounds,
        "document bytes": len(documents["asked"]),
        "lives": lives(bench, runtimes, documents, rounds),
        "shim alone": own_time(bench, shim, f"{work}/nothing", sizes, rounds),
        "host mounts": with_mounts(bench, pair, documents["asked"], (30, 500, 5000),
                                   max(5, rounds // 4)),
        "at once": at_once(bench, pair, documents["asked"], (1, 32, 256)),
        "cold": cold(bench, pair, documents["asked"], 5),
        "docker": docker(bench, max(5, rounds // 2)),
    }
    json.dump(result, sys.stdout, indent=1)


main()
