#!/bin/bash
# What an image may do is pinned by its digest, and the pin holds whatever names people use.
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"

DIRECTORY=$E2E_POLICIES/own
FILE=$DIRECTORY/images/docker.io/library/nginx.json
export RUNTIME=own
LOG="\"log\": {\"target\": \"file:$DIRECTORY/audit.jsonl\"}"
printf '{%s}\n' "$LOG" >"$DIRECTORY/policy.json"
mkdir -p "${FILE%/*}" "$DIRECTORY/digests/sha256"

# Bits of CAP_CHOWN and CAP_NET_ADMIN: the first is in Docker's default container, the second not.
CHOWN=0000000000000001
BOTH=0000000000001001
HOST=0000000000000400
GRANT='"rules": {"capabilities": {"allow": ["CHOWN", "NET_ADMIN"]}}'
image_file() { printf '{%s%s}\n' "$GRANT" "${1:+, \"digests\": [\"$1\"]}" >"$FILE"; }
caps_of() {  # OPTION… IMAGE: what an image gets that asks for both
  docker_run --cap-add NET_ADMIN "$@" grep CapBnd /proc/self/status
}
last_log() { tail -n 1 "$DIRECTORY/audit.jsonl" 2>/dev/null; }
log_says() { [ -s "$DIRECTORY/audit.jsonl" ] && last_log | jq -e "$1" >/dev/null; }

docker tag box nginx:1.27
docker tag box nginx:stable
docker tag box web:1
ID=$(docker image inspect --format '{{.Id}}' nginx:1.27)
# Another image: the same files, another config.
OTHER=$(tar -C "$E2E_WORK/rootfs" -c . | docker import -c 'ENV A=B' - other)

# --- Docker: a name, a pin, another image of the name ---
image_file ''
caps_of nginx:1.27
guards "Docker: a tag gets no more than Docker's default" status_field CapBnd "$CHOWN"
guards "Docker: what was cut is in the log" \
  log_says '.imagePolicy.cut[0] | .parameter == "capabilities/allow" and .value == "CAP_NET_ADMIN"'
caps_of web:1
guards "Docker: another name of the same image gets the host's policy" status_field CapBnd "$HOST"
image_file "$ID"
caps_of nginx:1.27
guards "Docker: pinned by digest it gets its allowlist" status_field CapBnd "$BOTH"
guards "Docker: the log says which digest matched" log_says ".imagePolicy.pin == \"$ID\""
caps_of nginx:stable
guards "Docker: the same image under another tag gets it" status_field CapBnd "$BOTH"
caps_of "$ID"
guards "Docker: asked for by its id it gets it" status_field CapBnd "$BOTH"
printf '{%s}\n' "$GRANT" >"$DIRECTORY/digests/sha256/${ID#sha256:}.json"
caps_of web:1
guards "Docker: with a file of the digest, under every name" status_field CapBnd "$BOTH"
rm "$DIRECTORY/digests/sha256/${ID#sha256:}.json"

# --- one mount that a list denies: a waiver of the pinned image names it, and lets in no other ---
covers host-mounts
mount_waiver() {  # MOUNT [DIGEST]
  printf '{"waivers": [{"rule": "host-mounts", "exactly": ["%s"], "reason": "a test"}]%s}\n' \
    "$1" "${2:+, \"digests\": [\"$2\"]}" >"$FILE"
}
echo a-line >/var/log/e2e.log
mount_waiver 'bind /var/log ro' "$ID"
docker_run -v /var/log:/logs:ro nginx:1.27 cat /logs/e2e.log
holds "Docker: a waiver of the pinned image lets in the mount that it names" out_is a-line
docker_run -v /var/log:/logs:ro nginx:1.27 sh -c 'echo x >/logs/e2e.log'
holds "Docker: read-only, as it says" grep -qx a-line /var/log/e2e.log
docker_run -v /var/log:/logs nginx:1.27 true
guards "Docker: not the same one writable" refused host-mounts '/mounts/[0-9]+/source' /var/log
mkdir -p /var/log/below
docker_run -v /var/log/below:/logs:ro nginx:1.27 true
guards "Docker: nor a directory below it" \
  refused host-mounts '/mounts/[0-9]+/source' /var/log/below
docker_run -v /etc:/logs:ro nginx:1.27 true
guards "Docker: nor another" refused host-mounts '/mounts/[0-9]+/source' /etc
docker_run -v /var/log:/logs:ro web:1 true
guards "Docker: nor for another name of the image" \
  refused host-mounts '/mounts/[0-9]+/source' /var/log
