# shellcheck shell=bash disable=SC2034,SC2153  # read by what sources this, or set there
# The phases of a service's life under its image file. Sourced by matrix.sh and learn.sh, after lib.sh.
# shellcheck source=tests/images/life.sh
. "${IMAGES_DIR:?}/life.sh"

PROFILES=$IMAGES_DIR/../../profiles

# What service.sh says of a service.
read_service() {  # SERVICE
  SERVICE_DIR=$IMAGES_DIR/$1
  TITLE=$1
  # What a service says of itself, and what holds for most.
  PACKAGES='' IMAGE='' VOLUME='' RUNS_AS=0 STARTS_AS_ROOT=1 CHECK_SAYS='' STOP_STATUS=0
  STOP_SIGNAL=TERM # what the image's STOPSIGNAL says
  BOOT_SECONDS=60 STOP_SECONDS=30 OPTIONS=() ARGUMENTS=() CHANGES=() CHECK=()
  SPARED='' # grants of the file that another version of the image needs
  BLAMES='not permitted|denied|read-only file system|refused by'
  # shellcheck source=tests/images/nginx/service.sh
  . "$SERVICE_DIR/service.sh"
  REPOSITORY=$(repository_of "$IMAGE")
}

# --- image files ---------------------------------------------------------------------------------

image_file() { printf '%s\n' "${IMAGE_FILE:-$PROFILES/images/${REPOSITORY:?}.json}"; }

# The image file, changed by a jq program, is what the runtime `own` finds for the image.
apply_image_file() {  # [JQ-PROGRAM]
  local file=$POLICY/images/$REPOSITORY.json
  rm -rf "$POLICY/images"
  mkdir -p "${file%/*}"
  jq "${1:-.}" "$(image_file)" >"$file"
}

# What the service may do: its file's list, or else the profile's.
capabilities() {
  jq -r --slurpfile profile "$PROFILES/restricted.json" \
    '(.rules.capabilities.allow // $profile[0].rules.capabilities.allow)[]' "$(image_file)"
}
writable() { jq -r '(.rules["read-only-rootfs"].writable // [])[]' "$(image_file)"; }

# A set of capabilities as /proc shows it.
mask_of() {  # NAME…
  local all="CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP
    LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE
    SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME
    SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP"
  local bit=0 mask=0 name
  for name in $all; do
    [[ " $* " != *" CAP_$name "* ]] || ((mask |= 1 << bit))
    ((bit += 1))
  done
  printf '%016x\n' "$mask"
}

# --- the phases of a life ------------------------------------------------------------------------

phases() {
  printf 'boot request check confined user stop reboot request-again %s stop-again\n' \
    "${VOLUME:+data}"
}

check() {
  capture docker exec "$NAME" "${CHECK[@]}"
  [ "$STATUS" -eq 0 ] && [[ "$OUT$ERR" == *"$CHECK_SAYS"* ]]
}
# What the kernel says of the first process.
confined() {
  local status mask
  status=$(cat "/proc/$(container_pid)/status")
  # shellcheck disable=SC2046  # a list of words
  mask=$(mask_of $(capabilities))
  OUT=$status
  # A service may give up more than it was denied.
  (((16#$(field CapBnd <<<"$status") & ~16#$mask) == 0)) &&
    [ "$(field NoNewPrivs <<<"$status")" = 1 ] && [ "$(field Seccomp <<<"$status")" = 2 ] &&
    grep -qE '^[0-9]+ [0-9]+ [0-9]+:[0-9]+ / / ro[, ]' "/proc/$(container_pid)/mountinfo"
}
field() { awk -v f="$1:" '$1 == f {print $2; exit}'; }
# The process that serves has left root, where the image's does.
user() {
  OUT=$(docker top "$NAME" -eo pid,uid,args)
  awk -v uid="$RUNS_AS" 'NR > 1 && $2 == uid {found = 1} END {exit !found}' <<<"$OUT"
}
stop() {  # SIGNAL
  docker kill --signal "$1" "$NAME" >/dev/null
  if ! eventually "$STOP_SECONDS" not is_running; then
    echo "denied: it still runs $STOP_SECONDS s after SIG$1"
    return 1
  fi
  STATUS=$(docker inspect -f '{{.State.ExitCode}}' "$NAME")
  OUT="exit status $STATUS"
  [ "$STATUS" -eq "$STOP_STATUS" ]
}
# Runs a phase; what it prints is only of interest where it fails.
run_phase() { phase "$1" >"$E2E_WORK/phase" 2>&1; }
phase() {
  case "$1" in
    boot) boot && { [ -z "$VOLUME" ] || write_data; } ;;
    request | request-again) answers ;;
    check) check ;;
    confined) confined ;;
    user) user ;;
    stop) stop TERM ;;
    stop-again) stop "$STOP_SIGNAL" ;;
    reboot) reboot ;;
    data) read_data ;;
  esac
}
phase_sentence() {
  case "$1" in
    boot) echo "it starts" ;;
    request) echo "it answers a request" ;;
    check) echo "the health check is run by exec" ;;
    confined) echo "the kernel holds it to its image file" ;;
    user) echo "it serves as user $RUNS_AS" ;;
    stop) echo "SIGTERM ends it with status $STOP_STATUS" ;;
    reboot) echo "a second container starts on the same data" ;;
    request-again) echo "it answers again" ;;
    data) echo "what was written before is there" ;;
    stop-again) echo "SIG$STOP_SIGNAL, which docker stop sends, ends it with status $STOP_STATUS" ;;
  esac
}
# The whole life; one assertion for each phase.
live() {
  local phase came_true assertion
  for phase in $(phases); do
    ERR=
    came_true=true
    if ! run_phase "$phase"; then
      came_true=false
      ERR+=$(cat "$E2E_WORK/phase" && docker logs --tail 15 "$NAME" 2>&1)
    fi
    assertion=holds
    if [ "$phase" = confined ]; then assertion=guards; fi
    "$assertion" "$TITLE: $(phase_sentence "$phase")" "$came_true"
    # Without runclad nothing confines it, and it lives on.
    if [ "$came_true" = false ] && [ "$phase" != confined ]; then break; fi
  done
  end_of_life
  [ "$phase" = stop-again ] && "$came_true"
}
