#!/bin/bash
# What `runcladctl why` says of containers that were refused, that failed, or that are gone; and that
# following it works.
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"

CTL=${E2E_PROGRAM%/*}/runcladctl
export RUNTIME=own
DIRECTORY=$E2E_POLICIES/own
# Whatever other topics left there.
rm -rf "$DIRECTORY/images" "$DIRECTORY/digests"
printf '{"extends": "restricted", "log": {"target": "file:%s/audit.jsonl"}, "rules": {}}\n' "$DIRECTORY" \
  >"$E2E_WORK/policy.before"
cp "$E2E_WORK/policy.before" "$DIRECTORY/policy.json"
with_rules() {
  jq --argjson rules "$1" '.rules += $rules' "$E2E_WORK/policy.before" >"$DIRECTORY/policy.json"
}
why() { capture "$CTL" why "$@" --config "$DIRECTORY"; }
# why_has JQ-CONDITION: of its form for programs
why_has() { jq -e "$1" <<<"$OUT" >/dev/null; }
# Saves the file of the image: take image|trial|narrowed
take() {
  local file
  file=$DIRECTORY/$(jq -r ".$1.file" <<<"$OUT")
  mkdir -p "${file%/*}"
  jq ".$1.content" <<<"$OUT" >"$file.new"
  mv "$file.new" "$file"
}
app_has_ended() { [ "$(docker inspect -f '{{.State.Running}}' app)" = false ]; }
app_has_done_it() { [ "$(docker exec app stat -c %u /var/app/state 2>/dev/null)" = 5 ]; }
# An image of the test image's with what a command leaves: commit NAME COMMAND
commit() {
  docker create --name made --runtime plain --network none box sh -c "$2" >/dev/null
  docker start -a made
  docker commit -c 'CMD ["sh"]' made "$1" >/dev/null
  docker rm made >/dev/null
}

if [ "$E2E_PROVE" = 0 ]; then
  # --- containers that are gone ---------------------------------------------------------------------
  docker_run --name refused -v /:/host:ro box true
  why refused
  holds "why finds a refused container by its name" out_has "named refused"
  holds "it warns that the grant equals root" out_has "equals root on the host"
  holds "it names the image's file" out_has "$DIRECTORY/images/docker.io/library/box.json:"
  holds "read-only was asked for, and read-only is advised" out_has '"bind / ro"'
  docker_run --name gone --cap-add SYS_TIME box true
  why gone
  holds "why separates what was requested from the engine's defaults" \
    out_has "requested and removed: CAP_SYS_TIME"
  holds "the rest is summarised in one line" grep -qE "^[0-9]+ other findings \(" <<<"$OUT"
  why --last
  holds "--last is the same container" out_has "named gone"
  holds "the log line has the name and the host" \
    log_has own ".name == \"gone\" and .host == \"$(uname -n)\""
  cp "$DIRECTORY/audit.jsonl" "$DIRECTORY/audit.jsonl.1"
  gzip -f "$DIRECTORY/audit.jsonl.1"
  : >"$DIRECTORY/audit.jsonl"
  why gone
  holds "a rotated log is searched, too" out_has "audit.jsonl.1.gz"
  rm -f "$DIRECTORY/audit.jsonl.1.gz"
fi

# --- what runclad knows beforehand ------------------------------------------------------------------
covers mount-options
docker volume create programs >/dev/null
docker run --rm --network none --runtime plain -v programs:/app box cp /bin/busybox /app/echo
docker_run -v programs:/app box /app/echo hello
guards "a program on a volume is refused with the setting" refused mount-options /process/args/0 /app/echo
guards "the sentence names it" err_has 'add "/app" to mount-options.exec-paths'
with_rules '{"mount-options": {"exec-paths": ["/app"]}}'
docker_run -v programs:/app box /app/echo hello
holds "with the setting it runs" out_is hello
with_rules '{}'
docker volume rm programs >/dev/null

covers read-only-rootfs
with_rules '{"read-only-rootfs": {"writable": ["/etc/passwd"]}}'
docker_run box true
guards "a file in the list of writable directories is refused" \
  refused read-only-rootfs /root/readonly /etc/passwd
with_rules '{"read-only-rootfs": {"writable": ["/"]}}'
docker_run box true
guards "/ in that list is a fault of the policy" err_has 'cannot become a tmpfs'
with_rules '{}'

# --- a tmpfs over what an image has -----------------------------------------------------------------
commit full 'dd if=/dev/zero of=/run/big bs=1M count=90'
docker_run full dd if=/dev/zero of=/run/log bs=1M count=50
holds "an image with 90 MiB in /run can write there" succeeded
docker_run --memory 200m full true
holds "so can one with a memory limit, as far as that goes" succeeded
docker rmi full >/dev/null

if [ "$E2E_PROVE" = 0 ]; then
  with_rules '{"read-only-rootfs": {"run-bytes": 1048576}}'
  docker_start filling
  docker exec filling sh -c 'cat /dev/zero >/run/all' 2>/dev/null
  why filling
  holds "why names a tmpfs that is full" out_has "full, so that writing fails"
  docker_remove filling
  with_rules '{}'

  # --- a trial set, and a narrow one ------------------------------------------------------------------
  program='echo a >/etc/app.conf && chown 5:5 /var/app/state && sleep 600'
  commit app 'mkdir /var/app && touch /var/app/state'
  run_app() { docker run -d --name app --network none --runtime own -v app-data:/data app sh -c "$program" >/dev/null; }
  run_app
  eventually 10 app_has_ended
  why app --json
  holds "what failed has a trial set" why_has \
    '.trial.content.rules["read-only-rootfs"].writable | index("/etc") and index("/var")'
  holds "and programs may run from its volume for the trial" why_has \
    '.trial.content.rules["mount-options"]["exec-paths"] | index("/data")'
  take trial
  docker_remove app
  run_app
  holds "with it the program runs" eventually 10 app_has_done_it
  why app --json
  holds "why narrows it to what was written" why_has \
    '.narrowed.content.rules["read-only-rootfs"].writable == ["/etc", "/var/app"]'
  holds "and leaves programs out, on the volume, too" why_has \
    '.narrowed.content.rules["mount-options"]["exec-paths"] == []'
  docker exec app cp /bin/busybox /data/tool
  why app --json
  holds "unless the volume holds one" why_has \
    '.narrowed.content.rules["mount-options"]["exec-paths"] == ["/data"]'
  docker exec app chmod 600 /data/tool
  why app --json
  holds "or a library without the execute permission" why_has \
    '.narrowed.content.rules["mount-options"]["exec-paths"] == ["/data"]'
  docker exec app rm /data/tool
  why app --json
  take narrowed
  docker_remove app
  run_app
  holds "with that it runs as well" eventually 10 app_has_done_it
  why app
  holds "then why has nothing narrower" out_has "docker.io/library/app.json lists only those"
  docker_remove app
  docker volume rm app-data >/dev/null
  docker rmi app >/dev/null
  rm -rf "$DIRECTORY/images"

  # --- an image without directories of its own: what is there at the second start are mount points ------
  tar -C "$E2E_WORK/rootfs" --exclude ./var --exclude ./srv --exclude ./home -c . |
    docker import -c 'CMD ["sh"]' - bare >/dev/null
  docker run --name bare --network none --runtime own bare sh -c 'test -d /var/tmp'
  holds "the tmpfs has its mount point" test "$(docker start -a bare >/dev/null 2>&1; echo $?)" = 0
  why bare --json
  holds "at the second start, why does not ask for the directory of the mount point" why_has \
    '[.trial.content.rules["read-only-rootfs"].writable[]?] | index("/var") == null'
  docker_remove bare
  docker rmi bare >/dev/null
fi
mv "$E2E_WORK/policy.before" "$DIRECTORY/policy.json"
