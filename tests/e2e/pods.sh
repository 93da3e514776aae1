#!/bin/bash
# Kubernetes pods: namespaces that a pod's containers share with their sandbox, the host's namespaces that a
# pod requests, and a kubelet's mounts. Through containerd's CRI plugin, as a kubelet requests them.
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"
# shellcheck source=tests/e2e/cri_engine.sh
. "$E2E_DIR/cri_engine.sh"
needs_controller cpu "pods, which always have CPU shares" || exit 0

mkdir -p "$DIRECTORY/pods" "$DIRECTORY/images"
cri_start
cri_images app:1
APP=docker.io/library/app:1
PODS=/var/lib/kubelet/pods
NUMBER=0
sandbox() {  # NAME NAMESPACE [OPTION…]: SANDBOX
  cri run-sandbox "$@"
  SANDBOX=$OUT
}
container() {  # NAMESPACE [OPTION…]: created and started: CONTAINER
  NUMBER=$((NUMBER + 1))
  local namespace=$1
  shift
  cri create "$SANDBOX" "c$NUMBER" "$namespace" "${IMAGE:-$APP}" "$@"
  succeeded || return 0
  CONTAINER=$OUT
  cri start "$CONTAINER"
}
said() { cri exec "$@" && succeeded && printf '%s\n' "$OUT"; }
waiver() {  # NAMESPACE RULE KEY VALUE…
  local namespace=$1 rule=$2 key=$3
  shift 3
  printf '{"waivers": [{"rule": "%s", "%s": %s, "reason": "a test"}]}\n' "$rule" "$key" \
    "$(printf '%s\n' "$@" | jq -R . | jq -cs .)" >"$DIRECTORY/pods/$namespace.json"
}
own_id() { readlink "/proc/self/ns/$1"; }

# --- an ordinary pod: two containers, and what a kubelet mounts for each ---
OWN=$PODS/uid-web OTHER=$PODS/uid-db
for pod in "$OWN" "$OTHER"; do
  mkdir -p "$pod/containers/app" "$pod/volumes/kubernetes.io~empty-dir/cache/part" \
    "$pod/volumes/kubernetes.io~secret/token" "$pod/volume-subpaths/cache/app/0" \
    "$pod/volume-subpaths/host/app/0"
  printf '127.0.0.1 localhost\n192.0.2.2 web\n' >"$pod/etc-hosts"
  : >"$pod/containers/app/1a2b3c4d"
  chmod 666 "$pod/containers/app/1a2b3c4d"
  chmod 777 "$pod/volumes/kubernetes.io~empty-dir/cache"
  mount -t tmpfs tmpfs "$pod/volumes/kubernetes.io~secret/token"
  printf 'token\n' >"$pod/volumes/kubernetes.io~secret/token/token"
  mount --bind "$pod/volumes/kubernetes.io~empty-dir/cache/part" "$pod/volume-subpaths/cache/app/0"
  mount --bind /etc "$pod/volume-subpaths/host/app/0"
done
KUBELET=("mount=$OWN/etc-hosts:/etc/hosts" "mount=$OWN/containers/app/1a2b3c4d:/dev/termination-log"
  "mount=$OWN/volumes/kubernetes.io~empty-dir/cache:/cache"
  "mount=$OWN/volume-subpaths/cache/app/0:/part"
  "mount=$OWN/volumes/kubernetes.io~secret/token:/run/secrets/token:ro")

covers host-mounts
sandbox web team-a
holds "an ordinary pod's sandbox starts" succeeded
container team-a "${KUBELET[@]}"
holds "a container with a kubelet's mounts starts" succeeded
FIRST=$CONTAINER
cri exec "$FIRST" /bin/sh -c 'cat /etc/hosts /run/secrets/token/token; echo bye >/dev/termination-log
  echo x >/cache/file && echo y >/part/file && cat /etc/resolv.conf >/dev/null && test -d /dev/shm'
holds "… and reads and writes them" succeeded
holds "… its /etc/hosts and its secret" out_is $'127.0.0.1 localhost\n192.0.2.2 web\ntoken'
holds "… its termination message" grep -qx bye "$OWN/containers/app/1a2b3c4d"
container team-a "${KUBELET[@]}"
holds "a second container starts" succeeded
cri exec "$CONTAINER" /bin/cat /cache/file /cache/part/file
holds "… and shares the volume" out_is $'x\ny'
for kind in net ipc uts; do
  holds "… and the $kind namespace, which is not the host's" \
    test "$(said "$CONTAINER" /bin/readlink "/proc/self/ns/$kind")" = \
    "$(said "$FIRST" /bin/readlink "/proc/self/ns/$kind")" -a \
    "$(said "$FIRST" /bin/readlink "/proc/self/ns/$kind")" != "$(own_id "$kind")"
