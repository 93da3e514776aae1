#!/bin/bash
# The topic of tests/e2e/run.sh that run.sh --learn hands it: `runcladctl learn` finds the image file of each service
# without a hand, with the service's health check as the image's HEALTHCHECK; under that file the service serves,
# boots twice and stops, and its capabilities are those that the matrix finds to be the minimum. IMAGES_SERVICES names
# the services, IMAGES_CACHE has their root filesystems.
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"
# shellcheck source=tests/images/phases.sh
. "${IMAGES_DIR:?}/phases.sh"

CTL=${E2E_PROGRAM%/*}/runcladctl
TABLE=$E2E_WORK/table

# What the matrix finds to be needed: the capabilities of the file in profiles/images, without those for another
# version of the image.
minimum() {
  local name
  for name in $(IMAGE_FILE='' capabilities); do
    [[ " $SPARED " == *" $name "* ]] || printf '%s\n' "$name"
  done
}
learned() { jq -r '.rules.capabilities.allow[]' "$IMAGE_FILE"; }
# Either of these lets root read the files of others.
alike() { sed 's/CAP_DAC_READ_SEARCH/CAP_DAC_OVERRIDE/' | sort -u | tr '\n' ' '; }
is_the_minimum() {
  OUT="learned: $(learned | tr '\n' ' ') minimum: $(minimum | tr '\n' ' ')"
  [ "$(learned | alike)" = "$(minimum | alike)" ]
}
has_digest() { [ "$(jq -r '.digests[0]' "$IMAGE_FILE")" = "$(docker image inspect -f '{{.Id}}' "$IMAGE")" ]; }

learn() {
  local options=() word
  for word in --network=none --runtime=own "--hostname=$NAME" "--stop-signal=$STOP_SIGNAL" \
    "${OPTIONS[@]}"; do
    options+=("--run-arg=$word")
  done
  CAPTURE_SECONDS=3600 capture "$CTL" learn "--config=$POLICY" "${options[@]}" \
    "--boot-timeout=$BOOT_SECONDS" "--stop-timeout=$STOP_SECONDS" --output "$IMAGE_FILE" \
    -- "$IMAGE" "${ARGUMENTS[@]}"
  [ "$STATUS" -eq 0 ]
}

run_service() {  # SERVICE, in a subshell: the settings are its own
  local started=$SECONDS found=yes lives
  read_service "$1"
  # shellcheck disable=SC2016  # jq's own
  [ ${#CHECK[@]} -eq 0 ] ||
    CHANGES+=("HEALTHCHECK CMD $(jq -nc '$ARGS.positional' --args -- "${CHECK[@]}")")
  holds "$TITLE: the image is built" import_image
  IMAGE_FILE=$E2E_WORK/learned.json
  rm -rf "$IMAGE_FILE" "$POLICY/images"
  learn
  guards "$TITLE: its image file is learned" succeeded
  if [ -s "$IMAGE_FILE" ]; then
    lives=$(sed -n 's/^the service was run \([0-9]*\) times$/\1/p' <<<"$OUT")
    sed -n 's/^  /#   /p' <<<"$OUT"
    guards "$TITLE: with the digest of the image" has_digest
    guards "$TITLE: with the least capabilities" is_the_minimum
    is_the_minimum || found="no: $OUT"
    apply_image_file .
    live || found="no: it fails under it"
  else
    found="no: $(tail -n 1 <<<"$ERR")"
  fi
  docker rmi -f "$IMAGE" >/dev/null
  printf '%s\t%s\t%s\t%s\t%s\n' "$1" "$found" "${lives:--}" \
    "$(jq -r '[.rules.capabilities.allow | map(ltrimstr("CAP_")) | join(" "),
      (.rules["read-only-rootfs"].writable // [] | join(" ")),
      (.rules["mount-options"]["exec-paths"] // [] | map("programs in " + .) | join(" "))] | map(select(. != ""))
      | join("; ")' "$IMAGE_FILE" 2>/dev/null)" "$((SECONDS - started))" >>"$TABLE"
}

: >"$TABLE"
for service in $IMAGES_SERVICES; do (run_service "$service"); done
printf '\n'
{
  printf '%s\t%s\t%s\t%s\t%s\n' service 'learned the minimum' lives learned seconds
  cat "$TABLE"
} | awk -F '\t' '{printf "%-18s %-40s %-6s %-100s %7s\n", $1, $2, $3, $4, $5}'
