#!/usr/bin/python3
"""The events of tests/events/run.sh, and what is asked after each of them. In one file: a table and what it names."""

import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import sys
import time

from host import (LOG_DIRECTORY, LOOP, POLICY, RUNCLAD, SRV, Engines, Opened, PodmanService, Service, Task,
                  another_build, digest_of, docker_state, eventually, policy_text, run, version_of, write)

FILLER = LOG_DIRECTORY + "/filler"
NEW_POLICY = "/run/new-policy"


class Scenario:
    def __init__(self, seed, only):
        self.only = only  # of the names of events; empty: all
        self.random = random.Random(seed)
        self.engines = Engines()
        self.services = []
        self.extras = []
        self.lifted = set()  # those of them that break-glass let in
        self.count = 0  # of everything that was ever made
        self.passed = 0
        self.failures = []
        self.broken = {}  # what is broken -> how it is mended
        self.event = "the start"
        self.is_closed = False
        self.applied = 0  # revisions that were applied
        self.has_unchecked = False  # a service that could not be made yet

    # --- results ---

    def check(self, is_right, what, detail=""):
        if is_right:
            self.passed += 1
            return
        self.failures.append(f"{self.event}: {what}")
        print(f"not ok - {what}\n#   {detail[:1500]}".rstrip(), flush=True)

    def ctl(self, *arguments, expected=(0,)):
        status, out, err = run("runcladctl", *arguments)
        self.check(status in expected, f"runcladctl {' '.join(arguments)} ends with {status}", out + err)
        return out

    # --- the beginning ---

    def begin(self):
        write(POLICY, policy_text(log={"max-megabytes": 1, "keep": 5}))
        self.engines.start_containerd()
        self.engines.start_dockerd()
        self.make_image()
        self.ctl("configure", "docker", "--default")
        data = SRV + "/data"
        os.makedirs(data, exist_ok=True)
        self.services = [
            Service("web", []),
            Service("store", ["-v", data + ":/data", "--memory", "64m"]),
            Service("worker", ["--user", "1000:1000", "--read-only"]),
            Service("gate", ["--cap-add", "NET_BIND_SERVICE", "--label", "tier=edge"]),
            PodmanService("pod", []),
            Task("task", []),
        ]
        for service in self.services:
            self.check(service.create(), f"the service {service.name} is made", service.error)

    @staticmethod
    def make_image():
        root = "/run/image"
        for directory in ("bin", "dev", "etc", "proc", "sys", "tmp", "run", "var/tmp", "data"):
            os.makedirs(f"{root}/{directory}", exist_ok=True)
        shutil.copy(shutil.which("busybox"), root + "/bin/busybox")
        for applet in ("sh", "sleep", "true", "cat", "id", "false"):
            os.symlink("busybox", f"{root}/bin/{applet}")
        with open(root + "/etc/passwd", "w", encoding="ascii") as file:
            file.write("root:x:0:0:root:/:/bin/sh\n")
        run("tar", "-C", root, "-cf", "/run/image.tar", ".")
        for command in (["docker", "import", "/run/image.tar", "box:latest"],
                        ["docker", "save", "-o", "/run/box.tar", "box:latest"],
                        ["ctr", "images", "import", "/run/box.tar"],
                        ["podman", "import", "-q", "/run/image.tar", "box"]):
            status, _, error = run(*command)
            if status != 0:
                raise SystemExit(f"events: {' '.join(command)}: {error}")

    # --- what is asked after each event ---

    def ask(self):
        status, text, error = run("runcladctl", "status", "--json")
        self.check(status == 0, "status answers", error)
        said = json.loads(text) if status == 0 else {}
        for service in self.services:
            # Engines restart what has ended, one after another; what was refused stays down.
            is_up = eventually(lambda s=service: s.is_up() or (self.broken and s.why_down()), 25) and service.is_up()
            if is_up:
                self.check(True, "")
                continue
            why = service.why_down()
            if not self.broken:
                self.check(False, f"{service.name} is down, and nothing is broken", why)
                continue
            self.check("runclad" in why, f"{service.name} is down, and its engine does not say that runclad "
                                         f"refused it ({', '.join(self.broken)})", why)
            self.check(self.is_said(service), f"status says why {service.name} is down ({', '.join(self.broken)})")
        # Another one each time: what is up can be entered.
        up = [service for service in self.services if service.is_up()]
        if up and not self.broken:
            service = self.random.choice(up)
            status, _, error = service.exec("true")
            self.check(status == 0, f"exec into {service.name}", error)
        unrecorded = said.get("unrecorded", [])
        if unrecorded:  # one that was just being made or removed
            time.sleep(1)
            unrecorded = json.loads(run("runcladctl", "status", "--json")[1] or "{}").get("unrecorded", [])
        self.check(not unrecorded, "every container has a record", str(unrecorded))

    @staticmethod
    def is_said(service):
        """The policy cannot be read, the log that it requires cannot be written, or a rule refused it."""
        said = json.loads(run("runcladctl", "status", "--json")[1] or "{}")
        return bool(said["policy"]["error"] or said["log"]["faults"]) or \
            any(refusal.startswith(service.name + ":") for refusal in said["today"]["refusals"])

    def mend(self):
        for what, how in list(self.broken.items()):
            print(f"#   mended: {what}", flush=True)
            how()
            del self.broken[what]
        for service in self.services:
            if not eventually(service.is_up, 3):
                service.start()

    # --- events ---

    def any_extra(self):
        return self.random.choice(self.extras) if self.extras else None

    def create(self):
        kinds = [([], True), (["-e", "A=b"], True), (["--user", "1000"], True), (["--read-only"], True),
                 (["-v", SRV + "/data:/data"], True), (["--tmpfs", "/x"], True), (["--privileged"], False),
                 (["-v", "/:/host"], False), (["-v", "/run/docker.sock:/s"], False), (["--pid", "host"], False),
                 (["--device", "/dev/vda"] if os.path.exists("/dev/vda") else ["-v", "/etc:/e"], False)]
        options, is_good = self.random.choice(kinds)
        self.count += 1
        name = f"extra-{self.count}"
        status, _, error = run("docker", "run", "-d", "--name", name, "--network", "none", *options, "box", *LOOP)
        if status == 0:
            self.extras.append(name)
            if not is_good:
                self.lifted.add(name)  # break-glass let it in
        else:
            run("docker", "rm", "-f", name)
        if is_good and not self.broken:
            self.check(status == 0, f"docker run {' '.join(options)}", error)
        elif not is_good and not self.is_lifted():
            self.check(status != 0 and "runclad" in error, f"docker run {' '.join(options)} is refused", error)
        if len(self.extras) > 4:
            self.remove()

    def is_lifted(self):
        return "break-glass" in self.broken

    def execute(self):
        name = self.any_extra() or self.services[0].name
        status, _, error = run("docker", "exec", name, "true")
        if not self.broken:
            self.check(status == 0 or not docker_state(name).get("Running"), f"docker exec {name}", error)

    def stop(self):
        name = self.any_extra()
        if name is None:
            return self.create()
        self.check(run("docker", "stop", "-t", "5", name)[0] == 0, f"docker stop {name}")
        if self.random.random() < 0.5:
            status, _, error = run("docker", "start", name)
            if name in self.lifted and not self.is_lifted():
                self.check(status != 0 and "runclad" in error, f"docker start {name} is refused again", error)
            else:
                self.check(status == 0 or self.broken, f"docker start {name}", error)
        return None

    def remove(self):
        name = self.any_extra()
        if name is None:
            return
        self.extras.remove(name)
        self.check(run("docker", "rm", "-f", name)[0] == 0, f"docker rm -f {name}")

    def restart_service(self):
        service = self.random.choice(self.services)
        print(f"#   {service.name}", flush=True)
        service.stop()
        service.start()

    def crash_service(self):
        service = self.random.choice(self.services[:4])
        print(f"#   {service.name}", flush=True)
        pid = docker_state(service.name).get("Pid", 0)
        if pid:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.5)

    def update_service(self):
        status, _, error = run("docker", "update", "--memory", f"{self.random.randint(70, 90)}m", "store")
        self.check(status == 0 or self.broken, "docker update", error)

    def restart_dockerd(self):
        self.engines.restart_dockerd(self.random.choice([signal.SIGTERM, signal.SIGKILL]))

    def restart_containerd(self):
        self.engines.restart_containerd(self.random.choice([signal.SIGTERM, signal.SIGKILL]))

    def reboot(self):
        self.engines.reboot(self.random.random() < 0.5)
        self.broken.pop("break-glass", None)  # ends at a reboot
        for service in self.services:
            service.after_reboot()

    def typo(self):
        """In the directory or, where a policy was applied, in the revision that is in force."""
        path = "/etc/runclad/applied/policy.json" if os.path.exists("/etc/runclad/applied") else POLICY
        path = os.path.realpath(path)
        with open(path, encoding="utf-8") as file:
            before = file.read()
        after = self.random.choice([before.replace(",", "", 1), before.replace("rules", "ruels", 1),
                                    before[:-3], before + "}"])
        write(path, after)
        self.broken["a typo in the policy"] = lambda: write(path, before)
        self.restart_service()

    def full_disk(self):
        required = self.random.random() < 0.5
        self.write_policy(log={"max-megabytes": 1, "keep": 5, "required": required})
        # Without a buffer: closing the file would write what is left of it, and fail.
        with open(FILLER, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(1 << 16))
            except OSError:
                pass
        # A required log that takes no line stops containers; another does not.
        self.broken["the log's disk is full" + (" and the log required" if required else "")] = \
            lambda: (os.remove(FILLER), self.write_policy())
        self.restart_service()
        if not required:
            self.create()

    def write_policy(self, **members):
        """In whatever way this host has its policy."""
        members.setdefault("log", {"max-megabytes": 1, "keep": 5})
        if os.path.exists("/etc/runclad/applied"):
            self.apply_text(policy_text(fallback="last-good", **members))
        else:
            write(POLICY, policy_text(**members))

    def apply_text(self, text, expected=(0,)):
        shutil.rmtree(NEW_POLICY, ignore_errors=True)
        os.makedirs(NEW_POLICY)
        write(NEW_POLICY + "/policy.json", text)
        self.ctl("policy", "apply", "--force", NEW_POLICY, expected=expected)
        self.applied += 1

    def apply(self):
        self.apply_text(policy_text(
            fallback="last-good", log={"max-megabytes": 1, "keep": 5, "level": self.random.choice(["info", "notice"])},
            rules={"pids-limit": {"default": self.random.randint(100, 4000)}} if os.path.isdir(
                "/sys/fs/cgroup/pids") else {}))

    def apply_and_roll_back(self):
        """A policy that refuses a service, which a rollback takes back."""
        if self.applied == 0:
            self.apply()
        self.apply_text(policy_text(fallback="last-good", log={"max-megabytes": 1, "keep": 5},
                                    rules={"host-mounts": {"deny": [SRV + "/data"]}}))
        self.broken["a policy that denies the data of store"] = lambda: self.ctl("policy", "rollback")
        self.services[1].stop()
        self.services[1].start()
        self.check(not self.services[1].is_up(), "what the policy denies is refused")

    def damage_applied(self):
        """A file of the revision in force is lost; the copy that was kept is used."""
        if self.applied == 0:
            self.apply()
        path = os.path.realpath("/etc/runclad/applied/policy.json")
        with open(path, encoding="utf-8") as file:
            before = file.read()
        if "last-good" not in before:
            return
        write(path, before[:-5])
        self.restart_service()
        self.ask()  # nothing is down: the fallback is last-good
        write(path, before)

    def upgrade(self):
        which = self.random.choice(["runclad", "runcladctl", "runc"])
        path = {"runclad": RUNCLAD, "runcladctl": "/usr/bin/runcladctl",
                "runc": "/usr/libexec/runclad/runc" if self.is_closed else "/usr/sbin/runc"}[which]
        print(f"#   {path}", flush=True)
        before, digest = os.stat(path).st_ino, digest_of(path)
        program, version = another_build(path, self.random.randrange(9))
        shutil.copy2(path, path + ".dpkg-new")  # its mode and owner
        with open(path + ".dpkg-new", "wb") as file:
            file.write(program)
        os.replace(path + ".dpkg-new", path)
        self.check(os.stat(path).st_ino != before and digest_of(path) != digest, f"{path} is another file")
        self.check(version_of(path) == version, f"{path} is of the version {version}", version_of(path))
        if which == "runcladctl":
            return
        # What the engine runs from now on is the new file.
        opened = Opened(path)
        status, _, error = run("docker", "run", "--rm", "--network", "none", "box", "true")
        if not self.broken:
            self.check(status == 0, f"docker run with another {which}", error)
        self.check(opened.was() or (self.broken and which == "runc"), f"the engine runs the new {which}", error)
        opened.close()
        self.check(digest_of(path) == hashlib.sha256(program).hexdigest(), f"{path} stays the new one")

    def close_or_open(self):
        self.ctl("open" if self.is_closed else "close", "runc")
        self.is_closed = not self.is_closed
        status, out, error = run("docker", "run", "--rm", "--network", "none", "--runtime", "runc", "box", "sh", "-c",
                                 "while read -r a b; do [ $a != NoNewPrivs: ] || echo $b; done </proc/self/status")
        if self.broken:
            return
        self.check(status == 0, "docker run --runtime runc", error)
        self.check(self.is_lifted() or out.strip() == ("1" if self.is_closed else "0"),
                   f"runc is {'closed' if self.is_closed else 'open'}", out)

    def break_glass(self):
        self.ctl("break-glass", "--for", "1h", "--reason", "INC-1")
        self.broken["break-glass"] = lambda: self.ctl("break-glass", "--end")
        self.create()

    def look(self):
        """What an operator and the monitoring run."""
        command = self.random.choice([["metrics"], ["report", "--json"], ["ps"], ["why", "--last"], ["policy", "status"],
                                      ["check", "--all"], ["doctor", "--only", "log"]])
        self.ctl(*command, expected=(0, 1, 2) if self.broken or command[0] in ("doctor", "why", "check") else (0,))

    # Each with how often it comes.
    def events(self):
        events = [(self.create, 6), (self.execute, 4), (self.stop, 3), (self.remove, 2), (self.restart_service, 5),
                  (self.crash_service, 3), (self.update_service, 1), (self.restart_dockerd, 2),
                  (self.restart_containerd, 2), (self.reboot, 2), (self.typo, 3), (self.full_disk, 2), (self.apply, 2),
                  (self.apply_and_roll_back, 2), (self.damage_applied, 1), (self.upgrade, 3), (self.close_or_open, 2),
                  (self.break_glass, 1), (self.look, 3)]
        return [entry for entry in events if not self.only or entry[0].__name__ in self.only]

    # Nothing else is broken by these, and so they can come while something is.
    HARMLESS = ("create", "execute", "stop", "remove", "restart_service", "crash_service", "restart_dockerd",
                "restart_containerd", "reboot", "upgrade", "look")

    def run(self, count):
        self.begin()
        self.ask()
        left_broken = 0
        for number in range(1, count + 1):
            began = time.monotonic()
            choices, weights = zip(*self.events())
            if self.broken and left_broken <= 0:
                self.event = f"event {number}: mended"
                self.mend()
            else:
                if self.broken:
                    choices, weights = zip(*[(event, weight) for event, weight in self.events()
                                             if event.__name__ in self.HARMLESS] or [(self.look, 1)])
                    left_broken -= 1
                event = self.random.choices(choices, weights)[0]
                self.event = f"event {number}: {event.__name__}"
                print(f"# {self.event}", flush=True)
                had = set(self.broken)
                event()
                if set(self.broken) - had:
                    left_broken = self.random.randint(0, 3)
            self.ask()
            print(f"#   {time.monotonic() - began:.1f} s"
                  + (f", broken: {', '.join(self.broken)}" if self.broken else ""), flush=True)
        self.event = "the end"
        self.mend()
        self.ask()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--events", type=int, default=200)
    parser.add_argument("--only", default="", help="names of events, with commas, to look into a fault")
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}, {arguments.events} events", flush=True)
    began = time.monotonic()
    scenario = Scenario(arguments.seed, [name for name in arguments.only.split(",") if name])
    try:
        scenario.run(arguments.events)
    finally:
        for failure in scenario.failures:
            print("failed: " + failure)
        print(f"{time.monotonic() - began:.0f} s, seed {arguments.seed}")
    print(f"{scenario.passed} passed, {len(scenario.failures)} failed")
    return 1 if scenario.failures or not scenario.passed else 0


if __name__ == "__main__":
    sys.exit(main())
