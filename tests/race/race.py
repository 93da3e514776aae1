"""Races between what runclad checks and what the lower runtime mounts.

Each trick asks for a container whose mount leads to a harmless directory at one moment and to a
denied one at the next: `swap` exchanges the two names all the time. The container's program says
what it sees. A line of the table per trick: how many creates were refused (or failed), started and
saw the right directory, started and saw neither, and saw the host's.

Environment: see tests/e2e/lib.sh.
"""

import argparse
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import time

WORK = os.environ["E2E_WORK"]
RACE = os.environ["E2E_SRV"] + "/race"  # may be mounted
FOREIGN = WORK + "/foreign"  # below /run: may not be mounted
RUNTIME = os.environ["E2E_RUNTIME"]
PLAIN = os.environ["E2E_PLAIN"]
CGROUP = os.environ["E2E_CGROUP"]
STATE = WORK + "/race-state"
PAUSE_MICROSECONDS = "300"
# Prints `right`, `host` or `neither`, whatever of the two the mount at /v (or below it) shows.
SEES = (
    "for f in /v/mark /v/m/mark /v/n/mark; do [ -e $f ] && cat $f; done; "
    "for f in /v /v/m /v/n; do [ -e $f/shadow ] && [ -e $f/passwd ] && echo host; done; echo neither"
)


class Trick:
    """What stands on the disk for one trick, and the processes that swap it."""

    def __init__(self, name, layout="link", foreign=FOREIGN):
        self.directory = f"{RACE}/{name}"
        shutil.rmtree(self.directory, ignore_errors=True)
        self.swaps = []
        right = self.make("right")
        self.write(f"{right}/mark", "right\n")
        if layout == "link":
            os.symlink(right, f"{self.directory}/now")
            os.symlink(foreign, f"{self.directory}/then")
            self.source = f"{self.directory}/now"
        else:  # the directory above it
            self.write(self.make("now/data") + "/mark", "right\n")
            self.make("then")
            os.symlink(foreign, f"{self.directory}/then/data")
            self.source = f"{self.directory}/now/data"
        self.swap(self.directory, "now", "then")

    def make(self, name):
        os.makedirs(f"{self.directory}/{name}")
        return f"{self.directory}/{name}"

    @staticmethod
    def write(path, text):
        with open(path, "w", encoding="ascii") as file:
            file.write(text)

    def swap(self, directory, name, other):
        self.swaps.append(
            subprocess.Popen([WORK + "/swap", directory, name, other, PAUSE_MICROSECONDS]))

    def end(self):
        for process in self.swaps:
            process.kill()
            process.wait()


def outcome(text):
    """Of what the program printed."""
    for word in ("host", "right"):
        if word in text:
            return word
    return "neither"


# --- by hand -------------------------------------------------------------------------------------


def bind(source, destination="/v"):
    return {"destination": destination, "type": "bind", "source": source,
            "options": ["rbind", "rw", "rprivate"]}


