#!/bin/bash
# How long calls take, with the shim and without: a topic of tests/e2e/run.sh, called by
# tests/bench/run.sh. A benchmark, not a test: nothing is held to a limit, since times depend on the
# machine. The document is Docker's own for `docker run`, with a root filesystem of the bench's.
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"

WORK=$E2E_WORK/times
HOPS=${E2E_DIR%/*}/bench/hops
mkdir -p "$WORK"
cp -a "$E2E_WORK/rootfs" "$WORK/rootfs"

# What is compared with: hops that only become runc, wrappers that make the same kind of edit.
cc -O2 -static -DLOWER_RUNTIME="\"$E2E_PLAIN\"" -o "$WORK/hop" "$HOPS/hop.c"
cc -O2 -static -nostdlib -DWITHOUT_LIBC -DLOWER_RUNTIME="\"$E2E_PLAIN\"" -o "$WORK/hop-without-libc" \
  "$HOPS/hop.c"
printf 'int main(void) { return 0; }\n' >"$WORK/nothing.c"
cc -O2 -static -o "$WORK/nothing" "$WORK/nothing.c"
HOME=$WORK GOFLAGS=-mod=mod GO111MODULE=off GOCACHE=$WORK/go go build -ldflags \
  "-s -w -X main.lowerRuntime=$E2E_PLAIN" -o "$WORK/wrapper-go" "$HOPS/wrapper.go"
cp "$HOPS/wrapper.sh" "$WORK/wrapper.sh"
export BENCH_LOWER_RUNTIME=$E2E_PLAIN
holds "the programs that are compared are built" test -x "$WORK/hop" -a -x "$WORK/hop-without-libc" \
  -a -x "$WORK/wrapper-go"

# Docker's document of an ordinary container, with a root filesystem and a cgroup that are ours and
# without the files and hooks of that container.
RUNTIME=plain docker_start original
id=$(docker inspect -f '{{.Id}}' original)
jq -c '.root.path = "rootfs" | .linux.cgroupsPath = "@CGROUP@" | .process.args = ["/bin/sleep", "600"]
  | .process.terminal = false | del(.hooks) | .mounts |= map(select(.type != "bind"))' \
  "/run/containerd/io.containerd.runtime.v2.task/moby/$id/config.json" >"$WORK/asked.json"
docker_remove original
# The same as the shim hands it on, for runc alone: what hardening itself costs.
mkdir -p "$WORK/hardened"
cp -al "$WORK/rootfs" "$WORK/hardened/rootfs"
sed "s|@CGROUP@|$E2E_CGROUP/hardened|" "$WORK/asked.json" >"$WORK/hardened/config.json"
"$E2E_PROGRAM" --runclad-config="$E2E_POLICIES/runclad" --runclad-runtime="$WORK/nothing" \
  --root "$WORK/state" create --bundle "$WORK/hardened" hardened
sed "s|$E2E_CGROUP/hardened|@CGROUP@|" "$WORK/hardened/config.json" >"$WORK/hardened.json"
holds "the hardened document differs from the one that was asked for" \
  not cmp -s "$WORK/asked.json" "$WORK/hardened.json"

# crun needs cgroup v2, or a v1 layout that it accepts.
crun=()
if sed "s|@CGROUP@|$E2E_CGROUP/try|" "$WORK/asked.json" >"$WORK/hardened/config.json" &&
  crun --root "$WORK/state" create --bundle "$WORK/hardened" try >/dev/null 2>&1; then
  crun=(--crun "$(command -v crun)")
  crun --root "$WORK/state" delete --force try
fi

# Both of Docker's runtimes have arguments, so that containerd's script stands in front of both.
jq --arg shim "$E2E_PROGRAM" --arg runc "$E2E_PLAIN" --arg policy "$E2E_POLICIES/runclad" '
  .runtimes["bench-runc"] = {path: $runc, runtimeArgs: ["--debug=false"]}
  | .runtimes["bench-runclad"] = {path: $shim,
      runtimeArgs: ["--runclad-config=" + $policy, "--runclad-runtime=" + $runc]}' \
  "$E2E_WORK/daemon.json" >"$WORK/daemon.json"
cp "$E2E_WORK/daemon.json" "$WORK/daemon.before"
cp "$WORK/daemon.json" "$E2E_WORK/daemon.json"
kill -HUP "$E2E_DOCKERD_PID"
eventually 5 sh -c 'docker info --format "{{json .Runtimes}}" | grep -q bench-runclad'

python3 "${E2E_DIR%/*}/bench/times.py" --work "$WORK" --shim "$E2E_PROGRAM" \
  --policy "$E2E_POLICIES/runclad" --runc "$E2E_PLAIN" "${crun[@]}" \
  --rounds "${BENCH_ROUNDS:-40}" >"$WORK/result.json"
holds "the benchmark ran to its end" test $? -eq 0
if [ -n "${BENCH_RESULT:-}" ]; then cp "$WORK/result.json" "$BENCH_RESULT"; fi
cp "$WORK/daemon.before" "$E2E_WORK/daemon.json"
kill -HUP "$E2E_DOCKERD_PID"
rm -rf "$WORK"
