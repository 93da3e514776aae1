#!/bin/bash
# A pinned name runs no other image, and none that cannot be verified: configs and records that the
# engines read and a strict reader does not, names that come with an archive, images that are
# gone. The attacks succeeded against the version before.
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"

DIRECTORY=$E2E_POLICIES/own
FILE=$DIRECTORY/images/docker.io/library/nginx.json
export RUNTIME=own
LOG="\"log\": {\"target\": \"file:$DIRECTORY/audit.jsonl\"}"
printf '{%s}\n' "$LOG" >"$DIRECTORY/policy.json"
mkdir -p "${FILE%/*}"
CHOWN=0000000000000001
GRANT='"rules": {"capabilities": {"allow": ["CHOWN", "NET_ADMIN"]}}'
pin() { printf '{%s, "digests": ["%s"]}\n' "$GRANT" "$1" >"$FILE"; }
unpin() { rm -f "$FILE"; }
log_says() {
  [ -s "$DIRECTORY/audit.jsonl" ] && tail -n 1 "$DIRECTORY/audit.jsonl" | jq -e "$1" >/dev/null
}
NGINX=docker.io/library/nginx:1.27
is_refused() { refused image image "\"$1\""; }

tar -C "$E2E_WORK/rootfs" -cf "$E2E_WORK/layer.tar" .
odd_image() { python3 "$E2E_DIR/odd_image.py" "$1" "$2" "$E2E_WORK/layer.tar" "$E2E_WORK/odd.tar"; }
PINNED=$(docker image inspect --format '{{.Id}}' box)
covers image

# --- Docker: another image under a pinned name ---
for kind in twice history labels bytes deep; do
  odd_image "$kind" nginx:1.27
  docker load -q -i "$E2E_WORK/odd.tar" >/dev/null
  ODD=$(docker image inspect --format '{{.Id}}' nginx:1.27)
  pin "$PINNED"
  docker_run nginx:1.27 true
  guards "Docker: a config with $kind under a pinned name" is_refused "$NGINX"
  if [ "$kind" = twice ]; then
    guards "Docker: the error says that it cannot be verified" \
      err_has "the container's image cannot be verified"
    guards "Docker: and the log says which names it would have" \
      log_says ".image.unverified.names == [\"$NGINX\"]"
    docker_run "$ODD" true
    guards "Docker: a config with $kind, requested by its id" is_refused "$NGINX"
  else
    guards "Docker: a config with $kind is read, and is another image" \
      err_has "is made of $ODD, and the name is pinned to"
  fi
  unpin
  docker_run nginx:1.27 true
  holds "Docker: a config with $kind runs where nothing is pinned" succeeded
  [ "$kind" = twice ] || pin "$ODD"
  docker_run --cap-add NET_ADMIN nginx:1.27 grep CapBnd /proc/self/status
  if [ "$kind" = twice ]; then
    guards "Docker: what cannot be verified has the host's policy" \
      status_field CapBnd 0000000000000400
  else
    guards "Docker: pinned itself, a config with $kind gets its file" \
      status_field CapBnd 0000000000001001
  fi
  docker image rm --force nginx:1.27 >/dev/null
done

# --- Docker: a record that is too large to be read, and images that are gone ---
docker tag box nginx:1.27
pin "$PINNED"
python3 -c 'for i in range(600): print(f"l{i}=" + "x" * 60000)' >"$E2E_WORK/labels"
docker_run --label-file "$E2E_WORK/labels" nginx:1.27 true
guards "Docker: a record of 36 MB under a pinned name" is_refused docker.io/library/nginx
docker_run --label-file "$E2E_WORK/labels" box true
guards "Docker: nor under another name, since it could have any" is_refused docker.io/library/nginx
unpin
docker_run --label-file "$E2E_WORK/labels" nginx:1.27 true
holds "Docker: a record of 36 MB runs where nothing is pinned" succeeded
rm "$E2E_WORK/labels"

odd_image bytes nginx:1.27
docker load -q -i "$E2E_WORK/odd.tar" >/dev/null
capture docker create --name left --network none --runtime own nginx:1.27 true
docker image rm --force nginx:1.27 >/dev/null
pin "$PINNED"
capture docker start -a left
guards "Docker: a container of a removed image, requested by a pinned name" \
  is_refused "$NGINX"
docker_remove left

# --- containerd ---
export CONTAINERD_NAMESPACE=unverified
odd_image twice nginx:1.27
ctr image import "$E2E_WORK/odd.tar" >/dev/null
capture "${CTR_RUN[@]}" --rm --cgroup "$E2E_CGROUP/odd" --runc-binary "$E2E_WORK/runtimes/own/runclad" \
  "$NGINX" odd true
