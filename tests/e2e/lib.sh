# shellcheck shell=bash
# Assertions of the end-to-end tests; every topic file sources this first. run.sh has started the
# engines and exports what they are reached by:
#
#   E2E_WORK      root-owned directory of this run (tmpfs)
#   E2E_SRV       directory on the host's root filesystem, the place of harmless bind mounts
#   E2E_RUNTIME   what bundles are run with by hand: a program that takes runc's command line
#   E2E_PLAIN     the lower runtime, runc
#   E2E_PROVE     1: E2E_RUNTIME is plain runc, and every `guards` has to fail (see below)
#   DOCKER_HOST   the dockerd of this run; its runtimes are runclad, audit, baseline, own, plain
#   E2E_POLICIES  the policy directories of those runtimes, one each
#
# Two kinds of assertion:
#   holds  DESCRIPTION COMMAND…   is true under runclad and under plain runc: what must go on working
#   guards DESCRIPTION COMMAND…   is true because runclad is there. Under --prove it passes when the
#                                 command FAILS: the attack works without us, so the test can fail.
#
#   covers RULE…                  the rules of the catalogue that the `guards` after it are about; a
#                                 whole run fails when a rule has none that passed
set -u
# shellcheck source=tests/e2e/cgroups.sh
. "${E2E_DIR:?}/cgroups.sh"

COVERS=()
STATUS=0
OUT=
ERR=

record() {  # ok|not-ok DESCRIPTION [guards]
  printf '%s\n' "$1" >>"$E2E_WORK/results"
  if [ "$1" = ok ]; then
    printf 'ok - %s\n' "$2"
    [ "${3:-}" != guards ] || printf '%s\n' "${COVERS[@]}" >>"$E2E_WORK/covered"
  else
    printf 'not ok - %s\n' "$2"
    printf '%s: %s\n' "${0##*/}" "$2" >>"$E2E_WORK/failures"
    {
      printf 'status %s\n' "$STATUS"
      [ -z "$OUT" ] || printf 'stdout: %.2000s\n' "$OUT"
      [ -z "$ERR" ] || printf 'stderr: %.2000s\n' "$ERR"
    } | sed 's/^/#   /'
  fi
}

holds() {
  local description=$1
  shift
  "$@"
  case $? in
    0) record ok "$description" ;;
    "$UNDECIDED") record_undecided "$description" ;;
    *) record not-ok "$description" ;;
  esac
}

covers() { COVERS=("$@"); }

guards() {
  local description=$1
  shift
  "$@"
  case $?,$E2E_PROVE in
    "$UNDECIDED",*) record_undecided "$description" ;;
    0,0) record ok "$description" guards ;;
    0,1) record not-ok "$description (true without runclad as well: proves nothing)" ;;
    *,1) record ok "not so under plain runc: $description" guards ;;
    *) record not-ok "$description" ;;
  esac
}

# What a condition on output returns when the command succeeded and printed nothing: the output may have been
# lost (ctr loses that of a short task now and then), so neither what it has nor what it lacks proves anything.
UNDECIDED=93
record_undecided() { record not-ok "$1 (no output and status 0: proves nothing)"; }
printed_nothing() { [ "$STATUS" -eq 0 ] && [ -z "$OUT$ERR" ]; }
# Runs a command that captures, for ctr: up to three times, until something is printed.
until_printed() {
  local try
  for try in 1 2 3; do
    "$@"
    printed_nothing || return 0
    printf '# try %s printed nothing: %s\n' "$try" "$*"
  done
}

# Runs a command, keeps STATUS, OUT and ERR; the bytes stay in $E2E_WORK/out and $E2E_WORK/err.
capture() {
  timeout -k 5 "${CAPTURE_SECONDS:-240}" "$@" >"$E2E_WORK/out" 2>"$E2E_WORK/err" </dev/null
  STATUS=$?
  OUT=$(tr -d '\0' <"$E2E_WORK/out")
  ERR=$(tr -d '\0' <"$E2E_WORK/err")
}

