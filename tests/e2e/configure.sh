#!/bin/bash
# runcladctl configure and unconfigure, against engines of the topic's own on their default places.
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"

CTL=${E2E_PROGRAM%/*}/runcladctl
PROGRAM=$E2E_WORK/runtimes/own/runclad
NAME=hardened
printf '{"log": {"target": "file:%s/audit.jsonl"}}\n' "$E2E_POLICIES/own" \
  >"$E2E_POLICIES/own/policy.json"
configure() { capture "$CTL" configure "$@" --name "$NAME" --program "$PROGRAM"; }
unconfigure() { capture "$CTL" unconfigure "$@" --name "$NAME" --program "$PROGRAM"; }
same() { cmp -s "$1" "$2"; }
# The host's own files stay out of reach.
for directory in /etc/docker /etc/containerd /etc/containers; do
  mkdir -p "$E2E_WORK/etc$directory"
  [ -d "$directory" ] || continue
  cp -a "$directory/." "$E2E_WORK/etc$directory"
  mount --bind "$E2E_WORK/etc$directory" "$directory"
done
trap 'umount /etc/docker /etc/containerd /etc/containers 2>/dev/null' EXIT

# --- docker: the daemon of the run, whose file has five runtimes already ---
FILE=$E2E_WORK/daemon.json
cp "$FILE" "$E2E_WORK/daemon.before"
docker_default() { docker info --format '{{.DefaultRuntime}}'; }
configure docker --default --dry-run
holds "configure docker --dry-run prints a diff" grep -qE "^\+.*\"default-runtime\": \"$NAME\"" <<<"$OUT"
holds "and changes nothing" same "$FILE" "$E2E_WORK/daemon.before"
capture docker run -d --name older --network none box sleep 600
configure docker --default
holds "configure docker --default" succeeded
holds "it lists the container that was made before" out_has older
holds "dockerd has the default without a restart" test "$(docker_default)" = "$NAME"
capture docker run --rm --network none box grep -E 'CapBnd|NoNew' /proc/self/status
guards "docker run is hardened" status_field NoNewPrivs 1
cp "$FILE" "$E2E_WORK/daemon.configured"
configure docker --default
holds "a second time it changes nothing" same "$FILE" "$E2E_WORK/daemon.configured"
capture docker run -d --name between --network none box sleep 600
holds "a container is made in between" succeeded
unconfigure docker --final
holds "unconfigure --final refuses and lists it" status_is 2
holds "by its name" out_has between
holds "and changes nothing" same "$FILE" "$E2E_WORK/daemon.configured"
unconfigure docker
holds "unconfigure docker" succeeded
holds "it lists the container that names the runtime" out_has between
holds "the name leads to runc" test "$(jq -r ".runtimes.$NAME.path" "$FILE")" = "$E2E_PLAIN"
holds "nothing else differs" test "$(jq -cS "del(.runtimes.$NAME)" "$FILE")" = "$(jq -cS . "$E2E_WORK/daemon.before")"
holds "the default is runc again" test "$(docker_default)" = runc
for name in older between; do
  docker kill "$name" >/dev/null
  capture docker start "$name"
  holds "the container $name starts again" succeeded
done
docker_remove older between
unconfigure docker
holds "unconfigure docker, without containers" succeeded
holds "the file is byte for byte as before" same "$FILE" "$E2E_WORK/daemon.before"
holds "dockerd does not have the name any more" not grep -q "$NAME" <<<"$(docker info --format '{{json .Runtimes}}')"
unconfigure docker
holds "a second time it changes nothing" same "$FILE" "$E2E_WORK/daemon.before"
