#!/bin/bash
# Ordinary containers under both profiles and with each engine's client: the defaults are enough for a
# shell, servers, a database with a volume, an init and a terminal.
# shellcheck disable=SC2016  # dollars are for the shell in the container
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"

# shellcheck source=tests/e2e/cri_engine.sh
. "$E2E_DIR/cri_engine.sh"
# shellcheck source=tests/e2e/clients.sh
. "$E2E_DIR/clients.sh"

answers() {  # ENGINE NAME PORT: as a health check asks, by exec
  exec_by "$1" "$2" wget -qO - "http://127.0.0.1:$3/" && succeeded && out_is page
}
serve='mkdir -p /tmp/www && echo page >/tmp/www/index.html && exec httpd -f -h /tmp/www -p'
# A database's first boot makes its files on the volume as the service's user, the second finds them.
boot='cd /home/app && { test -e db || { umask 077; echo 0 >db; }; } && sync &&
  n=$(($(cat db) + 1)) && echo $n >db.new && mv db.new db && cat db'

ordinary_life() {  # ENGINE
  local engine=$1 with="$1 under $PROFILE"
  until_printed run_by "$engine" shell --rm box sh -c 'for i in 1 2 3; do echo $((i * i)); done | sort -r | head -n 1'
  holds "$with: a shell" out_is 9
  until_printed run_by "$engine" terminal --rm -t box sh -c 'test -t 0 && tty'
  holds "$with: a terminal" out_has /dev/pts/0
  until_printed run_by "$engine" init --rm --init box \
    sh -c '(sleep 0.1 &); sleep 0.3; cat /proc/1/comm; grep -l "^State:.Z" /proc/[0-9]*/status'
  holds "$with: an init, which reaps" grep -qE '^(init|docker-init|podman-init|tini|catatonit)$' <<<"$OUT"
  holds "$with: … what others left" out_lacks /proc/

  run_by "$engine" web80 -d box sh -c "$serve 80"
  holds "$with: a web server on port 80 as root" eventually 10 answers "$engine" web80 80
  remove_by "$engine" web80
  local web=(web8080 -d -u 1000:1000 box sh -c "$serve 8080")
  run_by "$engine" "${web[@]}"
  holds "$with: one on port 8080 as a user" eventually 10 answers "$engine" web8080 8080
  restart_by "$engine" "${web[@]}"
  holds "$with: stopped and started again" eventually 10 answers "$engine" web8080 8080
  remove_by "$engine" web8080

  # What ctr does not print is in the volume.
  database_has() { out_is "$1" || { [ "$engine" = ctr ] && grep -qxF "$1" "$E2E_SRV/volumes/${volume%:*}/db"; }; }
  local volume=db-$engine-$PROFILE:/home/app
  run_by "$engine" db1 --rm -u 1000:1000 -v "$volume" box sh -c "$boot"
  holds "$with: a database's first boot on a volume" database_has 1
  run_by "$engine" db2 --rm -u 1000:1000 -v "$volume" box sh -c "$boot"
  holds "$with: and its second" database_has 2

  # Containers that belong together, as compose or a pod makes them: one network, one volume.
  local back=(back -d -v "pages-$engine-$PROFILE:/pages" box
    sh -c 'echo page >/pages/index.html; exec sleep 600')
  run_by "$engine" front -d -v "pages-$engine-$PROFILE:/pages" box \
    sh -c 'until test -e /pages/index.html; do sleep 0.1; done; exec httpd -f -p 8080 -h /pages'
  NETWORK=container:front run_by "$engine" "${back[@]}"
  holds "$with: a pair on one network and volume" eventually 10 answers "$engine" back 8080
  NETWORK=container:front restart_by "$engine" "${back[@]}"
  holds "$with: … one of them is restarted and reaches the other again" \
    eventually 10 answers "$engine" back 8080
  remove_by "$engine" back
  remove_by "$engine" front
}

tar -C "$E2E_WORK/rootfs" -c . | podman import -q -c 'CMD ["sh"]' - box >/dev/null
cri_start
cri_images box:1
tar -C "$E2E_WORK/rootfs" -c . | docker import -c 'USER 1000:1000' - box-user >/dev/null
docker save box box-user | ctr image import - >/dev/null
docker rmi box-user >/dev/null
engines=(docker podman ctr)
if needs_controller cpu "pods, which always have CPU shares"; then engines+=(cri); fi
for PROFILE in runclad baseline; do
  case "${engines[*]}" in *cri) pod_start ;; esac
  for engine in "${engines[@]}"; do ordinary_life "$engine"; done
  [ -z "${POD:-}" ] || cri remove-sandbox "$POD"
done

# --- a port below 1024 as a user: by the network's settings, with every engine ---
low() { run_by "$1" low -d -u 1000:1000 box sh -c "$serve 80"; }
for PROFILE in baseline runclad; do
  low docker
  holds "docker under $PROFILE: a web server on port 80 as a user" eventually 10 answers docker low 80
  remove_by docker low
done
covers sysctls
for engine in podman ctr; do
  low "$engine"
  guards "$engine under runclad: a web server on port 80 as a user" eventually 5 answers "$engine" low 80
  remove_by "$engine" low
done

podman volume rm -a -f >/dev/null
podman rmi -f box >/dev/null
# podman leaves its storage mounted.
umount /var/lib/containers/storage/overlay 2>/dev/null
docker volume ls -q | xargs -r docker volume rm >/dev/null
ctr image ls -q | xargs ctr image rm >/dev/null
holds "nothing is left in containerd" test -z "$(ctr container ls -q; cri_ctr container ls -q)"
rm -rf /var/lib/kubelet "$E2E_SRV/volumes"
