# shellcheck shell=bash
# podman's system tests (test/system/*.bats), with an image of busybox in the place of their own.

suite_runtime() { echo runc; }
suite_version() { printf 'podman %s, runc %s' "$(dpkg-query -W -f='${Version}' podman)" "$(dpkg-query -W -f='${Version}' runc)"; }
suite_source() { echo "$SUITES_SOURCES"/libpod-*/test/system; }
# Not those that only ask a registry or systemd, and start no container without them.
suite_files() {
  find "$(suite_source)" -name '*.bats' -printf '%f\n' | sed 's/\.bats$//' |
    grep -vxE '(015-help|037-runlabel|150-login|250-systemd|251-system-service|255-auto-update|270-socket-activation|271-tcp-cors-server|272-system-connection|410-selinux|520-checkpoint|600-completion|750-trust|900-ssh)' | sort
}

suite_prepare() {
  local source rootfs=$SUITES_WORK/rootfs applet who
  source=$(suite_source)
  [ -f "$source/helpers.bash" ] || { echo "no source of podman in $SUITES_SOURCES"; return 1; }
  cp -a "$source" "$SUITES_WORK/system"
  mkdir -p "$rootfs"/{bin,dev,etc,home/podman,lib,proc,root,run,sbin,srv,sys,tmp,usr/bin,usr/sbin,var/tmp,var/run,var/www}
  cp "$(command -v busybox)" "$rootfs/bin/busybox"
  for applet in $(busybox --list); do [ "$applet" = busybox ] || ln -s busybox "$rootfs/bin/$applet"; done
  printf 'extern char **environ;\nint puts(const char *);\nint main(void) { while (*environ) puts(*environ++); }\n' |
    gcc -static -x c -o "$rootfs/bin/printenv" - || return 1  # Debian's busybox has none
  ln -s /proc/mounts "$rootfs/etc/mtab"
  chmod 1777 "$rootfs/tmp" "$rootfs/var/tmp"
  echo 20220615 >"$rootfs/home/podman/testimage-id"
  touch --date=@1600000000 "$rootfs/home/podman/testimage-id"
  # shellcheck disable=SC2016  # the dollar is for the script
  printf '#!/bin/sh\necho Confirmed: testimage pause invoked as $0\nwhile :; do sleep 0.1; done\n' \
    >"$rootfs/home/podman/pause"
  chmod 755 "$rootfs/home/podman/pause"
  {
    printf 'root:x:0:0:root:/root:/bin/sh\nbin:x:1:1:bin:/bin:/sbin/nologin\ndaemon:x:2:2:daemon:/sbin:/sbin/nologin\n'
    printf 'mail:x:8:12:mail:/var/mail:/sbin/nologin\nnobody:x:65534:65534:nobody:/:/sbin/nologin\n'
  } >"$rootfs/etc/passwd"
  printf 'root:x:0:root\nbin:x:1:\ndaemon:x:2:\nmail:x:12:\nnobody:x:65534:\n' >"$rootfs/etc/group"
  printf 'NAME="Alpine Linux"\nID=alpine\n' >"$rootfs/etc/os-release"
  tar -C "$rootfs" -cf "$SUITES_WORK/rootfs.tar" .
  printf '%s\n' 'FROM scratch' 'ADD rootfs.tar /' 'LABEL created_by=test/system/build-testimage' \
    'LABEL created_at=2022-06-15T12:00:00Z' 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
    'WORKDIR /home/podman' 'CMD ["/bin/echo", "This container is intended for podman CI testing"]' \
    >"$SUITES_WORK/Containerfile"
  for who in plain audit; do
    printf '%s\n' '[engine]' 'cgroup_manager = "cgroupfs"' 'events_logger = "file"' 'runtime = "runc"' \
      '[engine.runtimes]' "runc = [\"$SUITES_WORK/$who/runc\"]" >"$SUITES_WORK/$who/containers.conf"
  done
  cp "$SUITES_WORK/plain/containers.conf" /etc/containers/containers.conf
  podman build -q -t quay.io/libpod/testimage:20220615 -f "$SUITES_WORK/Containerfile" \
    "$SUITES_WORK" && podman save -q -o "$SUITES_WORK/testimage.tar" quay.io/libpod/testimage:20220615
}

suite_run() {  # RUNTIME FILE
  cp "${1%/*}/containers.conf" /etc/containers/containers.conf
  podman image exists quay.io/libpod/testimage:20220615 || podman load -q -i "$SUITES_WORK/testimage.tar" >/dev/null
  cd "$SUITES_WORK" || return 1
  PODMAN_TIMEOUT=60 timeout -k 10 1200 bats --tap "system/$2.bats"
}
