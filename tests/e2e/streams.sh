#!/bin/bash
# The surroundings of a call: logs without a reader, streams that are closed or broken, signals, limits,
# directories that are gone. Each call continues as it should or ends with one error message, at once.
# shellcheck disable=SC2016  # dollars are for jq and sh
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"

# A /dev of its own for /dev/log, and a journal's socket, which nothing outside shall see.
if [ "${1:-}" != --apart ]; then
  exec unshare --mount --propagation private "$BASH" "$0" --apart
fi
here=$E2E_WORK/streams
mkdir -p "$here/dev" "$here/policy" "$here/root" "$here/bin" /run/systemd/journal
mount -t tmpfs -o mode=755 tmpfs "$here/dev"
for node in "null 1 3" "full 1 7" "zero 1 5" "random 1 8" "urandom 1 9" "tty 5 0"; do
  read -r name major minor <<<"$node"
  mknod -m 666 "$here/dev/$name" c "$major" "$minor"
done
ln -s /proc/self/fd "$here/dev/fd"
mount --move "$here/dev" /dev

# The lower runtime runs nothing and says what it was called with.
standin=$here/bin/runc
"${CC:-cc}" -O1 -static -o "$standin" "$E2E_DIR/standin.c"
cp "$standin" "$here/bin/crun"
export STANDIN=$here/ran
program=("$E2E_PROGRAM" "--runclad-config=$here/policy" "--runclad-runtime=$standin")
[ "$E2E_PROVE" = 0 ] || program=("$standin")
bundle=$(make_bundle streams)
# Where containerd reads what the runtime says: other places must be judged first, which takes what is missing here.
task=/run/containerd/io.containerd.runtime.v2.task/moby/streams
mkdir -p "$task"
cp "$bundle/config.json" "$here/config.json"
without_missing_limits "$here/policy"
CAPTURE_SECONDS=5  # what hangs is ended, and the status is 124

