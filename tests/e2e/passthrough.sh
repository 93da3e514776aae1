#!/bin/bash
# Verbs without authority are runc's own, byte for byte; and what every caller may rely on when
# a request is refused.
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"

# same ARGUMENT…: stdout, stderr and exit status are plain runc's.
same() {
  capture_plain "$@"
  local status=$STATUS
  mv "$E2E_WORK/out" "$E2E_WORK/plain.out"
  mv "$E2E_WORK/err" "$E2E_WORK/plain.err"
  capture_runtime "$@"
  holds "$* is runc's own" test "$status" -eq "$STATUS"
  holds "$*: stdout byte for byte" cmp -s "$E2E_WORK/out" "$E2E_WORK/plain.out"
  # runc stamps its own error lines with the time.
  holds "$*: stderr byte for byte" cmp -s <(sed 's/time="[^"]*"//' "$E2E_WORK/err") \
    <(sed 's/time="[^"]*"//' "$E2E_WORK/plain.err")
}
bundle=$(make_bundle pass)
capture_runtime create --bundle "$bundle" pass
capture_runtime start pass
# The version is runc's own too, byte for byte, and one more line: runclad's.
same_version() {
  capture_plain "$1"
  cp "$E2E_WORK/out" "$E2E_WORK/plain.out"
  capture_runtime "$1"
  holds "$1 starts with runc's own lines" \
    cmp -s <(head -n "$(wc -l <"$E2E_WORK/plain.out")" "$E2E_WORK/out") "$E2E_WORK/plain.out"
  guards "$1 closes with runclad's release and commit" \
    grep -qE '^runclad: [0-9]+[.][0-9]+[.][0-9]+(-rc[.][0-9]+)?( .commit [0-9a-f]{12}.)?$' \
    <(tail -n "+$(($(wc -l <"$E2E_WORK/plain.out") + 1))" "$E2E_WORK/out")
}
same_version --version
same_version -v
same --help
same -h
same features
same state pass
same state no-such-container
same list
same list --format json
same list -q
same ps pass -eo pid,ppid,args  # without the share of the processor, which changes
same ps --format json pass
capture_runtime events --stats pass
holds "events --stats" jq -e ".type == \"stats\"" "$E2E_WORK/out"
same kill no-such-container KILL
same pause no-such-container
same help
same create --help
capture_runtime pause pass
holds "pause" state_is pass paused
capture_runtime resume pass
holds "resume" state_is pass running
capture_runtime kill --all pass KILL
holds "kill --all" eventually 5 state_is pass stopped
capture_runtime delete pass
holds "delete" state_is pass ""
mkdir -p "$E2E_WORK/spec/one" "$E2E_WORK/spec/two"
capture_plain spec --bundle "$E2E_WORK/spec/one"
capture_runtime spec --bundle "$E2E_WORK/spec/two"
holds "spec writes runc's document" cmp -s "$E2E_WORK/spec/one/config.json" "$E2E_WORK/spec/two/config.json"
capture "$E2E_RUNTIME" features
holds "features: pure JSON" jq -e . "$E2E_WORK/out"
holds "features: not a byte on stderr" err_is_empty
capture "$E2E_RUNTIME" --version
holds "--version: not a byte on stderr" err_is_empty

