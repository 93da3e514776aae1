#!/bin/bash
# Pods by containerd's CRI plugin, as a kubelet asks for them: which image a container is made of and
# in which namespace its pod lies, containerd's own database says, and no annotation.
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"

DIRECTORY=$E2E_POLICIES/own
FILE=$DIRECTORY/images/docker.io/library/nginx.json
ROOT=/var/lib/cri-containerd
RUN=/run/cri-containerd
SOCKET=$E2E_WORK/cri.sock
mkdir -p "${FILE%/*}" "$DIRECTORY/pods"
# Pods of the host's network: one of their own would want a CNI plugin. The host's uts namespace comes
# with it, and containerd's files of the sandbox are then no joined container's.
cat >"$DIRECTORY/policy.json" <<POLICY
{"log": {"target": "file:$DIRECTORY/audit.jsonl"},
 "rules": {"host-namespaces": {"allow": ["network", "uts"]},
           "host-mounts": {"allow": ["$ROOT/io.containerd.grpc.v1.cri/sandboxes",
                                     "$RUN/io.containerd.grpc.v1.cri/sandboxes"]}}}
POLICY
cat >"$E2E_WORK/cri.toml" <<TOML
version = 2
root = "$ROOT"
state = "$RUN"
[grpc]
  address = "$SOCKET"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "docker.io/library/pause:1"
  restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
  BinaryName = "$E2E_WORK/runtimes/own/runclad"
TOML
containerd --config "$E2E_WORK/cri.toml" >"$E2E_WORK/cri.log" 2>&1 &
CONTAINERD=$!
trap 'kill "$CONTAINERD" 2>/dev/null; wait "$CONTAINERD" 2>/dev/null' EXIT
cri_ctr() { ctr --address "$SOCKET" --namespace k8s.io "$@"; }
cri() { capture python3 "$E2E_DIR/cri_call.py" "$SOCKET" "$@"; }
answers() { cri_ctr version >/dev/null 2>&1; }
holds "containerd with its CRI plugin starts" eventually 20 answers

image() {  # NAME VARIABLE: another config, and so another image, for each value of the variable
  tar -C "$E2E_WORK/rootfs" -c . | docker import -c 'CMD ["/bin/sleep", "600"]' -c "ENV V=$2" - "$1" \
    >/dev/null
}
image pause:1 pause
image nginx:1.27 nginx
image other:1 other
docker save pause:1 nginx:1.27 other:1 -o "$E2E_WORK/cri.tar"
cri_ctr image import "$E2E_WORK/cri.tar" >/dev/null
rm "$E2E_WORK/cri.tar"

CHOWN=0000000000000001
BOTH=0000000000001001
HOST=0000000000000400
GRANT='"rules": {"capabilities": {"allow": ["CHOWN", "NET_ADMIN"]}}'
image_file() { printf '{%s%s}\n' "$GRANT" "${1:+, \"digests\": [\"$1\"]}" >"$FILE"; }
last_create() { jq -cs 'map(select(.verb == "create")) | last' "$DIRECTORY/audit.jsonl" 2>/dev/null; }
log_says() { [ -s "$DIRECTORY/audit.jsonl" ] && last_create | jq -e "$1" >/dev/null; }

cri run-sandbox web team-a
holds "a pod's sandbox starts" succeeded
SANDBOX=$OUT
guards "it is known as one" log_says '.image.sandbox and .image.podNamespace == "team-a"'
NUMBER=0
caps_of() {  # IMAGE [ANNOTATION=VALUE…]: what a container of it gets that asks for NET_ADMIN too
  NUMBER=$((NUMBER + 1))
  local image=$1
  shift
  cri create "$SANDBOX" "c$NUMBER" team-a "$image" "$@"
  succeeded || return 0
  CONTAINER=$OUT
  cri start "$CONTAINER"
  succeeded || return 0
  cri exec "$CONTAINER" /bin/grep CapBnd /proc/1/status
}

image_file ''
caps_of docker.io/library/nginx:1.27
guards "CRI: a tag gets no more than Docker's default" status_field CapBnd "$CHOWN"
guards "CRI: the pod's namespace is known" log_says '.image.podNamespace == "team-a"'
CONFIG=$(last_create | jq -r '.image.config')
image_file "$CONFIG"
caps_of docker.io/library/nginx:1.27
guards "CRI: pinned by digest it gets its allowlist" status_field CapBnd "$BOTH"
caps_of docker.io/library/other:1 io.kubernetes.cri.image-name=docker.io/library/nginx:1.27 \
  io.kubernetes.cri.sandbox-namespace=kube-system
guards "CRI: annotations prove nothing" status_field CapBnd "$HOST"
guards "CRI: nor of the pod's namespace" log_says '.image.podNamespace == "team-a"'
printf '{%s}\n' "$GRANT" >"$DIRECTORY/pods/team-a.json"
caps_of docker.io/library/other:1
guards "CRI: a file of the pod's namespace counts" status_field CapBnd "$BOTH"
mv "$DIRECTORY/pods/team-a.json" "$DIRECTORY/pods/team-b.json"
caps_of docker.io/library/other:1
guards "CRI: that of another does not" status_field CapBnd "$HOST"
cri_ctr image tag --force docker.io/library/other:1 docker.io/library/nginx:1.27 >/dev/null
sleep 1  # the CRI plugin hears of it by an event
caps_of docker.io/library/nginx:1.27
guards "CRI: another image of a pinned name is refused" refused image image \
  '"docker.io/library/nginx:1.27"'

cri remove-sandbox "$SANDBOX"
holds "the pod is removed" succeeded
rm -r "$DIRECTORY/images" "$DIRECTORY/pods"
docker image rm --force pause:1 nginx:1.27 other:1 >/dev/null 2>&1
true
