#!/bin/bash
# What the suites of runc, crun and podman check: in mode audit, results, exit statuses and messages are
# those of the plain runtime. First with runc, then with crun, which needs a cgroup2 mount of its own here.
# shellcheck disable=SC2016  # dollars are for jq and for shells that are started
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"

PEER=${1:-runc}
if [ "$PEER" = crun ]; then
  mount -t cgroup2 cgroup2 /sys/fs/cgroup
  E2E_PLAIN=$(command -v crun)
fi
AUDIT=$E2E_WORK/peers/$PEER/runclad
mkdir -p "${AUDIT%/*}"
if [ "$E2E_PROVE" = 1 ]; then
  printf '#!/bin/sh\nexec %s "$@"\n' "$E2E_PLAIN"
else
  printf '#!/bin/sh\nexec %s --runclad-config=%s --runclad-runtime=%s "$@"\n' \
    "$E2E_PROGRAM" "$E2E_POLICIES/audit" "$E2E_PLAIN"
fi >"$AUDIT"
chmod 755 "$AUDIT"

# Each of the two has a state and bundles of its own; @ stands for its name.
program_of() { if [ "$1" = audit ]; then echo "$AUDIT"; else echo "$E2E_PLAIN"; fi; }
root_of() { echo "$E2E_WORK/peers/$PEER/state-$1"; }
as() {  # plain|audit ARGUMENT…
  local who=$1
  shift
  capture "$(program_of "$who")" --root "$(root_of "$who")" "${@//@/$who}"
}
words() { sed -e 's/time="[^"]*"//' -e "s/state-\(plain\|audit\)/state/g" -e 's/peer-\(plain\|audit\)/peer/g' "$1"; }
alike() {  # WHAT STATUS ARGUMENT…: both end with this status and say the same
  local what=$1 expected=$2
  shift 2
  as plain "$@"
  local status=$STATUS
  words "$E2E_WORK/out" >"$E2E_WORK/plain.out"
  words "$E2E_WORK/err" >"$E2E_WORK/plain.err"
  as audit "$@"
  holds "$PEER, audit: $what: the status is the plain runtime's, $expected" \
    test "$STATUS/$status" = "$expected/$expected"
  holds "$PEER, audit: $what: the output is the same, too" \
    cmp -s <(words "$E2E_WORK/out") "$E2E_WORK/plain.out"
  holds "$PEER, audit: $what: so are the errors" \
    cmp -s <(words "$E2E_WORK/err") "$E2E_WORK/plain.err"
}
both_bundles() {  # [JQ-FILTER]: peer-plain and peer-audit
  local who
  for who in plain audit; do make_bundle "peer-$who" "del(.linux.resources) | ${1:-.}" >/dev/null; done
}
config_of() { echo "$E2E_WORK/bundles/peer-$1/config.json"; }
started() {  # WHAT: create, start and delete are as with the plain runtime
  alike "$1: create" 0 create --bundle "$E2E_WORK/bundles/peer-@" peer-@
  alike "$1: start" 0 start peer-@
  alike "$1: delete" 0 delete --force peer-@
}
log_says() {  # a word of the last line
  tail -n 1 "$E2E_POLICIES/audit/audit.jsonl" 2>/dev/null | grep -qF -- "$1"
}

# --- containers that do not exist, commands that do not exist ---
unknown=1
if [ "$PEER" = runc ]; then unknown=255; fi
alike "exec in no container" "$unknown" exec nowhere true
alike "exec --process in no container" "$unknown" exec --process /nowhere nowhere
alike "update of no container" 1 update --memory 10000000 nowhere
unknown=1
if [ "$PEER" = runc ]; then unknown=3; fi
alike "an unknown command" "$unknown" frobnicate peer
guards "$PEER: an unknown command is recorded" log_says "No help topic for 'frobnicate'"
if [ "$PEER" = runc ]; then
  alike "help for restore" 0 restore -h
fi

# --- bundles that enforce refuses, as somebody else could have written them ---
both_bundles
started "an ordinary bundle"
guards "$PEER: an ordinary bundle is recorded" log_says '"verb":"create"'
for mode in 664 666 775; do
  both_bundles
  chmod "$mode" "$(config_of plain)" "$(config_of audit)"
  started "a config.json of mode $mode"