done
guards "… under restricted" log_says '.outcome == "rewritten" and .image.podNamespace == "team-a"'

refuses_mount() {  # DESCRIPTION SOURCE
  container team-a "mount=$2:/x"
  guards "$1 is refused" refused host-mounts '/mounts/[0-9]+/source' "\"$2\""
}
refuses_mount "another pod's /etc/hosts" "$OTHER/etc-hosts"
refuses_mount "another pod's volume" "$OTHER/volumes/kubernetes.io~empty-dir/cache"
refuses_mount "another pod's secret" "$OTHER/volumes/kubernetes.io~secret/token"
refuses_mount "another pod's part of a volume" "$OTHER/volume-subpaths/cache/app/0"
refuses_mount "the pod's whole directory" "$OWN"
refuses_mount "the directory of its volumes" "$OWN/volumes"
refuses_mount "every pod's directory" "$PODS"
refuses_mount "a hostPath's /etc by subPath" "$OWN/volume-subpaths/host/app/0"
refuses_mount "another sandbox's directory" "$CRI_ROOT/io.containerd.grpc.v1.cri/sandboxes"

covers mount-destinations
container team-a "mount=$OWN/volumes/kubernetes.io~empty-dir/cache:/dev"
guards "an emptyDir at /dev is refused" refused mount-destinations '/mounts/[0-9]+/destination' '"/dev"'

# --- a privileged pod, whose sandbox is privileged too for containerd 2 ---
POD=$SANDBOX
sandbox privileged team-a privileged
if succeeded; then container team-a privileged; fi
guards "a privileged pod is refused" err_has "runclad: refused by"
[ -z "$SANDBOX" ] || cri remove-sandbox "$SANDBOX"
SANDBOX=$POD

# A sandbox that runs since before runclad was installed has no record.
find /run/runclad -name "$SANDBOX.json" -delete 2>/dev/null
find /run/runclad -lname "$SANDBOX" -delete 2>/dev/null
container team-a "${KUBELET[@]}"
holds "a container joins its pod's sandbox that is older than runclad" succeeded

# --- the host's network ---
covers host-namespaces
sandbox net team-a network=node
holds "the sandbox of a pod with the host's network starts" succeeded
container team-a
guards "its container is refused" refused host-namespaces '/linux/namespaces/[0-9]+/path' '"/proc/'
guards "… and the way out is printed" err_has 'pods/team-a.json'
waiver team-b host-namespaces allow network
container team-a
guards "another namespace's waiver does not help" refused host-namespaces '[^ ]*' '"/proc/'
container team-a annotation:io.kubernetes.cri.container-type=sandbox \
  label:io.cri-containerd.kind=sandbox annotation:io.kubernetes.cri.sandbox-namespace=team-b \
  label:io.kubernetes.pod.namespace=team-b annotation:io.kubernetes.cri-o.ContainerType=sandbox
guards "nor do annotations and labels" refused host-namespaces '[^ ]*' '"/proc/'
IMAGE=docker.io/library/pause:1 container team-a run=/pause
guards "nor the pause image" refused host-namespaces '[^ ]*' '"/proc/'
waiver team-a host-namespaces allow network
container team-a
holds "a waiver of the pod namespace allows it" succeeded
holds "… it has the host's network" \
  test "$(said "$CONTAINER" /bin/readlink /proc/self/ns/net)" = "$(own_id net)"
