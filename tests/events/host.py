"""The host of the events: its engines, its services, and what can be asked of it."""

import ctypes
import hashlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import time

SRV = os.environ.get("EVENTS_SRV", "")
CGROUP = os.environ.get("EVENTS_CGROUP", "")
LOG_DIRECTORY = "/var/log/runclad"
POLICY = "/etc/runclad/policy.json"
RUNCLAD = "/usr/sbin/runclad"
# A first process that ends at once when it is asked to.
LOOP = ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 1 & wait $!; done"]
PODMAN = ["podman", "--cgroup-manager", "cgroupfs", "--events-backend", "file", "--runtime", RUNCLAD]


def run(*command, seconds=90):
    """A command's status and what it printed; 124: it took too long."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=seconds, errors="replace", check=False)
        return done.returncode, done.stdout, done.stderr
    except subprocess.TimeoutExpired:
        return 124, "", f"{command[0]} took more than {seconds} seconds"


def docker_state(name):
    """The State of a container, of dockerd itself: its command costs a tenth of a second each time."""
    class Local(http.client.HTTPConnection):
        def connect(self):
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.settimeout(30)
            self.sock.connect("/run/docker.sock")
    try:
        connection = Local("docker")
        connection.request("GET", f"/containers/{name}/json")
        answer = connection.getresponse().read()
        connection.close()
        return json.loads(answer).get("State", {})
    except (OSError, ValueError, http.client.HTTPException):
        return {}


def eventually(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def policy_text(**members):
    """A policy of this host; by default nothing but what the test needs."""
    rules = {"cgroup-path": {"parents": [CGROUP]}}
    if not os.path.isdir("/sys/fs/cgroup/pids") and not _has_pids():
        rules["pids-limit"] = {"action": "warn"}
    rules.update(members.pop("rules", {}))
    return json.dumps({"fallback": "refuse", **members, "rules": rules}, indent=2) + "\n"


def _has_pids():
    try:
        with open("/sys/fs/cgroup/cgroup.controllers", encoding="ascii") as file:
            return "pids" in file.read().split()
    except OSError:
        return False


def write(path, text):
    """As an editor writes: another file in its place."""
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path + ".new", 0o644)
    os.replace(path + ".new", path)


def digest_of(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def version_of(path):
    """The word by which its builds differ: runclad's commit, the version of runc that Debian gave it."""
    text = run(path, "--version")[1]
    lines = [line for line in text.splitlines() if re.match(r"(runclad:|runcladctl|runc version) ", line)]
    return re.sub(r".*\(commit (\w+)\)$", r"\1", lines[-1]).split()[-1] if lines else ""


def another_build(path, number):
    """The bytes of a program that is another build: its version says so, and it works as before."""
    version = version_of(path)
    digits = re.findall(r"\d", version)
    if not digits:
        raise SystemExit(f"events: {path} has no version: {version}")
    at = version.rindex(digits[-1])
    other = version[:at] + str((int(digits[-1]) + 1 + number % 9) % 10) + version[at + 1:]
    with open(path, "rb") as file:
        return file.read().replace(version.encode(), other.encode()), other


class Opened:
    """Whether the file that is at `path` now, whatever comes there later, is opened: to execute it is to open it."""

    IN_OPEN = 0x20

    def __init__(self, path):
        libc = ctypes.CDLL(None, use_errno=True)
        self.fd = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self.fd < 0 or libc.inotify_add_watch(self.fd, path.encode(), self.IN_OPEN) < 0:
            raise SystemExit(f"events: {path} cannot be watched")

    def was(self):
        try:
            events = os.read(self.fd, 1 << 16)
        except BlockingIOError:
            return False
        # Events about a file itself have no name, and all the same length.
        return any(mask & self.IN_OPEN for _, mask, _, _ in struct.iter_unpack("=iIII", events))

    def close(self):
        os.close(self.fd)