# Conditions on what was captured last.
# jq -e of no input at all has status 0 before jq 1.7, as if the condition held.
jq() {
  if [ "$1" != -e ]; then
    command jq "$@"
    return
  fi
  local output status
  output=$(command jq "$@")
  status=$?
  printf '%s\n' "$output"
  [ -n "$output" ] && return "$status"
}
succeeded() { [ "$STATUS" -eq 0 ]; }
failed() { [ "$STATUS" -ne 0 ]; }
status_is() { [ "$STATUS" -eq "$1" ]; }
out_has() {
  ! printed_nothing || return "$UNDECIDED"
  grep -qF -- "$1" <<<"$OUT"
}
out_lacks() { not out_has "$1"; }
out_is() {
  [ -z "$1" ] || ! printed_nothing || return "$UNDECIDED"
  [ "$OUT" = "$1" ]
}
err_has() { grep -qF -- "$1" <<<"$ERR"; }
err_is_empty() { [ ! -s "$E2E_WORK/err" ]; }
err_is_one_line() { [ "$(wc -l <"$E2E_WORK/err")" -eq 1 ]; }
# The value of a field of /proc/self/status in OUT: status_field CapBnd 0000000000000400
status_field() {
  ! printed_nothing || return "$UNDECIDED"
  [ "$(awk -v f="$1:" '$1 == f {print $2; exit}' <<<"$OUT")" = "$2" ]
}
# A set of capabilities in OUT holds nothing that `restricted` does not allow.
has_at_most_net_bind_service() {  # CapBnd|CapEff …
  local bits
  ! printed_nothing || return "$UNDECIDED"
  bits=$(awk -v f="$1:" '$1 == f {print $2; exit}' <<<"$OUT")
  [ -n "$bits" ] && (((16#$bits & ~16#400) == 0))
}

# The sentence of a refusal, in whatever the engine wraps it:
#   refused RULE POINTER-REGEX VALUE   (VALUE as it stands in the document, without the quotes)
refused() {
  failed && grep -qE -- "runclad: refused by $1: $2 " <<<"$ERR" && grep -qF -- "$3" <<<"$ERR"
}

not() {
  "$@"
  case $? in
    0) return 1 ;;
    "$UNDECIDED") return "$UNDECIDED" ;;
    *) return 0 ;;
  esac
}

# A condition that becomes true: eventually SECONDS COMMAND…, on an idle machine. A busy one has PATIENCE times as long.
PATIENCE=5
eventually() {
  local deadline=$((SECONDS + PATIENCE * $1))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$deadline" ] || return 1
    sleep 0.1
  done
}

# docker run of the test image without network, through the runtime under test. RUNTIME=audit … for
# another policy, NETWORK=host … for another network.
docker_run() {
  capture docker run --rm --network "${NETWORK:-none}" --runtime "${RUNTIME:-runclad}" "$@"
}
# A container that lives until it is removed.
docker_start() {  # NAME OPTION…
  local name=$1
  shift
  capture docker run -d --name "$name" --network none --runtime "${RUNTIME:-runclad}" "$@" \
    box sleep 600
}
docker_remove() { docker rm -f "$@" >/dev/null 2>&1; }

# A line of the decision log as a whole: log_has RUNTIME JQ-CONDITION
log_has() { jq -e -s "any(.[]; $2)" "$E2E_POLICIES/$1/audit.jsonl" >/dev/null 2>&1; }

# --- which engines these are -----------------------------------------------------------------------

# What an engine's version alone decides is asked for by version: engine_is docker 28 (or later).
engine_is() {
  [ "$(printf '%s\n' "$2" "$(engine_version "$1")" | sort -V | head -n 1)" = "$2" ]
}
engine_version() {
  case "$1" in
    docker) docker version --format '{{.Server.Version}}' ;;
    containerd) containerd --version | awk '{print $3}' ;;
    podman) podman --version | awk '{print $3}' ;;
    runc) "$E2E_PLAIN" --version | awk 'NR == 1 {print $3}' ;;
  esac
}

