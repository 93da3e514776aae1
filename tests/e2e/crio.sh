#!/bin/bash
# A STAND-IN for CRI-O, of which Debian has no package. It makes the calls that CRI-O 1.30 and later make through
# conmon, as conmon-rs does, and directly, for pods whose storage podman made and CRI-O's labels describe.
# shellcheck disable=SC2016  # dollars are for jq
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"
needs_controller pids "CRI-O's containers, which have a limit of processes" || exit 0

DIRECTORY=$E2E_POLICIES/own
CRIO=$E2E_WORK/runtimes/own/runclad
ROOT=/run/runc
printf '{"log": {"target": "file:%s/audit.jsonl"}}\n' "$DIRECTORY" >"$DIRECTORY/policy.json"
mkdir -p "$ROOT" "$E2E_WORK/crio" /run/netns /run/ipcns /run/utsns
PODMAN=(podman --cgroup-manager cgroupfs --events-backend file)
tar -C "$E2E_WORK/rootfs" -c . | "${PODMAN[@]}" import -q -c 'CMD ["sh"]' - app >/dev/null
IMAGE=$("${PODMAN[@]}" image inspect -f '{{.Id}}' app)
DRIVER=$("${PODMAN[@]}" info -f '{{.Store.GraphDriverName}}')
GRAPH=$("${PODMAN[@]}" info -f '{{.Store.GraphRoot}}')/$DRIVER-containers
RUN=$("${PODMAN[@]}" info -f '{{.Store.RunRoot}}')/$DRIVER-containers
last_create() { jq -cs 'map(select(.verb == "create")) | last' "$DIRECTORY/audit.jsonl" 2>/dev/null; }
log_says() { [ -s "$DIRECTORY/audit.jsonl" ] && last_create | jq -e "$1" >/dev/null; }

# A container in the storage, labelled as CRI-O labels it: store NAME POD-ID UID IS-SANDBOX; sets ID and MOUNT.
store() {
  ID=$("${PODMAN[@]}" create --name "$1" --network none --cgroup-parent "$E2E_CGROUP" app)
  MOUNT=$("${PODMAN[@]}" mount "$1")
  local metadata
  metadata=$(jq -nc --arg name "$1" --arg pod "${2:-$ID}" --arg uid "$3" --arg image "$IMAGE" --argjson sandbox "$4" \
    '{"pod-name": $uid, "pod-id": $pod, "image-name": "localhost/app:latest", "image-id": $image, "name": $name,
      "metadata-name": $name, "namespace": "team-a", "uid": $uid, "pod": $sandbox, "attempt": 0}')
  jq -c --arg id "$ID" --arg metadata "$metadata" \
    'map(if .id == $id then .metadata = $metadata else . end)' "$GRAPH/containers.json" >"$GRAPH/new.json"
  chmod 600 "$GRAPH/new.json"
  mv "$GRAPH/new.json" "$GRAPH/containers.json"
  mkdir -p "$RUN/$ID/userdata" "$GRAPH/$ID/userdata"
}
# document JQ-FILTER: config.json of ID, in the bundle below the runroot and, as CRI-O keeps it, below the graphroot
document() {
  (cd "$RUN/$ID/userdata" && rm -f config.json && "$E2E_PLAIN" spec)
  jq --arg root "$MOUNT" --arg cgroup "$E2E_CGROUP/crio-$ID" \
    '.root = {path: $root, readonly: false} | .process.terminal = false | .process.args = ["sleep", "600"]
     | .linux.cgroupsPath = $cgroup | .linux.resources.pids.limit = 0 | del(.process.rlimits) | '"$1" \
    "$RUN/$ID/userdata/config.json" >"$GRAPH/$ID/userdata/config.json"
  cp "$GRAPH/$ID/userdata/config.json" "$RUN/$ID/userdata/config.json"
}
# A pod: pinned namespaces (pinns) and no process, for CRI-O drops the infra container where it can: pod UID
pod() {
  store "pod-$1" "" "$1" true
  POD=$ID
  local files=$RUN/$POD/userdata
  touch "/run/netns/$1" "/run/ipcns/$1" "/run/utsns/$1"
  unshare "--net=/run/netns/$1" "--ipc=/run/ipcns/$1" "--uts=/run/utsns/$1" true
  mkdir -p "$files/shm"
  mount -t tmpfs -o mode=1777 shm "$files/shm"
  echo "$1" >"$files/hostname"
  echo 'nameserver 192.0.2.1' >"$files/resolv.conf"
  document "$(in_pod "$1")"
}
in_pod() {  # UID: the filter for what a member has of its pod
  printf '(.linux.namespaces |= map(if .type == "network" then .path = "/run/netns/%s"
      elif .type == "ipc" then .path = "/run/ipcns/%s" elif .type == "uts" then .path = "/run/utsns/%s" else . end))
    | .mounts |= map(select(.destination != "/dev/shm"))
    | .mounts += [{destination: "/dev/shm", type: "bind", source: "%s/shm", options: ["rw", "bind"]},
        {destination: "/etc/resolv.conf", type: "bind", source: "%s/resolv.conf", options: ["ro", "bind", "nodev", "nosuid", "noexec"]},
        {destination: "/etc/hostname", type: "bind", source: "%s/hostname", options: ["ro", "bind", "nodev", "nosuid", "noexec"]}]' \
    "$1" "$1" "$1" "$RUN/$POD/userdata" "$RUN/$POD/userdata" "$RUN/$POD/userdata"
}
member() {  # NAME UID [JQ-FILTER]
  store "$1" "$POD" "$2" false
  document "$(in_pod "$2") | ${3:-.}"
}

