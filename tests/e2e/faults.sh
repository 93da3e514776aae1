#!/bin/bash
# Each system call of create, exec, start and delete fails, and each is the last (kill -9): nothing runs that was
# not verified, and the record remains one that a later call can use.
#
# RUNCLAD_FAULTS=ENOMEM,ENOSPC,EACCES … tries other errors than EIO (a few seconds each).
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"

here=$E2E_WORK/faults
mkdir -p "$here/policy" "$here/bin"
standin=$here/bin/runc
"${CC:-cc}" -O1 -static -o "$standin" "$E2E_DIR/standin.c"
"${CC:-cc}" -O1 -static -Wall -Wextra -Werror -o "$here/inject" "$E2E_DIR/inject.c"
export STANDIN=$here/ran
cp "$E2E_POLICIES/runclad/policy.json" "$here/policy"
program=("$E2E_PROGRAM" "--runclad-config=$here/policy" "--runclad-runtime=$standin")
[ "$E2E_PROVE" = 0 ] || program=("$standin")
bundle=$(make_bundle faults)
cp "$bundle/config.json" "$here/config.json"

# The container made again: waiting, running, ended, or waiting and not the one of its record.
renew() {  # created|running|stopped|other
  discard faults
  cp "$here/config.json" "$bundle/config.json"
  runtime create --bundle "$bundle" faults >/dev/null 2>&1 </dev/null || return
  [ "$1" != created ] || return 0
  if [ "$1" = other ]; then
    discard faults
    cp "$here/config.json" "$bundle/config.json"
    plain create --bundle "$bundle" faults >/dev/null 2>&1 </dev/null
    return
  fi
  runtime start faults || return
  [ "$1" != running ] || return 0
  runtime kill faults KILL
  eventually 5 state_is faults stopped
}
export -f renew discard eventually state_is state_of
export here bundle E2E_RUNTIME E2E_PLAIN E2E_WORK
# Under --prove there is no record, and one stands in for it.
record_of() {
  local record
  mkdir -p "$STATE"
  record=/run/runclad/$(stat -c %d-%i "$STATE")/faults.json
  mkdir -p "${record%/*}"
  if [ "$E2E_PROVE" = 1 ]; then
    printf '{"pid":%s}\n' "$(pid_of faults)" >"$record"
  fi
  printf '%s\n' "$record"
}
faults() {  # VERB STATE|BUNDLE ARGUMENT…
  local verb=$1 renew="renew $2"
  shift 2
  if [ "$verb" = create ]; then renew=$bundle; else $renew; fi
  CAPTURE_SECONDS=600 capture python3 "$E2E_DIR/faults.py" "$here/inject" "$verb" "${RUNCLAD_FAULTS:-EIO}" \
    "$(record_of)" "$renew" "${program[@]}" --root "$STATE" "${verb/refusal/start}" "$@"
  printf '# %s: %s\n' "$verb" "$(tail -n 1 <<<"$OUT")"
}

discard faults
faults create "$bundle" --bundle "$bundle" faults
[ "$E2E_PROVE" = 1 ] ||
  holds "whatever fails in create, what runs is the hardened document, and has its record" succeeded

jq '.process | .noNewPrivileges = false
  | .capabilities |= map_values(["CAP_SYS_ADMIN", "CAP_SYS_PTRACE"])' "$here/config.json" \
  >"$here/process.json"
faults exec running "--process=$here/process.json" faults
guards "whatever fails in exec, no process gets more than its container" succeeded
capture_runtime exec --process "$here/process.json" faults
holds "and the container goes on" state_is faults running

faults start created faults
[ "$E2E_PROVE" = 1 ] ||
  holds "whatever fails in start, what runs is verified and known to the record" succeeded
renew created
capture_runtime start faults
holds "and a container can be started afterwards" state_is faults running

faults refusal other faults
[ "$E2E_PROVE" = 1 ] || holds "whatever fails in start, what is not as recorded never runs" succeeded

faults delete stopped faults
[ "$E2E_PROVE" = 1 ] || holds "whatever fails in delete, the record stays or goes" succeeded
capture_runtime delete faults
holds "and the container can be deleted afterwards" state_is faults ""
