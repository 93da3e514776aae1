#!/bin/bash
# README.md's section "Register it": its commands are run as they stand, and the engine is asked what it took. The topic
# configure has everything else about them.
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"

PLACE=$E2E_WORK/readme
CTL=/usr/sbin/runcladctl
NAMED=/usr/sbin/runclad
FILE=$E2E_WORK/daemon.json
mkdir -p "$PLACE/sbin" "$PLACE/etc"
# The lines of the first block below the heading.
commands() {
  awk '/^## / { is_here = $0 == "## Register it" }
    is_here && /^```sh$/ { is_block = 1; next }
    is_block && /^```$/ { exit }
    is_block { sub(/ *#.*/, ""); print }' "$E2E_DIR/../../README.md"
}
command_for() { commands | grep -E "^runcladctl configure $1( |\$)"; }
run_as_written() {  # ENGINE
  local words
  read -ra words <<<"$(command_for "$1")"
  capture "$CTL" "${words[@]:1}"
}
is_confined() { status_field CapBnd 0000000000000400; }

# The runtime is where a package has it, with the policy of the other topics; the host's own files stay out of reach.
cp "$E2E_WORK/runtimes/runclad/runclad" "${E2E_PROGRAM%/*}/runcladctl" "$PLACE/sbin"
mount -t overlay -o "lowerdir=$PLACE/sbin:/usr/sbin" overlay /usr/sbin
for directory in /etc/docker /etc/containers; do
  [ -d "$directory" ] || continue
  mkdir -p "$PLACE$directory"
  cp -a "$directory/." "$PLACE$directory"
  mount --bind "$PLACE$directory" "$directory"
done
reload() { kill -HUP "$E2E_DOCKERD_PID"; }
cp "$FILE" "$PLACE/daemon.original"
jq 'del(.runtimes.runclad)' "$PLACE/daemon.original" >"$PLACE/daemon.before"
cat "$PLACE/daemon.before" >"$FILE"
reload
knows_runclad() { docker info --format '{{json .Runtimes}}' | grep -q '"runclad"'; }
holds "dockerd does not know runclad" eventually 10 not knows_runclad
trap 'umount --lazy /usr/sbin /etc/docker /etc/containers 2>/dev/null' EXIT

for engine in docker podman containerd crio buildkit; do
  holds "README has one command for $engine" test "$(command_for "$engine" | wc -l)" = 1
done

# What other topics left names the runtime as well, and would keep the name registered.
docker ps -aq | xargs -r docker rm -f >/dev/null
run_as_written docker
holds "README's command for Docker" succeeded
capture docker info --format '{{.DefaultRuntime}} {{(index .Runtimes "runclad").Path}}'
holds "dockerd has runclad as its default runtime" out_is "runclad $NAMED"
capture docker run --rm --network none box grep CapBnd /proc/self/status
guards "a container of the default runtime is confined" is_confined
capture "$CTL" unconfigure docker
holds "README's way back" cmp -s "$PLACE/daemon.before" "$FILE"
cat "$PLACE/daemon.original" >"$FILE"
reload
eventually 10 knows_runclad

run_as_written podman
holds "README's command for podman" succeeded
capture podman --cgroup-manager cgroupfs --events-backend file info --format '{{.Host.OCIRuntime.Path}}'
holds "podman has runclad as its runtime" out_is "$NAMED"
tar -C "$E2E_WORK/rootfs" -c . | podman import -q - box >/dev/null
capture podman --cgroup-manager cgroupfs --events-backend file run --rm --network none --cgroup-parent "$E2E_CGROUP" \
  --ulimit nofile=1024:2048 --ulimit nproc=1000:2000 box grep CapBnd /proc/self/status
guards "a container of podman's is confined" is_confined
podman rmi -f box >/dev/null
