#!/bin/bash
# Docker with containerd's image store, the default of new installations since Docker 29: the same image by
# the same names, from other files; and BuildKit's mounts, which are elsewhere. An older Docker has no
# such store.
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"
# shellcheck source=tests/e2e/docker_store.sh
. "$E2E_DIR/docker_store.sh"

if ! engine_is docker 26; then
  holds "Docker $(engine_version docker) has its own image store" test -d /var/lib/docker/image
  exit
fi
DIRECTORY=$E2E_POLICIES/own
LOG=$DIRECTORY/audit.jsonl
FILE=$DIRECTORY/images/docker.io/library/nginx.json
policy() {  # MEMBER…
  printf '{%s"log": {"target": "file:%s"}, "rules": {"cgroup-path": {"parents": ["%s"]}}}\n' "$1" "$LOG" \
    "$E2E_CGROUP" >"$DIRECTORY/policy.json"
}
export RUNTIME=own
trap store_stop EXIT
store_start
export DOCKER_HOST=$STORE_HOST
tar -C "$E2E_WORK/rootfs" -c . | docker import -c 'CMD ["sh"]' - box >/dev/null
tar -C "$E2E_WORK/rootfs" -c . | docker import -c 'ENV A=B' - other >/dev/null

# --- which image it is ---
policy ''
image() { jq -s 'map(select(.verb == "create")) | last | .image' "$LOG" 2>/dev/null; }
image_is() {  # DIGEST ASKED-FOR NAME…
  local digest=$1 asked_for=$2
  shift 2
  image | jq -e --arg digest "$digest" --arg asked "$asked_for" '.manifests == [$digest] and .config != null and
    (.askedFor // "") == $asked and [.names[]? | .name + " " + .trust] == $ARGS.positional' --args "$@" >/dev/null
}
BOX=$(docker image inspect -f '{{.Id}}' box)
OTHER=$(docker image inspect -f '{{.Id}}' other)
docker_run box true
holds "a container runs" succeeded
guards "the image by its digest and its name" \
  image_is "$BOX" docker.io/library/box:latest "docker.io/library/box:latest tag"
docker tag box team/other:1
docker_run --label image=evil:1 -e IMAGE=evil:1 --name evil team/other:1 true
guards "every name, and the one that was typed; nothing else" image_is "$BOX" docker.io/team/other:1 \
  "docker.io/library/box:latest tag" "docker.io/team/other:1 tag"
docker_run "$BOX" true
guards "asked for by its digest, no name was typed" image_is "$BOX" "" "docker.io/library/box:latest tag" \
  "docker.io/team/other:1 tag"
capture docker create --name late --network none --runtime own team/other:1 true
docker tag other team/other:1
capture docker start -a late
guards "a name that was moved to another image before the first start does not count" \
  image_is "$BOX" "" "docker.io/library/box:latest tag"
docker_remove late
docker_run team/other:1 true
guards "the name belongs to the other image now" image_is "$OTHER" docker.io/team/other:1 \
  "docker.io/library/other:latest tag" "docker.io/team/other:1 tag"

# --- what it may do ---
covers capabilities
mkdir -p "${FILE%/*}"
docker tag box nginx:1.27
printf '{"rules": {"capabilities": {"allow": ["CHOWN", "NET_ADMIN"]}}, "digests": ["%s"]}\n' "$BOX" >"$FILE"
docker_run --cap-add NET_ADMIN nginx:1.27 grep CapBnd /proc/self/status
guards "pinned by digest it gets its list" status_field CapBnd 0000000000001001
docker tag other nginx:1.27
docker_run nginx:1.27 true
covers image
guards "another image of the pinned name is refused" refused image image '"docker.io/library/nginx:1.27"'
rm -r "$DIRECTORY/images"

# --- an ordinary life ---
docker_run -v stored:/data -v "$E2E_SRV:/srv" box sh -c 'echo x >/data/x && cat /data/x && stat -c %a /tmp'
holds "volumes and /tmp" out_is $'x\n1777'
docker_run -v stored:/data box mkdir /data/part
docker_run --mount type=volume,src=stored,dst=/part,volume-subpath=part box sh -c 'echo part >/part/x && cat /part/x'
holds "a part of a volume can be written" out_is part
docker volume rm stored >/dev/null
docker_start living
capture docker exec living grep CapBnd /proc/self/status
covers capabilities
guards "docker exec: CapBnd" status_field CapBnd 0000000000000400
docker restart -t 0 living >/dev/null
capture docker exec living stat -c %a /tmp
holds "a second start has the same /tmp" out_is 1777
docker_remove living
covers host-mounts
docker_run -v /var/lib/docker-store:/x box true
guards "the data directory of this dockerd is refused" refused host-mounts '/mounts/[0-9]+/source' \
  '"/var/lib/docker-store"'

# --- builds ---
policy '"builds": "build", '
# shellcheck source=tests/e2e/buildkit_mounts.sh
. "$E2E_DIR/buildkit_mounts.sh"
buildkit_mounts
grep -q DOCKER_BUILDKIT_RUNC_COMMAND= "$E2E_DIR/../../README.md" || record not-ok "README names the variable"
guards "with the variable that README names, BuildKit's steps run through runclad" log_has own '.engine == "buildkit"'

docker image ls -aq | sort -u | xargs -r docker image rm -f >/dev/null 2>&1
policy ''
