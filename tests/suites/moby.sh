# shellcheck shell=bash
# Docker's integration tests of containers, against a dockerd whose runtime is the one under test. A file here is a
# directory of integration/: others than `container` can be named, and say less about the runtime.

suite_runtime() { echo runc; }
suite_version() {
  printf 'docker %s, containerd %s, runc %s' "$(dpkg-query -W -f='${Version}' docker.io)" \
    "$(dpkg-query -W -f='${Version}' containerd)" "$(dpkg-query -W -f='${Version}' runc)"
}
suite_source() {
  if [ -n "$SUITES_GIVEN" ]; then echo "$SUITES_GIVEN"; else echo "$SUITES_SOURCES"/docker.io-*/engine; fi
}
suite_files() { echo container; }
export MOBY=$SUITES_WORK/go/src/github.com/docker/docker

suite_prepare() {
  local source part rootfs=$SUITES_WORK/rootfs applet
  source=$(suite_source)
  [ -f "$source/integration/container/main_test.go" ] || { echo "no source of Docker's tests in $source"; return 1; }
  mkdir -p "${MOBY%/*}"
  cp -a "${source%/}" "$MOBY"
  # Debian has what this takes from its siblings beside it, and not in vendor.
  for part in libnetwork swarmkit; do
    [ ! -d "$source/../$part" ] || ln -s "$source/../$part" "${MOBY%/*}/$part"
  done
  moby_build container || return 1
  mkdir -p "$rootfs"/{bin,dev,etc,home,proc,root,sbin,sys,tmp,usr/bin,usr/sbin,var/tmp,var/run}
  cp "$(command -v busybox)" "$rootfs/bin/busybox"
  for applet in $(busybox --list); do [ "$applet" = busybox ] || ln -s busybox "$rootfs/bin/$applet"; done
  chmod 1777 "$rootfs/tmp" "$rootfs/var/tmp"
  printf 'root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/usr/sbin:/bin/false\n' >"$rootfs/etc/passwd"
  printf 'root:x:0:\ndaemon:x:1:\n' >"$rootfs/etc/group"
  tar -C "$rootfs" -cf "$SUITES_WORK/rootfs.tar" .
}

moby_build() {  # DIRECTORY
  cd "$MOBY" || return 1
  GO111MODULE=off GOPATH=$SUITES_WORK/go:/usr/share/gocode GOCACHE=/var/cache/suites-go \
    go test -c -vet=off -o "$SUITES_WORK/$1.test" "./integration/$1"
}

suite_run() {  # RUNTIME FILE
  [ -x "$SUITES_WORK/$2.test" ] || moby_build "$2" || return 1
  alone moby_run "${1%/*}" "$2"
  remove_cgroups docker
}
# The runtime under test is the `runc` of every daemon's PATH: some tests start daemons of their own.
moby_run() {  # DIRECTORY FILE
  local deadline=$((SECONDS + 60)) image
  export PATH=$1:$PATH
  rm -f /run/docker.pid  # of the run before
  dockerd --storage-driver overlay2 >"$SUITES_WORK/dockerd.log" 2>&1 &
  until docker version >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$deadline" ] || { cat "$SUITES_WORK/dockerd.log" >&2; return 1; }
    sleep 0.2
  done
  for image in busybox:latest busybox:glibc debian:bullseye-slim debian:bookworm-slim; do
    docker import -c 'CMD ["sh"]' "$SUITES_WORK/rootfs.tar" "$image" >/dev/null || return 1
  done
  docker import -c 'CMD ["echo", "Hello from Docker!"]' "$SUITES_WORK/rootfs.tar" hello-world:frozen >/dev/null
  cd "$MOBY/integration/$2" || return 1
  timeout -k 10 1800 "$SUITES_WORK/$2.test" -test.v -test.timeout 29m 2>&1 |
    tee /dev/stderr | sed -nE -e 's/^ *--- PASS: ([^ ]+) .*/ok 1 - \1/p' -e 's/^ *--- FAIL: ([^ ]+) .*/not ok 1 - \1/p' \
    -e 's/^ *--- SKIP: ([^ ]+) .*/ok 1 - \1 # skip/p'
}
