#!/bin/bash
# The log says which image a container was made from, as the engine's state has it: nothing that a
# requester can write changes it.
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"

LOG=$E2E_POLICIES/runclad/audit.jsonl
# The image of the last container that was created.
image() { jq -s 'map(select(.verb == "create")) | last | .image' "$LOG" 2>/dev/null; }
engine() { jq -rs 'map(select(.verb == "create")) | last | .engine' "$LOG" 2>/dev/null; }
# image_is CONFIG ASKED-FOR NAME…   (ASKED-FOR may be empty; NAME is "<name> <trust>")
image_is() {
  local config=$1 asked_for=$2
  shift 2
  image | jq -e --arg config "$config" --arg asked "$asked_for" '
    .config == $config and (.askedFor // "") == $asked and
    [.names[]? | .name + " " + .trust] == $ARGS.positional' --args "$@" >/dev/null
}
image_is_unknown() {  # WHY
  image | jq -e --arg why "$1" '(.unknown // "" | contains($why)) and
    (has("config") or has("names") or has("askedFor") or has("manifests") | not)' >/dev/null
}
same_image() { [ -n "$BEFORE" ] && [ "$BEFORE" != null ] && [ "$BEFORE" = "$(image)" ]; }

# --- Docker: names ---
docker_id() { docker image inspect -f '{{.Id}}' "$1"; }
BOX=$(docker_id box)
docker_run box true
guards "Docker: the image by its digest and its name" \
  image_is "$BOX" docker.io/library/box:latest "docker.io/library/box:latest tag"
guards "Docker: the engine" test "$(engine)" = docker
docker tag box team/other:1
docker_run team/other:1 true
guards "Docker: every name, and the one that was typed" \
  image_is "$BOX" docker.io/team/other:1 "docker.io/library/box:latest tag" \
  "docker.io/team/other:1 tag"
for typed in "$BOX" "${BOX:7:12}"; do
  docker_run "$typed" true
  guards "Docker: asked for by ${typed:0:12}, no name was typed" \
    image_is "$BOX" "" "docker.io/library/box:latest tag" "docker.io/team/other:1 tag"
done

# --- Docker: what the asker writes ---
docker_run team/other:1 true
BEFORE=$(image)
docker_run --label image=evil:1 --label org.opencontainers.image.ref.name=evil:1 \
  --label 'io.kubernetes.cri-o.ImageName={"Image":"<evil>"}' -e IMAGE=evil:1 \
  -e 'Image={"Image":"é\u0000"}' --name evil --hostname evil-1 -v evil:/evil team/other:1 true
guards "Docker: labels, environment and names change nothing" same_image
docker volume rm evil >/dev/null
docker_run --read-only --tmpfs /tmp -u 1000 --cap-drop ALL -m 64m team/other:1 true
guards "Docker: other options change nothing" same_image

# --- Docker: names that move ---
docker commit -c 'ENV x=y' "$(docker create box)" changed >/dev/null
CHANGED=$(docker_id changed)
docker_run changed true
guards "Docker: a committed image is another" \
  image_is "$CHANGED" docker.io/library/changed:latest "docker.io/library/changed:latest tag"
capture docker create --name late --network none --runtime runclad team/other:1 true
docker tag changed team/other:1
capture docker start -a late
guards "Docker: a name that was moved to another image before the first start does not count" \
  image_is "$BOX" "" "docker.io/library/box:latest tag"
docker_remove late
docker_run team/other:1 true
guards "Docker: the name belongs to the other image now" image_is "$CHANGED" docker.io/team/other:1 \
  "docker.io/library/changed:latest tag" "docker.io/team/other:1 tag"
docker rmi team/other:1 >/dev/null
capture docker create --name late --network none --runtime runclad box true
docker tag box kept:1
docker rmi box >/dev/null
capture docker start -a late
guards "Docker: a removed name does not count" \
  image_is "$BOX" "" "docker.io/library/kept:1 tag"
docker_remove late
docker tag kept:1 box
docker rmi kept:1 >/dev/null
docker_run "$BOX" true
guards "Docker: the names are the current ones" \
  image_is "$BOX" "" "docker.io/library/box:latest tag"
docker tag box team/app:1
capture docker run --name service --network none --runtime runclad team/app:1 true
docker tag changed team/app:1
capture docker start -a service
guards "Docker: a service keeps the name of its first start when a pull moves it" image_is "$BOX" \
  docker.io/team/app:1 "docker.io/library/box:latest tag" "docker.io/team/app:1 tag"
docker_remove service
docker rmi team/app:1 changed >/dev/null

# --- Docker: state that others could have written ---
repositories=$(echo /var/lib/docker/image/*/repositories.json)
chmod 666 "$repositories"
docker_run box true
guards "Docker: names that anyone may write: the image is unknown" image_is_unknown repositories.json
holds "Docker: and the container runs under the host's policy" succeeded
chmod 600 "$repositories"
content=$(echo /var/lib/docker/image/*/imagedb/content/sha256/"${BOX#sha256:}")
cp -p "$content" "$E2E_WORK/content"
capture docker create --name late --network none --runtime runclad box true
printf ' ' >>"$content"
capture docker start -a late
guards "Docker: a config of another digest: the image is unknown" image_is_unknown "does not match its digest"
cp -p "$E2E_WORK/content" "$content"
docker_remove late

# --- podman ---
PODMAN=(podman --cgroup-manager cgroupfs --events-backend file
  --runtime "$E2E_WORK/runtimes/runclad/runclad")
OPTIONS=(--network none --cgroup-parent "$E2E_CGROUP" --ulimit nofile=1024:2048
  --ulimit nproc=1000:2000)
podman_run() { capture "${PODMAN[@]}" run --rm "${OPTIONS[@]}" "$@"; }
tar -C "$E2E_WORK/rootfs" -c . | podman import -q -c 'CMD ["sh"]' - pbox >/dev/null
PBOX=sha256:$(podman image inspect -f '{{.Id}}' pbox)
podman_run pbox true
guards "podman: the image by its digest and its name" \
  image_is "$PBOX" localhost/pbox:latest "localhost/pbox:latest tag"
guards "podman: the engine" test "$(engine)" = podman
BEFORE=$(image)
podman_run --annotation io.kubernetes.cri-o.ImageName=evil:1 --annotation image-name=evil:1 \
  --annotation org.opencontainers.image.ref.name=evil:1 --label image=evil:1 -e image=evil:1 \
  --name evil pbox true
guards "podman: annotations, labels and environment change nothing" same_image
podman_run --read-only --uidmap 0:100000:65536 pbox true
holds "podman: a container with other user ids runs" succeeded
guards "podman: and its image is known" same_image
podman tag pbox localhost/other:1
podman_run other:1 true
guards "podman: every name, and the one that was typed" image_is "$PBOX" localhost/other:1 \
  "localhost/other:1 tag" "localhost/pbox:latest tag"
capture "${PODMAN[@]}" create --name late "${OPTIONS[@]}" other:1 true
podman untag other:1 localhost/other:1
capture "${PODMAN[@]}" start -a late
guards "podman: a removed name does not count" image_is "$PBOX" "" "localhost/pbox:latest tag"
podman rm late >/dev/null
podman_run --rootfs "$E2E_WORK/rootfs" true
guards "podman: a directory is not an image" image_is_unknown --rootfs
podman rmi -f pbox >/dev/null 2>&1

# --- by hand ---
bundle=$(make_bundle identity)
capture_runtime create --bundle "$bundle" identity
guards "a bundle that belongs to no engine: the image is unknown" image_is_unknown "no engine's state"
capture_runtime delete --force identity
