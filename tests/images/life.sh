# shellcheck shell=bash disable=SC2034,SC2153  # read by what sources this, or set there
# The images of services and the containers of them. Sourced by matrix.sh and advice.sh, after lib.sh.
# shellcheck source=tests/images/roots.sh
. "${IMAGES_DIR:?}/roots.sh"
# shellcheck source=tests/images/client.sh
. "$IMAGES_DIR/client.sh"

PATIENCE=1  # a service has a minute to boot as it is, and one that lacks what it needs takes all of it
POLICY=$E2E_POLICIES/own  # what the runtime `own` reads
NAME=image  # of the one container that lives at a time

# --- images --------------------------------------------------------------------------------------

add_user() {  # ROOT NAME UID GID HOME
  printf '%s:x:%s:%s::%s:/usr/sbin/nologin\n' "$2" "$3" "$4" "$5" >>"$1/etc/passwd"
  grep -q "^[^:]*:[^:]*:$4:" "$1/etc/group" || printf '%s:x:%s:\n' "$2" "$4" >>"$1/etc/group"
}

# A directory as an image has it: own_directory ROOT PATH USER-ID MODE
own_directory() {
  mkdir -p "$1$2"
  chown "$3:$3" "$1$2"
  chmod "$4" "$1$2"
}

import_image() {
  local layers=$E2E_WORK/layers change changes=() root
  # shellcheck disable=SC2086  # a list of words
  root=$(root_of "$IMAGES_CACHE" $PACKAGES)/root
  mkdir -p "$layers/upper" "$layers/work" "$layers/merged"
  mount -t overlay -o "lowerdir=$root,upperdir=$layers/upper,workdir=$layers/work" \
    overlay "$layers/merged" || return 1
  prepare "$layers/merged"
  if [ -f "$SERVICE_DIR/entrypoint.sh" ]; then
    install -D -m 755 "$SERVICE_DIR/entrypoint.sh" \
      "$layers/merged/usr/local/bin/docker-entrypoint.sh"
    changes=(--change 'ENTRYPOINT ["docker-entrypoint.sh"]')
  fi
  for change in "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" \
    "${CHANGES[@]}"; do
    changes+=(--change "$change")
  done
  tar -C "$layers/merged" --xattrs --xattrs-include=security.capability -c . |
    docker import "${changes[@]}" - "$IMAGE" >/dev/null
  local status=$?
  umount "$layers/merged"
  rm -rf "$layers"
  return "$status"
}

# docker.io/library/nginx for nginx:1, docker.io/prom/prometheus for prom/prometheus
repository_of() {
  local name=${1%%:*}
  case "$name" in
    *.*/*) printf '%s\n' "$name" ;;
    */*) printf 'docker.io/%s\n' "$name" ;;
    *) printf 'docker.io/library/%s\n' "$name" ;;
  esac
}

# --- containers ----------------------------------------------------------------------------------

is_running() { [ "$(docker inspect -f '{{.State.Running}}' "$NAME" 2>/dev/null)" = true ]; }
container_pid() { docker inspect -f '{{.State.Pid}}' "$NAME"; }

start_container() {
  local options=("${OPTIONS[@]}") path
  # Whoever starts as root gets what `-v /srv/data:/data` usually is, a directory of root's; the
  # others a named volume, which takes the owner of the image's directory.
  for path in $VOLUME; do
    if [ "$STARTS_AS_ROOT" = 1 ]; then
      mkdir -p "$E2E_SRV/data$path"
      options+=(-v "$E2E_SRV/data$path:$path")
    else
      options+=(-v "data${path//\//-}:$path")
    fi
  done
  # As in a Kubernetes pod: a low port takes a capability (dockerd would lift that).
  capture docker run -d --name "$NAME" --hostname "$NAME" --network none --runtime own \
    --sysctl net.ipv4.ip_unprivileged_port_start=1024 "${options[@]}" "$IMAGE" "${ARGUMENTS[@]}"
  [ "$STATUS" -eq 0 ]
}

answers_or_is_gone() { answers || ! is_running; }

boot() {
  start_container && eventually "$BOOT_SECONDS" answers_or_is_gone && is_running && answers
}
answers() {
  OUT=$(request 2>&1)
  STATUS=$?
  [ "$STATUS" -eq 0 ]
}
# A new container on the data of the first.
reboot() {
  docker rm -v "$NAME" >/dev/null && boot
}
remove_data() {
  docker volume ls -q --filter name=data | xargs -r docker volume rm -f >/dev/null
  rm -rf "$E2E_SRV/data"
}
end_of_life() {
  docker logs "$NAME" >"$E2E_WORK/container.log" 2>&1
  docker_remove -v "$NAME"
  remove_data
}
