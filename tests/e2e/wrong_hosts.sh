#!/bin/bash
# Hosts made wrong on purpose, one fault each: with real engines, files, mounts and processes, doctor's checks that start
# no probe find the fault, and nothing else than that check's findings changes. doctor.sh has the faults that probes find.
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"
# shellcheck source=tests/e2e/cri_engine.sh
. "$E2E_DIR/cri_engine.sh"
# shellcheck source=tests/e2e/doctor_host.sh
. "$E2E_DIR/doctor_host.sh"

right_host
docker ps -aq | xargs -r docker rm -f >/dev/null

# What doctor finds: a line "check<TAB>subject<TAB>finding" each.
findings() {  # FILE
  CAPTURE_SECONDS=300 capture "$CTL" doctor --json --program "${DOCTOR_PROGRAM:-$E2E_PROGRAM}" --config "$E2E_POLICIES/own" \
    --only roads --only policy --only log --only runtime --only kernel --only programs
  jq -r '.checks[] | .id as $id | .findings[] | [$id, .subject, .finding] | @tsv' "$E2E_WORK/out" | LC_ALL=C sort >"$1"
  [ "$STATUS" -le 3 ] && jq -e '.checks | length > 40' "$E2E_WORK/out" >/dev/null
}
hosts=0
# wrong DESCRIPTION CHECK PART [GONE]: only CHECK finds something new, a sentence with PART. GONE: a check whose finding
# the fault itself does away with.
wrong() {
  hosts=$((hosts + 1))
  holds "$1: doctor answers" findings "$E2E_WORK/now"
  LC_ALL=C comm -13 "$E2E_WORK/right" "$E2E_WORK/now" >"$E2E_WORK/new"
  LC_ALL=C comm -23 "$E2E_WORK/right" "$E2E_WORK/now" | grep -v "^$2	" | grep -v "^${4:-$2}	" >"$E2E_WORK/gone"
  OUT=$(cat "$E2E_WORK/new" "$E2E_WORK/gone")
  holds "$1: $2 finds it, and no other check anything" test "$(cut -f 1 "$E2E_WORK/new" | sort -u)" = "$2"
  holds "$1: it says so" grep -qF -- "$3" "$E2E_WORK/new"
  holds "$1: no other finding is gone" test ! -s "$E2E_WORK/gone"
}

holds "the right host: doctor answers" findings "$E2E_WORK/right"
holds "the right host: nothing but open ways to runc, known holes of runc and this machine's cgroups" \
  test -z "$(cut -f 1 "$E2E_WORK/right" | grep -vxE 'roads/(docker-(runtimes|shims)|containerd-runtimes)|runtime/known-holes|kernel/cgroup-.*')"

# --- engines ---
with_daemon() {  # JQ-FILTER
  jq "$1" "$E2E_WORK/daemon.right" >"$E2E_WORK/daemon.json" && reload
}
mend_daemon() {  # NAME
  cp "$E2E_WORK/daemon.right" "$E2E_WORK/daemon.json" && reload
  eventually 10 not is_registered "$1"
}
# shellcheck disable=SC2016  # for jq
with_daemon '.runtimes.gone = {"path": "/opt/gone/runclad"}'
eventually 10 is_registered gone
wrong "a runtime whose program is gone" roads/missing-programs /opt/gone/runclad
mend_daemon gone
with_daemon ".runtimes.plain = {\"path\": \"$E2E_PLAIN\"}"
eventually 10 is_registered plain
wrong "another runtime in daemon.json" roads/docker-runtimes "docker run --runtime plain"
mend_daemon plain
with_daemon ".runtimes.lax = {\"path\": \"$E2E_PROGRAM\", \"runtimeArgs\": [\"--runclad-config=$E2E_POLICIES/audit\"]}"
eventually 10 is_registered lax
wrong "a runtime with another policy" roads/docker-policies "$E2E_POLICIES/audit"
mend_daemon lax
capture docker create --name older --network none --runtime runc box true
wrong "a container that was made before, and does not run" roads/containers "the container older"
docker_remove older
chmod 666 "$E2E_WORK/docker.sock"
wrong "a socket that is open to everyone" roads/open-sockets "every user of the host"
chmod 660 "$E2E_WORK/docker.sock"
DROP_IN=/etc/containers/containers.conf.d/50-$NAME.conf
mv "$DROP_IN" "$E2E_WORK/podman.right"
wrong "podman without its drop-in" roads/podman-default "its default runtime is"
mv "$E2E_WORK/podman.right" "$DROP_IN"
sleep 2  # a file's time counts in seconds
touch "$TOML"
wrong "containerd's file changed after it had started" roads/restart-pending "reads the file only at start"
restart_containerd() {
  kill "$CRI_PID" && wait "$CRI_PID"
  containerd --config "$TOML" >>"$E2E_WORK/cri.log" 2>&1 &
  CRI_PID=$!
  eventually 20 cri_answers
}
cp "$TOML" "$E2E_WORK/cri.right"
sed -i "s/default_runtime_name = \"$NAME\"/default_runtime_name = \"runc\"/" "$TOML"
restart_containerd
wrong "the default of containerd's CRI plugin" roads/containerd-default "its default runtime is runc" roads/containerd-runtimes
cp "$E2E_WORK/cri.right" "$TOML"
cat >>"$TOML" <<TOML
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.plain]
  runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.plain.options]
  BinaryName = "$E2E_PLAIN"
