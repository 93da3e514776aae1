#!/bin/bash
# Ordinary containers under both profiles and each engine's client: what they are made with by
# default is enough for a shell, servers, a database with a volume, an init and a terminal.
# shellcheck disable=SC2016  # dollars are for the shell in the container
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"

# A client that runs a container: run_by ENGINE NAME OPTION… box PROGRAM…, with the options that the
# engines have in common (-d -t -u -v --init). The container's name is NAME in each of them.
run_by() {
  local engine=$1 name=$2
  shift 2
  case "$engine" in
    docker) capture docker run --name "$name" --network none --runtime "$PROFILE" "$@" ;;
    podman)
      capture podman --cgroup-manager cgroupfs --events-backend file --runtime "$PROGRAM" run \
        --name "$name" --network none --cgroup-parent "$E2E_CGROUP" --ulimit nofile=1024:2048 \
        --ulimit nproc=1000:2000 "$@"
      ;;
  esac
}
exec_by() {  # ENGINE NAME PROGRAM…
  local engine=$1
  shift
  case "$engine" in
    docker) capture docker exec "$@" ;;
    podman) capture podman --cgroup-manager cgroupfs --events-backend file --runtime "$PROGRAM" exec "$@" ;;
  esac
}
remove_by() {  # ENGINE NAME…
  local engine=$1
  shift
  case "$engine" in
    docker) docker rm -f "$@" ;;
    podman) podman --cgroup-manager cgroupfs --runtime "$PROGRAM" rm -f -t 0 "$@" ;;
  esac >/dev/null 2>&1
}
answers() {  # ENGINE NAME PORT
  exec_by "$1" "$2" wget -qO - "http://127.0.0.1:$3/" && succeeded && out_is page
}
serve='mkdir -p /tmp/www && echo page >/tmp/www/index.html && exec httpd -f -h /tmp/www -p'

tar -C "$E2E_WORK/rootfs" -c . | podman import -q -c 'CMD ["sh"]' - box >/dev/null

ordinary_life() {  # ENGINE
  local engine=$1 with="$1 under $PROFILE"
  run_by "$engine" shell --rm box sh -c 'for i in 1 2 3; do echo $((i * i)); done | sort -r | head -n 1'
  holds "$with: a shell" out_is 9
  run_by "$engine" terminal --rm -t box sh -c 'test -t 0 && tty'
  holds "$with: a terminal" out_has /dev/pts/0
  run_by "$engine" init --rm --init box sh -c 'sleep 0.1 & wait; cat /proc/1/comm'
  holds "$with: an init" grep -qE 'init|tini|catatonit' <<<"$OUT"

  run_by "$engine" web80 -d box sh -c "$serve 80"
  holds "$with: a web server on port 80 as root" eventually 10 answers "$engine" web80 80
  remove_by "$engine" web80
  run_by "$engine" web8080 -d -u 1000:1000 box sh -c "$serve 8080"
  holds "$with: one on port 8080 as a user" eventually 10 answers "$engine" web8080 8080
  remove_by "$engine" web8080

  # A database's first boot makes its files on the volume as the service's user, the second finds them.
  local boot='cd /home/app && { test -e db || { umask 077; echo 0 >db; }; } && sync &&
    n=$(($(cat db) + 1)) && echo $n >db.new && mv db.new db && cat db'
  run_by "$engine" db1 --rm -u 1000:1000 -v "db-$engine-$PROFILE:/home/app" box sh -c "$boot"
  holds "$with: a database's first boot on a volume" out_is 1
  run_by "$engine" db2 --rm -u 1000:1000 -v "db-$engine-$PROFILE:/home/app" box sh -c "$boot"
  holds "$with: and its second" out_is 2
}

for PROFILE in runclad baseline; do
  PROGRAM=$E2E_WORK/runtimes/$PROFILE/runclad
  for engine in docker podman; do ordinary_life "$engine"; done
done
docker volume rm db-docker-runclad db-docker-baseline >/dev/null

# --- a port below 1024 and ping as a user: by the network's settings, with every engine ---
for PROFILE in runclad baseline; do
  PROGRAM=$E2E_WORK/runtimes/$PROFILE/runclad
  run_by docker low -d -u 1000:1000 box sh -c "$serve 80"
  holds "docker under $PROFILE: a web server on port 80 as a user" eventually 10 answers docker low 80
  remove_by docker low
done
PROFILE=runclad PROGRAM=$E2E_WORK/runtimes/runclad/runclad
covers sysctls
run_by podman low -d -u 1000:1000 box sh -c "$serve 80"
guards "podman under runclad: a web server on port 80 as a user" eventually 5 answers podman low 80
remove_by podman low
podman volume rm -a -f >/dev/null
podman rmi -f box >/dev/null
# podman leaves the cgroup that conmon was in, and its storage mounted.
find /sys/fs/cgroup -depth -type d -path "*$E2E_CGROUP/conmon" -exec rmdir {} +
umount /var/lib/containers/storage/overlay 2>/dev/null

# --- containers that belong together, as compose makes them: one network, one volume ---
for PROFILE in runclad baseline; do
  docker run -d --name front --network none --runtime "$PROFILE" -v pages:/pages box \
    sh -c 'until test -e /pages/index.html; do sleep 0.1; done; exec httpd -f -p 8080 -h /pages' \
    >/dev/null
  docker run -d --name back --network container:front --runtime "$PROFILE" -v pages:/pages box \
    sh -c 'echo page >/pages/index.html; exec sleep 600' >/dev/null
  holds "docker under $PROFILE: a pair on one network and volume" eventually 10 answers docker back 8080
  capture docker restart -t 1 back
  holds "docker under $PROFILE: one of them is restarted" succeeded
  holds "docker under $PROFILE: and reaches the other again" eventually 10 answers docker back 8080
  docker_remove front back
  docker volume rm pages >/dev/null
done
