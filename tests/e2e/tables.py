"""Starts containers of the corpus with runclad in front of a lower runtime.

A document is rewritten so that this host can run it: the test image as root filesystem, paths that
exist here as sources of its binds, no hooks, annotations and security labels, new namespaces in
place of those that are named by a path, no limits but those of memory, processors and processes
as far as this host can set them, and a program that waits. With --crun, binds of / are of /usr, and those in a user namespace have no
flags that crun loses. Documents that the lower runtime does not create even so are left out.

Prints what was not accepted and why, and in the last line how many documents the lower runtime
creates and how many of these start under runclad. With --foreign-lines one mount that the document
does not have is added to the waiting container; the last line then says how many were added and how
many of these containers were refused at start. Environment: see lib.sh.
"""

import argparse
import copy
import ctypes
import glob
import json
import os
import shutil
import subprocess
import sys

WORK = os.environ["E2E_WORK"]
CORPUS = os.environ["E2E_DIR"] + "/../data/corpus"
PROGRAM = os.environ["E2E_PROGRAM"]
BUNDLE = WORK + "/bundles/tables"
SOURCES = WORK + "/table-sources"
CONTROLLERS = "/sys/fs/cgroup/cgroup.controllers"  # of cgroup v2
FIRST_ID = 100000
IDS = 65536


def limits():
    """The kinds of limits that can be set: cgroup v2 may lack a controller that cgroup v1 uses."""
    kinds = ("memory", "cpu", "pids")
    if not os.path.exists(CONTROLLERS):
        return kinds
    with open(CONTROLLERS, encoding="ascii") as file:
        controllers = file.read().split()
    return [kind for kind in kinds if kind in controllers]


# Of the documents of newer engines, most name programs and mounts that this machine lacks: tests/golden judges them.
FOLDERS = ("containerd-cri", "ctr", "docker", "podman")


def documents():
    for path in sorted(path for folder in FOLDERS for path in glob.glob(f"{CORPUS}/{folder}/*.json")):
        if not path.endswith(".process.json"):
            with open(path, encoding="utf-8") as file:
                yield path.removeprefix(CORPUS + "/"), json.load(file)


def source_of(mount, number):
    """The source if it is here, else something of its kind."""
    source = mount["source"]
    if os.path.exists(source) and not source.startswith(("/run", "/var/lib")):
        return source
    path = f"{SOURCES}/{number}"
    name = os.path.basename(mount["destination"])
    is_file = "." in name or name in ("hosts", "hostname", "passwd", "group", "localtime", "docker-init",
                                      "termination-log", "catatonit", "init", "dev")
    if is_file:
        with open(path, "w", encoding="ascii") as file:
            file.write("x\n")
    else:
        os.makedirs(path + "/below")
    return path


def rewrite(document, arguments):
    spec = copy.deepcopy(document)
    for unwanted in ("hooks", "annotations"):
        spec.pop(unwanted, None)
    process, linux = spec["process"], spec["linux"]
    process.update(terminal=False, cwd="/", args=["sleep", "600"])
    for unwanted in ("apparmorProfile", "selinuxLabel", "rlimits"):
        process.pop(unwanted, None)
    linux.pop("mountLabel", None)
    linux["cgroupsPath"] = os.environ["E2E_CGROUP"] + "/tables"
    resources = linux.get("resources", {})
    if arguments.no_resources:
        linux.pop("resources", None)
    else:
        kept = ("devices", *limits())
        linux["resources"] = {k: v for k, v in resources.items() if k in kept}
    for namespace in linux.get("namespaces", []):
        namespace.pop("path", None)
    spec["root"]["path"] = "rootfs"
    shutil.rmtree(SOURCES, ignore_errors=True)
    os.makedirs(SOURCES)
    for number, mount in enumerate(spec["mounts"]):
        if mount["type"] == "bind":
            mount["source"] = source_of(mount, number)
            if arguments.crun and mount["source"] == "/":
                # Of which crun shows the container's own /sys, not yet read-only: refused, rightly.
                mount["source"] = "/usr"
            if arguments.crun and arguments.user_namespace:
                # Which crun 1.8 does not set there; start refuses that, rightly.
                lost = ("nosuid", "nodev", "noexec")
                mount["options"] = [one for one in mount["options"] if one not in lost]
        elif mount["type"] == "overlay":
            layers = []
            for name in ("lower", "upper", "work"):
                os.makedirs(f"{SOURCES}/{number}/{name}")
                layers.append(f"{name}dir={SOURCES}/{number}/{name}")
            mount["options"] = layers
    if arguments.user_namespace:
        # Root of a user namespace mounts /sys and /dev/mqueue only of namespaces of its own.
        types = {n["type"] for n in linux["namespaces"]} | {"user", "network", "ipc", "pid", "uts"}
        linux["namespaces"] = [{"type": kind} for kind in sorted(types)]
        linux.pop("sysctl", None)  # Docker's has group ids that are not mapped
        mapping = [{"containerID": 0, "hostID": FIRST_ID, "size": IDS}]
        linux["uidMappings"] = linux["gidMappings"] = mapping
    elif "uidMappings" in linux:
        return None
    return spec


