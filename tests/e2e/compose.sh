#!/bin/bash
# A docker compose project (compose/compose.yaml), unchanged, with the engine's default runtime: under baseline
# nothing has to be configured, under restricted each service gets the image's file that `runcladctl why`
# printed, and nothing else.
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"

if ! docker compose version >/dev/null 2>&1; then
  echo "# left out, for docker has no compose here: a project of compose" | tee -a "$E2E_WORK/left-out"
  exit
fi
CTL=${E2E_PROGRAM%/*}/runcladctl
POLICY=$E2E_POLICIES/own
PROJECT=$E2E_SRV/shop
SERVICES="prepare app web worker"
export TOKEN=$'of the environment\n'
cp -r "$E2E_DIR/compose" "$PROJECT"
echo "of the build" >"$PROJECT/licence"
echo "of the caller" >"$PROJECT/word"
# What this machine's cgroups cannot do is not asked for.
has_controller pids || sed -i '/pids/d' "$PROJECT/compose.yaml"
has_controller memory || sed -i '/mem_limit\|memory:/d' "$PROJECT/compose.yaml"
has_controller cpu || sed -i '/cpus:/d' "$PROJECT/compose.yaml"
sed -i -z 's/    deploy:\n      resources:\n        limits:\n\n/\n/' "$PROJECT/compose.yaml"

policy() {  # PROFILE
  rm -rf "$POLICY/images" "$POLICY/digests"
  printf '{"extends": "%s", "builds": "build", "log": {"target": "file:%s"}}\n' "$1" "$POLICY/audit.jsonl" \
    >"$POLICY/policy.json"
}
default_runtime() {  # NAME
  jq --arg name "$1" '."default-runtime" = $name' "$E2E_WORK/daemon.json" >"$E2E_WORK/daemon.new"
  cat "$E2E_WORK/daemon.new" >"$E2E_WORK/daemon.json"
  kill -HUP "$E2E_DOCKERD_PID"
  eventually 10 default_is "$1" || record not-ok "dockerd takes $1 for its default runtime"
}
default_is() { [ "$(docker info --format '{{.DefaultRuntime}}')" = "$1" ]; }
COMPOSE=(docker compose --ansi never --progress plain --project-directory "$PROJECT")
# Docker 26 looks for a part of a volume when it makes the container: what makes the parts runs before. What a
# service that ended said is what one looks for.
up() {
  "${COMPOSE[@]}" up prepare >>"$E2E_WORK/compose.log" 2>&1
  CAPTURE_SECONDS=400 capture "${COMPOSE[@]}" up --wait --wait-timeout 300 "$@"
  succeeded || OUT=$("${COMPOSE[@]}" logs --no-color --tail 5 2>&1)
  ERR=$(tail -c 1500 <<<"$ERR")
  succeeded
}
down() { "${COMPOSE[@]}" down --timeout 1 "$@" >>"$E2E_WORK/compose.log" 2>&1; }

state_of_service() { docker inspect -f "{{$2}}" "shop-$1-1" 2>/dev/null; }
is_fine() {
  case "$1" in
    prepare) [ "$(state_of_service prepare '.State.Status}} {{.State.ExitCode')" = "exited 0" ] ;;
    *) [ "$(state_of_service "$1" .State.Health.Status)" = healthy ] ;;
  esac
}
has_started() { [[ "$(state_of_service "$1" .State.Status)" =~ running|exited ]]; }
inside() { capture docker exec "shop-$1-1" "${@:2}"; }

# What the project is for, and what it asked for, under PROFILE.
check_project() {
  local service
  for service in $SERVICES; do holds "$1: the service $service does its work" is_fine "$service"; done
  inside app cat /var/lib/app/state
  holds "$1: a service has what its build read and kept, its secrets and its configs" out_is "of the build
version 3
of the caller
of the environment
of the settings' file
of the compose file"
  inside web wget -q -O - http://127.0.0.1:8080/state
  holds "$1: another one reads the same part of the volume" out_has "of the compose file"
  inside web sh -c 'ls /www; echo x >/www/x'
  holds "$1: that part alone, which it mounts read-only" test "$OUT $STATUS" = "state 1"
  inside web cat /var/cache/web/x
  holds "$1: it writes to the tmpfs that it asked for" out_is x
  inside worker cat /spool/state
  holds "$1: a program that a service made has written to the other part" out_is "done"
  inside worker sh -c 'ulimit -n; df -m /dev/shm | tail -n 1; cat /proc/1/comm'
  holds "$1: a service has the limits, the shared memory and the init that it asked for" \
    test "$(awk 'NR == 2 {$0 = $2} {print}' <<<"$OUT" | paste -sd ' ')" = "256 8 docker-init"
  if needs_controller pids "limits of processes that compose asks for"; then
    inside app cat "$(limit_file pids)"
    holds "$1: its limit of processes" out_is 40
    inside web cat "$(limit_file pids)"
    holds "$1: … in the older spelling" out_is 30
  fi
  if needs_controller memory "limits of memory that compose asks for"; then
    inside app cat "$(limit_file memory)"
    holds "$1: its limit of memory" out_is 67108864
  fi
  covers no-new-privileges
  for service in app worker; do
    inside "$service" cat /proc/1/status
    guards "$1: no_new_privs is set for $service" status_field NoNewPrivs 1
  done
}

default_runtime own
policy baseline
up --build
holds "under baseline, the project is built and comes up as it stands" succeeded
check_project baseline
inside worker cat /proc/1/status
covers capabilities
guards "baseline: a service has no more than baseline's capabilities" status_field CapBnd 00000000800405fb
down --volumes

# As many times as there are services, each failing in its turn: refused first, then by what was taken.
follow_why() {
  local service has_followed
  ROUNDS=0
  until up; do
    has_followed=
    for service in $SERVICES; do
      if is_fine "$service" || ! has_started "$service"; then continue; fi
      "$CTL" why "shop-$service-1" --config "$POLICY" | "$E2E_DIR/follow_why.py" >>"$E2E_WORK/followed" &&
        has_followed=1
    done
    if [ -z "$has_followed" ] || [ "$((ROUNDS += 1))" -gt 8 ]; then return 1; fi
    down
  done
}
files_are_of_images_alone() {
  OUT=$(find "$POLICY/images" "$POLICY/digests" -type f 2>/dev/null | sort)
  [ "$OUT" = "$(sort -u "$E2E_WORK/followed")" ] && [ "$(wc -l <<<"$OUT")" -le 4 ]
}
policy restricted
: >"$E2E_WORK/followed"
if [ "$E2E_PROVE" = 1 ]; then
  up
else
  up
  holds "under restricted, it does not come up" failed
  down
  holds "until why is followed for each service that fails" follow_why
  printf '# %s rounds, for %s\n' "$ROUNDS" "$(sort -u "$E2E_WORK/followed" | sed 's/.*\///' | paste -sd ' ')"
  holds "which writes files of images, and nothing else" files_are_of_images_alone
  capture "$CTL" policy lint "$POLICY"
  holds "in which lint finds no fault" succeeded
fi
check_project restricted
inside worker sh -c 'echo x >/bin/x'
covers read-only-rootfs
guards "restricted: a service does not write to its programs" failed
down --volumes --rmi local
default_runtime runc
policy restricted
docker builder prune -af >/dev/null
