#!/bin/bash
# Where mounts, masks and working directories end up: links in the image and in volumes do not lead to
# /dev, /proc or /sys, and ordinary nested mounts keep working.
# shellcheck disable=SC2016  # dollars are for the shell in the container
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"

PODMAN=(podman --cgroup-manager cgroupfs --events-backend file
  --runtime "$E2E_WORK/runtimes/runclad/runclad")
PODMAN_OPTIONS=(--network none --cgroup-parent "$E2E_CGROUP"
  --ulimit nofile=1024:2048 --ulimit nproc=1000:2000)
podman_run() { capture "${PODMAN[@]}" run --rm "${PODMAN_OPTIONS[@]}" "$@"; }
refused_by() { failed && grep -qF -- "refused by $1: $2" <<<"$OUT$ERR"; }

# The test image with links, and what they lead to.
IMAGE=$(make_bundle destinations .)/rootfs
echo redirected >"$IMAGE/redirected"
mkdir -p "$IMAGE/srv/app" "$IMAGE/mnt"
echo app >"$IMAGE/srv/app/name"
ln -s /dev "$IMAGE/to-dev"
ln -s ./self/to-dev "$IMAGE/chain"
ln -s . "$IMAGE/self"
ln -s / "$IMAGE/top"
ln -s /proc/sys "$IMAGE/to-proc"
ln -s /proc/self/fd/7 "$IMAGE/to-fd"
ln -s srv/app "$IMAGE/current"
tar -C "$IMAGE" -c . | docker import -c 'CMD ["sh"]' - linked >/dev/null
tar -C "$IMAGE" -c . | podman import -q -c 'CMD ["sh"]' - linked >/dev/null

# volume NAME COMMAND: a volume of Docker's and one of podman's, filled by a container
volume() {
  RUNTIME=plain docker_run -v "$1:/v" linked sh -c "$2"
  holds "the volume $1 is made" succeeded
  podman volume create "$1" >/dev/null && local where &&
    where=$(podman volume inspect -f '{{.Mountpoint}}' "$1") && (cd "$where" && sh -c "${2//\/v\//./}")
}
volume redirecting 'ln -s /redirected /v/null'
volume to-proc 'ln -s /proc /v/null'
volume leading 'ln -s /sys /v/p; ln -s /proc/sys /v/work; mkdir /v/there; ln -s there /v/current'
volume filled 'echo of-the-volume >/v/file; mkdir /v/sub'
volume more 'echo of-the-other >/v/file'

# --- /dev is the runtime's: what it masks with is in there ---
covers mount-destinations
is_redirected() { out_has redirected; }
# No masked file shows something else, and no device was made on the host.
# The device first: where it was made, plain runc's container prints nothing.
is_untouched() { [ ! -c "$1/zero" ] && not is_redirected; }
# A masked file is empty; with another /dev/null it is what the volume's owner wants.
MASKED="cat /proc/timer_list; echo done"
docker_run linked sh -c "$MASKED"
holds "a masked file is empty" out_is "done"
docker_run -v redirecting:/dev linked sh -c "$MASKED"
guards "a volume at /dev does not replace a masked file" not is_redirected
podman_run -v redirecting:/dev linked sh -c "$MASKED"
guards "nor does one of podman" not is_redirected
docker_run -v redirecting:/to-dev linked sh -c "$MASKED"
guards "nor one at a link to /dev, where runc makes its devices" \
  is_untouched /var/lib/docker/volumes/redirecting/_data