done
guards "$PEER: what enforce would refuse is recorded" \
  grep -qF 'config.json is writable by others than its owner' "$E2E_POLICIES/audit/audit.jsonl"
both_bundles
chmod 777 "$E2E_WORK"/bundles/peer-plain "$E2E_WORK"/bundles/peer-audit
started "a bundle that everyone may write to"
both_bundles
chown -h 1000:1000 "$E2E_WORK"/bundles/peer-{plain,audit} "$(config_of plain)" "$(config_of audit)"
started "a bundle of another user"
both_bundles
for who in plain audit; do
  mv "$(config_of "$who")" "$E2E_WORK/peers/$who.json"
  ln -s "$E2E_WORK/peers/$who.json" "$(config_of "$who")"
done
started "a config.json behind a link"
both_bundles '.later = 2.50 | .linux.personality = {domain: "LINUX", flags: []}'
started "numbers that nobody knows and an empty list"
holds "$PEER, audit: config.json is unchanged, byte for byte" \
  cmp -s "$(config_of plain)" <(sed 's/peer-audit/peer-plain/' "$(config_of audit)")

# --- flags behind the id ---
both_bundles
if [ "$PEER" = runc ]; then
  alike "create with flags behind the id" 0 create peer-@ --bundle "$E2E_WORK/bundles/peer-@"
else
  alike "create" 0 create --bundle "$E2E_WORK/bundles/peer-@" peer-@
fi
alike "start" 0 start peer-@
if [ "$PEER" = runc ]; then
  # Without its controller, runc fails by itself.
  status=$(has_controller cpu && echo 0 || echo 1)
  alike "update with flags behind the id" "$status" update peer-@ --cpu-period 100000
else
  alike "exec with -e and --env" 0 exec --env A=1 -e B=2 peer-@ /bin/sh -c 'echo $A $B'
fi

# --- documents in pipes ---
printf '{"cwd": "/", "user": {"uid": 0, "gid": 0}, "args": ["echo", "piped"], "env": ["PATH=/bin"]}' \
  >"$E2E_WORK/peers/process.json"
for who in plain audit; do
  program=("$(program_of "$who")" --root "$(root_of "$who")" exec)
  capture bash -c 'exec "$@" -p <(sleep 0.2; cat "$0") "peer-'"$who"'"' "$E2E_WORK/peers/process.json" "${program[@]}"
  holds "$PEER, $who: exec -p <(…)" out_is piped
  capture bash -c 'cat "$0" | "$@" -p /dev/stdin "peer-'"$who"'"' "$E2E_WORK/peers/process.json" "${program[@]}"
  holds "$PEER, $who: exec -p /dev/stdin" out_is piped
done
if [ "$PEER" = runc ]; then
  mkfifo "$E2E_WORK/peers/fifo"
  CAPTURE_SECONDS=20 as audit exec -p "$E2E_WORK/peers/fifo" peer-audit
  guards "audit: a FIFO without a writer is an error with a message" \
    err_has 'a pipe that was not closed within 10 s'
  rm "$E2E_WORK/peers/fifo"
fi
if [ "$PEER" = runc ]; then
  alike "delete with flags behind the id" 0 delete peer-@ --force
else
  alike "delete" 0 delete --force peer-@
  alike "create" 0 create --bundle "$E2E_WORK/bundles/peer-@" peer-@
  alike "delete --regex" 0 delete --force --regex 'peer-.*'
  alike "the container is gone" 1 state peer-@
  exit 0
fi

# --- run is recorded as create and start are ---
bundle=$(make_bundle first '.mounts |= map(select(.type != "bind"))')
"$E2E_RUNTIME" --root "$STATE" run --detach --bundle "$bundle" first >/dev/null 2>&1 </dev/null
pid=$(pid_of first)
second=$(make_bundle second '(.linux.namespaces[] | select(.type == "network")).path = "/proc/'"$pid"'/ns/net"
  | .process.args = ["readlink", "/proc/self/ns/net"]')
capture_runtime run --bundle "$second" second
holds "a container joins the network of one that run created" out_is "$(readlink "/proc/$pid/ns/net")"
discard first
unshare --mount --propagation private "$BASH" "$0" crun