class Engines:
    """containerd and dockerd, at their usual places."""

    def __init__(self):
        self.containerd = None
        self.dockerd = None

    def start_containerd(self):
        write("/run/containerd.toml", 'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n')
        log = open("/run/containerd.log", "ab")
        self.containerd = subprocess.Popen(["containerd", "--config", "/run/containerd.toml"], stdout=log,
                                           stderr=log, stdin=subprocess.DEVNULL)
        if not eventually(lambda: run("ctr", "version")[0] == 0, 30):
            raise SystemExit("events: containerd did not come up")

    def start_dockerd(self):
        if os.path.exists("/run/docker.pid"):
            os.remove("/run/docker.pid")  # of one that was killed; its number may be another's by now
        log = open("/run/dockerd.log", "ab")
        self.dockerd = subprocess.Popen(
            ["dockerd", "--containerd", "/run/containerd/containerd.sock", "--bridge=none", "--iptables=false",
             "--ip6tables=false", "--ip-forward=false", "--cgroup-parent", CGROUP], stdout=log, stderr=log,
            stdin=subprocess.DEVNULL)
        if not eventually(lambda: run("docker", "version")[0] == 0, 60):
            raise SystemExit("events: dockerd did not come up")

    @staticmethod
    def end(engine, how):
        engine.send_signal(how)
        try:
            engine.wait(40)
        except subprocess.TimeoutExpired:
            engine.kill()
            engine.wait()

    def restart_dockerd(self, how):
        self.end(self.dockerd, how)
        self.start_dockerd()

    def restart_containerd(self, how):
        self.end(self.containerd, how)
        self.start_containerd()
        # dockerd connects again by itself, later for containers than for its version.
        if not eventually(self.has_containers_again, 60):
            raise SystemExit("events: dockerd did not find containerd again")

    @staticmethod
    def has_containers_again():
        """An exec reaches the runtime, which may refuse it."""
        status, running, _ = run("docker", "ps", "-q")
        if status != 0:
            return False
        if not running.strip():
            return True
        status, _, error = run("docker", "exec", running.split()[0], "true")
        return status == 0 or "runclad" in error

    def reboot(self, is_orderly):
        """The engines end, every process of theirs with them, and what was in /run is gone."""
        how = signal.SIGTERM if is_orderly else signal.SIGKILL
        self.end(self.dockerd, how)
        self.end(self.containerd, how)
        mine = {1, os.getpid(), os.getppid()}
        for name in os.listdir("/proc"):
            if name.isdigit() and int(name) not in mine:
                try:
                    os.kill(int(name), signal.SIGKILL)
                except ProcessLookupError:
                    pass
        time.sleep(0.5)
        with open("/proc/self/mounts", encoding="utf-8") as file:
            places = [line.split()[1].encode().decode("unicode_escape") for line in file]
        for place in reversed(places):
            if re.match(r"/run/(docker|containerd|user|netns|containers)(/|$)", place) or \
                    re.match(r"/var/lib/(docker|containers|containerd)/.", place):
                run("umount", "-l", place)
        for name in os.listdir("/run"):
            if name in ("docker", "containerd", "runclad", "crun", "runc", "containers", "libpod", "docker.sock",
                        "docker.pid"):
                path = "/run/" + name
                (shutil.rmtree if os.path.isdir(path) else os.remove)(path)
        self.start_containerd()
        self.start_dockerd()


class Service:
    """What has to be up: made once, restarted by its engine or, after a reboot, by the unit of its engine."""

    def __init__(self, name, arguments):
        self.name = name
        self.arguments = arguments
        self.error = ""  # of the last start

    def create(self):
        status, _, self.error = run("docker", "run", "-d", "--name", self.name, "--restart", "always",
                                    "--network", "none", *self.arguments, "box", *LOOP)
        return status == 0

    def start(self):
        """What the operator does when it is down."""
        status, _, error = run("docker", "start", self.name)
        self.error = "" if status == 0 else error

    def stop(self):
        return run("docker", "stop", "-t", "5", self.name)

    def after_reboot(self):
        """restart=always"""

    def is_up(self):
        state = docker_state(self.name)
        return bool(state.get("Running")) and not state.get("Restarting")

    def exec(self, *command):
        return run("docker", "exec", self.name, *command, seconds=30)

    def why_down(self):
        """Every sentence that the engine has about it."""
        return self.error + docker_state(self.name).get("Error", "")


class PodmanService(Service):
    def create(self):
        status, _, self.error = run(*PODMAN, "run", "-d", "--name", self.name, "--network", "none",
                                    "--cgroup-parent", CGROUP, *self.arguments, "box", *LOOP)
        return status == 0

    def start(self):
        status, _, error = run(*PODMAN, "start", self.name)
        self.error = "" if status == 0 else error

    def stop(self):
        return run(*PODMAN, "stop", "-t", "5", self.name)

    def after_reboot(self):
        self.start()  # podman-restart.service

    def is_up(self):
        return run(*PODMAN, "inspect", "-f", "{{.State.Running}}", self.name)[1].strip() == "true"

    def exec(self, *command):
        return run(*PODMAN, "exec", self.name, *command, seconds=30)

    def why_down(self):
        return self.error


class Task(Service):
    """A task of containerd's, which somebody's unit starts."""

    def create(self):
        status, _, self.error = run("ctr", "run", "-d", "--runc-binary", RUNCLAD, "--cgroup",
                                    f"{CGROUP}/{self.name}", *self.arguments, "docker.io/library/box:latest",
                                    self.name, *LOOP)
        return status == 0

    def start(self):
        if self.is_up():
            return
        run("ctr", "task", "rm", "-f", self.name)
        status, _, error = run("ctr", "task", "start", "-d", self.name)
        self.error = "" if status == 0 else error

    def stop(self):
        done = run("ctr", "task", "kill", "-s", "KILL", self.name)
        eventually(lambda: "STOPPED" in run("ctr", "task", "ls")[1], 10)
        run("ctr", "task", "rm", "-f", self.name)
        return done

    def after_reboot(self):
        self.start()

    def is_up(self):
        return any(line.split()[:3:2] == [self.name, "RUNNING"] for line in run("ctr", "task", "ls")[1].splitlines())

    def exec(self, *command):
        return run("ctr", "task", "exec", "--exec-id", f"x{time.monotonic_ns()}", self.name, *command, seconds=30)

    def why_down(self):
        return self.error