def run(command):
    # Files: the container inherits them.
    with open(WORK + "/tables.text", "w+", encoding="utf-8") as text:
        done = subprocess.run(command, check=False, stdin=subprocess.DEVNULL, stdout=text,
                              stderr=text, timeout=60)
        text.seek(0)
        return done.returncode == 0, text.read().strip()[-400:]


class Runtime:
    def __init__(self, lower):
        self.plain = [lower, "--root", WORK + "/table-state"]
        self.ours = [PROGRAM, f"--runclad-config={WORK}/tables", "--runclad-runtime=" + lower,
                     "--root", WORK + "/table-state"]
        if os.environ["E2E_PROVE"] == "1":
            self.ours = self.plain

    def create(self, command, spec):
        with open(BUNDLE + "/config.json", "w", encoding="utf-8") as file:
            json.dump(spec, file)
        return run([*command, "create", "--bundle", BUNDLE, "tables"])

    def delete(self):
        run([*self.plain, "delete", "--force", "tables"])

    def accepts(self, spec):
        """Whether the container starts, and why not. None: nor without us."""
        is_accepted, why = self.create(self.ours, spec)
        if is_accepted:
            is_accepted, why = run([*self.ours, "start", "tables"])
        self.delete()
        if is_accepted:
            return True, ""
        is_created, plain_why = self.create(self.plain, spec)
        self.delete()
        return (False, why) if is_created else (None, plain_why)


def check_documents(runtime, arguments):
    started = accepted = 0
    for name, document in documents():
        spec = rewrite(document, arguments)
        if spec is None:
            continue
        is_accepted, why = runtime.accepts(spec)
        if is_accepted is None:
            print(f"left out: {name}: {why}", file=sys.stderr)
            continue
        started += 1
        accepted += is_accepted
        if not is_accepted:
            print(f"{name}: {why}")
    print(started, accepted)


# --- foreign lines -------------------------------------------------------------------------------

LIBC = ctypes.CDLL(None, use_errno=True)
SYS_OPEN_TREE, SYS_MOVE_MOUNT = 428, 429
AT_FDCWD, AT_RECURSIVE, OPEN_TREE_CLONE, MOVE_MOUNT_F_EMPTY_PATH = -100, 0x8000, 1, 4
CLONE_NEWNS = 0x20000


