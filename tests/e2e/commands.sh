#!/bin/bash
# runcladctl on containers of real engines: `check` agrees with what create decided, and `pin` writes what
# the image then gets.
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"

CONTROL=${E2E_PROGRAM%/*}/runcladctl
DIRECTORY=$E2E_POLICIES/own
export RUNTIME=own
ctl() { capture "$CONTROL" "$@"; }
check() { ctl check --config "$DIRECTORY" "$@"; }
policy() {  # PROFILE [MODE]
  printf '{"extends": "%s", "mode": "%s", "log": {"target": "file:%s/audit.jsonl"}}\n' "$1" \
    "${2:-enforce}" "$DIRECTORY" >"$DIRECTORY/policy.json"
}
json_is() { jq -e "$1" <<<"$OUT" >/dev/null; }

# --- check asks the engine as create does ---
mount -t tmpfs -o mode=755 tmpfs /opt
trap 'umount /opt' EXIT
mkdir -p "$E2E_SRV/data" /opt/app
policy baseline
docker tag box shop/web:1
capture docker run -d --name web --network none --runtime own -v "$E2E_SRV/data:/data" \
  -v named:/named --init shop/web:1 sleep 600
holds "Docker: a container starts" succeeded
WEB=$OUT
BUNDLE=$(readlink "/proc/$(pgrep -f "containerd-shim-runc-v2 .*$WEB" | head -n 1)/cwd")
check "$BUNDLE"
guards "Docker: the bundle of a healthy container would not be changed" status_is 0
check "$BUNDLE/config.json"
guards "Docker: nor would its config.json" status_is 0
check "$WEB"
guards "Docker: found by its id" status_is 0
check "${WEB:0:12}"
guards "Docker: by the beginning of its id" status_is 0
check --json web
holds "Docker: by its name, with the image from the engine's state" \
  json_is ".container | .name == \"web\" and .id == \"$WEB\" and .image == \"docker.io/shop/web:1\""
ctl identify web
guards "identify takes the name, too" out_has docker.io/shop/web:1
ctl policy show --container web --config "$DIRECTORY"
guards "and policy show" status_is 0
check nowhere
holds "an argument that is not a container is an error" status_is 3
capture docker run -d --name joined --network container:web --runtime own box sleep 600
check joined
guards "Docker: a container that joined another's network would not be changed" status_is 0
cp "$BUNDLE/config.json" "$E2E_WORK/copy.json"
check "$E2E_WORK/copy.json"
holds "a copy of the document has none of the engine's own files" out_has "is below /var/lib/docker"

# --- a tighter policy ---
capture docker run -d --name opt --network none --runtime own -v /opt/app:/app box sleep 600
check opt
guards "under the current policy, the container would not be refused" status_is 0
check --profile restricted opt
holds "under restricted it would be refused" status_is 2
holds "and the finding names the mount" out_has '"/opt/app"'
check --profile restrictive opt
holds "an unknown profile is an error" err_has 'unknown profile "restrictive"'
PODMAN=(podman --cgroup-manager cgroupfs --events-backend file
  --runtime "$E2E_WORK/runtimes/own/runclad")
tar -C "$E2E_WORK/rootfs" -c . | podman import -q - docker.io/library/box:1 >/dev/null
capture "${PODMAN[@]}" run -d --name db --network none --cgroup-parent "$E2E_CGROUP" \
  --ulimit nofile=1024:2048 --ulimit nproc=1000:2000 docker.io/library/box:1 sleep 600
holds "podman: a container starts" succeeded
check db
guards "podman: the bundle of a healthy container would not be changed" status_is 0
capture docker save box -o "$E2E_WORK/box.tar"
ctr image import "$E2E_WORK/box.tar" >/dev/null
rm "$E2E_WORK/box.tar"
capture "${CTR_RUN[@]}" -d --cgroup "$E2E_CGROUP/byctr" --runc-binary "$E2E_WORK/runtimes/own/runclad" \
  docker.io/library/box:latest byctr sleep 600
holds "ctr: a container starts" succeeded
check byctr
guards "ctr: a healthy container would not be changed" status_is 0
check --all
guards "every running container is found, and none would be changed" status_is 0
guards "from every engine" out_has "5 running containers: 5 would not be changed"
check --all --profile restricted --json
holds "a tighter profile: the status says that some would be refused" status_is 2
guards "it lists them with the rule" json_is \
  '[.containers[] | select(.outcome == "refused") | .name] == ["opt"] and .refused == 1'
guards "and counts those that would be changed" json_is '.rewritten == 4 and .failed == 0 and
  all(.containers[] | select(.name != "opt"); any(.findings[]; .rule == "read-only-rootfs"))'
check --all --profile restricted
holds "as text: a line for each refusal" out_has 'refused by host-mounts: /mounts/'
capture_runtime run --detach --bundle "$(make_bundle hand)" hand
holds "a container is made by hand" succeeded
check hand
guards "it is found by its id, and would not be changed again" status_is 0
check --all
guards "and among all" out_has "6 running containers: 6 would not be changed"
ctl policy pin --config "$DIRECTORY" --from-container hand
guards "pin knows it, and that its image is unknown" err_has "the image of container hand is unknown"
capture_runtime delete --force hand
docker_remove joined opt
check --all
holds "containers that have ended are not listed" out_has "3 running containers"
# --- pin: a container's image, its next release, and no other image ---
FILE=$DIRECTORY/images/docker.io/shop/web.json
pin() { ctl policy pin --config "$DIRECTORY" "$@"; }
pin redis --from-container web
holds "pin refuses another repository's container" err_has "not of docker.io/library/redis"
pin --from-container web
holds "pin writes the file of a running container's image" test -s "$FILE"
docker_run shop/web:1 true
holds "the pinned image runs" succeeded
tar -C "$E2E_WORK/rootfs" -c . | docker import -c 'ENV A=B' - shop/web:2 >/dev/null
docker_run shop/web:2 true
guards "another image of the pinned name is refused" refused image image '"docker.io/shop/web:2"'
pin --add --from-container "$(tail -n 1 "$DIRECTORY/audit.jsonl" 2>/dev/null | jq -r .container)"
guards "pin adds what was refused, by the log" status_is 0
docker_run shop/web:2 true
holds "then it runs" succeeded
pin --remove --image shop/web:2
guards "pin removes it again, by its name in the engine's store" status_is 0
docker_run shop/web:2 true
guards "then it is refused" refused image image '"docker.io/shop/web:2"'
pin --add --image shop/web:2
holds "pin adds an image of the engine's store" status_is 0
docker_run shop/web:2 true
holds "then it runs again" succeeded
pin --all
holds "pin --all pins what runs" test -s "$DIRECTORY/images/docker.io/library/box.json"
check --all
guards "and what runs would not be changed" status_is 0
rm -r "$DIRECTORY/images"

docker_remove web
"${PODMAN[@]}" rm -f -t 0 db >/dev/null
podman image rm --all --force >/dev/null 2>&1
podman volume rm --all --force >/dev/null 2>&1
capture ctr task kill --signal KILL byctr
eventually 5 ctr task rm byctr >/dev/null 2>&1
ctr container rm byctr
docker image rm shop/web:1 shop/web:2 >/dev/null
docker volume rm named >/dev/null
true
