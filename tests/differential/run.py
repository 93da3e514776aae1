#!/usr/bin/env python3
"""Generated documents and command lines through runc alone and through runclad, as root. In one file:
the generator and the comparison have one list of members.

    tests/differential/run.py [--seconds N] [--seed N]      (default: 60 seconds, a fixed seed)

Each document is a real one (tests/data/corpus), adapted to this machine and changed at random. runc
creates a container of it three times, and what the *kernel* says of the waiting process is compared:

  plain        runc alone
  unchanged    through runclad with every rule off: the same, since only the document's spelling may
               differ; or runclad refuses what can be read in two ways
  restricted   through runclad as it is shipped: never more than plain has, or refused

Command lines are spelled at random and handed to both: the call either does the same or is refused.
Everything happens in mount, pid, network, ipc and uts namespaces of its own. A difference is kept in
build/differential. The last line is `N passed, N failed`.
"""

import argparse
import collections
import copy
import glob
import json
import os
import random
import re
import shutil
import subprocess
import sys
import time

PROJECT = os.path.realpath(os.path.join(os.path.dirname(__file__), "../.."))
WORK = "/srv/differential"
BUNDLE = WORK + "/bundle"
ROOT = WORK + "/root"
POLICIES = "/run/policies"  # not where containers may write
KEPT = os.path.join(PROJECT, "build/differential")
RUNCLAD = os.environ.get("RUNCLAD_E2E_RUNTIME", os.path.join(PROJECT, "build/release/runclad"))
RUNC = shutil.which("runc", path="/usr/sbin:/usr/bin:/sbin:/bin")
STATUS = ("Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs",
          "Seccomp", "Seccomp_filters")


def enter():
    """Runs this program again in namespaces of its own."""
    if os.environ.get("DIFFERENTIAL_INSIDE"):
        return
    os.environ["DIFFERENTIAL_INSIDE"] = "1"
    os.execvp("unshare", ["unshare", "--mount", "--pid", "--net", "--uts", "--ipc", "--fork",
                          "--kill-child", "--mount-proc", "--propagation", "private",
                          sys.executable, os.path.realpath(__file__), *sys.argv[1:]])


def prepare():
    for directory in ("/run", "/srv", "/var/lib"):
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", directory], check=True)
    os.makedirs(BUNDLE)
    os.makedirs(ROOT)
    os.makedirs("/srv/volume")
    open("/srv/file", "w").close()
    for name in ("off", "restricted"):
        os.makedirs(f"{POLICIES}/{name}")
    rules = [row["id"] for row in json.loads(subprocess.run(
        [os.path.join(os.path.dirname(RUNCLAD), "runcladctl"), "rules", "--json"],
        capture_output=True, check=True).stdout)]
    log = {"target": "file:/run/audit.jsonl"}
    with open(f"{POLICIES}/off/policy.json", "w") as file:
        json.dump({"extends": "restricted", "log": log,
                   "rules": {rule: {"action": "off"} for rule in rules}}, file)
    with open(f"{POLICIES}/restricted/policy.json", "w") as file:
        json.dump({"extends": "restricted", "log": log}, file)


def make_rootfs():
    root = BUNDLE + "/rootfs"
    shutil.rmtree(root, ignore_errors=True)
    for directory in ("bin", "dev", "etc", "home", "proc", "root", "run", "sys", "tmp", "var/tmp",
                      "usr/bin"):
        os.makedirs(f"{root}/{directory}")
    shutil.copy("/bin/busybox", root + "/bin/busybox")
    for name in ("sh", "sleep"):
        os.symlink("busybox", f"{root}/bin/{name}")
    with open(root + "/etc/passwd", "w") as file:
        file.write("root:x:0:0::/root:/bin/sh\n")


