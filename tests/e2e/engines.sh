# shellcheck shell=bash
# Starts and stops the engines of one run of the end-to-end tests. Everything of theirs lies in the
# private /run and /var/lib that run.sh has mounted; no network is made or touched.

engines_start() {
  podman_without_limits
  write_policies
  write_image
  containerd_start
  dockerd_start
  tar -C "$E2E_WORK/rootfs" -c . | docker import -c 'CMD ["sh"]' - box >/dev/null ||
    fail "docker import of the test image failed"
}

# podman sets a process limit that nobody asked for, also where the controller is missing.
podman_without_limits() {
  has_controller pids && return
  printf '[containers]\npids_limit = 0\n' >"$E2E_WORK/no-limits.conf"
  export CONTAINERS_CONF_OVERRIDE=$E2E_WORK/no-limits.conf
}

fail() {
  printf 'e2e: %s\n' "$1" >&2
  exit 1
}

# One directory per policy. `own` is rewritten by the tests that need a policy of theirs.
write_policies() {
  local name
  for name in runclad audit baseline own; do
    mkdir -p "$E2E_POLICIES/$name"
    policy_text "$name" >"$E2E_POLICIES/$name/policy.json"
    wrapper "$name" "$E2E_POLICIES/$name"
  done
  # Whatever tests write into its policy.json.
  mkdir "$E2E_POLICIES/own/policy.d"
  printf '{"rules": {%s}}\n' "$(own_cgroups)" >"$E2E_POLICIES/own/policy.d/cgroups.json"
  wrapper plain ""
}

# Every container of a run is in the run's own cgroup. Where the machine's cgroup v2 has no controller for process
# limits, none are set.
own_cgroups() {
  printf '"cgroup-path": {"parents": ["%s"]}' "$E2E_CGROUP"
  has_controller pids || printf ', "pids-limit": {"action": "warn"}'
}

policy_text() {  # NAME
  local extends=restricted mode=enforce
  [ "$1" != baseline ] || extends=baseline
  [ "$1" != audit ] || mode=audit
  printf '{"extends": "%s", "mode": "%s", "log": {"target": "file:%s"}, "rules": {%s}}\n' \
    "$extends" "$mode" "$E2E_POLICIES/$1/audit.jsonl" "$(own_cgroups)"
}

# For engines that pass a runtime no arguments: a program of the runtime's name.
wrapper() {  # NAME POLICY-DIRECTORY
  mkdir -p "$E2E_WORK/runtimes/$1"
  local program=$E2E_WORK/runtimes/$1/runclad
  if [ "$E2E_PROVE" = 1 ] || [ "$1" = plain ]; then
    printf '#!/bin/sh\nexec %s "$@"\n' "$E2E_PLAIN"
  else
    printf '#!/bin/sh\nexec %s --runclad-config=%s --runclad-runtime=%s "$@"\n' \
      "$E2E_PROGRAM" "$2" "$E2E_PLAIN"
  fi >"$program"
  chmod 755 "$program"
  # podman passes --log only to a runtime whose name it knows.
  mkdir -p "$E2E_WORK/runtimes/$1/closed"
  cp "$program" "$E2E_WORK/runtimes/$1/closed/runc"
}

# The test image: busybox, an init, the probe, and two users.
write_image() {
  local rootfs=$E2E_WORK/rootfs applet
  mkdir -p "$rootfs"/{bin,dev,etc,home/app,proc,root,run,srv,sys,tmp,usr/bin,var/tmp}
  chmod 1777 "$rootfs/tmp" "$rootfs/var/tmp"
  cp "$(command -v busybox)" "$rootfs/bin/busybox"
  for applet in $("$rootfs/bin/busybox" --list); do
    [ "$applet" = busybox ] || ln -s busybox "$rootfs/bin/$applet"
  done
  cp "$(command -v docker-init)" "$rootfs/bin/tini"
  "${CC:-cc}" -static -O1 -Wall -Wextra -Werror -o "$rootfs/bin/probe" "$E2E_DIR/probe.c" ||
    fail "probe.c does not compile"
  cp "$rootfs/bin/probe" "$rootfs/bin/setuid-probe"
  chmod 4755 "$rootfs/bin/setuid-probe"
  printf 'root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000:app:/home/app:/bin/sh\n' \
    >"$rootfs/etc/passwd"
  printf 'root:x:0:\napp:x:1000:\n' >"$rootfs/etc/group"
  chown 1000:1000 "$rootfs/home/app"
  printf 'from the image\n' >"$rootfs/run/seed"
}

containerd_start() {
  cat >"$E2E_WORK/containerd.toml" <<TOML
version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "$E2E_WORK/containerd.sock"
TOML
  containerd --config "$E2E_WORK/containerd.toml" >"$E2E_WORK/containerd.log" 2>&1 &
  CONTAINERD_PID=$!
  export CONTAINERD_ADDRESS=$E2E_WORK/containerd.sock
  wait_for 20 ctr version || fail "containerd did not come up: $(tail -n 3 "$E2E_WORK/containerd.log")"
}

dockerd_start() {
  {
    printf '{"runtimes": {\n'
    local name separator=''
    for name in runclad audit baseline own plain; do
      printf '%s  "%s": ' "$separator" "$name"
      separator=$',\n'
      if [ "$E2E_PROVE" = 1 ] || [ "$name" = plain ]; then
        printf '{"path": "%s"}' "$E2E_PLAIN"
      else
        printf '{"path": "%s", "runtimeArgs": ["--runclad-config=%s", "--runclad-runtime=%s"]}' \
          "$E2E_PROGRAM" "$E2E_POLICIES/$name" "$E2E_PLAIN"
      fi
    done
    printf '\n}}\n'
  } >"$E2E_WORK/daemon.json"
  # BuildKit, which is part of dockerd, calls what is named runc in dockerd's PATH.
  mkdir -p "$E2E_WORK/buildkit-path"
  cp "$E2E_WORK/runtimes/own/runclad" "$E2E_WORK/buildkit-path/runc"
  # The default data directory and socket names: /var/lib and /run are this run's own.
  PATH=$E2E_WORK/buildkit-path:$PATH dockerd --config-file "$E2E_WORK/daemon.json" --containerd "$E2E_WORK/containerd.sock" \
    --bridge=none --iptables=false --ip6tables=false --ip-forward=false \
    --cgroup-parent "$E2E_CGROUP" --host "unix://$E2E_WORK/docker.sock" \
    --host unix:///run/docker.sock --host "unix://$E2E_SRV/engine.sock" \
    >"$E2E_WORK/dockerd.log" 2>&1 &
  export E2E_DOCKERD_PID=$!
  export DOCKER_HOST=unix://$E2E_WORK/docker.sock
  wait_for 30 docker version || fail "dockerd did not come up: $(tail -n 3 "$E2E_WORK/dockerd.log")"
}

wait_for() {  # SECONDS COMMAND…
  local deadline=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$deadline" ] || return 1
    sleep 0.1
  done
}

engines_stop() {
  local containers
  containers=$(docker ps -aq)
  # shellcheck disable=SC2086  # one id per word
  [ -z "$containers" ] || docker rm -f $containers >/dev/null
  kill "$E2E_DOCKERD_PID" && wait "$E2E_DOCKERD_PID"
  kill "$CONTAINERD_PID" && wait "$CONTAINERD_PID"
}
