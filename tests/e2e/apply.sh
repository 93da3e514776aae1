#!/bin/bash
# A policy is put in force in one step, after a trial on the running containers; a broken policy falls
# back to a copy if the policy allows that; the break-glass switch suspends enforcement for a time.
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"

CTL=${E2E_PROGRAM%/*}/runcladctl
DIRECTORY=$E2E_POLICIES/own
NEW=$E2E_WORK/new-policy
LOG="\"log\": {\"target\": \"file:$DIRECTORY/audit.jsonl\"}"
export RUNTIME=own
policy() { capture "$CTL" policy "$@" --config "$DIRECTORY" --state "$E2E_WORK/policies-state"; }
write_new() {
  rm -rf "$NEW" && mkdir -p "$NEW" && cp -r "$DIRECTORY/policy.d" "$NEW" &&
    printf '%s\n' "$1" >"$NEW/policy.json"
}
refuses_data() { docker_run -v "$E2E_SRV/data:/x" box true && refused host-mounts '/mounts/[0-9]+/source' "$E2E_SRV/data"; }
mkdir -p "$E2E_SRV/data"
printf '{%s}\n' "$LOG" >"$DIRECTORY/policy.json"
docker_start data -v "$E2E_SRV/data:/x"
holds "a container runs under the files of the policy directory" succeeded

# --- tried, applied, rolled back ---
write_new "{$LOG, \"rules\": {\"host-mounts\": {\"deny\": [\"$E2E_SRV/data\"]}}}"
policy apply "$NEW"
holds "a policy that would refuse a running container is not applied" status_is 2
holds "it is named" grep -q 'docker data .*would newly be refused' <<<"$OUT"
holds "with the reason" grep -qF -- '+ refused by host-mounts' <<<"$OUT"
docker_run -v "$E2E_SRV/data:/x" box true
holds "and nothing has changed" succeeded
policy apply --force "$NEW"
holds "--force applies it" succeeded
guards "and it is in force" refuses_data
printf '{ broken\n' >"$DIRECTORY/policy.json"
guards "a typo in the policy directory changes nothing" refuses_data
write_new "{$LOG, \"rules\": { \"capabilitys\": {}}}"
policy apply "$NEW"
holds "a policy with a fault is not applied" status_is 1
holds "and the fault is printed" out_has 'did you mean "capabilities"?'
guards "what was in force still is" refuses_data
write_new "{$LOG, \"fallback\": \"last-good\"}"
policy apply "$NEW"
holds "a policy that refuses less is applied" succeeded
holds "and the difference is printed" out_has 'would no longer be refused'
docker_run -v "$E2E_SRV/data:/x" box true
holds "it is in force" succeeded
policy rollback
guards "rollback puts the one before in force" refuses_data
policy apply "$NEW"
holds "and it can be applied again" succeeded

# --- a create reads one revision, whatever is applied meanwhile ---
for name in a:KILL:nobody b:CHOWN:other; do
  IFS=: read -r name capability user <<<"$name"
  mkdir -p "$E2E_WORK/$name/policy.d"
  printf '{"rules": {"capabilities": {"allow": ["%s"]}}}\n' "$capability" >"$E2E_WORK/$name/policy.json"
  printf '{"rules": {"host-mounts": {"allow": ["/srv/%s"]}}}\n' "$user" >"$E2E_WORK/$name/policy.d/x.json"
done
flip() {
  local name
  for _ in 1 2 3 4 5 6; do
    for name in a b; do
      "$CTL" policy apply --force "$E2E_WORK/$name" --config "$E2E_WORK/flipped" --state "$E2E_WORK/flipped-state" >/dev/null
    done
  done
}
mkdir "$E2E_WORK/flipped"
flip &
FLIPPING=$!
mixed=0 seen=
while kill -0 "$FLIPPING" 2>/dev/null; do
  pair=$("$CTL" policy show --json --config "$E2E_WORK/flipped" |
    jq -rc '[.values["capabilities/allow"].value, .values["host-mounts/allow"].value]')
  case "$pair" in
    '[["CAP_KILL"],["/srv/nobody"]]' | '[["CAP_CHOWN"],["/srv/other"]]') seen="$seen $pair" ;;
    *NET_BIND_SERVICE*) ;; # before the first
    *) mixed=$((mixed + 1)) ;;
  esac
done
wait "$FLIPPING"
holds "no reader sees files of two revisions" test "$mixed" -eq 0
holds "and both were seen" test "$(tr ' ' '\n' <<<"$seen" | sort -u | grep -c .)" -eq 2

# --- a revision that breaks ---
applied=$(readlink "$DIRECTORY/applied")
printf '{ broken\n' >"$applied/policy.json"
docker_run box grep NoNew /proc/self/status
holds "with fallback, a broken policy stops no container" succeeded
guards "the copy applies" status_field NoNewPrivs 1
guards "the log says so" log_has own '.fallback // "" | contains("policy.json line 1")'
rm -rf "$applied/../copy"
docker_run box true
guards "without a copy, it is refused" status_is 125
policy rollback
holds "rollback mends it" succeeded
policy rollback --files
holds "rollback to broken files is refused" failed
printf '{%s}\n' "$LOG" >"$DIRECTORY/policy.json"
policy rollback --files
holds "rollback to good ones works" succeeded
docker_run -v "$E2E_SRV/data:/x" box true
holds "and they take effect" succeeded

# --- break-glass ---
glass() { capture "$CTL" break-glass "$@"; }
docker_run -v /etc:/x box true
guards "a mount of /etc is refused" refused host-mounts '/mounts/[0-9]+/source' /etc
glass --for 25h --reason x
holds "break-glass is for at most 24 hours" failed
glass --for 1h
holds "and only with a reason" failed
# An engine creates a missing source of a bind mount before the runtime is asked.
if [ "$E2E_PROVE" != 1 ]; then
  docker_run -v /run/runclad/break-glass.json:/x box true
  holds "a container's user puts a directory in the switch's place" test -d /run/runclad/break-glass.json
fi
glass --for 10m --reason INC-4711
holds "break-glass" succeeded
glass
holds "it is shown" out_has INC-4711
policy status
holds "policy status shows it" out_has INC-4711
capture "$CTL" doctor --only policy/break-glass
holds "doctor calls it critical" status_is 2
holds "and gives the reason" out_has INC-4711
docker_run -v /etc:/x box test -e /x/passwd
holds "with break-glass, a mount of /etc is not refused" succeeded
guards "each log line says why" log_has own '.breakGlass == "INC-4711" and .mode == "audit" and .verb == "create"'
docker_start made -v /etc:/x
capture docker exec data grep NoNew /proc/self/status
holds "nor is exec limited" status_field NoNewPrivs 0
printf '{ broken\n' >"$DIRECTORY/policy.json"
docker_run box true
holds "nor does a broken policy stop containers" succeeded
printf '{%s}\n' "$LOG" >"$DIRECTORY/policy.json"
chmod 666 /run/runclad/break-glass.json
docker_run -v /etc:/x box true
guards "a switch that others could have written is off" refused host-mounts '/mounts/[0-9]+/source' /etc
glass --end
holds "break-glass is ended" succeeded
docker_run -v /etc:/x box true
guards "and everything is enforced again" refused host-mounts '/mounts/[0-9]+/source' /etc
capture docker exec made grep NoNew /proc/self/status
guards "also exec into a container that was created meanwhile" status_field NoNewPrivs 1
capture docker stop -t 0 made
holds "which can be stopped" succeeded
docker_remove made data
