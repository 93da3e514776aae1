"""Makes a directory of every name that create and the verbs that stop a container look up and do not find, one after
another, as dockerd does for a user who names it as the source of a bind mount. Nothing becomes looser by it, and
containers can be stopped: squatters.py BUNDLE ID PROGRAM

PROGRAM finds its policy and its lower runtime by itself; the latter is a stand-in, which writes $STANDIN when it is
reached. Prints what is wrong, the names that stop new containers, and how many names were tried."""

import os, re, shutil, subprocess, sys

bundle, container, program = sys.argv[1:]
standin = os.environ["STANDIN"]
document_path = bundle + "/config.json"
with open(document_path, "rb") as file:
    document = file.read()
ROOT = standin + ".root"
VERBS = {"create": ["create", "--bundle", bundle, container], "state": ["state", container],
         "start": ["start", container], "exec": ["exec", container, "true"],
         "update": ["update", "--pids-limit", "5", container],
         "kill": ["kill", container, "KILL"], "delete": ["delete", "--force", container]}
# These may fail, with a sentence; the others end a container, or say how it is.
MAY_FAIL = ("create", "start", "exec", "update")
wrong = 0


def complain(*what):
    global wrong
    wrong += 1
    print(*what)


def call(verb, *before):
    """Status, what it said, and what the lower runtime got (None: it was not reached)."""
    if verb == "create":
        with open(document_path, "wb") as file:
            file.write(document)
    if os.path.exists(standin):
        os.unlink(standin)
    done = subprocess.run([*before, program, "--root", ROOT, *VERBS[verb]], stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=60)
    reached = os.path.exists(standin)
    with open(document_path, "rb") as file:
        return done.returncode, done.stderr.decode("utf-8", "replace"), file.read() if reached else None


def missing(verb):
    """The absolute names that the call looks up and does not find."""
    trace = standin + ".trace"
    call(verb, "strace", "-y", "-s", "4096", "-o", trace)
    names = set()
    for line in open(trace, errors="replace"):
        if " = -1 ENOENT" not in line:
            continue
        at = re.match(r'\w+\((?:(?:AT_FDCWD|\d+)<([^>]*)>, |AT_FDCWD, )?"((?:[^"\\]|\\.)*)"', line)
        if at and at.group(2):
            names.add(os.path.join(at.group(1) or os.getcwd(), at.group(2)))
    return {name for name in names if not name.startswith(("/proc", "/sys", "/dev")) and ".runclad-" not in name}


def squat(name):
    """Makes it a directory with one in it; the first of those that did not exist, None if it cannot be."""
    made = name
    while not os.path.lexists(os.path.dirname(made)):
        made = os.path.dirname(made)
    try:
        os.makedirs(name + "/inside")
    except OSError:
        return None
    return made


def remove(made):
    if os.path.isdir(made) and not os.path.islink(made):
        shutil.rmtree(made)
    elif os.path.lexists(made):
        os.unlink(made)


os.makedirs(ROOT, exist_ok=True)
call("create")  # the first one of a while also sweeps
status, said, reference = call("create")
if status != 0 or reference is None:
    sys.exit(f"create fails by itself: {status} {said}")
names = {name: verb for verb in VERBS for name in missing(verb)}
tried = 0
for name in sorted(names):
    for verb in VERBS:
        # The runtime under test may have taken its place.
        made = squat(name)
        if made is None:
            continue
        tried += 1
        status, said, written = call(verb)
        remove(made)
        if verb not in MAY_FAIL:
            if written is None or status != 0:
                complain(name, verb, "ends with status", status, "and", repr(said[:300]))
        elif verb == "create" and written is not None and written != reference:
            complain(name, "changes what a container gets")
        elif written is None and not (status == 1 and said.startswith("runclad: ") and said.count("\n") == 1):
            complain(name, verb, "ends with status", status, "and", repr(said[:300]))
        elif written is None:
            print("stops", verb + ":", name)
call("create")
print(len(names), "names,", tried, "calls")
sys.exit(wrong > 0 or len(names) < 20)