def checked(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def from_host(source, target, recursive=False):
    """A directory or file of the host, as a swapped source would have brought it."""

    def prepare():
        return checked(LIBC.syscall(SYS_OPEN_TREE, AT_FDCWD, source.encode(),
                                    OPEN_TREE_CLONE | (AT_RECURSIVE if recursive else 0)))

    def mount(tree):
        checked(LIBC.syscall(SYS_MOVE_MOUNT, tree, b"", AT_FDCWD, target.encode(),
                             MOVE_MOUNT_F_EMPTY_PATH))

    return f"the host's {source} at {target}", prepare, mount


def anew(kind, target, options=None):
    def mount(_):
        checked(LIBC.mount(b"none", target.encode(), kind.encode(), 0,
                           options.encode() if options else None))

    return f"a {kind} at {target}", lambda: None, mount


def inside(source, target):
    def mount(_):
        checked(LIBC.mount(source.encode(), target.encode(), None, 4096, None))

    return f"the container's {source} at {target}", lambda: None, mount


FOREIGN = (
    from_host("/etc", "/srv"), from_host("/", "/srv", recursive=True), from_host("/etc", "/etc"),
    from_host("/etc/shadow", "/etc/passwd"), from_host("/run", "/run"), from_host("/proc", "/proc"),
    from_host("/proc/sys", "/proc/sys"), from_host("/sys", "/sys"), from_host("/dev", "/dev"),
    from_host("/dev", "/dev/shm"), from_host("/dev/zero", "/dev/null"), from_host("/etc", "/data"),
    from_host("/etc", "/data/below"), from_host("/etc", "/"), from_host("/sys/fs/cgroup", "/srv"),
    anew("tmpfs", "/srv"), anew("tmpfs", "/"), anew("tmpfs", "/data"), anew("proc", "/srv"),
    anew("sysfs", "/srv"), anew("mqueue", "/srv"), anew("devpts", "/srv"),
    anew("overlay", "/srv", "lowerdir=/etc:/bin"), inside("/", "/srv"), inside("/proc", "/srv"),
    inside("/sys", "/tmp"), inside("/", "/data/below"), inside("/proc", "/data/below"),
)


def add_line(pid, prepare, mount):
    """Mounts in the container that waits, from a process of its mount namespace."""
    prepared = prepare()
    root = os.open(f"/proc/{pid}/root", os.O_PATH)
    namespace = os.open(f"/proc/{pid}/ns/mnt", os.O_RDONLY)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            checked(LIBC.setns(namespace, CLONE_NEWNS))
            os.fchdir(root)
            os.chroot(".")
            mount(prepared)
            status = 0
        except OSError as error:
            print(error, file=sys.stderr)
        finally:
            os._exit(status)
    for descriptor in (root, namespace, prepared):
        if descriptor is not None:
            os.close(descriptor)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def check_foreign_lines(runtime, arguments):
    with open(CORPUS + "/docker/default.json", encoding="utf-8") as file:
        spec = rewrite(json.load(file), arguments)
    os.makedirs(SOURCES + "/data/below")
    spec["mounts"].append({"destination": "/data", "type": "bind", "source": SOURCES + "/data",
                           "options": ["rbind", "rw"]})
    added = refused = 0
    for name, prepare, mount in FOREIGN:
        is_created, why = runtime.create(runtime.ours, spec)
        with open(f"{WORK}/table-state/tables/state.json", encoding="utf-8") as file:
            pid = json.load(file)["init_process_pid"]
        is_added = is_created and add_line(pid, prepare, mount)
        is_started, _ = run([*runtime.ours, "start", "tables"])
        runtime.delete()
        added += is_added
        refused += is_added and not is_started
        if not is_added or is_started:
            print(f"{name}: {'it starts' if is_started else why or 'not mounted'}")
    print(added, refused)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lower", required=True)
    parser.add_argument("--user-namespace", action="store_true")
    parser.add_argument("--no-resources", action="store_true")
    parser.add_argument("--crun", action="store_true")
    parser.add_argument("--foreign-lines", action="store_true")
    arguments = parser.parse_args()
    shutil.rmtree(BUNDLE, ignore_errors=True)
    os.makedirs(BUNDLE)
    subprocess.run(["cp", "-a", WORK + "/rootfs", BUNDLE + "/rootfs"], check=True)
    if arguments.user_namespace:
        subprocess.run(["chown", "-R", f"{FIRST_ID}:{FIRST_ID}", BUNDLE + "/rootfs"], check=True)
    runtime = Runtime(arguments.lower)
    if arguments.foreign_lines:
        check_foreign_lines(runtime, arguments)
    else:
        check_documents(runtime, arguments)


if __name__ == "__main__":
    main()
