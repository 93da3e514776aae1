#!/bin/bash
# runcladctl learn finds exactly what a program needs whose needs are known: nothing, and each
# capability that a container can be shown to need.
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"
CTL=${E2E_PROGRAM%/*}/runcladctl
printf '{"log": {"target": "file:%s"}}\n' "$E2E_POLICIES/own/audit.jsonl" >"$E2E_POLICIES/own/policy.json"

# DAC_READ_SEARCH is needed only by who has no DAC_OVERRIDE.
TOGETHER="CHOWN DAC_OVERRIDE FOWNER FSETID IPC_LOCK KILL MKNOD NET_ADMIN NET_BIND_SERVICE NET_RAW SETFCAP SETGID
  SETPCAP SETUID SYS_CHROOT SYS_NICE"
# What Docker does not give by itself.
ASKED=(--run-arg=--cap-add={IPC_LOCK,NET_ADMIN,SYS_NICE})

service=$(mktemp -d "$E2E_WORK/needs.XXXXXX")
cp -a "$E2E_WORK/rootfs/." "$service"
mkdir -p "$service/tmp"
"${CC:-cc}" -static -O1 -Wall -Wextra -Werror -o "$service/bin/needs" "$E2E_DIR/needs.c" || exit 1
touch "$service/tmp/theirs"
chown 1000:1000 "$service/tmp/theirs"
chmod 1777 "$service/tmp"
tar -C "$service" -c . | docker import -c 'ENTRYPOINT ["/bin/needs"]' - needs >/dev/null

LEARNED=$E2E_WORK/needs.json
learn() {  # OPTION… -- NEED…: FOUND gets the grants, as a line
  local options=()
  while [ "$1" != -- ]; do options+=("$1"); shift; done
  rm -f "$LEARNED"
  CAPTURE_SECONDS=900 capture "$CTL" learn "--config=$E2E_POLICIES/own" --run-arg=--network=none --run-arg=--runtime=own \
    --boots 1 --output "$LEARNED" "${options[@]}" needs "${@:2}"
  FOUND=$(jq -r '[.rules.capabilities.allow[], (.rules | to_entries[] | select(.key != "capabilities") | .key)] | join(" ")' \
    "$LEARNED" 2>/dev/null)
}
line() { printf 'CAP_%s\n' "$@" | sort | tr '\n' ' ' | sed 's/ $//'; }
is_learned() {  # EXPECTED OPTION… -- NEED…
  local expected=$1
  shift
  learn "$@"
  [ -s "$LEARNED" ] && [ "$FOUND" = "$expected" ]
}

guards "needs: a program that needs nothing gets nothing" is_learned "" "${ASKED[@]}" --
# shellcheck disable=SC2086  # a list of words
guards "needs: a program that needs all of them gets exactly these" \
  is_learned "$(line $TOGETHER)" "${ASKED[@]}" -- $TOGETHER
docker rmi needs >/dev/null
