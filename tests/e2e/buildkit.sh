#!/bin/bash
# What a build can request from BuildKit beyond an ordinary build (builds.sh): an agent's socket, the host's network
# with its entitlement, steps for another platform; and a separate buildkitd.
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"

CONTEXT=$E2E_WORK/buildkit-context
mkdir -p "$CONTEXT"
policy() {  # RULE…; BuildKit has cgroups of its own
  printf '{"builds": "build", "log": {"target": "file:%s"}, "rules": {%s"cgroup-path": {"parents": ["%s"]}}}\n' \
    "$E2E_POLICIES/own/audit.jsonl" "$1" "$E2E_CGROUP" >"$E2E_POLICIES/own/policy.json"
}
build() { DOCKER_BUILDKIT=1 capture docker build --progress plain --no-cache -t made "$@" "$CONTEXT"; }
made() { docker_run --pull never made; }
policy ''

# --- ssh: a socket of BuildKit's, behind which is the caller's agent ---
python3 "$E2E_DIR/ssh_agent.py" "$E2E_WORK/agent.sock" &
AGENT=$!
trap 'kill "$AGENT" 2>/dev/null' EXIT
eventually 10 test -S "$E2E_WORK/agent.sock"
cat >"$CONTEXT/Dockerfile" <<'DOCKERFILE'
FROM box
RUN --mount=type=ssh probe agent "$SSH_AUTH_SOCK" >/keys
RUN --mount=type=ssh,uid=1000 su app -c 'probe agent "$SSH_AUTH_SOCK"' >/keys-of-user
CMD ["cat", "/keys", "/keys-of-user"]
DOCKERFILE
build --network none --ssh "default=$E2E_WORK/agent.sock"
holds "a step of BuildKit asks the caller's SSH agent" succeeded
made
holds "… which answers root and a user" out_is $'0\n0'
kill "$AGENT" && wait "$AGENT" 2>/dev/null
rm "$E2E_WORK/agent.sock"

# --- a network: BuildKit connects each step by a hook, in which the network has an id of its own ---
mkdir "$E2E_WORK/bridge" /var/lib/docker-bridge
printf '{}\n' >"$E2E_WORK/bridge/daemon.json"
PATH=$E2E_WORK/buildkit-path:$PATH dockerd --config-file "$E2E_WORK/bridge/daemon.json" \
  --data-root /var/lib/docker-bridge --exec-root "$E2E_WORK/bridge/run" --pidfile "$E2E_WORK/bridge/pid" \
  --containerd "$E2E_WORK/containerd.sock" --containerd-namespace bridge --containerd-plugins-namespace bridge-plugins \
  --iptables=false --ip6tables=false --ip-forward=false --cgroup-parent "$E2E_CGROUP" \
  --host "unix://$E2E_WORK/bridge.sock" >"$E2E_WORK/bridge.log" 2>&1 &
