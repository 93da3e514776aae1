#!/bin/bash
# The policy that was written is the policy that applies; one that cannot be read stops what it would
# have judged, and never prevents a container from being stopped.
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"

DIRECTORY=$E2E_POLICIES/own
LOG="\"log\": {\"target\": \"file:$DIRECTORY/audit.jsonl\"}"
write_policy() { printf '%s\n' "$1" >"$DIRECTORY/policy.json"; }
own_runtime() { capture "$E2E_WORK/runtimes/own/runclad" --root "$STATE" "$@"; }
export RUNTIME=own

# --- what can be said ---
write_policy "{\"extends\": \"restricted\", $LOG,
  \"rules\": {\"capabilities\": {\"allow\": [\"net_bind_service\", \"CAP_KILL\"]}}}"
docker_run box grep -E 'Cap|NoNew' /proc/self/status
guards "capabilities.allow replaces the list" status_field CapBnd 0000000000000420
write_policy "{\"extends\": \"restricted\", $LOG, // the host's own
  \"rules\": {\"host-mounts\": {\"deny\": [\"$E2E_SRV/secrets\"]}}}"
mkdir -p "$E2E_SRV/secrets/below" "$E2E_SRV/open"
for source in "$E2E_SRV/secrets" "$E2E_SRV/secrets/below" "$E2E_SRV" / /etc; do
  docker_run -v "$source:/x" box true
  guards "with a deny list of the host's own, -v $source is refused" \
    refused host-mounts '/mounts/[0-9]+/source' "\"$source\""
done
docker_run -v "$E2E_SRV/open:/x" box true
holds "and what is beside it is mounted" succeeded
ln -sfn "$E2E_SRV/secrets" "$E2E_SRV/open/link"
docker_run -v "$E2E_SRV/open/link:/x" box true
guards "and a link to it is refused" refused host-mounts '/mounts/[0-9]+/source' open/link
write_policy "{\"extends\": \"restricted\", $LOG,
  \"rules\": {\"host-mounts\": {\"allow\": [\"/var/spool\"]}}}"
docker_run -v /var/spool:/x box true
holds "host-mounts.allow opens one tree" succeeded
docker_run -v /var/log:/x box true
guards "and no other" refused host-mounts '/mounts/[0-9]+/source' '"/var/log"'
docker_run -v /:/x box true
guards "and not /" refused host-mounts '/mounts/[0-9]+/source' '"/"'
write_policy "{\"extends\": \"restricted\", $LOG,
  \"rules\": {\"no-new-privileges\": {\"action\": \"off\"}, \"read-only-rootfs\": {\"action\": \"warn\"}}}"
docker_run box sh -c 'echo x >/written && grep NoNew /proc/self/status'
holds "the host's policy can turn a rule off" status_field NoNewPrivs 0

# --- what cannot be read, while a container of a good policy lives ---
write_policy "{\"extends\": \"restricted\", $LOG, \"rules\": {}}"
docker_start living
bundle=$(make_bundle by-hand)
own_runtime create --bundle "$bundle" by-hand
holds "a container is created under a good policy" succeeded
own_runtime start by-hand
plain_bundle=$(make_bundle older)
capture_plain create --bundle "$plain_bundle" older
capture_plain start older

broken() {  # WHAT PATTERN: the policy is broken now, in a way that the sentence names
  docker_run box true
  guards "$1: docker run is refused" status_is 125
  guards "$1: the sentence names file and place" grep -qE -- "$2" <<<"$ERR"
  make_bundle victim >/dev/null
  own_runtime create --bundle "$E2E_WORK/bundles/victim" victim
  guards "$1: create is refused" failed
  guards "$1: no container was created" state_is victim ""
  discard victim
  own_runtime run --detach --bundle "$E2E_WORK/bundles/victim" victim
  guards "$1: run is refused" failed
  discard victim
  own_runtime exec older true
  guards "$1: exec without a record is refused" failed
  own_runtime exec by-hand true
  holds "$1: exec with a record works" succeeded
  capture docker exec living true
  holds "$1: docker exec works" succeeded
  own_runtime state by-hand
  holds "$1: state works" succeeded
}
NAME=$DIRECTORY/policy.json
NAMED="policy $DIRECTORY(/|: )policy.json"  # where no line is to blame
write_policy '{
  "extends": "restricted",
  "rules": {
}'
broken "a malformed policy" 'policy.json( line |:)[45]'
write_policy '{
  "extends": "restricted",
  "rules": { "capabilites": { "action": "off" } }
}'
broken "an unknown rule" 'policy.json( line |:)3.*"capabilities"'
write_policy '{
  "extends": "restricted",
  "rules": { "capabilities": { "alow": ["KILL"] } }
}'
broken "an unknown parameter" 'policy.json( line |:)3.*"allow"'
write_policy '{
  "extends": "restrictive"
}'
broken "an unknown profile" 'policy.json( line |:)2.*restricted'
write_policy '{
  "mode": "of"
}'
broken "an unknown mode" 'policy.json( line |:)2'
write_policy '{
  "rules": { "capabilities": { "allow": ["KILLL"] } }
}'
broken "an unknown capability" 'policy.json( line |:)2.*KILL'
write_policy "{\"extends\": \"restricted\", $LOG, \"rules\": {}}"
chmod 666 "$NAME"
broken "a world-writable policy" "$NAMED"
chmod 644 "$NAME"
chown 1000 "$NAME"
broken "a policy of another owner" "$NAMED"
chown 0 "$NAME"
chmod 777 "$DIRECTORY"
broken "a policy in a world-writable directory" "$DIRECTORY"
chmod 755 "$DIRECTORY"
mv "$NAME" "$E2E_WORK/policy.aside"
mkdir "$NAME"
broken "a policy that is a directory" "$NAMED"
rmdir "$NAME"
mkfifo "$NAME"
CAPTURE_SECONDS=10 broken "a policy that is a pipe" "$NAMED"
rm "$NAME"
ln -s /nowhere "$NAME"
broken "a policy that is a dangling link" "$NAMED"

# Still broken: everything can be stopped.
own_runtime kill by-hand KILL
holds "with a broken policy, kill works" eventually 5 state_is by-hand stopped
own_runtime delete by-hand
holds "with a broken policy, delete works" state_is by-hand ""
capture docker stop -t 1 living
holds "with a broken policy, docker stop works" succeeded
capture docker rm living
holds "with a broken policy, docker rm works" succeeded
rm "$NAME"

# --- no policy at all: the compiled-in default ---
docker_run box grep -E 'Cap|NoNew' /proc/self/status
guards "without any policy: CapBnd" status_field CapBnd 0000000000000400
docker_run -v /:/x box true
guards "without any policy: -v / is refused" refused host-mounts '/mounts/[0-9]+/source' '"/"'
discard older
mv "$E2E_WORK/policy.aside" "$NAME"

# --- a checkout is copied for its reader alone: its owner could have put a link in a file's place meanwhile ---
mkdir -p "$E2E_WORK/checkout/images"
printf '{}\n' >"$E2E_WORK/checkout/policy.json"
capture strace -f -e trace=chmod,fchmodat -o "$E2E_WORK/copied" "${E2E_PROGRAM%/*}/runcladctl" policy lint --ci "$E2E_WORK/checkout"
holds "a checkout is linted" succeeded
holds "its copy is its reader's" test "$(grep -oE '0[0-7]{3}' "$E2E_WORK/copied" | sort -u | xargs)" = "0600 0700"
