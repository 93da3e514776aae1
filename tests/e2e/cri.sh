#!/bin/bash
# Pods through containerd's CRI plugin, as a kubelet requests them: the image of a container and the
# namespace of its pod are read from containerd's own database, never from an annotation.
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"
# shellcheck source=tests/e2e/cri_engine.sh
. "$E2E_DIR/cri_engine.sh"
needs_controller cpu "pods, which always have CPU shares" || exit 0

FILE=$DIRECTORY/images/docker.io/library/nginx.json
mkdir -p "${FILE%/*}" "$DIRECTORY/pods"
cri_start
cri_images nginx:1.27 other:1

CHOWN=0000000000000001
BOTH=0000000000001001
HOST=0000000000000400
GRANT='"rules": {"capabilities": {"allow": ["CHOWN", "NET_ADMIN"]}}'
image_file() { printf '{%s%s}\n' "$GRANT" "${1:+, \"digests\": [\"$1\"]}" >"$FILE"; }

cri run-sandbox web team-a
holds "a pod's sandbox starts" succeeded
SANDBOX=$OUT
guards "it is identified as a sandbox" log_says '.image.sandbox and .image.podNamespace == "team-a"'
NUMBER=0
caps_of() {  # IMAGE [OPTION…]: what a container of it gets that asks for NET_ADMIN too
  NUMBER=$((NUMBER + 1))
  local image=$1
  shift
  cri create "$SANDBOX" "c$NUMBER" team-a "$image" capability=NET_ADMIN "$@"
  succeeded || return 0
  CONTAINER=$OUT
  cri start "$CONTAINER"
  succeeded || return 0
  cri exec "$CONTAINER" /bin/grep CapBnd /proc/1/status
}

image_file ''
caps_of docker.io/library/nginx:1.27
guards "CRI: a tag gets no more than Docker's default" status_field CapBnd "$CHOWN"
guards "CRI: the pod namespace is known" log_says '.image.podNamespace == "team-a"'
CONFIG=$(last_create | jq -r '.image.config')
image_file "$CONFIG"
caps_of docker.io/library/nginx:1.27
guards "CRI: pinned by digest it gets its allowlist" status_field CapBnd "$BOTH"
caps_of docker.io/library/other:1 \
  annotation:io.kubernetes.cri.image-name=docker.io/library/nginx:1.27 \
  annotation:io.kubernetes.cri.sandbox-namespace=kube-system
guards "CRI: annotations prove nothing" status_field CapBnd "$HOST"
guards "CRI: nor of the pod namespace" log_says '.image.podNamespace == "team-a"'
printf '{%s}\n' "$GRANT" >"$DIRECTORY/pods/team-a.json"
caps_of docker.io/library/other:1
guards "CRI: a file of the pod namespace counts" status_field CapBnd "$BOTH"
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