# --- limits, in either layout of cgroups --------------------------------------------------------

# The file of a limit, in a container's own view or (with ID) on the host: limit_file KIND [ID]
limit_file() {  # pids|memory|cpu|cpuset [ID]
  local file=pids.max below=${2:+$E2E_CGROUP/$2}
  if cgroup_is_v2; then
    case "$1" in memory) file=memory.max ;; cpu) file=cpu.max ;; cpuset) file=cpuset.cpus ;; esac
    printf '/sys/fs/cgroup%s/%s\n' "$below" "$file"
  else
    case "$1" in
      memory) file=memory.limit_in_bytes ;; cpu) file=cpu.cfs_quota_us ;; cpuset) file=cpuset.cpus ;;
    esac
    printf '/sys/fs/cgroup/%s%s/%s\n' "$1" "$below" "$file"
  fi
}
limit_of() { cut -d' ' -f1 "$(limit_file "$1" "$2")"; }  # KIND ID; of cpu.max the quota alone

# Says what is left out without it: needs_controller KIND WHAT || …
needs_controller() {
  has_controller "$1" && return
  printf '# left out, for there is no %s controller: %s\n' "$1" "$2" | tee -a "$E2E_WORK/left-out"
  return 1
}

# ctr gives a container CPU shares that nobody asked for, also where they cannot be set.
CTR_RUN=(ctr run)
has_controller cpu || CTR_RUN+=(--cpu-shares 0)

# A policy that a topic makes for itself asks for no limit of processes where none can be set.
without_missing_limits() {  # DIRECTORY
  has_controller pids && return
  mkdir -p "$1/policy.d"
  printf '{"rules": {"pids-limit": {"action": "warn"}}}\n' >"$1/policy.d/limits.json"
}

# --- bundles by hand -----------------------------------------------------------------------------

# A bundle with the test image's files: make_bundle NAME [JQ-FILTER]; prints its directory. The
# document is what `runc spec` writes, for `sleep 600` in a cgroup of this run.
make_bundle() {
  local bundle=$E2E_WORK/bundles/$1
  rm -rf "$bundle"
  mkdir -p "$bundle"
  cp -a "$E2E_WORK/rootfs" "$bundle/rootfs"
  (cd "$bundle" && "$E2E_PLAIN" spec)
  jq --arg cgroup "$E2E_CGROUP/$1" \
    '.process.terminal = false | .process.args = ["sleep", "600"]
     | .linux.cgroupsPath = $cgroup | .root.readonly = false | .process.noNewPrivileges = false
     | del(.process.rlimits) | '"${2:-.}" "$bundle/config.json" >"$bundle/config.new"
  mv "$bundle/config.new" "$bundle/config.json"
  printf '%s\n' "$bundle"
}

# The runtime under test and plain runc on the same state directory.
STATE=$E2E_WORK/state
runtime() { "$E2E_RUNTIME" --root "$STATE" "$@"; }
plain() { "$E2E_PLAIN" --root "$STATE" "$@"; }
export -f runtime plain
export STATE
# capture, for the two functions above
capture_runtime() { capture "$E2E_RUNTIME" --root "$STATE" "$@"; }
capture_plain() { capture "$E2E_PLAIN" --root "$STATE" "$@"; }
# create and exec hand their stdio to the container, which would keep a pipe open: they get files.
discard() { "$E2E_PLAIN" --root "$STATE" delete --force "$1" >/dev/null 2>&1; }
pid_of() { "$E2E_PLAIN" --root "$STATE" state "$1" 2>/dev/null | jq -r '.pid // empty'; }
state_of() { "$E2E_PLAIN" --root "$STATE" state "$1" 2>/dev/null | jq -r '.status // empty'; }
state_is() { [ "$(state_of "$1")" = "$2" ]; }
# A field of /proc/PID/status of a container's first process: host_field ID FIELD
host_field() { awk -v f="$2:" '$1 == f {print $2}' "/proc/$(pid_of "$1")/status" 2>/dev/null; }
