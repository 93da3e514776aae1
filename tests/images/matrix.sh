#!/bin/bash
# The topic of tests/e2e/run.sh that run.sh hands it: the life of each service under its image file,
# and what becomes of it with one grant less. IMAGES_SERVICES names the services, IMAGES_CACHE has
# their root filesystems.
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"
# shellcheck source=tests/images/phases.sh
. "${IMAGES_DIR:?}/phases.sh"

TABLE=$E2E_WORK/table

# --- one grant less -------------------------------------------------------------------------------

# The first phase that fails, in LACKED, with a line that says why in REASON.
live_without() {  # JQ-PROGRAM
  local phase BOOT_SECONDS=$PATIENCE
  LACKED=
  apply_image_file "$1"
  for phase in $(phases); do
    [ "$phase" != confined ] || continue
    ERR=
    run_phase "$phase" && continue
    LACKED=$phase
    break
  done
  printf '%s\n%s\n' "$OUT" "$ERR" >>"$E2E_WORK/phase"
  end_of_life
  REASON=$(grep -ahiE "$BLAMES" "$E2E_WORK/phase" "$E2E_WORK/container.log" | tail -n 1)
  if [ -z "$REASON" ] && [ "$LACKED" = user ]; then REASON="it stays root"; fi
}
fails_for_lack() { [ -n "$LACKED" ] && [ -n "$REASON" ]; }

# --- one service ---------------------------------------------------------------------------------

run_service() {  # SERVICE, in a subshell: the settings are its own
  local started=$SECONDS booted grant grants lacking=() paths=()
  read_service "$1"
  holds "$TITLE: the image is built" import_image
  apply_image_file
  if ! live; then
    printf '%s\t%s\tFAILED\t-\t-\t%s\n' "$1" "$REPOSITORY" "$((SECONDS - started))" >>"$TABLE"
    docker rmi "$IMAGE" >/dev/null
    return 1
  fi
  booted=$((SECONDS - started))
  PATIENCE=$((booted + 5)) # a whole good life, two boots
  [ "$PATIENCE" -lt "$BOOT_SECONDS" ] || PATIENCE=$BOOT_SECONDS

  grants=$(capabilities)
  for grant in $grants; do
    live_without ".rules.capabilities.allow = ($(jq -Rsc 'split("\n") | map(select(. != ""))' \
      <<<"$grants") - [\"$grant\"])"
    OUT=$LACKED ERR=$REASON STATUS=0
    if [[ " $SPARED " == *" $grant "* ]]; then
      holds "$TITLE: lives without $grant" test -z "$LACKED"
    else
      guards "$TITLE: without $grant it fails" fails_for_lack
      lacking+=("${grant#CAP_}:${LACKED:-lives}")
    fi
    printf '#   without %s: %s: %.160s\n' "$grant" "${LACKED:-lives}" "$REASON"
  done
  for grant in $(writable); do
    live_without ".rules[\"read-only-rootfs\"].writable -= [\"$grant\"]"
    OUT=$LACKED ERR=$REASON STATUS=0
    guards "$TITLE: with $grant read-only it fails" fails_for_lack
    paths+=("$grant:${LACKED:-lives}")
    printf '#   with %s read-only: %s: %.160s\n' "$grant" "${LACKED:-lives}" "$REASON"
  done
  docker rmi "$IMAGE" >/dev/null
  printf '%s\t%s\tall %s\t%s\t%s\t%s\n' "$1" "$REPOSITORY" "$(phases | wc -w)" \
    "${lacking[*]:-nothing to take away}" \
    "${paths[*]:--}" "$((SECONDS - started))" >>"$TABLE"
}

: >"$TABLE"
# shellcheck source=tests/images/files.sh
. "$IMAGES_DIR/files.sh"
for service in $IMAGES_SERVICES; do (run_service "$service"); done
printf '\n'
{
  printf '%s\t' service 'image file' phases 'without this capability: fails at' \
    'read-only: fails at' seconds
  printf '\n'
  cat "$TABLE"
} | awk -F '\t' '{printf "%-18s %-38s %-9s %-62s %-96s %7s\n", $1, $2, $3, $4, $5, $6}'