TOML
restart_containerd
wrong "a runtime handler beside runclad's" roads/containerd-runtimes "handler plain"
cp "$E2E_WORK/cri.right" "$TOML"
holds "containerd starts again" restart_containerd

# --- a container of containerd's that is older than the registration ---
cp -a "$E2E_WORK/rootfs" "$E2E_WORK/older"
OLDER=(ctr --address "$CRI_SOCKET" --namespace default)
capture "${OLDER[@]}" "${CTR_RUN[@]:1}" -d --rootfs --runc-binary "$E2E_PLAIN" --cgroup "$E2E_CGROUP/older" "$E2E_WORK/older" older \
  /bin/sleep 600
holds "a container is made by runc" succeeded
wrong "an older container of containerd's" roads/running "it runs by $E2E_PLAIN"
holds "by its namespace and id" grep -q '	containerd default/older	' "$E2E_WORK/new"
jq -r '.checks[].findings[].remedy' "$E2E_WORK/out" >"$E2E_WORK/remedies"
holds "with what makes it again" grep -qF -- "ctr run --runc-binary $E2E_PROGRAM" "$E2E_WORK/remedies"
capture "$CTL" status --program "$E2E_PROGRAM" --config "$E2E_POLICIES/own"
holds "status names it" out_has "containerd default/older"
holds "with what makes it again, too" out_has "ctr run --runc-binary"
capture "$CTL" status --json --program "$E2E_PROGRAM" --config "$E2E_POLICIES/own"
holds "and for programs" test "$(jq -r '.unrecorded[] | .engine + " " + .name + " " + .program' "$E2E_WORK/out")" = \
  "containerd default/older $E2E_PLAIN"
capture "$CTL" configure containerd --config "$TOML" --default --name "$NAME" --program "$PROGRAM"
holds "configure lists it" out_has default/older
"${OLDER[@]}" tasks kill -s KILL older >/dev/null
task_ended() { "${OLDER[@]}" tasks ls | grep -q 'older.*STOPPED'; }
eventually 10 task_ended
"${OLDER[@]}" tasks rm -f older >/dev/null 2>&1
"${OLDER[@]}" containers rm older

# --- other engines ---
OTHER=$E2E_WORK/doctor/other
mkdir -p "$OTHER" && chmod 755 "$E2E_WORK" "$E2E_WORK/doctor" "$OTHER"
cp /bin/dash "$OTHER/podman"
setpriv --reuid=nobody --clear-groups "$OTHER/podman" -c 'sleep 600; :' >/dev/null 2>&1 </dev/null &
own_pid=$!
own_runs() { [ "$(cat "/proc/$own_pid/comm")" = podman ]; }
eventually 10 own_runs
wrong "a user's own engine" roads/rootless "runs an engine of their own"
end_process() {  # with what it runs
  xargs -r kill <"/proc/$1/task/$1/children" 2>/dev/null
  kill "$1" 2>/dev/null
  wait "$1" 2>/dev/null
}
end_process "$own_pid"
mkdir -p /run/isulad
python3 -c 'import socket, time; s = socket.socket(socket.AF_UNIX); s.bind("/run/isulad/isulad.sock"); s.listen(); time.sleep(600)' &
own_pid=$!
eventually 10 test -S /run/isulad/isulad.sock
chmod 660 /run/isulad/isulad.sock
wrong "an engine that doctor does not know" roads/other-sockets "an engine answers there"
end_process "$own_pid"
rm -r /run/isulad
mkdir -p "$E2E_WORK/doctor/profile"
cp -a /etc/profile.d/. "$E2E_WORK/doctor/profile"
mount --bind "$E2E_WORK/doctor/profile" /etc/profile.d
echo 'export BUILDAH_ISOLATION="chroot"' >/etc/profile.d/build.sh
wrong "buildah by chroot" roads/buildah-chroot "call no runtime at all"
umount /etc/profile.d