policy() {  # TARGET [REQUIRED]
  printf '{"log": {"target": "%s", "required": %s}, "rules": {"cgroup-path": {"parents": ["%s"]}}}\n' \
    "$1" "${2:-false}" "$E2E_CGROUP" >"$here/policy/policy.json"
}
# A create, below whatever command stands in AROUND (an array).
AROUND=()
create() {  # [ID [BUNDLE]]
  cp "$here/config.json" "$bundle/config.json" 2>/dev/null  # not into one that is read-only
  rm -f "$STANDIN" /run/runclad/*/streams.json "$task/error"
  capture "${AROUND[@]}" "${program[@]}" --log "$task/error" --log-format json --root "$here/root" \
    create --bundle "${2-$bundle}" "${1-streams}"
}
ran() { [ -e "$STANDIN" ]; }
went_on() { succeeded && ran; }
stopped_with() {  # SENTENCE: on stderr and, as the only line, where the engine reads it
  status_is 1 && ! ran && err_is_one_line && err_has "$1" &&
    [ "$(jq -r .msg "$task/error")" = "$ERR" ]
}
# What is left in the bundle and among the records of a call that did not go on.
nothing_is_left() {
  [ "$(ls -A "$bundle")" = $'config.json\nrootfs' ] && cmp -s "$here/config.json" "$bundle/config.json" &&
    [ -z "$(find /run/runclad -name '*streams.json*' -o -name '.runclad-*')" ]
}

# --- a log that cannot be written: the container starts, or, with "required", does not ---
unwritable() {  # WHAT TARGET SENTENCE
  policy "$2"
  create
  holds "$1: a container starts" went_on
  policy "$2" true
  create
  guards "$1: with required it does not start, and the error says why" stopped_with "$3"
  holds "$1: nothing is left of it" nothing_is_left
}
mkfifo "$here/fifo"
unwritable "a FIFO without a reader" "file:$here/fifo" "it is a FIFO, and its reader is absent"
exec 8<>"$here/fifo"
dd if=/dev/zero of="$here/fifo" oflag=nonblock bs=4096 count=64 2>/dev/null
unwritable "a FIFO that is full" "file:$here/fifo" "its reader is absent or does not read (EAGAIN)"
exec 8<&-
unwritable "a full disk" file:/dev/full "its disk is full (ENOSPC)"
unwritable "a directory" "file:$here" "it is a directory; name a file in it"
ln -s "$here/target" "$here/link"
unwritable "a symbolic link" "file:$here/link" "it is a symbolic link, which is not followed"
unwritable "a missing directory" "file:$here/no/such/log" "its directory does not exist; create it"
unwritable "no journald" journald "systemd-journald cannot be reached at /run/systemd/journal/socket"
unwritable "no syslog" syslog "syslog cannot be reached at /dev/log"

# --- journald and syslog that do not read, and those that do ---
daemons() {  # hung|reading: both sockets, until end_daemons
  rm -f "$here/ready" "$here/journal" "$here/syslog" /run/systemd/journal/socket /dev/log
  python3 - "$1" "$here" <<'PY' &
import selectors, socket, sys
hung, here = sys.argv[1] == "hung", sys.argv[2]
selector = selectors.DefaultSelector()
for name, path in ("journal", "/run/systemd/journal/socket"), ("syslog", "/dev/log"):
    daemon = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    daemon.bind(path)
    selector.register(daemon, selectors.EVENT_READ, name)
    client = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    client.setblocking(False)
    client.connect(path)
    try:
        while hung:
            client.send(b"x")
    except BlockingIOError:
        pass
open(here + "/ready", "w").close()
while True:
    for key, _ in [] if hung else selector.select():
        with open(here + "/" + key.data, "ab") as file:
            file.write(key.fileobj.recv(1 << 20) + b"\n")
    if hung:
        selector.select(1)
PY
  daemons=$!
  eventually 5 test -e "$here/ready"
}
end_daemons() {
  kill "$daemons"
  wait "$daemons" 2>/dev/null
  rm -f /run/systemd/journal/socket /dev/log
}
daemons hung
unwritable "a journald that does not read" journald "systemd-journald does not read"
unwritable "a syslog that does not read" syslog "syslog does not read what is sent to it"
policy "file:$here"
create
holds "a file that cannot be written, and a syslog that does not read: a container starts" went_on
end_daemons
daemons reading
policy journald true
create
holds "journald reads: a container starts" went_on
guards "journald has the decision" eventually 5 \
  grep -q '^MESSAGE={"bundle":.*"container":"streams".*"outcome":"rewritten"' "$here/journal"
policy syslog true
create
holds "syslog reads: a container starts" went_on
guards "syslog has the decision in the format of RFC 3164" eventually 5 \
  grep -qE '^<86>[A-Z][a-z]{2} [0-9]{2} [0-9:]{8} runclad\[[0-9]+\]: \{"bundle":' "$here/syslog"
policy "file:$here"
create
holds "a file that cannot be written: a container starts" went_on
guards "and syslog has the decision and the error" eventually 5 \
  grep -qE "^<84>.*the log $here cannot be opened: it is a directory.*\"outcome\":\"rewritten\"" \
  "$here/syslog"
end_daemons

# --- streams ---
policy "file:$here/log"
: >"$here/log"
AROUND=(sh -c 'exec "$@" <&- >&- 2>&-' sh)
create
holds "standard streams closed: a container starts" went_on
log_is_whole() { jq -e -s 'all(.[]; has("outcome"))' "$here/log" >/dev/null; }
holds "standard streams closed: the log has whole lines and nothing else" log_is_whole
guards "standard streams closed: none of runclad's files gets their numbers" \
  test "$(grep -c '^fd [012]$' "$STANDIN")" = 3
create streams /nonexistent
guards "standard streams closed: an error is written where the engine reads it" \
  test "$(jq -r .msg "$task/error")" = "runclad: bundle: the directory /nonexistent cannot be opened (ENOENT)"
holds "standard streams closed: and to no other file" log_is_whole
AROUND=(python3 -c '
import os, subprocess, sys
reader, writer = os.pipe()
os.close(reader)
sys.exit(subprocess.run(sys.argv[1:], stderr=writer).returncode & 255)')
create streams /nonexistent
guards "no reader on stderr: the status is that of an error" status_is 1
guards "no reader on stderr: an error is written where the engine reads it" \
  test "$(jq -r .msg "$task/error")" = "runclad: bundle: the directory /nonexistent cannot be opened (ENOENT)"
AROUND=()
mkfifo "$task/error-fifo"
capture "${program[@]}" --log "$task/error-fifo" create --bundle /nonexistent streams
guards "--log is a FIFO without a reader: the error is on stderr" err_has "(ENOENT)"

# --- signals: the program that runclad becomes has the caller's ---
inherits() {  # FIELD MASK
  grep -qP "^$1:\t$2$" "$STANDIN"
}
# coreutils since 9.8 leave to a program what a script in the background ignores.
capture awk '$1 == "SigIgn:" {print $2}' /proc/self/status
IGNORED=$OUT
create
holds "no signal is ignored that the caller did not ignore" inherits SigIgn "$IGNORED"
AROUND=(env "--ignore-signal=PIPE,CHLD" "--block-signal=TERM,CHLD")
create
holds "signals ignored: a container starts" went_on
holds "signals ignored: they are ignored in the lower runtime, too" \
  inherits SigIgn "$(printf %016x $((16#$IGNORED | 16#11000)))"
holds "signals blocked: they are blocked in the lower runtime, too" inherits SigBlk 0000000000014000
AROUND=()

# --- limits ---
for size in 0 1 100 4000; do
  AROUND=(prlimit "--fsize=$size")
  create
  guards "files limited to $size bytes: an error, and no signal" status_is 1
  holds "files limited to $size bytes: nothing is left" nothing_is_left
done
for files in 4 5 6 8 12; do
  AROUND=(prlimit "--nofile=$files")
  create
  is_right() { went_on || { stopped_with "(EMFILE)" && nothing_is_left; }; }
  holds "$files descriptors: a container starts, or the error says why not" is_right
done
for mask in 0777 0; do
  AROUND=(sh -c "umask $mask; exec \"\$@\"" sh)
  rm -rf "$here/log" /run/runclad
  create
  holds "umask $mask: a container starts" went_on
  # A link's own mode means nothing.
  others_may_write() { find /run/runclad "$here/log" ! -type l -perm /077 | grep -q .; }
  holds "umask $mask: what runclad writes is its own" not others_may_write
done

# --- directories ---
mkdir "$here/gone"
AROUND=(sh -c 'cd "$0" && rmdir "$0" && exec "$@"' "$here/gone")
create
holds "the working directory is gone: a container starts" went_on
AROUND=()
cp "$here/config.json" "$bundle/config.json"
mount --bind "$bundle" "$bundle"
mount -o remount,bind,ro "$bundle"
create
guards "a bundle on a read-only file system: an error message" stopped_with \
  "the bundle $bundle must be writable so that runclad can replace config.json: config.json cannot be replaced (EROFS)"
holds "a bundle on a read-only file system: no record is left" nothing_is_left
guards "a bundle on a read-only file system: the log says that nothing ran" \
  test "$(tail -n 1 "$here/log" | jq -r .outcome)" = error
umount "$bundle"
AROUND=(unshare --mount sh -c 'mount -t tmpfs none /proc && exec "$@"' sh)
create
guards "no /proc: an error message for every verb" stopped_with "need /proc mounted"
capture "${AROUND[@]}" "${program[@]}" --root "$here/root" kill streams
guards "no /proc: runclad does not execute itself forever" err_has "need /proc mounted"
AROUND=()

# --- ids, and where a runtime keeps its containers ---
id_of() { printf 'i%.0s' $(seq "$1"); }
for length in 231 250 251 255; do
  id=$(id_of "$length")
  jq --arg path "$E2E_CGROUP/$id" '.linux.cgroupsPath = $path' "$here/config.json" >"$here/other.json"
  mv "$here/config.json" "$here/kept.json"
  mv "$here/other.json" "$here/config.json"
  create "$id"
  mv "$here/kept.json" "$here/config.json"
  if [ "$length" -le 250 ]; then
    holds "an id of $length bytes: a container is created" went_on
    guards "an id of $length bytes: it has a record" test -e /run/runclad/*/"$id.json"
  else
    guards "an id of $length bytes: an error message" stopped_with \
      "the container id has $length bytes; runclad supports at most 250"
  fi
  rm -f /run/runclad/*/"$id.json"
done
# crun takes XDG_RUNTIME_DIR, runc as root does not.
recorded_below() {
  [ -e "/run/runclad/$(stat -c %d-%i "$1")/streams.json" ]
}
mkdir "$here/xdg"
for kind in crun runc; do
  cp "$here/config.json" "$bundle/config.json"
  capture env "XDG_RUNTIME_DIR=$here/xdg" "${program[@]/%"$standin"/"$here/bin/$kind"}" \
    create --bundle "$bundle" streams
  holds "XDG_RUNTIME_DIR: $kind is called" went_on
done
guards "XDG_RUNTIME_DIR: the record is of the directory that crun keeps containers in" \
  recorded_below "$here/xdg/crun"
guards "XDG_RUNTIME_DIR: the record is of the directory that runc keeps containers in" \
  recorded_below /run/runc

# --- a first process that nobody waits for ---
make_bundle zombie >/dev/null
cat >"$here/zombie.py" <<'PY'
import ctypes, glob, json, os, signal, subprocess, sys, time
runtime, state, bundle = sys.argv[1:]
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER: its parent is this program
def call(*arguments, **options):
    return subprocess.run([runtime, "--root", state, *arguments], **options)
call("create", "--bundle", bundle, "zombie", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
     check=True)
call("start", "zombie", check=True)
pid = json.loads(call("state", "zombie", capture_output=True, check=True).stdout)["pid"]
os.kill(pid, signal.SIGKILL)
while open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[0] != "Z":
    time.sleep(0.01)
call("delete", "zombie", check=True)
root = os.stat(state)
print(os.path.exists(f"/run/runclad/{root.st_dev}-{root.st_ino}"),
      glob.glob(f"/run/runclad/{root.st_dev}-{root.st_ino}/zombie.json"))
PY
capture python3 "$here/zombie.py" "$E2E_RUNTIME" "$STATE" "$E2E_WORK/bundles/zombie"
holds "a zombie's container is deleted" state_is zombie ""
guards "and its record with it" out_is "True []"
