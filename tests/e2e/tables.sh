#!/bin/bash
# Documents that real engines wrote: every container that plain runc or crun creates from one is accepted
# at start, so every line of its mount table is accounted for; and one foreign line is refused.
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"

tables() {  # OPTION…; two seconds for a document where the machine is busy, and there are 154
  CAPTURE_SECONDS=900 capture python3 "$E2E_DIR/tables.py" "$@"
  read -r TRIED GOOD <<<"$(tail -n 1 <<<"$OUT")"
}
documents() {  # LOWER OPTION…
  local lower=$1
  shift
  tables --lower "$(command -v "$lower")" "$@"
  local what=$lower${*:+ $*}
  holds "$what: of the $TRIED documents that it creates, $GOOD start" test "$GOOD" -eq "$TRIED"
  holds "$what: they are at least 120 documents" test "$TRIED" -ge 120
}

# crun refuses a hybrid cgroup layout, and to load a device cgroup it raises a limit that this machine
# may not let anybody raise.
if [ "${1:-}" = --below-cgroup2 ]; then
  mount -t cgroup2 cgroup2 /sys/fs/cgroup
  documents crun --crun --no-resources
  documents crun --crun --no-resources --user-namespace
  exit
fi

# Nothing is refused at create, whatever a document asks for: this is about start.
mkdir -p "$E2E_WORK/tables"
"${E2E_PROGRAM%/*}/runcladctl" rules --json |
  jq '{mode: "enforce", log: {target: "file:'"$E2E_WORK"'/tables.jsonl"},
       rules: (map({key: .id, value: {action: (if .actions | index("warn") then "warn" else "off" end)}})
               | from_entries)}' >"$E2E_WORK/tables/policy.json"
if [ "$E2E_PROVE" = 0 ]; then
  documents runc
  documents runc --user-namespace
  unshare --mount --propagation private "$BASH" "$0" --below-cgroup2
fi

tables --lower "$E2E_PLAIN" --foreign-lines
guards "of $TRIED containers with a foreign mount, $GOOD are refused at start" test "$GOOD" -eq "$TRIED"
holds "they are at least twenty" test "$TRIED" -ge 20
