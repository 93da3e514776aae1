#!/bin/bash
# How long runcladctl looks at 500 containers: a topic of tests/e2e/run.sh. Half of them are runclad's,
# half are plain runc's; some listen, some share a namespace, some have no filter. Every command must
# end within LIMIT_MS, and what ps says of a sample is compared with /proc.
#
#   FLEET=50 tests/e2e/run.sh tests/bench/fleet.sh     with another number of containers
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"

FLEET=${FLEET:-500}
LIMIT_MS=3000
ROUNDS=5
CONTROL=${E2E_PROGRAM%/*}/runcladctl
WORK=$E2E_WORK/fleet
ROOT=/run/runc
mkdir -p "$WORK" "$ROOT"

# A bundle that shares its root directory with the others: bundle NUMBER
bundle() {
  local directory=$WORK/$1 filter='.'
  mkdir -p "$directory"
  cp -al "$WORK/rootfs" "$directory/rootfs"
  case $(($1 % 10)) in
    1) filter='.process.args = ["sh", "-c", "nc -ll -p 8080 & exec sleep 3600"]' ;;
    2) filter='.process.capabilities[] += ["CAP_NET_RAW", "CAP_CHOWN"]' ;;
    3) filter='.root.readonly = false' ;;
    4) filter='del(.linux.seccomp)' ;;
    5) filter='.linux.namespaces |= map(select(.type != "network"))' ;;
    6) filter='.process.user = {uid: 1000, gid: 1000}' ;;
  esac
  jq --arg cgroup "$E2E_CGROUP/fleet-$1" ".linux.cgroupsPath = \$cgroup | $filter" \
    "$WORK/template.json" >"$directory/config.json"
}

# The filter of Docker's containers, as most have it.
RUNTIME=plain docker_start filter
docker_bundle=$(find /run -path "*/moby/$(docker inspect -f "{{.Id}}" filter)/config.json" -printf "%h" -quit)
(cd "$WORK" && "$E2E_PLAIN" spec)
jq --slurpfile docker "$docker_bundle/config.json" \
  '.process.terminal = false | .process.args = ["sleep", "3600"] | .linux.seccomp = $docker[0].linux.seccomp
   | del(.process.rlimits)' "$WORK/config.json" >"$WORK/template.json"
docker_remove filter
cp -a "$E2E_WORK/rootfs" "$WORK/rootfs"
started=$SECONDS
for ((i = 0; i < FLEET; ++i)); do
  bundle "$i"
  program=$E2E_PLAIN
  [ $((i / 10 % 2)) -ne 0 ] || program=$E2E_RUNTIME
  "$program" --root "$ROOT" run -d --bundle "$WORK/$i" "fleet-$i" </dev/null >/dev/null 2>>"$WORK/errors"
done
sort "$WORK/errors" | uniq -c | sort -rn | head -n 5
printf '%s containers in %s s\n' "$("$E2E_PLAIN" --root "$ROOT" list -q | wc -l)" $((SECONDS - started))

# One run: its time and that of the processors, in milliseconds.
run_once() {  # COMMAND…
  local TIMEFORMAT='%R %U %S'
  { time "$@" >"$WORK/out" 2>"$WORK/err" </dev/null; } 2>&1 |
    awk '{printf "%d %d\n", $1 * 1000, ($2 + $3) * 1000}'
}
# On a busy machine the shortest run is the one that says most.
measure() {  # COMMAND…
  local round least processors
  for ((round = 0; round < ROUNDS; ++round)); do run_once "$CONTROL" "$@"; done | sort -n >"$WORK/times"
  read -r least processors <"$WORK/times"
  printf '%8s ms (%s ms of processors, longest of %s: %s ms): runcladctl %s\n' "$least" "$processors" \
    "$ROUNDS" "$(tail -n 1 "$WORK/times" | cut -d' ' -f1)" "$*"
  holds "$* of $FLEET containers ends within $LIMIT_MS ms" test "$least" -le "$LIMIT_MS"
}
measure score --json
measure report --html
measure ps --attach --json
measure ps --json
all=$WORK/out

holds "each of them is there" test "$(jq '[.containers[] | select(.id | startswith("fleet-"))] | length' "$all")" = "$FLEET"
of() { jq -r --arg id "$1" ".containers[] | select(.id == \$id) | $2" "$all"; }
mask() { python3 -c 'print(bin(int(input(), 16)).count("1"))'; }
# The same by hand, for one of each kind.
for ((i = 0; i < 10 && i < FLEET; ++i)); do
  id=fleet-$i
  status=/proc/$(jq -r .init_process_pid "$ROOT/$id/state.json")/status
  field() { awk -v f="$1:" '$1 == f {print $2; exit}' "$status"; }
  holds "$id: the bounding set" test "$(of "$id" '.capabilities.bounding | length')" = "$(field CapBnd | mask)"
  holds "$id: the effective set" test "$(of "$id" '.capabilities.effective | length')" = "$(field CapEff | mask)"
  holds "$id: the user" test "$(of "$id" .user.hostUid)" = "$(field Uid)"
  holds "$id: seccomp" test "$(of "$id" .seccomp.mode)" = "$(field Seccomp)"
  holds "$id: the mounts" test "$(of "$id" '.mounts | length')" = "$(wc -l <"${status%/*}/mountinfo")"
  holds "$id: the network namespace" test "$(of "$id" .namespaces.net.inode)" = "$(stat -Lc %i "${status%/*}/ns/net")"
  holds "$id: what listens" test "$(of "$id" '.listening | length')" = \
    "$(if [ "$(of "$id" .namespaces.net.host)" = true ]; then echo 0; else cat "${status%/*}/net/tcp" \
      "${status%/*}/net/tcp6" | awk '$4 == "0A"' | wc -l; fi)"
done
[ -z "${HOLD:-}" ] || sleep "$HOLD"
"$E2E_PLAIN" --root "$ROOT" list -q | xargs -r -P 4 -n 1 "$E2E_PLAIN" --root "$ROOT" delete -f