mount_waiver 'bind /var/log ro'
docker_run -v /var/log:/logs:ro nginx:1.27 true
guards "Docker: without the digest it counts for nothing" \
  refused host-mounts '/mounts/[0-9]+/source' /var/log
mount_waiver 'bind / ro' "$ID"
docker_run -v /:/host:ro nginx:1.27 sh -c 'cat /host/var/log/e2e.log; echo x >/host/run/x'
holds "Docker: so is / as a whole" out_is a-line
guards "Docker: which cannot be written" test ! -e /run/x
docker_run -v /:/host:ro nginx:1.27 test -e /host/proc/self
guards "Docker: without what is mounted below it" failed
rm -f /run/x
mount_waiver "bind $E2E_WORK/docker.sock rw" "$ID"
docker_run -v "$E2E_WORK/docker.sock:/s" nginx:1.27 test -S /s
holds "Docker: so is an engine's socket" succeeded
rm -r /var/log/e2e.log /var/log/below

# --- directories that the image writes and does not get are reported ---
covers read-only-rootfs
told() {
  log_says 'any(.findings[]; .rule == "read-only-rootfs" and .before == "/var/cache/nginx" and
    (.why | startswith("is written by this image according to images/docker.io/library/nginx.json")))'
}
printf '{"rules": {"read-only-rootfs": {"writable": ["/var/cache/nginx"]}}}\n' >"$FILE"
docker_run nginx:1.27 mkdir -p /var/cache/nginx/client_temp
holds "Docker: the directory of its image file is writable" succeeded
guards "Docker: then there is nothing to warn about" eval 'log_says .findings && ! told'
printf '{%s, "trust": {"tag": "nothing"}}\n' "$LOG" >"$DIRECTORY/policy.json"
docker_run nginx:1.27 mkdir -p /var/cache/nginx/client_temp
guards "Docker: where a tag is trusted with nothing, it is not" failed
guards "Docker: and the log says so" told
docker_run --tmpfs /var/cache/nginx nginx:1.27 mkdir -p /var/cache/nginx/client_temp
holds "Docker: with a tmpfs that the user requests it works" succeeded
guards "Docker: and there is nothing to warn about" eval 'log_says .findings && ! told'
printf '{%s}\n' "$LOG" >"$DIRECTORY/policy.json"

docker tag other nginx:1.27
image_file "$ID"
caps_of nginx:1.27
covers image
guards "Docker: another image of a pinned name is refused" refused image image \
  '"docker.io/library/nginx:1.27"'
guards "Docker: and the sentence names both digests" err_has "$OTHER, and the name is pinned to $ID"
image_file ''
caps_of nginx:1.27
guards "Docker: without pins it gets the tag's ceiling" status_field CapBnd "$CHOWN"
image_file "$ID"

# --- Docker: what an API user may write changes nothing ---
caps_of --label org.opencontainers.image.ref.name=docker.io/library/nginx:stable \
  --label io.kubernetes.cri.image-name=nginx:stable -e IMAGE=nginx:stable -e "DIGEST=$ID" \
  --name nginx --hostname nginx other
guards "Docker: labels, environment and names prove nothing" status_field CapBnd "$HOST"

# --- Docker: the name goes to another image while the service runs ---
docker tag "$ID" nginx:1.27
image_file ''
capture docker run -d --name service --network none --runtime own --cap-add NET_ADMIN nginx:1.27 \
  sleep 600
docker exec service grep CapBnd /proc/1/status >"$E2E_WORK/before" 2>&1
docker tag other nginx:1.27
docker image rm nginx:stable >/dev/null
capture docker restart -t 0 service
holds "Docker: the service is restarted" succeeded
capture docker exec service grep CapBnd /proc/1/status
guards "Docker: the service keeps the name of its first start" status_field CapBnd "$CHOWN"
holds "Docker: and what it had" test "$OUT" = "$(cat "$E2E_WORK/before")"
docker_remove service
capture docker run -d --name service --network none --runtime own --cap-add NET_ADMIN "$ID" sleep 600
capture docker exec service grep CapBnd /proc/1/status
guards "Docker: a new container of the old image does not have the name" status_field CapBnd "$HOST"
docker_remove service

# --- Docker: only images that are listed ---
printf '{%s, "rules": {"image": {"only-listed": true, "allow": ["web"]}}}\n' "$LOG" \
  >"$DIRECTORY/policy.json"
docker_run web:1 true
holds "Docker: an image that is listed runs" succeeded
docker_run box true
guards "Docker: one that is not is refused, though it has the same bits" refused image image \
  '"docker.io/library/box:latest"'
