#!/bin/bash
# Rotation of the log, with the file that the packages install: while several callers write, no line is
# lost or torn, and none lands in a file that rotation does not know.
#
#   tests/packaging/logrotate.sh [BUILD]   (default: build/release); as root
# shellcheck disable=SC2317  # functions that are called by name
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/packaging/lib.sh
. tests/packaging/lib.sh
runclad=$(realpath "${1:-build/release}")/runclad
work=$(mktemp -d /run/runclad-logrotate.XXXXXX)  # root's alone on every level, as a policy has to be
trap 'rm -rf "$work"' EXIT
mkdir "$work"/{bundle,bundle/rootfs,policy,state}
WRITERS=4
LINES=400

# Refused, so that a line is written and no container is made.
jq -n '{ociVersion: "1.0.2", root: {path: "rootfs"}, process: {cwd: "/", args: ["true"], user: {uid: 0, gid: 0}},
  linux: {namespaces: [{type: "mount"}]}}' >"$work/bundle/config.json"
calls() {  # WRITER
  local number
  for ((number = 0; number < LINES; number++)); do
    "$runclad" "--runclad-config=$work/policy" --root "$work/state" \
      create --bundle "$work/bundle" "writer$1-$number" >/dev/null 2>&1
  done
}

# rotated OPTION…: writes and rotates at the same time, with more options for logrotate; all rotations are
# kept.
rotated() {
  rm -rf "$work/log" && mkdir -m 700 "$work/log"
  printf '{"log": {"target": "file:%s"}}\n' "$work/log/audit.jsonl" >"$work/policy/policy.json"
  sed -e "s|/var/log/runclad|$work/log|; s/rotate 12/rotate 1000/; /^}/i $(printf '\t%s\\n' "$@")" \
    packaging/host/logrotate >"$work/logrotate.conf"
  chmod 644 "$work/logrotate.conf"
  local writer writers=()
  for ((writer = 0; writer < WRITERS; writer++)); do
    calls "$writer" &
    writers+=($!)
  done
  touch "$work/running"
  while [ -e "$work/running" ]; do
    /usr/sbin/logrotate --force --state "$work/logrotate.state" "$work/logrotate.conf" || return
    sleep 0.1
  done &
  wait "${writers[@]}"
  rm "$work/running"
  wait
}

lines() { find "$work/log" -regex '.*/audit\.jsonl\(\.[0-9]+\(\.gz\)?\)?' -exec zcat -f {} +; }
every_line_is_there() {
  [ "$(lines | jq -r .container | sort -u | wc -l)" -eq $((WRITERS * LINES)) ] &&
    [ "$(lines | wc -l)" -eq $((WRITERS * LINES)) ]
}
every_line_is_whole() { lines | jq -es 'all(.[]; .outcome == "refused")'; }
was_rotated() { [ -e "$work/log/audit.jsonl.3.gz" ]; }
nothing_else_is_there() {
  ! find "$work/log" -type f ! -regex '.*/audit\.jsonl\(\.[0-9]+\(\.gz\)?\)?' | grep .
}
files_are_roots_alone() { ! find "$work/log" -type f -perm /077 | grep .; }

is "logrotate accepts the file" rotated
is "the log was rotated while it was written" was_rotated
is "every call has its line" every_line_is_there
is "every line is whole" every_line_is_whole
is "no file lies beside those of the rotation" nothing_else_is_there
is "only root can read them" files_are_roots_alone

# The test can fail: truncation in place loses what is written in between.
rotated copytruncate
is "with copytruncate, lines would be lost" bash -c '! "$@"' bash test "$(lines | wc -l)" -eq $((WRITERS * LINES))
finish