class ByHand:
    """One bundle, whose document is written anew for each create."""

    def __init__(self, name, change, rootfs="rootfs", verb="create"):
        self.id = name
        self.verb = verb
        self.bundle = f"{WORK}/bundles/race-{name}"
        shutil.rmtree(self.bundle, ignore_errors=True)
        os.makedirs(self.bundle)
        subprocess.run(["cp", "-a", f"{WORK}/{rootfs}", self.bundle + "/rootfs"], check=True)
        subprocess.run([PLAIN, "spec"], cwd=self.bundle, check=True)
        with open(self.bundle + "/config.json", encoding="utf-8") as file:
            spec = json.load(file)
        spec["process"].update(terminal=False, args=["sh", "-c", SEES])
        del spec["process"]["rlimits"]
        spec["linux"]["cgroupsPath"] = f"{CGROUP}/{name}"
        change(spec)
        self.document = json.dumps(spec)

    def runtime(self, *arguments, **streams):
        return subprocess.run([RUNTIME, "--root", STATE, *arguments], check=False,
                              stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **streams)

    def create(self):
        Trick.write(self.bundle + "/config.json", self.document)
        path = self.bundle + "/out"
        with open(path, "w", encoding="ascii") as out:
            made = self.runtime(self.verb, "--bundle", self.bundle, self.id, stdout=out)
            if made.returncode == 0 and self.verb == "create":
                made = self.runtime("start", self.id, stdout=out)
        text = ""
        if made.returncode == 0:
            deadline = time.monotonic() + 10
            while "neither" not in text and time.monotonic() < deadline:
                with open(path, encoding="ascii") as file:
                    text = file.read()
                if "neither" not in text:
                    time.sleep(0.002)
        if self.verb == "create":
            subprocess.run([PLAIN, "--root", STATE, "delete", "--force", self.id], check=False,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return outcome(text) if made.returncode == 0 else "refused"


def by_hand(name, mounts, layout="link", foreign=FOREIGN, masked=(), **bundle):
    """`mounts` makes the mounts of the container out of the trick."""

    def make():
        trick = Trick(name, layout, foreign)

        def change(spec):
            spec["mounts"] += mounts(trick)
            spec["linux"]["maskedPaths"] = spec["linux"].get("maskedPaths", []) + list(masked)

        return trick, ByHand(name, change, **bundle).create

    return make


def covered_by_link(trick):
    os.makedirs(trick.directory + "/vol/m")
    return [bind(trick.directory + "/vol", "/l"), bind(trick.source),
            {"destination": "/l/m", "type": "tmpfs", "source": "tmpfs", "options": []}]


def renamed(trick):
    """The volume's writer renames the directory on which the swapped source is mounted."""
    for name in ("m", "n"):
        os.makedirs(f"{trick.directory}/vol/{name}")
    trick.swap(trick.directory + "/vol", "m", "n")
    return [bind(trick.directory + "/vol"), bind(trick.source, "/v/m")]


def overlay(trick, *options):
    empty = trick.make("empty")
    layers = [f"lowerdir={trick.source}:{empty}", *options]
    return [{"destination": "/v", "type": "overlay", "source": "overlay", "options": layers}]


def upper_layer(trick):
    """What is written to lies below the swapped name."""
    for directory in (FOREIGN, trick.directory + "/right"):
        for name in ("upper", "work"):
            os.makedirs(f"{directory}/{name}", exist_ok=True)
    Trick.write(FOREIGN + "/upper/mark", "host\n")
    Trick.write(trick.directory + "/right/upper/mark", "right\n")
    return [{"destination": "/v", "type": "overlay", "source": "overlay",
             "options": [f"lowerdir={trick.make('lower')}", f"upperdir={trick.source}/upper",
                         f"workdir={trick.source}/work"]}]


# --- engines -------------------------------------------------------------------------------------


class DockerSocket(http.client.HTTPConnection):
    def __init__(self):
        super().__init__("docker")

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(60)
        self.sock.connect(os.environ["DOCKER_HOST"].removeprefix("unix://"))


def docker_call(method, path, body=None):
    connection = DockerSocket()
    text = json.dumps(body) if body is not None else None
    connection.request(method, "/v1.41" + path, text, {"Content-Type": "application/json"})
    response = connection.getresponse()
    data = response.read()
    connection.close()
    return response.status, data


def docker_create(body):
    status, data = docker_call("POST", "/containers/create", body)
    if status != 201:
        return "refused"
    path = "/containers/" + json.loads(data)["Id"]
    status, _ = docker_call("POST", path + "/start")
    result = "refused"
    if status == 204:
        docker_call("POST", path + "/wait")
        result = outcome(docker_call("GET", path + "/logs?stdout=1")[1].decode("latin1"))
    docker_call("DELETE", path + "?force=1&v=1")
    return result


def docker(name, binds, layout="link", image="box", **host_config):
    def make():
        trick = Trick(name, layout)
        body = {"Image": image, "Cmd": ["sh", "-c", SEES],
                "HostConfig": {"NetworkMode": "none", "Runtime": "runclad", "Binds": binds(trick),
                               **host_config}}
        return trick, lambda: docker_create(body)

    return make


def docker_link(trick):
    os.makedirs(trick.directory + "/vol/m")
    return [f"{trick.directory}/vol:/l", f"{trick.source}:/v"]


def docker_renamed(trick):
    renamed(trick)
    return [f"{trick.directory}/vol:/v", f"{trick.source}:/v/m"]


def docker_volume(trick):
    """A local volume that is a bind of the swapped source: dockerd mounts it itself."""
    name = "race-" + os.path.basename(trick.directory)
    docker_call("DELETE", "/volumes/" + name)
    docker_call("POST", "/volumes/create",
                {"Name": name, "DriverOpts": {"type": "none", "o": "bind", "device": trick.source}})
    return [f"{name}:/v"]


def podman(name, options, layout="link"):
    def make():
        trick = Trick(name, layout)
        command = ["podman", "--cgroup-manager", "cgroupfs", "--events-backend", "file",
                   "--runtime", WORK + "/runtimes/runclad/runclad", "run", "--rm", "--network",
                   "none", "--cgroup-parent", CGROUP, "--ulimit", "nofile=1024:2048", "--ulimit",
                   "nproc=1000:2000", *options(trick), "box", "sh", "-c", SEES]

        def create():
            done = subprocess.run(command, check=False, stdin=subprocess.DEVNULL,
                                  capture_output=True)
            return outcome(done.stdout.decode()) if done.returncode == 0 else "refused"

        return trick, create

    return make


def podman_upper(trick):
    upper, work = trick.make("upper"), trick.make("work")
    return ["-v", f"{trick.source}:/v:O,upperdir={upper},workdir={work}"]


def podman_renamed(trick):
    renamed(trick)
    return ["-v", f"{trick.directory}/vol:/v", "-v", f"{trick.source}:/v/m"]


def podman_volume(trick):
    name = "race-" + os.path.basename(trick.directory)
    subprocess.run(["podman", "volume", "rm", "-f", name], check=False, capture_output=True)
    subprocess.run(["podman", "volume", "create", "-o", "type=none", "-o", "o=bind", "-o",
                    "device=" + trick.source, name], check=True, capture_output=True)
    return ["-v", f"{name}:/v"]


BY_HAND = {
    "by hand, link": by_hand("link", lambda trick: [bind(trick.source)]),
    "by hand, link to /etc": by_hand("etc", lambda trick: [bind(trick.source)], foreign="/etc"),
    "by hand, parent directory": by_hand("parent", lambda trick: [bind(trick.source)],
                                         layout="parent"),
    "by hand, mask of /": by_hand("mask", lambda trick: [bind(trick.source)], masked=["/"]),
    "by hand, tmpfs over the image's link": by_hand("over", covered_by_link, rootfs="linked"),
    "by hand, renamed mount point": by_hand("rename", renamed),
    "by hand, lower layer": by_hand("lower", overlay),
    "by hand, upper layer": by_hand("upper", upper_layer),
    "run, link": by_hand("run", lambda trick: [bind(trick.source)], verb="run"),
    "run, parent directory": by_hand("runparent", lambda trick: [bind(trick.source)],
                                     layout="parent", verb="run"),
    "run, lower layer": by_hand("runlower", overlay, verb="run"),
}
ENGINES = {
    "Docker, link": docker("dlink", lambda trick: [f"{trick.source}:/v"]),
    "Docker, parent directory": docker("dparent", lambda trick: [f"{trick.source}:/v"],
                                       layout="parent"),
    "Docker, MaskedPaths /": docker("dmask", lambda trick: [f"{trick.source}:/v"],
                                    MaskedPaths=["/"]),
    "Docker, tmpfs over the image's link": docker("dover", docker_link, image="linked",
                                                  Tmpfs={"/l/m": ""}),
    "Docker, renamed mount point": docker("drename", docker_renamed),
    "Docker, named volume": docker("dvolume", docker_volume),
    "podman, link": podman("plink", lambda trick: ["-v", f"{trick.source}:/v"]),
    "podman, mask of /": podman("pmask", lambda trick: ["--security-opt", "mask=/", "-v",
                                                        f"{trick.source}:/v"]),
    "podman, overlay": podman("poverlay", lambda trick: ["-v", f"{trick.source}:/v:O"]),
    "podman, overlay with upperdir": podman("pupper", podman_upper),
    "podman, renamed mount point": podman("prename", podman_renamed),
    "podman, named volume": podman("pvolume", podman_volume),
}
COLUMNS = ("refused", "right", "neither", "host")


def race(name, make, creates, until_seen):
    counts = dict.fromkeys(COLUMNS, 0)
    trick, create = make()
    try:
        while sum(counts.values()) < creates and not (until_seen and counts["host"]):
            counts[create()] += 1
    finally:
        trick.end()
    print(name, sum(counts.values()), *counts.values(), sep="\t", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--creates", type=int, required=True)
    parser.add_argument("--until-seen", action="store_true")
    arguments = parser.parse_args()
    os.makedirs(FOREIGN, exist_ok=True)
    Trick.write(FOREIGN + "/mark", "host\n")
    # An engine takes ten times as long as a create by hand.
    by_engine = max(2, arguments.creates // (20 * len(ENGINES)))
    if arguments.until_seen:
        by_engine = hand = arguments.creates
    else:
        hand = -(-(arguments.creates - by_engine * len(ENGINES)) // len(BY_HAND))
    print("trick", "creates", *COLUMNS, sep="\t")
    for name, make in BY_HAND.items():
        race(name, make, hand, arguments.until_seen)
    for name, make in ENGINES.items():
        race(name, make, by_engine, arguments.until_seen)


if __name__ == "__main__":
    sys.exit(main())