# --- the policy ---
policy() { printf '{"builds": "build", "log": {"target": "file:%s"}%s}\n' "$LOG" "$1" >"$POLICY"; }
IMAGES=$E2E_POLICIES/own/images
image() {  # TEXT
  mkdir -p "$IMAGES/docker.io/library"
  printf '%s\n' "$1" >"$IMAGES/docker.io/library/box.json"
}
policy ', "mode": "audit"'
wrong "a policy in mode audit" policy/enforced "audit"
policy ', "rootless": "pass-through"'
wrong "callers without root pass" policy/rootless "unchanged"
printf '{"log": {"target": "file:%s"}}\n' "$LOG" >"$POLICY"
wrong "builds without a profile" policy/builds "cannot write"
policy ', "mod": "audit"'
wrong "a policy that cannot be read" policy/readable mod
write_policy
chown nobody "$POLICY"
wrong "a policy of another owner" policy/readable "owned by uid"
chown root "$POLICY"
"$CTL" break-glass --for 1h --reason INC-7 >/dev/null
wrong "break-glass is on" policy/break-glass INC-7
"$CTL" break-glass --end >/dev/null
image '{"waivers": [{"rule": "memory-limit", "action": "off", "reason": "a test", "expires": "2020-01-31"}]}'
wrong "a waiver that has expired" policy/expired-waivers 2020-01-31
image "{\"waivers\": [{\"rule\": \"user\", \"action\": \"off\", \"reason\": \"a test\", \"expires\": \"$(date -d '10 days' +%F)\"}]}"
wrong "a waiver that expires soon" policy/expiring-waivers "expires on"
image '{"waivers": [{"rule": "host-mounts", "exactly": ["bind / rw"], "reason": "a test"}]}'
wrong "a waiver that equals root" policy/root-waivers "every file of the host"
image "{\"digests\": [\"sha256:$(printf '%064d' 0)\"]}"
wrong "a pin of another image" policy/pins "docker.io/library/box"
rm -r "$IMAGES"
printf '{"acknowledged": [{"check": "roads/rootless", "reason": "a test"}]}\n' >"$E2E_POLICIES/own/doctor.json"
wrong "an acknowledgement of nothing" policy/acknowledged roads/rootless
rm "$E2E_POLICIES/own/doctor.json"

# --- the log ---
SMALL=$E2E_WORK/doctor/log
mkdir -p "$SMALL"
mount -t tmpfs -o size=20m,mode=755 tmpfs "$SMALL"
log() { printf '{"builds": "build", "log": {"target": "%s"}}\n' "$1" >"$POLICY"; }
head -c 15m /dev/zero >"$SMALL/filler"
log "file:$SMALL/audit.jsonl"
wrong "a log without space" log/space "MiB left"
rm "$SMALL/filler"
umount "$SMALL"
mkdir -p "$SMALL" && chmod 777 "$SMALL"
wrong "a log that others could replace" log/protected "$SMALL"
chmod 755 "$SMALL"
truncate -s 3G "$SMALL/audit.jsonl"
wrong "a log that has grown" log/size "3072 MiB"
rm "$SMALL/audit.jsonl"
log "file:$SMALL/no/such/audit.jsonl"
wrong "a log whose directory is missing" log/writable "does not exist"
log "file:/srv/${E2E_SRV##*/}/audit.jsonl"
wrong "a log where containers write" log/exposed "writes there as root"
log journald
wrong "journald where there is none" log/journald "nothing listens"
log syslog
wrong "syslog where there is none" log/syslog "/dev/log"
write_policy

# --- programs ---
# shellcheck disable=SC2016  # for the program
printf '#!/bin/sh\ncase "$*" in *version*) echo runc version 1.0.0 ;; *) exit 1 ;; esac\n' >"$E2E_WORK/doctor/runc"
chmod 755 "$E2E_WORK/doctor/runc"
REAL=$(realpath "$E2E_PLAIN")
mount --bind "$E2E_WORK/doctor/runc" "$REAL"
wrong "an old lower runtime" runtime/known-holes CVE-2024-21626
umount "$REAL"
cp "$E2E_PROGRAM" "$OTHER/runclad"
chmod 777 "$OTHER"
DOCTOR_PROGRAM=$OTHER/runclad wrong "a program in a directory of everyone" programs/protected "$OTHER"
chmod 755 "$OTHER"

holds "$hosts wrong hosts are at least 25" test "$hosts" -ge 25
findings "$E2E_WORK/now"
holds "the host is right again" cmp -s "$E2E_WORK/right" "$E2E_WORK/now"
