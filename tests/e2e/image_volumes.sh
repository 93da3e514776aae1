#!/bin/bash
# Images that are mounted as volumes: judged like images, and only data in the container.
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"

DIRECTORY=$E2E_POLICIES/own
FILE=$DIRECTORY/images/docker.io/library/data.json
LOG="\"log\": {\"target\": \"file:$DIRECTORY/audit.jsonl\"}"
policy() { printf '{%s, "rules": {"image": {%s}}}\n' "$LOG" "$1" >"$DIRECTORY/policy.json"; }
pin() { printf '{"digests": ["%s"]}\n' "$1" >"$FILE"; }
policy ''
mkdir -p "${FILE%/*}"

PODMAN=()
podman_run() {  # OPTION… IMAGE COMMAND…
  capture podman "${PODMAN[@]}" --cgroup-manager cgroupfs --events-backend file \
    --runtime "$E2E_WORK/runtimes/${RUNTIME:-runclad}/runclad" run --rm --network none \
    --cgroup-parent "$E2E_CGROUP" --ulimit nofile=1024:2048 --ulimit nproc=1000:2000 "$@"
}
volume() { printf 'type=image,source=%s,destination=/v' "$1"; }  # IMAGE
flags_are() {  # FLAG…: of the mount at /v
  local flags flag
  flags=$(awk '$5 == "/v" {print $6}' <<<"$OUT")
  for flag in "$@"; do
    [[ ,$flags, == *,$flag,* ]] || return 1
  done
}

tar -C "$E2E_WORK/rootfs" -c . | podman import -q - docker.io/library/box:1 >/dev/null
# Programs that an image brings along, one of which makes its user root.
FILES=$E2E_WORK/volume
mkdir -p "$FILES"
echo data >"$FILES/file"
cp "$(command -v busybox)" "$FILES/sh"
cp "$(command -v busybox)" "$FILES/id"
chmod 4755 "$FILES/id"
import() { tar -C "$FILES" -c . | podman import -q -c "ENV A=$1" - "$2" >/dev/null; }
import 1 docker.io/library/data:1
ID=sha256:$(podman image inspect --format '{{.Id}}' docker.io/library/data:1)

covers host-mounts mount-options
for RUNTIME in runclad baseline; do
  podman_run --mount "$(volume data:1)" box:1 cat /v/file /proc/self/mountinfo
  holds "podman ($RUNTIME): an image is mounted as a volume" out_has data
  guards "podman ($RUNTIME): with nosuid, nodev, noexec and ro" flags_are nosuid nodev noexec ro
  podman_run --user 1000 --mount "$(volume data:1)" box:1 /v/id -u
  guards "podman ($RUNTIME): a set-user-ID program of the volume gains nothing" \
    eval 'failed && out_lacks 0'
  podman_run --mount "$(volume data:1)" box:1 /v/sh -c 'echo ran'
  guards "podman ($RUNTIME): its programs do not run" eval 'failed && out_lacks ran'
  podman_run --mount "$(volume data:1),rw=true" box:1 \
    sh -c 'echo x >/v/file && cat /v/file /proc/self/mountinfo'
  holds "podman ($RUNTIME): with rw=true the container has a copy that it may change" out_has x
  guards "podman ($RUNTIME): and its programs do not run either" flags_are nosuid nodev noexec
  podman_run --mount "$(volume data:1)" box:1 cat /v/file
  holds "podman ($RUNTIME): the image is as it was" out_is data
done
RUNTIME=runclad
# The driver that has the files of an image where containers would write.
VFS=(--root /var/lib/containers/vfs --storage-driver vfs)
tar -C "$FILES" -c . | podman "${VFS[@]}" import -q - docker.io/library/data:1 >/dev/null
tar -C "$E2E_WORK/rootfs" -c . | podman "${VFS[@]}" import -q - docker.io/library/box:1 >/dev/null
PODMAN=("${VFS[@]}")
podman_run --mount "$(volume data:1)" box:1 cat /v/file /proc/self/mountinfo
holds "podman (vfs): an image is mounted as a volume" out_has data
guards "podman (vfs): with nosuid, nodev, noexec and ro" flags_are nosuid nodev noexec ro
PODMAN=()
podman "${VFS[@]}" image rm --all --force >/dev/null 2>&1