# --- conmon, with CRI-O's arguments ---
mkdir -p "$E2E_WORK/crio/exits" "$E2E_WORK/crio/sockets"
conmon_create() {
  rm -f "$E2E_WORK/crio/pid"
  capture conmon -b "$RUN/$ID/userdata" -c "$ID" --exit-dir "$E2E_WORK/crio/exits" -l "$E2E_WORK/crio/$ID.log" \
    --log-level info -n "k8s_$ID" -P "$E2E_WORK/crio/$ID.conmon" -p "$E2E_WORK/crio/pid" \
    --persist-dir "$GRAPH/$ID/userdata" -r "$CRIO" --runtime-arg "--root=$ROOT" \
    --socket-dir-path "$E2E_WORK/crio/sockets" --syslog -u "$ID"
  eventually 30 test -s "$E2E_WORK/crio/pid"
}
crio() { capture "$CRIO" "--root=$ROOT" "$@"; }
crio_state() { "$E2E_PLAIN" --root "$ROOT" state "$ID" 2>/dev/null | jq -r .status; }
crio_is() { [ "$(crio_state)" = "$1" ]; }
field_of() { awk -v f="$1:" '$1 == f {print $2}' "/proc/$("$E2E_PLAIN" --root "$ROOT" state "$ID" | jq .pid)/status"; }

covers host-namespaces
pod web
member app web
conmon_create
holds "conmon creates CRI-O's container" crio_is created
guards "the engine, the pod and the image are known" \
  log_says '.engine == "cri-o" and .image.podNamespace == "team-a" and (.image.config | length) > 0'
crio start "$ID"
holds "CRI-O starts it" crio_is running
guards "it is confined" test "$(field_of CapBnd)/$(field_of NoNewPrivs)/$(field_of Seccomp)" = 0000000000000400/1/2
holds "it has its pod's network" \
  test "$(stat -L -c %i "/proc/$(cat "$E2E_WORK/crio/pid")/ns/net")" = "$(stat -L -c %i /run/netns/web)"

jq '.process | .args = ["grep", "CapBnd", "/proc/self/status"]
    | .capabilities |= map_values(["CAP_SYS_ADMIN", "CAP_NET_BIND_SERVICE"])' \
  "$GRAPH/$ID/userdata/config.json" >"$E2E_WORK/crio/process.json"
capture conmon -c "$ID" -n "k8s_$ID" -r "$CRIO" -p "$E2E_WORK/crio/exec.pid" -e --log-level info \
  -l "$E2E_WORK/crio/exec.log" --exec-process-spec "$E2E_WORK/crio/process.json" --socket-dir-path "$E2E_WORK/crio/sockets" \
  --runtime-arg "--root=$ROOT" -u "$ID"
guards "exec through conmon is limited" eventually 30 grep -q 'CapBnd:.0000000000000400' "$E2E_WORK/crio/exec.log"
crio exec --pid-file "$E2E_WORK/crio/exec.pid" --process "$E2E_WORK/crio/process.json" "$ID"
guards "so is exec without conmon" status_field CapBnd 0000000000000400

resources() {  # JSON: update --resources -, as CRI-O calls it
  printf '%s' "$1" >"$E2E_WORK/crio/resources.json"
  capture bash -c '"$@" <"$0"' "$E2E_WORK/crio/resources.json" "$CRIO" "--root=$ROOT" update --resources - "$ID"
}
covers pids-limit
resources '{"pids": {"limit": 100}}'
holds "an update from standard input" test "$STATUS/$(cat "$(limit_file pids "crio-$ID")")" = 0/100
resources '{"pids": {"limit": 100000}}'
guards "… gets no more than the policy's maximum" test "$(cat "$(limit_file pids "crio-$ID")")" = 2048
crio kill "$ID" KILL
holds "CRI-O kills it" eventually 5 crio_is stopped
crio delete --force "$ID"
holds "… and deletes it" succeeded