for destination in /./dev //dev /dev/ /run/../dev /absent/../dev /to-dev /chain /self/self/dev \
  /srv/app/../../dev; do
  rm -rf "$E2E_WORK/redirecting"
  mkdir -p "$E2E_WORK/redirecting"
  ln -s /redirected "$E2E_WORK/redirecting/null"
  mount --bind "$E2E_WORK/redirecting" "$E2E_SRV" || exit 1
  bundle=$(make_bundle spelt ".process.args = [\"sh\", \"-c\", \"$MASKED\"]
    | .mounts += [{\"destination\": \"$destination\", \"source\": \"$E2E_SRV\",
        \"type\": \"none\", \"options\": [\"rbind\"]}]")
  cp -a "$IMAGE/." "$bundle/rootfs"
  capture_runtime run --bundle "$bundle" spelt
  guards "nor one of a bundle at $destination" is_untouched "$E2E_SRV"
  capture "$E2E_PLAIN" --root "$STATE" delete --force spelt
  umount "$E2E_SRV"
done
# The kernel's settings through a masked directory.
create_by_api() {  # HOST-CONFIG COMMAND: what a container of Docker's API prints
  local id
  id=$(curl -s --unix-socket /run/docker.sock -H 'Content-Type: application/json' \
    -d "{\"Image\": \"linked\", \"Cmd\": [\"sh\", \"-c\", $(jq -n --arg c "$2" '$c')],
         \"HostConfig\": {\"Runtime\": \"runclad\", \"NetworkMode\": \"none\", $1}}" \
    http://docker/containers/create | jq -r .Id)
  capture docker start --attach "$id"
  docker rm -f "$id" >/dev/null
}
create_by_api '"MaskedPaths": ["/proc/acpi"], "Binds": ["to-proc:/dev"]' \
  '[ -w /proc/acpi/sys/kernel/core_pattern ] && echo writable'
guards "a masked directory is not replaced by a writable /proc/sys" out_lacks writable

for place in /dev/null /dev/console /dev/ptmx /dev/pts /dev/zero; do
  docker_run -v "filled:$place" linked true
  guards "a volume at $place is refused" refused mount-destinations '/mounts/[0-9]+/destination' \
    "$place"
done
docker_run --mount type=tmpfs,dst=/dev/null linked true
guards "so is a tmpfs" refused mount-destinations '/mounts/[0-9]+/destination' /dev/null
docker_run -v redirecting:/dev linked true
guards "and the sentence names the rule" refused mount-destinations '/mounts/[0-9]+/destination' /dev
podman_run --tmpfs /dev linked sh -c "$MASKED"
holds "podman --tmpfs /dev is an empty tmpfs" out_is "done"
RUNTIME=baseline docker_run -v redirecting:/dev linked sh -c "$MASKED"
guards "baseline refuses it too" not is_redirected

# --- the cgroup tree ---
covers kernel-filesystems
for engine in docker_run podman_run; do
  for place in /sys/fs/cgroup /sys/fs/cgroup/pids; do
    "$engine" -v "filled:$place" linked cat "$place/file"
    guards "$engine: a volume at $place does not replace the container's limits" \
      out_lacks of-the-volume
  done
  "$engine" --tmpfs /sys/fs/cgroup linked grep -c ' /sys/fs/cgroup .* tmpfs ' /proc/self/mountinfo
  guards "$engine: nor does a tmpfs at /sys/fs/cgroup" failed
done
podman_run --systemd=always linked test -d /sys/fs/cgroup
holds "podman --systemd=always starts" succeeded

# --- links of the image to / and of volumes to /sys ---
docker_run -v filled:/top linked true
guards "nothing covers the root by a link to it" \
  refused mount-destinations '/mounts/[0-9]+/destination' /top
for engine in docker_run podman_run; do
  "$engine" -v leading:/l -v more:/l/p/kernel linked cat /sys/kernel/file
  guards "$engine: a link inside a volume leads no mount to /sys" out_lacks of-the-other
done
docker_run -v leading:/l -v more:/l/current linked cat /l/there/file
guards "nor anywhere else" refused mount-destinations '/mounts/[0-9]+/destination' /l/current
[ "$E2E_PROVE" = 1 ] || holds "which is said" err_has 'the link "current" inside what is mounted at /l'

# --- the working directory ---
covers working-directory
starts_in_proc() { out_has /proc/sys; }
docker_run -w /to-proc linked pwd
guards "docker run -w does not start below /proc by a link of the image" not starts_in_proc
podman_run -w /to-proc linked pwd
guards "nor does podman run -w" not starts_in_proc
docker_run -v leading:/v -w /v/work linked pwd
guards "nor by a link of a volume" not starts_in_proc
docker_run -w /to-fd linked pwd
guards "a link to a descriptor is refused" refused working-directory /process/cwd /to-fd
capture docker run -d --name cwd --network none --runtime runclad -v leading:/v linked sleep 600
for directory in /to-proc /v/work; do
  capture docker exec -w "$directory" cwd pwd
  guards "docker exec -w $directory does not start below /proc" not starts_in_proc
done
capture docker exec -w /to-fd cwd pwd
guards "docker exec -w of a link to a descriptor is refused" \
  refused_by working-directory '/process/cwd "/to-fd"'
capture docker exec -w /proc/self/fd/7/../../../.. cwd pwd
guards "so is the parent of a descriptor" refused_by working-directory /process/cwd
capture docker exec -w /current cwd cat name
holds "docker exec -w of a link to a directory of the image" out_is app
capture docker exec -w /v/current cwd pwd
holds "and of one in a volume" out_is /v/there
docker_remove cwd
capture "${PODMAN[@]}" run -d --name cwd "${PODMAN_OPTIONS[@]}" linked sleep 600
capture "${PODMAN[@]}" exec -w /to-proc cwd pwd
guards "nor does podman exec -w" not starts_in_proc
capture "${PODMAN[@]}" exec -w /current cwd cat name
holds "podman exec -w of a link to a directory" out_is app
capture "${PODMAN[@]}" rm -f -t 0 cwd
bundle=$(make_bundle cwd .)
cp -a "$IMAGE/." "$bundle/rootfs"
capture_runtime create --bundle "$bundle" cwd
capture_runtime start cwd
capture_runtime exec --cwd /to-proc cwd pwd
guards "nor does exec --cwd by hand" not starts_in_proc
capture_runtime exec --cwd /current cwd cat name
holds "exec --cwd of a link to a directory" out_is app
discard cwd
docker_run -w /current linked cat name
holds "docker run -w of a link to a directory of the image" out_is app
docker_run -v leading:/v -w /v/current linked pwd
holds "and of one in a volume" out_is /v/there
docker_run -w /new/directory linked pwd
holds "docker run -w of a directory that is made for it" out_is /new/directory

# --- masks of the root ---
covers masked-paths readonly-paths
roots='awk "\$5 == \"/\"" /proc/self/mountinfo | wc -l'
create_by_api '"MaskedPaths": ["/", "/proc/acpi"]' "$roots; ls /proc/acpi"
guards "a mask of / leaves one root" out_is 1
create_by_api '"MaskedPaths": ["/top"]' "$roots"
guards "so does a mask of a link to it" out_is 1
podman_run --security-opt mask=/ linked sh -c "$roots"
guards "and podman's" out_is 1
docker_run linked sh -c "$roots"
holds "as without one" out_is 1
create_by_api '"ReadonlyPaths": ["/"]' "$roots; touch /mark || echo read-only"
guards "a read-only path / mounts nothing twice" out_has 1
holds "and the root is read-only" out_has read-only
create_by_api '"MaskedPaths": ["/srv"], "Binds": ["filled:/srv/app"]' 'ls /srv | wc -l'
holds "a mask above a volume hides it" out_is 0

# --- ordinary life ---
for engine in docker_run podman_run; do
  "$engine" -v filled:/data -v more:/data/sub linked cat /data/file /data/sub/file
  holds "$engine: a volume in a directory of another" out_is $'of-the-volume\nof-the-other'
  "$engine" -v filled:/data -v more:/data/new/deep linked cat /data/new/deep/file
  holds "$engine: a directory is made for it" out_is of-the-other
  "$engine" -v filled:/data --tmpfs /data/sub linked sh -c 'touch /data/sub/x && cat /data/file'
  holds "$engine: a tmpfs in a volume" out_is of-the-volume
  "$engine" --shm-size 33m linked df -m /dev/shm
  holds "$engine: --shm-size" out_has ' 33 '
  "$engine" --tmpfs /dev/shm:size=5m linked df -m /dev/shm
  holds "$engine: --tmpfs /dev/shm" out_has ' 5 '
  "$engine" -v filled:/dev/shm linked cat /dev/shm/file
  holds "$engine: a volume at /dev/shm" out_is of-the-volume
  "$engine" -v filled:/dev/hugepages linked cat /dev/hugepages/file
  holds "$engine: a volume at /dev/hugepages" out_is of-the-volume
  "$engine" --device /dev/zero:/dev/other linked sh -c 'head -c 4 /dev/other | wc -c'
  holds "$engine: --device" out_is 4
  "$engine" -v filled:/current linked cat /srv/app/file
  holds "$engine: a volume at a link of the image" out_is of-the-volume
  "$engine" -t linked sh -c 'echo x >/dev/console && echo written'
  holds "$engine: -t has a console" out_has written
done
capture docker run -d --name shared --ipc shareable --network none --runtime runclad linked \
  sh -c 'echo shared >/dev/shm/x; sleep 600'
holds "docker run --ipc shareable starts" succeeded
eventually 15 docker exec shared test -s /dev/shm/x
docker_run --ipc container:shared linked cat /dev/shm/x
holds "docker run --ipc shareable and --ipc container:" out_is shared
docker_remove shared

# --- what the image has where a tmpfs goes ---
covers read-only-rootfs
rm -rf "$IMAGE/tmp" && mkfifo "$IMAGE/tmp"
rm -rf "$IMAGE/run" && ln -s srv/app "$IMAGE/run"
tar -C "$IMAGE" -c . | docker import -c 'CMD ["sh"]' - odd >/dev/null
docker_run odd sh -c 'test -p /tmp && echo x >/run/y && cat /run/y /srv/app/name'
holds "an image with a FIFO at /tmp and a link at /run runs" out_is $'x\napp'
mkfifo "$IMAGE/srv/app/fifo"
tar -C "$IMAGE" -c . | docker import -c 'CMD ["sh"]' - odder >/dev/null
docker_run odder true
guards "one with a FIFO in /run is refused with its name" \
  refused read-only-rootfs /root/readonly false
[ "$E2E_PROVE" = 1 ] || holds "which is said" err_has /srv/app/fifo

docker volume rm -f redirecting to-proc leading filled more >/dev/null
podman volume rm -f redirecting to-proc leading filled more >/dev/null
podman rmi -f linked >/dev/null
