#!/bin/bash
# Mode audit changes no byte and logs what enforce would do; enforce logs what it did.
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"

AUDIT=$E2E_POLICIES/audit/audit.jsonl
ENFORCED=$E2E_POLICIES/runclad/audit.jsonl
rm -f "$AUDIT" "$ENFORCED"
audit_runtime() { capture "$E2E_WORK/runtimes/audit/runclad" --root "$STATE" "$@"; }
lines() { if [ -f "$1" ]; then wc -l <"$1"; else echo 0; fi; }
# A finding in the last line of a log: last_line_has FILE RULE
last_line_has() { tail -n 1 "$1" 2>/dev/null | jq -e -s --arg rule "$2" \
  '[.. | objects | select(.rule? == $rule)] | length > 0' >/dev/null; }

# --- audit: byte for byte ---
make_bundle watched '.mounts += [{destination: "/host", type: "bind", source: "/", options: ["rbind"]}]
  | .process.capabilities |= map_values(["CAP_CHOWN", "CAP_NET_BIND_SERVICE"])' >/dev/null
document=$E2E_WORK/bundles/watched/config.json
cp -p "$document" "$E2E_WORK/before.json"
before=$(stat -c '%i %Y %a %u' "$document")
audit_runtime create --bundle "$E2E_WORK/bundles/watched" watched
holds "audit creates what enforce would refuse" succeeded
holds "audit leaves config.json byte for byte" cmp -s "$document" "$E2E_WORK/before.json"
holds "and does not even replace it" test "$(stat -c '%i %Y %a %u' "$document")" = "$before"
guards "audit writes one line" test "$(lines "$AUDIT")" = 1
guards "it names the mode audit" log_has audit '.mode == "audit"'
guards "it names the container" log_has audit '.container == "watched"'
guards "it says that enforce would have refused" log_has audit 'tojson | test("refuse")'
for rule in host-mounts capabilities no-new-privileges seccomp read-only-rootfs; do
  guards "it has a finding of the rule $rule" last_line_has "$AUDIT" "$rule"
done
audit_runtime start watched
holds "it starts" succeeded
holds "with the capabilities that were asked for" test "$(host_field watched CapBnd)" = 0000000000000401
audit_runtime exec watched test -f /host/etc/debian_version
holds "and with its bind mount" succeeded
audit_runtime delete --force watched
RUNTIME=audit docker_run -v /:/host box sh -c 'grep -E "Cap|NoNew" /proc/self/status'
holds "audit under Docker runs what enforce refuses" succeeded
holds "and changes nothing" status_field NoNewPrivs 0
guards "and its line names docker" log_has audit '.engine == "docker"'
make_bundle twofold >/dev/null
sed -i 's/"noNewPrivileges": false/"noNewPrivileges": true, "NoNewPrivileges": false/' \
  "$E2E_WORK/bundles/twofold/config.json"
audit_runtime create --bundle "$E2E_WORK/bundles/twofold" twofold
guards "a document that can be read in two ways is refused in audit too" failed
discard twofold

# --- enforce: what was done, one line a decision ---
docker_run box true
guards "one line for a run" test "$(lines "$ENFORCED")" = 1
guards "it names the mode enforce" log_has runclad '.mode == "enforce"'
guards "it names rule, path, before and after" log_has runclad \
  '[.. | objects | select(.rule? == "no-new-privileges" and .path? == "/process/noNewPrivileges"
    and .after? == true)] | length == 1'
guards "it names the engine" log_has runclad '.engine == "docker"'
docker_run -v /:/host box true
guards "a line for a refusal" test "$(lines "$ENFORCED")" = 2
guards "which says that it was refused" log_has runclad '.outcome == "refused"'
docker_run -e SECRET_TOKEN=hunter2-hunter2 box true
guards "a line for it, without the environment's values" \
  test "$(lines "$ENFORCED")/$(grep -c hunter2 "$ENFORCED" 2>/dev/null)" = 3/0
guards "every line is one JSON object" test "$(jq -c 'objects' "$ENFORCED" 2>/dev/null | wc -l)" = 3
guards "no other user may write to the log" test "$(find "$ENFORCED" ! -perm /022 2>/dev/null)" = "$ENFORCED"
before=$(lines "$ENFORCED")
for n in $(seq 16); do
  docker run --rm --network none --runtime runclad box true >/dev/null 2>&1 &
  pids[n]=$!
done
for n in $(seq 16); do wait "${pids[n]}"; done
guards "16 at once: 16 whole lines more" \
  test "$(jq -c 'objects' "$ENFORCED" 2>/dev/null | wc -l)" = "$((before + 16))"

# --- equal decisions about exec, one after the other, are one line and a count ---
docker_start checked
before=$(lines "$ENFORCED")
for _ in 1 2 3 4 5; do docker exec checked true >/dev/null; done
guards "five equal execs have one line" test "$(lines "$ENFORCED")" = "$((before + 1))"
docker exec --privileged checked true >/dev/null 2>&1
guards "one that differs has its own, behind the count" test "$(lines "$ENFORCED")" = "$((before + 3))"
guards "which says how many there were, and when" log_has runclad \
  '.verb == "exec" and .repeats.count == 4 and .repeats.first <= .repeats.last'
docker exec --privileged checked true >/dev/null 2>&1
docker_remove checked
guards "what was counted is logged when the container is deleted" log_has runclad \
  '.verb == "exec" and .repeats.count == 1'