# That --mount type=image works does not allow binds of the engine's directories.
LAYER=$(podman image mount docker.io/library/data:1)
podman_run -v "$LAYER:/v" box:1 true
guards "podman: the image's directory on the host is not for binds" \
  refused host-mounts '/mounts/[0-9]+/source' "$LAYER"
podman image unmount docker.io/library/data:1 >/dev/null

# --- the rule image, by the policy for the volume's image ---
covers image
export RUNTIME=own
pin "$ID"
podman_run --mount "$(volume data:1)" box:1 cat /v/file
holds "podman: the image that the name is pinned to is mounted" out_is data
echo other >"$FILES/file"
import 2 docker.io/library/data:1
podman_run --mount "$(volume data:1)" box:1 cat /v/file
guards "podman: another image of the pinned name is not" \
  refused image '/mounts/[0-9]+' '"docker.io/library/data:1"'
guards "podman: the sentence says where it was to be mounted" err_has 'as the volume at /v'
podman tag "${ID#sha256:}" docker.io/library/data:1
rm "$FILE"

policy '"deny": ["data"]'
podman_run --mount "$(volume data:1)" box:1 cat /v/file
guards "podman: an image that the policy denies is not mounted" \
  refused image '/mounts/[0-9]+' '"docker.io/library/data:1"'
podman_run --mount "$(volume "$ID")" box:1 cat /v/file
guards "podman: nor if it is requested by its id" \
  refused image '/mounts/[0-9]+' '"docker.io/library/data:1"'
policy '"only-listed": true, "allow": ["box"]'
podman_run box:1 true
holds "podman: a container of a listed image runs" succeeded
podman_run --mount "$(volume data:1)" box:1 cat /v/file
guards "podman: an image that is not listed is not mounted" \
  refused image '/mounts/[0-9]+' '"docker.io/library/data:1"'
# The container's own image is waived, and that is not the volume's.
policy '"deny": ["box", "data"]'
printf '{"digests": ["sha256:%s"],
  "waivers": [{"rule": "image", "action": "off", "reason": "a test"}]}\n' \
  "$(podman image inspect --format '{{.Id}}' box:1)" >"$DIRECTORY/images/docker.io/library/box.json"
podman_run box:1 true
holds "podman: a container of a denied image runs with a waiver" succeeded
podman_run --mount "$(volume data:1)" box:1 cat /v/file
guards "podman: a waiver for the container's image does not cover the volume's image" \
  refused image '/mounts/[0-9]+' '"docker.io/library/data:1"'
rm "$DIRECTORY/images/docker.io/library/box.json"

# An image that cannot be verified: its config is not the one that it is named by.
policy '"known-only": true'
podman_run --mount "$(volume data:1)" box:1 cat /v/file
holds "podman: a verified image is mounted where the policy requires one" out_is data
CONFIG=$(grep -lF '"A=1"' /var/lib/containers/storage/*-images/"${ID#sha256:}"/=*)
cp -p "$CONFIG" "$E2E_WORK/config"
sed -i 's/"A=1"/"A=3"/' "$CONFIG"
podman_run --mount "$(volume data:1)" box:1 cat /v/file
guards "podman: one that cannot be verified is not" failed
guards "podman: and the error says so" err_has 'cannot be verified'
policy ''
pin "$ID"
podman_run --mount "$(volume data:1)" box:1 cat /v/file
guards "podman: nor where its name is pinned" \
  refused image '/mounts/[0-9]+' '"docker.io/library/data:1"'
cp -p "$E2E_WORK/config" "$CONFIG"
podman_run --mount "$(volume data:1)" box:1 cat /v/file
holds "podman: it is mounted again once its config is back" out_is data

podman image rm --all --force >/dev/null 2>&1
rm -r "$DIRECTORY/images" "$FILES"
true