container team-a capability=NET_ADMIN
cri exec "$CONTAINER" /bin/grep CapBnd /proc/self/status
guards "… no capability for instance" status_field CapBnd 0000000000000400
rm "$DIRECTORY"/pods/*
container team-a
guards "without it the next one is refused again" refused host-namespaces '[^ ]*' '"/proc/'
cri remove-sandbox "$SANDBOX"

# --- the host's pids and ipc ---
sandbox pids team-a pid=node
holds "the sandbox of a pod with the host's pids starts" succeeded
container team-a pid=node
guards "its container is refused" refused host-namespaces '/linux/namespaces/[0-9]+/path' '"/proc/'
cri remove-sandbox "$SANDBOX"
sandbox ipc team-a ipc=node
holds "the sandbox of a pod with the host's ipc starts" succeeded
container team-a ipc=node
guards "its container is refused" refused host-namespaces '/linux/namespaces/[0-9]+/path' '"/proc/'
waiver team-a host-namespaces allow ipc
container team-a ipc=node
holds "a waiver allows it, and the host's /dev/shm with it" succeeded
rm "$DIRECTORY"/pods/*
cri remove-sandbox "$SANDBOX"

# --- pids that are shared within the pod ---
profile() {  # NAME: the policy of the runtime
  printf '{"extends": "%s", "log": {"target": "file:%s/audit.jsonl"}}\n' "$1" "$DIRECTORY" >"$DIRECTORY/policy.json"
}
for name in baseline restricted; do
  profile "$name"
  sandbox "shared-$name" team-a pid=pod
  container team-a pid=pod
  holds "a container shares its pod's pids (shareProcessNamespace, $name)" succeeded
  cri exec "$CONTAINER" /bin/cat /proc/1/comm
  holds "… and it sees the sandbox's program" out_is pause
  SHARING=$CONTAINER
  container team-a pid=pod
  holds "… and so does the next" succeeded
  guards "… under $name" log_says '.outcome == "rewritten" and .profile == "'"$name"'"'
done
TARGET=$SHARING
container team-a
POD=$SANDBOX
sandbox stranger team-a
container team-a "pid=target:$TARGET"
holds "the pids of another pod's container are refused" failed
cri remove-sandbox "$SANDBOX"
SANDBOX=$POD
container team-a
TARGET=$CONTAINER
container team-a "pid=target:$TARGET"
guards "the pids of another container of the pod are refused" refused host-namespaces '[^ ]*' "container $TARGET"
guards "… with the way out" err_has 'add "pid" to host-namespaces.join'
waiver team-a host-namespaces join pid
container team-a "pid=target:$TARGET"
holds "… which lets a debugging container in" succeeded
POD=$SANDBOX
sandbox host-pids team-a pid=node
container team-a pid=node
guards "… and nothing else: the host's pids are refused" refused host-namespaces '[^ ]*' '"/proc/'
cri remove-sandbox "$SANDBOX"
SANDBOX=$POD
rm "$DIRECTORY"/pods/*
container team-a "pid=target:$TARGET"
guards "without the waiver the next one is refused" refused host-namespaces '[^ ]*' "container $TARGET"

# --- a user namespace of the pod's own, and an image as a volume ---
if engine_is containerd 2.1; then
  for name in baseline restricted; do
    profile "$name"
    sandbox "users-$name" team-a userns=200000:65536
    holds "the sandbox of a pod with a user namespace starts ($name)" succeeded
    container team-a userns=200000:65536
    holds "… and a container of it" succeeded
    holds "… whose root is another user on the host" \
      test "$(said "$CONTAINER" /bin/cat /proc/self/uid_map | awk '{print $1, $2, $3}')" = "0 200000 65536"
    guards "… under $name" log_says '.outcome == "rewritten" and .profile == "'"$name"'"'
    cri exec "$CONTAINER" /bin/grep NoNewPrivs /proc/self/status
    guards "… it gains no privileges" status_field NoNewPrivs 1
    sandbox "volume-$name" team-a
    container team-a "image=$APP:/img"
    holds "a container has an image as a volume ($name)" succeeded
    cri exec "$CONTAINER" /bin/cat /img/run/seed
    holds "… and reads it" out_is 'from the image'
    cri exec "$CONTAINER" /bin/sh -c 'echo x >/img/run/seed'
    holds "… and cannot write to it" failed
    cri exec "$CONTAINER" /img/bin/true
    guards "… nor run its programs" failed
    # All in one pod.
    sandbox "all-$name" team-a pid=pod userns=200000:65536
    container team-a pid=pod userns=200000:65536 "image=$APP:/img"
    holds "one pod has shared pids, a user namespace and an image as a volume ($name)" succeeded
    cri exec "$CONTAINER" /bin/cat /proc/1/comm /proc/self/uid_map /img/run/seed
    holds "… and its container has all three" test "$(awk '{$1 = $1} 1' <<<"$OUT")" = \
      $'pause\n0 200000 65536\nfrom the image'
    guards "… under $name" log_says '.outcome == "rewritten" and .profile == "'"$name"'"'
  done
else
  printf '# left out, for containerd is older than 2.1: user namespaces and image volumes of pods\n'
fi

for id in $(cri_ctr container ls -q); do
  # Of sandboxes only; what is left of refused containers goes with them.
  cri remove-sandbox "$id"
done
holds "nothing is left in containerd" test -z "$(cri_ctr container ls -q)"
for pod in "$OWN" "$OTHER"; do
  umount "$pod/volumes/kubernetes.io~secret/token" "$pod"/volume-subpaths/*/app/0
done
rm -r /var/lib/kubelet "$DIRECTORY/images" "$DIRECTORY/pods"
