#!/bin/bash
# The settings of the log: its level, its rotation by size under 32 writers, and the same decisions in the formats
# of Falco and OCSF, each line held against a schema of that format.
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"

CTL=${E2E_PROGRAM%/*}/runcladctl
LOGS=$E2E_WORK/log-settings
LOG=$LOGS/audit.jsonl
mkdir -p "$LOGS"
cp "$E2E_POLICIES/own/policy.json" "$E2E_WORK/own-before-log-settings"
trap 'cp "$E2E_WORK/own-before-log-settings" "$E2E_POLICIES/own/policy.json"' EXIT
log_policy() {  # MODE LOG-MEMBERS
  printf '{"mode": "%s", "log": {"target": "file:%s"%s}}\n' "$1" "$LOG" "${2:+, $2}" \
    >"$E2E_POLICIES/own/policy.json"
  rm -f "$LOGS"/*
}
lines() { if [ -f "${1:-$LOG}" ]; then wc -l <"${1:-$LOG}"; else echo 0; fi; }
own() { RUNTIME=own docker_run "$@"; }
outcomes() { jq -r .outcome "$LOG" 2>/dev/null | sort -u | tr '\n' ' '; }

# --- the level ---
log_policy enforce '"level": "warning"'
own box true
holds "a container starts" succeeded
holds "at level warning, a rewritten container has no line" test "$(lines)" = 0
own -v /:/host box true
guards "a refusal has its line" test "$(outcomes)" = "refused "
log_policy audit '"level": "warning"'
own -v /:/host box true
guards "and so does a refusal that audit does not enforce" test "$(outcomes)" = "would-refuse "
log_policy enforce '"level": "notice"'
own box true
guards "at level notice, a rewritten container has one" test "$(outcomes)" = "rewritten "

# --- rotation: 32 writers lose and tear nothing ---
log_policy enforce '"max-megabytes": 1, "keep": 100'
# Plain runc makes each of these containers.
WRITERS=32 CALLS=5 MOUNTS=60 MORE=160
[ "$E2E_PROVE" = 0 ] || WRITERS=2 CALLS=1 MOUNTS=1 MORE=2
bundle=$(make_bundle large '.mounts += [range('"$MOUNTS"') |
  {destination: "/host/\(.)", type: "bind", source: "/", options: ["rbind"]}]')
own_runtime() { "$E2E_WORK/runtimes/own/runclad" --root "$STATE" "$@"; }
for writer in $(seq "$WRITERS"); do
  for call in $(seq "$CALLS"); do
    own_runtime create --bundle "$bundle" "writer-$writer-$call"
  done >/dev/null 2>&1 &
  writers[writer]=$!
done
for writer in "${writers[@]}"; do wait "$writer"; done
cat "$LOGS"/audit.jsonl* 2>/dev/null | jq -r 'select(.outcome == "refused") | .container' 2>/dev/null |
  sort >"$E2E_WORK/written"
for writer in $(seq "$WRITERS"); do seq -f "writer-$writer-%g" "$CALLS"; done | sort >"$E2E_WORK/expected"
guards "32 writers: every decision has one whole line" cmp "$E2E_WORK/written" "$E2E_WORK/expected"
rotated=$(find "$LOGS" -name 'audit.jsonl-*Z' | wc -l)
guards "the log was renamed at 1 MB ($rotated times)" test "$rotated" -ge 2
# Those that had opened it write their line to it under its new name.
holds "no file has much more than 32 lines more" test -z "$(find "$LOGS" -size +4M)"
log_policy enforce '"max-megabytes": 1, "keep": 2'
for call in $(seq "$MORE"); do own_runtime create --bundle "$bundle" "call-$call" >/dev/null 2>&1; done
guards "of the renamed files two are kept" \
  test "$(find "$LOGS" -name 'audit.jsonl-*Z' | wc -l)" = 2
guards "the newest among them" \
  test "$(cat "$LOGS"/audit.jsonl-*Z "$LOG" 2>/dev/null | tail -n 1 | jq -r .container)" = "call-$MORE"
if [ "$E2E_PROVE" = 1 ]; then
  for id in $(plain list -q); do discard "$id"; done  # plain runc has made them
fi

# --- the formats of other programs ---
everything() {  # what a log can have: each outcome, an error, exec with repeats, names and pods
  own box true
  own -v /:/host box true
  RUNTIME=own docker_start settings
  for _ in 1 2 3; do docker exec settings true; done >/dev/null 2>&1
  docker exec --privileged settings true >/dev/null 2>&1
  docker_remove settings
  own_runtime create --bundle "$bundle" by-hand >/dev/null 2>&1
  discard by-hand
  sed -i 's/"mode": "enforce"/"mode": "audit"/' "$E2E_POLICIES/own/policy.json"
  own -v /:/host box true
  own box true
  own_runtime no-such-verb x >/dev/null 2>&1
  own_runtime create --bundle /nowhere by-hand >/dev/null 2>&1
}
for format in falco ocsf json; do
  log_policy enforce "\"forward\": {\"format\": \"$format\", \"target\": \"file:$LOGS/$format.json\"}"
  everything
  guards "$format: the log has each outcome" \
    test "$(outcomes)" = "error refused rewritten would-refuse would-rewrite "
  guards "$format: a line for each in the other file" \
    test "$(lines "$LOGS/$format.json")" = "$(lines)" -a -s "$LOG"
  [ "$format" = json ] || [ "$E2E_PROVE" = 1 ] ||
    holds "$format: every line conforms to its schema" \
      "$E2E_DIR/../log_lines.py" --format "$format" "$LOGS/$format.json"
  # The programs read their own format, whatever is forwarded.
  capture "$CTL" why --config "$E2E_POLICIES/own" --last
  guards "$format: why reads the log" succeeded
done
guards "json is the log's own line" cmp -s "$LOG" "$LOGS/json.json"

# --- a second target that takes nothing stops nothing ---
log_policy enforce '"required": true, "forward": {"format": "falco", "target": "file:/no/such/directory/f"}'
own box true
holds "a container starts although its decision cannot be forwarded" succeeded
guards "and is logged" test "$(lines)" = 1
printf '{"log": {"target": "syslog", "forward": {"format": "json", "target": "file:%s"}}}\n' "$LOG" \
  >"$E2E_POLICIES/own/policy.json"
rm -f "$LOGS"/*
own -v /:/host box true
capture "$CTL" why --config "$E2E_POLICIES/own" --last
guards "why reads a copy of a log that goes elsewhere" out_has host-mounts
capture "$CTL" policy lint "$E2E_POLICIES/own"
holds "lint says that this host has no syslog" out_has "log/target is syslog"

# --- places that are not the log's ---
other_log() {  # LOG-MEMBERS
  printf '{"log": {%s}}\n' "$1" >"$E2E_POLICIES/own/policy.json"
  capture "$CTL" policy lint "$E2E_POLICIES/own"
}
mkdir -p "$E2E_SRV/logs"
other_log '"target": "file:'"$E2E_SRV"'/logs/audit.jsonl"'
holds "lint says that containers may mount the log's directory" out_has "runclad writes the log as root"
capture "$CTL" doctor --config "$E2E_POLICIES/own" --only log/exposed
holds "and so does doctor" out_has "a container that mounts"
other_log '"target": "file:'"$LOG"'", "forward": {"format": "json", "target": "file:'"$E2E_SRV"'/logs/copy"}'
holds "lint says the same of the directory of the forwarded copy" out_has "runclad writes the log as root"
: >"$LOG" && ln -f "$LOG" "$LOGS/hard" && ln -sf "$LOG" "$LOGS/link"
for same in "$LOGS/hard" "$LOGS/link" "$LOGS//audit.jsonl"; do
  other_log '"target": "file:'"$LOG"'", "forward": {"format": "json", "target": "file:'"$same"'"}'
  holds "lint says that ${same#"$LOGS"} is the log itself" out_has "is the log itself"
  capture "$CTL" doctor --config "$E2E_POLICIES/own" --only log/forward
  holds "and so does doctor" out_has "to the log itself"
done
other_log '"target": "file:/var/log/runclad/forward.jsonl", "forward": {"format": "json", "target": "syslog"}'
holds "lint names another file than the log's for the forward" out_has "file:/var/log/runclad/copy.jsonl"
other_log '"target": "file:'"$LOGS"'/not/yet/there.jsonl"'
capture "$CTL" doctor --config "$E2E_POLICIES/own" --only log/writable
holds "doctor says that the directory above the log's is missing" out_has "$LOGS/not does not exist"
rm -rf "$E2E_SRV/logs"