def corpus():
    """The documents, without what only their own machine had: hooks, peers' namespaces, sources,
    devices, cgroups, labels and limits that this machine may not set."""
    documents = []
    for path in sorted(glob.glob(f"{PROJECT}/tests/data/corpus/*/*.json")):
        if path.endswith((".process.json", ".config.v2.json", ".hostconfig.json")):
            continue
        with open(path) as file:
            document = json.load(file)
        if not document.get("process"):
            continue
        document["root"] = {**document.get("root", {}), "path": "rootfs"}
        for mount in document.get("mounts") or []:
            options = mount.get("options") or []
            if mount.get("type") == "bind" or "bind" in options or "rbind" in options:
                is_file = os.path.basename(mount.get("source", "")) in (
                    "hosts", "hostname", "resolv.conf", "docker-init", "passwd", ".containerenv")
                mount["source"] = "/srv/file" if is_file else "/srv/volume"
        document["mounts"] = [mount for mount in document.get("mounts") or []
                              if mount.get("type") not in ("overlay", "cgroup", "cgroup2")]
        document.pop("hooks", None)
        process = document["process"]
        process.update(args=["sleep", "60"], terminal=False, cwd="/")
        for name in ("rlimits", "apparmorProfile", "selinuxLabel", "consoleSize"):
            process.pop(name, None)
        for capabilities in (process.get("capabilities") or {}).values():
            capabilities[:] = [name for name in capabilities if name != "CAP_SYS_RESOURCE"]
        linux = document.setdefault("linux", {})
        linux["namespaces"] = [{"type": kind} for kind in ("pid", "ipc", "uts", "mount", "network")]
        for name in ("cgroupsPath", "devices", "sysctl", "mountLabel", "resources", "uidMappings",
                     "gidMappings"):
            linux.pop(name, None)
        documents.append(document)
    return documents


TEXTS = ["", "/", ".", "..", "/proc/self/root", "/srv/volume", "../..", "a\u0301", "x" * 5000,
         "CAP_SYS_ADMIN", "ro", "rw", "rbind", "tmpfs", "bind", "/tmp", "/dev", "\u017fize=1k",
         "size=64k", "SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "\ufeff", "shared", "rslave"]
NUMBERS = [0, 1, -1, 38, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**53 + 1, 2**63 - 1,
           2**63, 2**64 - 1, 2**64]
RAW_NUMBERS = [b"1e3", b"1.0", b"-0", b"1.5", b"00", b"0x1", b"1."]


class Generator:
    """Changes documents; some of the changes are in the text, where readers of JSON differ."""

    def __init__(self, documents, random_numbers):
        self.documents = documents
        self.random = random_numbers

    def document(self):
        document = copy.deepcopy(self.random.choice(self.documents))
        for _ in range(self.random.choice((0, 1, 1, 2, 3))):
            self.change(document)
        return document

    def places(self, node, found):
        """Every (container, key) below `node`, except the program: it has to wait."""
        items = node.items() if isinstance(node, dict) else enumerate(node)
        for key, value in list(items):
            if key in ("args", "path", "namespaces"):
                continue
            found.append((node, key))
            if isinstance(value, (dict, list)):
                self.places(value, found)
        return found

    def change(self, document):
        holder, key = self.random.choice(self.places(document, []))
        value = holder[key]
        choice = self.random.random()
        if choice < 0.25:
            if isinstance(holder, dict):
                del holder[key]
            else:
                holder.pop(key)
        elif choice < 0.35 and isinstance(holder, list):
            holder.insert(key, copy.deepcopy(self.random.choice(holder)))
        elif isinstance(value, bool):
            holder[key] = not value
        elif isinstance(value, int):
            holder[key] = self.random.choice(NUMBERS)
        elif isinstance(value, str):
            holder[key] = self.random.choice(TEXTS)
        elif isinstance(value, list) and value:
            self.random.shuffle(value)

    def text(self, document):
        """The bytes of `document`, a tenth of them in a spelling that Go and others read apart."""
        text = json.dumps(document, ensure_ascii=self.random.random() < 0.5).encode(
            "utf-8", "surrogatepass")
        choice = self.random.random()
        if choice > 0.2:
            return text
        if choice < 0.02:
            return text + self.random.choice((b" {}", b"\n", b"x", b"\0"))
        keys = re.findall(rb'"([A-Za-z]+)":', text)
        name = self.random.choice(keys)
        if choice < 0.08:
            return text.replace(b'"%s":' % name, b'"%s":' % self.respelled(name), 1)
        if choice < 0.12:
            return text.replace(b'"%s":' % name, b'"%s":null,"%s":' % (name, name), 1)
        if choice < 0.16:
            return re.sub(rb":\d+", b":" + self.random.choice(RAW_NUMBERS), text, count=1)
        return text.replace(b'"%s":' % name, b'"%s":{},"%s":' % (name, name), 1)

    def respelled(self, name):
        text = name.decode()
        return self.random.choice((
            text.upper(), text.swapcase(), text.replace("s", "\u017f"), text.replace("k", "\u212a"),
            "".join("\\u%04x" % ord(letter) for letter in text))).encode()


def run(command):
    """The finished process, or None. Into files: a container's process keeps a pipe open."""
    with open(WORK + "/stdout", "w+b") as out, open(WORK + "/stderr", "w+b") as err:
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                  timeout=25, check=False)
        except subprocess.TimeoutExpired:
            return None
        out.seek(0)
        err.seek(0)
        done.stdout, done.stderr = out.read(), err.read()
        return done


