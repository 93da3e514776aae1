# shellcheck shell=bash
# A dockerd with containerd's image store beside the one of the run, for topics that source this after lib.sh. An older
# Docker than 26 has no such store. Its container runtimes are those of the run; its BuildKit is told of runclad by the
# environment, the run's own finds it in PATH: README's two ways.

STORE_HOST=unix://$E2E_WORK/store.sock
store_start() {
  jq '.features = {"containerd-snapshotter": true}' "$E2E_WORK/daemon.json" >"$E2E_WORK/store.json"
  DOCKER_BUILDKIT_RUNC_COMMAND=$E2E_WORK/runtimes/own/runclad dockerd --config-file "$E2E_WORK/store.json" \
    --data-root /var/lib/docker-store \
    --exec-root /run/docker-store --pidfile /run/docker-store.pid --containerd "$E2E_WORK/containerd.sock" \
    --containerd-namespace store --containerd-plugins-namespace store-plugins --bridge=none --iptables=false \
    --ip6tables=false --ip-forward=false --cgroup-parent "$E2E_CGROUP" --host "$STORE_HOST" \
    >"$E2E_WORK/store.log" 2>&1 &
  STORE=$!
  eventually 30 store_answers
  holds "a dockerd with containerd's image store starts" \
    test "$(DOCKER_HOST=$STORE_HOST docker info --format '{{.DriverStatus}}')" = \
    '[[driver-type io.containerd.snapshotter.v1]]'
}
store_answers() { DOCKER_HOST=$STORE_HOST docker version >/dev/null 2>&1; }
store_stop() {
  [ -n "${STORE:-}" ] || return 0
  kill "$STORE"
  wait "$STORE"
  umount /run/docker-store/netns/default 2>/dev/null
}