BRIDGE=$!
on_bridge() { DOCKER_HOST=unix://$E2E_WORK/bridge.sock "$@"; }
trap 'kill "$BRIDGE" 2>/dev/null' EXIT
eventually 30 on_bridge docker version >/dev/null
mkdir "$E2E_WORK/bridge/context"
cp /bin/busybox "$E2E_WORK/bridge/context/"
cat >"$E2E_WORK/bridge/context/Dockerfile" <<'DOCKERFILE'
FROM scratch
COPY busybox /busybox
RUN ["/busybox", "ls", "/sys/class/net"]
DOCKERFILE
policy '"hooks": {"action": "refuse"}, '
: >"$E2E_POLICIES/own/audit.jsonl"
DOCKER_BUILDKIT=1 DOCKER_HOST=unix://$E2E_WORK/bridge.sock capture docker build --progress plain --no-cache \
  "$E2E_WORK/bridge/context"
holds "a step with a network runs where hooks are refused" succeeded
holds "… and has it" err_has eth0
guards "… through runclad" log_has own '.engine == "buildkit"'
holds "… which finds nothing in BuildKit's own hook" not log_has own '[.findings[]?.code] | any(startswith("hooks/"))'
kill "$BRIDGE" && wait "$BRIDGE"
# BuildKit has networks in reserve, and may leave one.
umount "$E2E_WORK"/bridge/run/netns/* 2>/dev/null
policy ''

# --- the host's network ---
cat >"$CONTEXT/Dockerfile" <<'DOCKERFILE'
FROM box
RUN readlink /proc/self/ns/net >/network
CMD ["cat", "/network"]
DOCKERFILE
is_network_of_host() { out_is "$(readlink /proc/self/ns/net)"; }
build --network host
covers host-namespaces
guards "a step in the host's network is refused" refused host-namespaces '/linux/namespaces[^ ]*' network
guards "with the setting that allows it" err_has "host-namespaces.allow"
policy '"host-namespaces": {"allow": ["network"]}, '
build --network host
holds "with that setting it runs" succeeded
made
holds "… in the host's network" is_network_of_host
policy ''
build --network none
holds "a step without a network runs" succeeded
made
holds "… in one of its own" not is_network_of_host

# A step alone asks for it in the Dockerfile, and the builder has to grant it.
if engine_is docker 26; then
  sed -i 's/^RUN/RUN --network=host/' "$CONTEXT/Dockerfile"
  policy '"host-namespaces": {"allow": ["network"]}, '
  build --network none
  holds "without its entitlement, BuildKit itself refuses a step the host's network" err_has network.host
  build --network none --allow network.host
  holds "with its entitlement, a step runs" succeeded
  made
  holds "… in the host's network" is_network_of_host
  policy ''
  build --network none --allow network.host
  guards "the entitlement alone is not enough" refused host-namespaces '/linux/namespaces[^ ]*' network
fi

# --- another platform: BuildKit mounts its emulator into the step, where the kernel calls none. This one runs what is
# no foreign program at all. Earlier versions do not find an image of another platform on this host.
cat >"$E2E_WORK/emulator.c" <<'C'
#include <stdlib.h>
#include <unistd.h>
int main(int argc, char **argv) {
  if (argc < 2) return 2;
  setenv("EMULATED", "1", 1);
  execvp(argv[1], argv + 1);
  return 127;
}
C
"${CC:-cc}" -static -O1 -Wall -Wextra -Werror -o "$E2E_WORK/buildkit-path/buildkit-qemu-aarch64" "$E2E_WORK/emulator.c"
is_emulated() {
  capture docker run --rm --network none --runtime plain --pull never --platform linux/arm64 made
  [ "$(head -n 1 <<<"$OUT")" = "emulated: 1" ]
}
if engine_is docker 26; then
  tar -C "$E2E_WORK/rootfs" -c . | docker import --platform linux/arm64 - foreign >/dev/null
  cat >"$CONTEXT/Dockerfile" <<'DOCKERFILE'
FROM foreign
RUN echo "emulated: $EMULATED" >/emulated
CMD ["cat", "/emulated"]
DOCKERFILE
  build --network none --platform linux/arm64
  holds "a step for another platform runs in the emulator" succeeded
  holds "… which is BuildKit's" is_emulated
  docker rmi -f foreign >/dev/null
fi
docker rmi -f made >/dev/null
docker builder prune -af >/dev/null

# --- a buildkitd of its own, of which Debian has no package: its calls and its files, made by hand as its source makes
# them, in its default places
ROOT=/var/lib/buildkit/runc-overlayfs
TEMPORARY=$(mktemp -d)  # its TMPDIR, which is /tmp by default
made_by_buildkitd() {  # sets BUNDLE
  local document
  mkdir -p "$ROOT"/{executor,cachemounts/buildkit31} "$TEMPORARY"/{buildkit-mount7,buildkit-secrets5}
  mkdir -p "$TEMPORARY/.buildkit-ssh-sock3" "$TEMPORARY/buildkit-qemu-emulator9/dev"
  chmod 711 "$TEMPORARY" "$TEMPORARY/.buildkit-ssh-sock3"
  echo "of the resolver" >"$ROOT/executor/resolv.conf"
  echo "of the hosts" >"$ROOT/executor/hosts"
  echo "of the context" >"$TEMPORARY/buildkit-mount7/file"
  echo "of the caller" >"$TEMPORARY/buildkit-secrets5/x7"
  cp "$E2E_WORK/buildkit-path/buildkit-qemu-aarch64" "$TEMPORARY/buildkit-qemu-emulator9/dev/.buildkit_qemu_emulator"
  document=$(make_bundle step2)
  # shellcheck disable=SC2016  # for jq, and for the shell in the step
  jq --arg root "$ROOT" --arg temporary "$TEMPORARY" '
    def bind($source; $destination; $options): {type: "bind", $source, $destination, options: (["rbind"] + $options)};
    .mounts += [
      bind($root + "/executor/resolv.conf"; "/etc/resolv.conf"; ["ro"]),
      bind($root + "/executor/hosts"; "/etc/hosts"; ["ro"]),
      bind($root + "/cachemounts/buildkit31"; "/cache"; []),
      bind($temporary + "/buildkit-mount7"; "/context"; []),
      bind($temporary + "/buildkit-secrets5/x7"; "/run/secrets/word"; ["ro", "nosuid", "nodev", "noexec"]),
      bind($temporary + "/.buildkit-ssh-sock3/ssh_auth_sock"; "/run/buildkit/ssh_agent.0"; []),
      bind($temporary + "/buildkit-qemu-emulator9/dev/.buildkit_qemu_emulator"; "/dev/.buildkit_qemu_emulator"; ["ro"]),
      {type: "tmpfs", source: "tmpfs", destination: "/scratch", options: ["nosuid"]}]
    | .process.args = ["/dev/.buildkit_qemu_emulator", "/bin/sh", "-ec", "cat /etc/resolv.conf /etc/hosts /context/file
        cat /run/secrets/word; probe agent /run/buildkit/ssh_agent.0; echo x | tee /cache/x /context/x /scratch/x >/x
        echo $EMULATED"]' "$document/config.json" >"$document/config.new"
  mv "$document/config.new" "$document/config.json"
  BUNDLE=$ROOT/executor/step2
  mv "$document" "$BUNDLE"
}
made_by_buildkitd
python3 "$E2E_DIR/ssh_agent.py" "$TEMPORARY/.buildkit-ssh-sock3/ssh_auth_sock" &
AGENT=$!
eventually 10 test -S "$TEMPORARY/.buildkit-ssh-sock3/ssh_auth_sock"
buildkitd_runs() {
  capture "$E2E_WORK/runtimes/own/runclad" --root "$STATE" --log "$BUNDLE/log.json" --log-format json run \
    --bundle "$BUNDLE" step2
  discard step2
}
policy ''
buildkitd_runs
holds "a step of buildkitd itself has the mounts that buildkitd makes" out_is "of the resolver
of the hosts
of the context
of the caller
0
1"
holds "… and has written to its cache and its context" test -e "$ROOT/cachemounts/buildkit31/x" -a \
  -e "$TEMPORARY/buildkit-mount7/x"
sed -i 's/"builds": "build", //' "$E2E_POLICIES/own/policy.json"
buildkitd_runs
covers read-only-rootfs
guards "without the member builds in the policy it is refused" failed
kill "$AGENT" && wait "$AGENT" 2>/dev/null
rm -rf "$TEMPORARY" "$ROOT"
