#!/bin/bash
# What `configure` writes, asked of the engines themselves: each file of cases/ENGINE/NAME.after is read by the
# engine's own program, which has to say that runclad is registered, and the default. Debian has no CRI-O and no
# buildkitd; their files are only compared (cases_test.cpp).
#
#   tests/configure/ask_engines.sh
#
# A program that this machine lacks is that of a root of another suite (tests/engines/root.sh), where there is one.
# shellcheck disable=SC2317  # functions that are called by name
set -u
cd "$(dirname "$0")/../.." || exit 1
if [ "${1:-}" != --inside ]; then
  exec unshare --mount --propagation private "$BASH" tests/configure/ask_engines.sh --inside
fi
# shellcheck source=tests/packaging/lib.sh
. tests/packaging/lib.sh
# shellcheck source=tests/engines/ask.sh
. tests/engines/ask.sh
PROGRAM=/usr/local/sbin/runclad  # the one of the cases
work=$(mktemp -d)
trap 'rm -rf "$work"; end_asking' EXIT

docker_takes() { "${ASK[@]}" dockerd --validate --config-file "$(visible "$1")"; }
# What dockerd reads: it says nothing of what a valid file has.
docker_has() {
  jq -e --arg path "$PROGRAM" '.runtimes.runclad.path == $path and ."default-runtime" == "runclad"' "$1"
}
containerd_reads() {
  local dump
  dump=$("${ASK[@]}" containerd --config "$(visible "$1")" config dump) || return
  python3 - "$PROGRAM" 3<<<"$dump" <<'PY'
import sys, tomllib
with open(3, "rb") as dump:
    plugins = tomllib.load(dump)["plugins"]
cri = (plugins.get("io.containerd.cri.v1.runtime") or plugins["io.containerd.grpc.v1.cri"])["containerd"]
assert cri["default_runtime_name"] == "runclad", cri["default_runtime_name"]
default = cri["runtimes"]["runclad"]
assert default["runtime_type"] == "io.containerd.runc.v2", default
assert default["options"]["BinaryName"] == sys.argv[1], default
PY
}
# podman looks for the program, too.
podman_reads() {
  [ "$(CONTAINERS_CONF=$(realpath "$1") podman --root "$work/root" --runroot "$work/run" --storage-driver vfs \
    info --format '{{.Host.OCIRuntime.Name}} {{.Host.OCIRuntime.Path}}')" = "runclad $PROGRAM" ]
}
with_program() {
  mount -t tmpfs tmpfs /usr/local/sbin
  cp /bin/true "$PROGRAM"
}

with_program
for after in tests/configure/cases/docker/*.after; do
  if find_program sid dockerd sh -c 'dockerd --help | grep -q -- --validate'; then
    is "dockerd takes $after" docker_takes "$after"
  else
    printf '# left out: no dockerd here has --validate\n'
  fi
  is "$after has the runtime and the default" docker_has "$after"
done
for after in tests/configure/cases/containerd/*.after; do
  version=$(sed -nE 's|^version *= *([0-9]+).*|\1|p' "$after")
  if find_program sid containerd sh -c "containerd --config $after config dump | grep -q '^version = ${version:-2}'"; then
    is "containerd reads runclad in $after" containerd_reads "$after"
  else
    printf '# left out: no containerd here reads version %s\n' "$version"
  fi
done
for after in tests/configure/cases/podman/*.after; do
  is "podman reads runclad in $after" podman_reads "$after"
done
finish