# --- the error contract ---
# Every caller can use the error: exit status not 0, exactly one JSON line in --log, the same
# sentence alone on stderr, and no words that Docker derives another exit status from.
error_is_usable() {
  failed && err_is_one_line &&
    jq -e -s 'length == 1 and .[0].level == "error" and (.[0].msg | startswith("runclad: "))
      and (.[0].time | test("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}"))' "$1" >/dev/null 2>&1 &&
    grep -qxF -- "$(jq -r .msg "$1")" "$E2E_WORK/err" &&
    ! grep -qiE 'no such file or directory|permission denied|executable file not found' \
      "$E2E_WORK/err"
}
# What was not understood names no policy: the log is that of the host's.
lines() { cat "$E2E_POLICIES/runclad/audit.jsonl" /var/log/runclad/audit.jsonl 2>/dev/null | wc -l; }
has_one_more_line() { [ "$(lines)" -eq $((LINES_BEFORE + 1)) ]; }
fails_well() {  # WHAT ARGUMENT…
  local what=$1 log=$E2E_WORK/contract.log
  shift
  rm -f "$log"
  LINES_BEFORE=$(lines)
  capture "$E2E_RUNTIME" --root "$STATE" --log "$log" --log-format json "$@"
  guards "$what fails with one usable sentence" error_is_usable "$log"
  guards "$what has one line in the log" has_one_more_line
  discard contract
}
make_bundle contract '.mounts += [{destination: "/h", type: "bind", source: "/", options: ["rbind"]}]' \
  >/dev/null
fails_well "a refusal" create --bundle "$E2E_WORK/bundles/contract" contract
printf '{' >"$E2E_WORK/bundles/contract/config.json"
fails_well "a document that is not JSON" create --bundle "$E2E_WORK/bundles/contract" contract
rm "$E2E_WORK/bundles/contract/config.json"
fails_well "a bundle without a document" create --bundle "$E2E_WORK/bundles/contract" contract
fails_well "a bundle that is not there" create --bundle /nowhere contract
fails_well "an unknown verb" frobnicate contract
make_bundle contract >/dev/null
fails_well "an unknown flag" create --frobnicate --bundle "$E2E_WORK/bundles/contract" contract
fails_well "crun's --config" run --config /etc/hostname --bundle "$E2E_WORK/bundles/contract" contract
fails_well "restore" restore --bundle "$E2E_WORK/bundles/contract" --image-path /tmp contract
fails_well "an id that is a path" create --bundle "$E2E_WORK/bundles/contract" ../../contract

rm -f "$E2E_WORK/contract.log"
capture "$E2E_RUNTIME" --root "$STATE" --log "$E2E_WORK/contract.log" --log-format json \
  create --bundle "$E2E_WORK/bundles/contract" contract
holds "success" succeeded
holds "success leaves the log empty" test ! -s "$E2E_WORK/contract.log"
holds "success says nothing on stderr" err_is_empty
capture_runtime delete --force contract

# Docker and its users see the sentence, with the exit status of a container that never started.
docker_run -v /etc:/x box true
guards "docker's exit status of a refusal is 125" status_is 125
guards "docker says rule, path, value and the way out" \
  grep -qE 'runclad: refused by host-mounts: /mounts/[0-9]+/source "/etc" .*runcladctl explain host-mounts' \
  <<<"$ERR"
docker_run box no-such-program
holds "runc's own errors are passed on unchanged" err_has "no-such-program"

# --- the lower runtime ---
if [ "$E2E_PROVE" = 0 ]; then
  capture "$E2E_PROGRAM" --runclad-version
  holds "--runclad-version" grep -qE '^runclad [0-9]+\.[0-9]+' <<<"$OUT"
  capture "$E2E_PROGRAM" "--runclad-runtime=$E2E_PROGRAM" --version
  holds "runclad is not its own lower runtime" failed
  cp "$E2E_PLAIN" "$E2E_WORK/writable-runtime"
  chmod 777 "$E2E_WORK/writable-runtime"
  capture "$E2E_PROGRAM" "--runclad-runtime=$E2E_WORK/writable-runtime" --version
  holds "a lower runtime that others may write is refused" failed
  rm "$E2E_WORK/writable-runtime"
  capture env -i PATH=/nowhere "$E2E_PROGRAM" --version
  holds "the lower runtime is found without PATH" succeeded
  capture env -i "LD_LIBRARY_PATH=/nowhere" "LD_PRELOAD=/nowhere.so" "$E2E_PROGRAM" --version
  holds "the caller's loader variables do not matter" succeeded
fi
