#!/bin/bash
# The topic of tests/e2e/run.sh that run.sh hands it: services without an image file are brought to
# serve under `restricted` by what `runcladctl why` says and nothing else. ADVICE_SERVICES names them,
# IMAGES_CACHE has their root filesystems.
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"
# shellcheck source=tests/images/life.sh
. "${IMAGES_DIR:?}/life.sh"

CTL=${E2E_PROGRAM%/*}/runcladctl
MAX_REFUSALS=2

# What why says of the container, by its name, in ADVICE: it lives, has ended, or was refused.
ask_why() {
  ADVICE=$("$CTL" why "$NAME" --json --config "$POLICY")
}
# Saves the file of the image that why printed: take MEMBER
take() {
  local file
  file=$(jq -r --arg member "$1" '.[$member].file // empty' <<<"$ADVICE")
  [ -n "$file" ] || return 1
  mkdir -p "$(dirname "$POLICY/$file")"
  jq --arg member "$1" '.[$member].content' <<<"$ADVICE" >"$POLICY/$file.new"
  mv "$POLICY/$file.new" "$POLICY/$file"
  FILE=$POLICY/$file
}
was_refused() { grep -q 'runclad: refused by' <<<"$ERR"; }
policy_is_sound() {
  OUT=$("$CTL" policy lint "$POLICY" 2>&1)
}
# Another container on the data of this one.
begin_again() {
  docker stop --time 3 "$NAME" >/dev/null 2>&1
  docker_remove -v "$NAME"
}
serves_again() { begin_again; boot; }
serves_twice() { serves_again && serves_again; }

# Follows the advice; ROUNDS is what it took: "2 refusals, the trial set".
follow() {
  local refusals=0
  ROUNDS='nothing'
  while ! boot; do
    ask_why || return 1
    LOGS=$(docker logs --tail 15 "$NAME" 2>&1)
    begin_again
    if was_refused; then
      ((refusals += 1))
      if [ "$refusals" -gt "$MAX_REFUSALS" ] || ! take image; then return 1; fi
      ROUNDS="$refusals refusals"
    else
      ERR=$LOGS
      if [[ "$ROUNDS" == *trial* ]] || ! take trial; then return 1; fi
      ROUNDS="$refusals refusals, the trial set"
    fi
  done
}
# What is granted, on a line.
granted() {
  jq -r '.rules | [(.capabilities.allow // [] | map(ltrimstr("CAP_")) | join(" ")),
    (.["read-only-rootfs"].writable // [] | join(" ")),
    (.["mount-options"]["exec-paths"] // [] | join(" "))] | @tsv' "$FILE" | tr '\t' ';'
}

run_service() {  # SERVICE, in a subshell: the settings are its own
  local started=$SECONDS followed
  SERVICE_DIR=$IMAGES_DIR/advice/$1
  PACKAGES='' IMAGE='' VOLUME='' STARTS_AS_ROOT=0 BOOT_SECONDS=30 OPTIONS=() ARGUMENTS=() CHANGES=()
  FILE=/dev/null
  # shellcheck source=tests/images/advice/chrony/service.sh
  . "$SERVICE_DIR/service.sh"
  rm -rf "$POLICY/images" "$POLICY/digests"
  holds "$1: the image is built" import_image
  guards "$1: fails without an image file" not boot
  begin_again
  remove_data
  follow
  followed=$?
  holds "$1: serves by what why says, in at most $MAX_REFUSALS refusals and one trial" \
    test "$followed" -eq 0
  printf '#   %s: %s\n' "$1" "$ROUNDS"
  if [ "$E2E_PROVE" = 0 ] && [ "$followed" -eq 0 ]; then
    holds "$1: the policy has no faults" policy_is_sound
    holds "$1: a second container serves on the same data" serves_again
    ask_why
    printf '#   tried:    %s\n' "$(granted)"
    holds "$1: why names what it uses" take narrowed
    printf '#   narrowed: %s\n' "$(granted)"
    holds "$1: serves with no more than that, the second time too" serves_twice
  fi
  end_of_life
  docker rmi "$IMAGE" >/dev/null
  printf '#   %s: %s s\n' "$1" "$((SECONDS - started))"
}

for service in $ADVICE_SERVICES; do (run_service "$service"); done