def remove(identifier):
    run([RUNC, "--root", ROOT, "delete", "--force", "--", identifier])


def kernels_word(pid, identifier):
    """What the kernel says of the process that waits."""
    with open(f"/proc/{pid}/status") as file:
        status = {line.split(":")[0]: line.split(":")[1].split() for line in file}
    with open(f"/proc/{pid}/mountinfo") as file:
        mounts = []
        for line in file:
            fields = line.split()
            mounts.append([field.replace(identifier, "ID") for field in
                           (fields[3], fields[4], fields[5], fields[fields.index("-") + 1],
                            re.sub(r"\bgid=\d+|inode64", "", fields[-1]))])
    with open(f"/proc/{pid}/limits") as file:
        limits = file.read()
    with open(f"/proc/{pid}/oom_score_adj") as file:
        adjustment = file.read()
    with open(f"/proc/{pid}/environ", "rb") as file:
        environment = sorted(file.read().split(b"\0"))
    own = [name for name in ("cgroup", "ipc", "mnt", "net", "pid", "user", "uts")
           if os.readlink(f"/proc/{pid}/ns/{name}") != os.readlink(f"/proc/self/ns/{name}")]
    hostname = run(["nsenter", "-t", str(pid), "-u", "hostname"]).stdout
    return {"status": {name: status[name] for name in STATUS if name in status}, "mounts": mounts,
            "limits": limits, "oom": adjustment, "environment": environment, "namespaces": own,
            "hostname": hostname, "cwd": os.readlink(f"/proc/{pid}/cwd")}


def create(runtime, text, identifier="same"):
    """(outcome, what the kernel says or what the runtime said)"""
    make_rootfs()
    with open(BUNDLE + "/config.json", "wb") as file:
        file.write(text)
    pid_file = WORK + "/pid"
    done = run([*runtime, "--root", ROOT, "create", "--bundle", BUNDLE, "--pid-file", pid_file,
                identifier])
    if done is None:
        remove(identifier)
        return "hangs", ""
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace")
        remove(identifier)
        return ("refused" if "runclad" in said else "fails"), said[:300]
    with open(pid_file) as file:
        word = kernels_word(int(file.read()), identifier)
    remove(identifier)
    return "created", word


def mask(word, name):
    return int(word["status"][name][0], 16)


def widened(plain, restricted):
    """Where the hardened container has more than the one that was asked for: a sentence, or None."""
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        if mask(restricted, name) & ~mask(plain, name):
            return f"{name} grew"
    if int(restricted["status"]["NoNewPrivs"][0]) < int(plain["status"]["NoNewPrivs"][0]):
        return "no_new_privs is gone"
    if int(restricted["status"]["Seccomp"][0]) < int(plain["status"]["Seccomp"][0]):
        return "the filter is gone"
    if not set(plain["namespaces"]) <= set(restricted["namespaces"]):
        return "a namespace of its own is gone"
    for name in ("Uid", "Gid"):
        if restricted["status"][name] != plain["status"][name]:
            return f"{name} is another"
    # A source that runc did not mount for the plain request is not mounted for the hardened one,
    # but for what covers something: an empty tmpfs, /dev/null, a part of /proc or /sys read-only.
    sources = {(mount[0], mount[3]) for mount in plain["mounts"]}
    for mount in restricted["mounts"]:
        covers = mount[3] == "tmpfs" or mount[0] == "/null" or (
            mount[3] in ("proc", "sysfs") and "ro" in mount[2].split(","))
        if not covers and (mount[0], mount[3]) not in sources:
            return f"a mount appeared: {mount}"
    return None