# --- conmon-rs ---
member second web
conmonrs() {
  capture "$CRIO" "--root=$ROOT" --log-format=json "--log=$E2E_WORK/crio/oci.log" "$@"
}
create_rs() {
  conmonrs create --bundle "$RUN/$ID/userdata" --pid-file "$E2E_WORK/crio/pid" "$ID"
}
create_rs
holds "conmon-rs creates a container" crio_is created
crio start "$ID"
conmonrs exec --detach "--pid-file=$E2E_WORK/crio/exec.pid" "--process=$E2E_WORK/crio/process.json" "$ID"
holds "… and execs into it" succeeded
crio delete --force "$ID"

# --- other pods' namespaces, and pids that are shared ---
covers host-namespaces
OWN=$POD
pod db
POD=$OWN
member thief web '(.linux.namespaces[] | select(.type == "network")).path = "/run/netns/db"'
create_rs
guards "another pod's network is refused" refused host-namespaces '/linux/namespaces/[0-9]+/path' /run/netns/db
crio delete --force "$ID"
# CRI-O runs the infra container of a pod that shares its pids.
ID=$OWN
MOUNT=$("${PODMAN[@]}" mount pod-web)
create_rs
crio start "$ID"
holds "the pod's infra container runs" crio_is running
INFRA=$("$E2E_PLAIN" --root "$ROOT" state "$ID" | jq .pid)
shares_pids() { printf '(.linux.namespaces[] | select(.type == "pid")).path = "/proc/%s/ns/pid"' "$1"; }
member shared web "$(shares_pids "$INFRA")"
create_rs
holds "a member shares the pids of its own pod (shareProcessNamespace)" crio_is created
crio delete --force "$ID"
POD=$(jq -r '.[] | select(.names[0] == "pod-db") | .id' "$GRAPH/containers.json")
member stranger db "$(shares_pids "$INFRA")"
create_rs
guards "those of another pod are refused" refused host-namespaces '/linux/namespaces/[0-9]+/path' "container $OWN"
crio delete --force "$ID"
printf '{"log": {"target": "file:%s/audit.jsonl"}, "rules": {"host-namespaces": {"join": ["network", "ipc", "pid"]}}}\n' \
  "$DIRECTORY" >"$DIRECTORY/policy.json"
create_rs
holds "… unless the policy says what the refusal printed" crio_is created
crio delete --force "$ID"
ID=$OWN
crio delete --force "$ID"

# --- the cgroup driver systemd, which this machine does not run: the arguments of the lower runtime ---
printf '#!/bin/sh\nprintf "%%s\\n" "$@" >%s/crio/argv\n' "$E2E_WORK" >"$E2E_WORK/crio/recorder"
chmod 755 "$E2E_WORK/crio/recorder"
POD=$OWN
member third web '.linux.cgroupsPath = "kubepods-besteffort-pod1.slice:crio:third"'
if [ "$E2E_PROVE" = 0 ]; then
  printf '{"log": {"target": "file:%s/audit.jsonl"}, "rules": {"cgroup-path": {"action": "warn"}}}\n' \
    "$DIRECTORY" >"$DIRECTORY/policy.json"
  capture "$E2E_PROGRAM" "--runclad-config=$DIRECTORY" "--runclad-runtime=$E2E_WORK/crio/recorder" --systemd-cgroup \
    "--root=$ROOT" create --bundle "$RUN/$ID/userdata" --pid-file "$E2E_WORK/crio/pid" "$ID"
  holds "--systemd-cgroup reaches the lower runtime" \
    test "$(paste -sd ' ' "$E2E_WORK/crio/argv")" = \
    "--systemd-cgroup --root=$ROOT create --bundle=$RUN/$ID/userdata --pid-file=$E2E_WORK/crio/pid -- $ID"
fi

for name in web db; do
  umount "/run/netns/$name" "/run/ipcns/$name" "/run/utsns/$name"
  umount "$RUN/$("${PODMAN[@]}" container inspect -f '{{.Id}}' "pod-$name")/userdata/shm"
done
"${PODMAN[@]}" umount --all >/dev/null 2>&1
"${PODMAN[@]}" rm -f --all >/dev/null 2>&1
"${PODMAN[@]}" rmi -f app >/dev/null 2>&1
