"""Makes every system call of one call of runclad fail, and makes it the last, and looks at what is
left: faults.py INJECT create|exec|start|delete|refusal ERRNO[,ERRNO…] RECORD RENEW COMMAND…

INJECT is the program of inject.c. COMMAND is the call, with a stand-in as its lower runtime, which writes $STANDIN when it is reached;
a refusal is a start that never may reach it. RECORD is the container's record; RENEW is a command of
bash that makes the container again, or for create the bundle that is written, whose config.json is
as the engine wrote it. Prints what is wrong, and how many faults were tried; the status
says whether all was right."""

import collections, errno, json, os, re, subprocess, sys

inject, verb, errors, record_path, renew, command = (
    sys.argv[1], sys.argv[2], sys.argv[3].split(","), sys.argv[4], sys.argv[5], sys.argv[6:])
standin = os.environ["STANDIN"]
records = os.path.dirname(record_path)
wrong = 0
# Before main() there is nobody to write a sentence, and brk(2) reports no errno value.
START_UP = {"brk", "mmap", "arch_prctl", "mprotect"}
# The container that is refused lives on, for the next fault; nobody waits for its end.
KEEP = ["kill", "pidfd_send_signal", "poll"] if verb == "refusal" else []
NO_CALL = str(2 ** 31 - 1)
KILLED = 128 + 9


def read(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None


def put(path, content):
    """Makes the file what it was; None: it was not there."""
    if content is not None:
        with open(path, "wb") as file:
            file.write(content)
        os.chmod(path, 0o600)
    elif os.path.exists(path):
        os.unlink(path)


def temporary_files(directory):
    return [name for name in os.listdir(directory) if name.startswith(".")]


def restore():
    for name in os.listdir(records):
        if name != os.path.basename(record_path) and name != "swept":
            os.unlink(records + "/" + name)
    put(record_path, before)
    if verb == "create":
        put(document_path, document)
        for name in temporary_files(renew):
            os.unlink(renew + "/" + name)
    if os.path.exists(standin):
        os.unlink(standin)


def run(*words):
    restore()
    done = subprocess.run([*words, *command], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    if done.returncode == 125:
        sys.exit(f"{words}: {done.stderr}")
    return done.returncode, done.stderr.decode("utf-8", "replace")


def call(name=None, place=0, how="kill"):
    return run(inject, numbers[name] if name else NO_CALL, str(place), how,
               ",".join(numbers[kept] for kept in KEEP if kept in numbers))


def is_alive():
    pid = re.search(rb'"pid":(\d+)', after).group(1).decode()
    return os.path.exists(f"/proc/{pid}/root/proc")


def complain(*what):
    global wrong
    wrong += 1
    print(*what)


# Once without a fault: the system calls, and the record as it shall be.
before = read(record_path)
document_path = renew + "/config.json"
document = read(document_path) if verb == "create" else None
trace = standin + ".trace"
numbers = {}  # of each system call by its name
keep = [f"--inject={','.join(KEEP)}:retval=0"] if KEEP else []
run("strace", "-o", "/dev/null", *keep)  # the first one of a while also sweeps
status, said = run("strace", "-n", "-o", trace, *keep)
after = read(record_path)
handed_on = read(standin)
hardened = read(document_path) if verb == "create" else None
if (status != 0) != (verb == "refusal") or (handed_on is None) != (verb == "refusal"):
    sys.exit(f"the call fails by itself: {status} {said}")
counts = collections.Counter()
for line in open(trace):
    entry = re.match(r"\[ *(\d+)\] (\w+)\(", line)
    if entry is None:
        continue
    numbers[entry.group(2)] = entry.group(1)
    counts[entry.group(2)] += 1
    if counts["execve"] == 2:
        break


# Not what a tmpfs is filled with: one over a directory that cannot be examined is empty.
CONFINING = {"ro", "nosuid", "nodev", "noexec", "rro", "rnosuid", "rnodev", "rnoexec"}


def allowed_calls(spec):
    return {name for rule in spec["linux"]["seccomp"]["syscalls"] if rule["action"] == "SCMP_ACT_ALLOW"
            for name in rule["names"]}


def is_looser(document):
    """Whether it grants what the document without a fault does not: what cannot be examined may make
    it stricter."""
    spec, reference = json.loads(document), json.loads(hardened)
    process, linux = spec["process"], spec["linux"]
    return not (
        process["noNewPrivileges"] and spec["root"]["readonly"] and
        all(set(process["capabilities"][kind]) <= set(reference["process"]["capabilities"][kind])
            for kind in process["capabilities"]) and
        allowed_calls(spec) <= allowed_calls(reference) and
        all(set(linux[paths]) >= set(reference["linux"][paths])
            for paths in ("maskedPaths", "readonlyPaths")) and
        all(CONFINING & set(mount["options"]) <= set(spec["mounts"][place]["options"])
            for place, mount in enumerate(reference["mounts"])))


def judge(fault, is_killed):
    """What has to be true of the call that is over."""
    ran, record = read(standin), read(record_path)
    allowed = {"create": [record], "exec": [before], "start": [before, after], "refusal": [before],
               "delete": [before, None]}[verb]
    if record not in allowed:
        complain(fault, "the record is", record and record[:200])
    if is_killed and ran is not None:
        complain(fault, "the lower runtime was reached behind a kill")
    if ran is not None:
        if verb == "exec" and (b"CAP_SYS_ADMIN" in ran or b'"noNewPrivileges":true' not in ran):
            complain(fault, "an exec gets more than its container")
        if verb == "refusal":
            complain(fault, "a container is started that was not verified")
        if verb == "create" and (record is None or is_looser(read(document_path))):
            complain(fault, "a container is made of a looser document, or without its record")
        if verb == "start" and record != after:
            complain(fault, "a container is started that the record does not know")
    elif not is_killed:
        is_sentence = said.startswith("runclad: ") and said.count("\n") == 1
        if fault.split()[0] in START_UP and status != 0:
            return
        if status != 1 or not (is_sentence or (fault.startswith("write ") and not said)):
            complain(fault, "ends with status", status, "and", repr(said[:200]))
    if verb == "create":
        for text in read(document_path), record or b"{}":
            json.loads(text)  # whole, whichever it is
    left = temporary_files(records) + (temporary_files(renew) if verb == "create" else [])
    if left and not (is_killed and all(name.startswith(".runclad-") for name in left)):
        complain(fault, "leaves", left)


tried = missed = 0
for name, count in counts.items():
    # The first execve starts runclad.
    for place in range(2 if name == "execve" else 1, count + 1):
        for fault in ["KILL"] + errors:
            is_kill = fault == "KILL"
            status, said = call(name, place, "kill" if is_kill else str(getattr(errno, fault)))
            # A call that polls, or waits for a lock, is made once less often on another day.
            is_killed = is_kill and status == KILLED
            judge(f"{name} {place} {fault}:", is_killed)
            tried += 1
            missed += is_kill and not is_killed
            # A verification that fails ends the container.
            if verb == "start" and not is_alive():
                if read(standin) is not None:
                    complain(name, place, fault, "a container that was stopped is started")
                subprocess.run(["bash", "-c", renew], check=True)
                before = read(record_path)
                status, said = call()
                after = read(record_path)
restore()
print(tried, "faults tried,", missed, "of them behind the last call")
sys.exit(wrong > 0 or tried < 50 or missed * 50 > tried)