guards "ctr: a config with its layers twice under a pinned name" is_refused "$NGINX"
ctr image rm --sync "$NGINX" >/dev/null

# --- podman ---
PODMAN=(podman --cgroup-manager cgroupfs --events-backend file
  --runtime "$E2E_WORK/runtimes/own/runclad")
OPTIONS=(--network none --cgroup-parent "$E2E_CGROUP" --ulimit nofile=1024:2048
  --ulimit nproc=1000:2000)
podman_run() { capture "${PODMAN[@]}" run --rm "${OPTIONS[@]}" "$@"; }
for kind in twice bytes; do
  odd_image "$kind" "$NGINX"
  podman load -q -i "$E2E_WORK/odd.tar" >/dev/null
  podman_run "$NGINX" true
  guards "podman: a config with $kind under a pinned name" is_refused "$NGINX"
  podman_run --uidmap 0:100000:65536 "$NGINX" true
  guards "podman: and in a user namespace" is_refused "$NGINX"
  podman image rm --all --force >/dev/null 2>&1
done
# A name with a digest is in podman's store because an archive says so.
printf '{%s}\n' "$GRANT" >"$FILE"
REFERENCE=$(odd_image oci docker.io/library/nginx)
podman load -q -i "$E2E_WORK/odd.tar" >/dev/null
podman_run --cap-add NET_ADMIN "$REFERENCE" grep CapBnd /proc/self/status
guards "podman: repository@digest from an archive is only as trustworthy as a tag" status_field CapBnd "$CHOWN"
podman image rm --all --force >/dev/null 2>&1

# --- podman: directories as root filesystems ---
covers rootfs-path
GRAPH=/var/lib/containers/storage
mkdir -p "$E2E_SRV/tools" "$E2E_SRV/rootfs"
cp "$E2E_WORK/rootfs/bin/busybox" "$E2E_SRV/tools/"
cp -a "$E2E_WORK/rootfs/." "$E2E_SRV/rootfs/"
printf secret | podman secret create found - >/dev/null
for directory in secrets libpod; do
  podman_run -v "$E2E_SRV/tools:/tools" --rootfs "$GRAPH/$directory" /tools/busybox ls /
  guards "podman: --rootfs of the storage's $directory" failed
done
podman secret rm found >/dev/null
podman volume create tree >/dev/null
cp -a "$E2E_WORK/rootfs/." "$GRAPH/volumes/tree/_data/"
podman_run --rootfs "$GRAPH/volumes/tree/_data" true
guards "podman: --rootfs of a volume" failed
podman volume rm tree >/dev/null
podman_run --rootfs /:O ls -d /proc/self
guards "podman: --rootfs /:O is the host's root filesystem" failed
guards "podman: and the error says so" err_has "is an overlay over /, which is the host's root"
podman_run --rootfs "$E2E_SRV/rootfs:O" true
guards "podman: --rootfs DIRECTORY:O of a directory that is not listed" failed
podman_run --rootfs "$E2E_SRV/rootfs" true
guards "podman: --rootfs DIRECTORY of a directory that is not listed" failed
printf '{%s, "rules": {"rootfs-path": {"allow": ["%s"]}}}\n' "$LOG" "$E2E_SRV" \
  >"$DIRECTORY/policy.json"
podman_run --rootfs "$E2E_SRV/rootfs:O" sh -c 'echo x'
holds "podman: --rootfs DIRECTORY:O of one that is listed" out_is x
podman_run --rootfs "$E2E_SRV/rootfs" true
holds "podman: --rootfs DIRECTORY of one that is listed" succeeded
podman_run --rootfs /:O ls -d /proc/self
guards "podman: --rootfs /:O is still refused" failed
printf '{"rules": {"rootfs-path": {"allow": ["/var/lib"]}}}\n' >"$DIRECTORY/policy.json"
podman_run -v "$E2E_SRV/tools:/tools" --rootfs "$GRAPH/libpod" /tools/busybox ls /
guards "podman: listing a directory above the storage does not allow the storage" failed
printf '{%s}\n' "$LOG" >"$DIRECTORY/policy.json"
find "$GRAPH/libpod" "$GRAPH/secrets" -maxdepth 1 -type d -empty -delete 2>/dev/null

rm -r "$DIRECTORY/images" "$E2E_WORK/layer.tar" "$E2E_WORK/odd.tar"
docker image rm --force nginx:1.27 >/dev/null 2>&1
true