class Comparison:
    def __init__(self, seed):
        self.counts = collections.Counter()
        self.failures = []
        self.seed = seed

    def fail(self, kind, text, detail):
        os.makedirs(KEPT, exist_ok=True)
        path = f"{KEPT}/{self.seed}-{len(self.failures)}.json"
        with open(path, "wb") as file:
            file.write(text)
        self.failures.append(kind)
        print(f"not ok - {kind}: {detail}\n#   {path}", flush=True)

    def document(self, text):
        plain, plain_word = create([RUNC], text)
        off, off_word = create([RUNCLAD, f"--runclad-config={POLICIES}/off"], text)
        tight, tight_word = create([RUNCLAD, f"--runclad-config={POLICIES}/restricted"], text)
        self.counts[f"plain {plain}, unchanged {off}, restricted {tight}"] += 1
        for name, outcome in (("unchanged", off), ("restricted", tight)):
            if outcome == "hangs":
                self.fail(f"{name} hangs", text, "")
        if off == "created" and plain != "created":
            self.fail("created although runc alone fails", text, plain_word)
        elif off == "fails" and plain == "created":
            self.fail("fails although runc alone creates it", text, off_word)
        elif off == plain == "created" and off_word != plain_word:
            differing = [name for name in plain_word if plain_word[name] != off_word[name]]
            self.fail("differs with every rule off", text,
                      [(name, plain_word[name], off_word[name]) for name in differing][:2])
        if tight == plain == "created":
            more = widened(plain_word, tight_word)
            if more:
                self.fail("has more than was asked for", text, more)

    def command_line(self, random_numbers, text):
        """A create in a random spelling: both make the same container, or runclad refuses."""
        make_rootfs()
        arguments = spelled(random_numbers)
        outcomes = {}
        for name, runtime in (("runc", [RUNC]), ("runclad", [RUNCLAD, f"--runclad-config={POLICIES}/off"])):
            with open(BUNDLE + "/config.json", "wb") as file:
                file.write(text)
            done = run([*runtime, *arguments])
            listed = run([RUNC, "--root", ROOT, "list", "--format", "json"])
            containers = json.loads(listed.stdout or b"null") or []
            outcomes[name] = sorted((one["id"], one["status"]) for one in containers)
            for one in containers:
                remove(one["id"])
            if name == "runclad" and done is not None and done.returncode != 0 and (
                    b"runclad" in done.stderr or b"runclad" in done.stdout):
                self.counts["command line refused"] += 1
                if outcomes[name]:
                    self.fail("a refused call made a container", " ".join(arguments).encode(), "")
                return
        self.counts["command line alike"] += 1
        if outcomes["runc"] != outcomes["runclad"]:
            self.fail("a call does something else", " ".join(arguments).encode(), outcomes)


def spelled(random_numbers):
    """A create's arguments: flags in any order and spelling, some of them odd."""
    def flag(name, value, short=None):
        dashes = random_numbers.choice(("--", "--", "-"))
        word = dashes + (short if short and random_numbers.random() < 0.3 else name)
        return [f"{word}={value}"] if random_numbers.random() < 0.5 else [word, value]

    arguments = flag("root", ROOT)
    if random_numbers.random() < 0.2:
        arguments += flag("log", WORK + "/log")
    if random_numbers.random() < 0.2:
        arguments.append(random_numbers.choice(("--debug", "--debug=false", "--systemd-cgroup=false")))
    arguments.append("create")
    parts = [flag("bundle", BUNDLE, "b")]
    if random_numbers.random() < 0.3:
        parts.append(flag("pid-file", WORK + "/pid"))
    if random_numbers.random() < 0.3:
        parts.append([random_numbers.choice(("--no-new-keyring", "-no-new-keyring",
                                             "--no-new-keyring=true", "--no-new-keyring=no"))])
    if random_numbers.random() < 0.2:
        parts.append(flag("bundle", BUNDLE))
    random_numbers.shuffle(parts)
    identifier = random_numbers.choice(
        ("same", "same", "same", "same", "a.b_c+d-e", "..", "a/b", "", "-x", "--"))
    at = len(parts) if random_numbers.random() < 0.8 else random_numbers.randrange(len(parts) + 1)
    parts.insert(at, [identifier])
    if random_numbers.random() < 0.1:
        parts.insert(random_numbers.randrange(len(parts) + 1), ["--"])
    return arguments + [word for part in parts for word in part]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    enter()
    prepare()
    random_numbers = random.Random(options.seed)
    documents = corpus()
    generator = Generator(documents, random_numbers)
    comparison = Comparison(options.seed)
    end = time.monotonic() + options.seconds
    simple = json.dumps(documents[0]).encode()
    rounds = 0
    while time.monotonic() < end:
        comparison.document(generator.text(generator.document()))
        if rounds % 4 == 0:
            comparison.command_line(random_numbers, simple)
        rounds += 1
    for outcome, count in comparison.counts.most_common():
        print(f"{count:6} {outcome}")
    created = sum(count for outcome, count in comparison.counts.items()
                  if outcome.startswith("plain created, unchanged created"))
    if created * 4 < rounds:
        comparison.failures.append("too few containers")
        print(f"not ok - only {created} of {rounds} documents were created both ways")
    print(f"{rounds - len(comparison.failures)} passed, {len(comparison.failures)} failed")
    return 1 if comparison.failures else 0


if __name__ == "__main__":
    sys.exit(main())