printf '{%s}\n' "$LOG" >"$DIRECTORY/policy.json"

# --- containerd ---
export CONTAINERD_NAMESPACE=pins
docker tag "$ID" nginx:1.27
docker save nginx:1.27 web:1 other -o "$E2E_WORK/pins.tar"
ctr image import "$E2E_WORK/pins.tar" >/dev/null
rm "$E2E_WORK/pins.tar"
CTR=0
ctr_caps() {  # IMAGE OPTION…
  local image=$1
  shift
  CTR=$((CTR + 1))
  capture "${CTR_RUN[@]}" --rm --cgroup "$E2E_CGROUP/pin$CTR" \
    --runc-binary "$E2E_WORK/runtimes/own/runclad" --cap-add CAP_NET_ADMIN "$@" "$image" "pin$CTR" \
    grep CapBnd /proc/self/status
}
image_file ''
until_printed ctr_caps docker.io/library/nginx:1.27
guards "ctr: a tag gets no more than Docker's default" status_field CapBnd "$CHOWN"
CONFIG=$(last_log | jq -r '.image.config')
image_file "$CONFIG"
until_printed ctr_caps docker.io/library/nginx:1.27
guards "ctr: pinned by digest it gets its allowlist" status_field CapBnd "$BOTH"
image_file "$(last_log | jq -r '.image.manifests[0]')"
until_printed ctr_caps docker.io/library/nginx:1.27
guards "ctr: pinned by its manifest as well" status_field CapBnd "$BOTH"
until_printed ctr_caps docker.io/library/web:1 --annotation \
  io.kubernetes.cri.image-name=docker.io/library/nginx:1.27 --env IMAGE=nginx:1.27
guards "ctr: annotations prove nothing" status_field CapBnd "$HOST"
ctr image tag --force docker.io/library/other:latest docker.io/library/nginx:1.27 >/dev/null
until_printed ctr_caps docker.io/library/nginx:1.27
guards "ctr: another image of a pinned name is refused" refused image image \
  '"docker.io/library/nginx:1.27"'

# --- podman ---
PODMAN=(podman --cgroup-manager cgroupfs --events-backend file
  --runtime "$E2E_WORK/runtimes/own/runclad")
podman_caps() {
  capture "${PODMAN[@]}" run --rm --network none --cgroup-parent "$E2E_CGROUP" \
    --ulimit nofile=1024:2048 --ulimit nproc=1000:2000 --cap-add NET_ADMIN "$@" \
    grep CapBnd /proc/self/status
}
podman_import() { tar -C "$E2E_WORK/rootfs" -c . | podman import -q -c "$1" - "$2" >/dev/null; }
podman_import 'ENV A=A' docker.io/library/nginx:1.27
podman_import 'ENV A=B' docker.io/library/other:1
podman tag docker.io/library/nginx:1.27 docker.io/library/web:1
ID=sha256:$(podman image inspect --format '{{.Id}}' docker.io/library/nginx:1.27)
image_file ''
podman_caps docker.io/library/nginx:1.27
guards "podman: a tag gets no more than Docker's default" status_field CapBnd "$CHOWN"
image_file "$ID"
podman_caps docker.io/library/nginx:1.27
guards "podman: pinned by digest it gets its allowlist" status_field CapBnd "$BOTH"
podman_caps --annotation io.podman.annotations.image=nginx:1.27 --label image=nginx:1.27 \
  -e IMAGE=nginx:1.27 docker.io/library/other:1
guards "podman: annotations prove nothing" status_field CapBnd "$HOST"
podman tag docker.io/library/other:1 docker.io/library/nginx:1.27
podman_caps docker.io/library/nginx:1.27
guards "podman: another image of a pinned name is refused" refused image image \
  '"docker.io/library/nginx:1.27"'
podman_caps --uidmap 0:100000:65536 docker.io/library/nginx:1.27
guards "podman: nor does it run in a user namespace" refused image image \
  '"docker.io/library/nginx:1.27"'
podman tag "${ID#sha256:}" docker.io/library/nginx:1.27
podman_caps --uidmap 0:100000:65536 docker.io/library/nginx:1.27
guards "podman: the pinned one has its allowlist there, too" status_field CapBnd "$BOTH"
podman image rm --all --force >/dev/null 2>&1

rm -r "$DIRECTORY/images" "$DIRECTORY/digests"
docker image rm --force other nginx:1.27 web:1 >/dev/null 2>&1
true
