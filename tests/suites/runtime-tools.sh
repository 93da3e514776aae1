# shellcheck shell=bash
# runtime-tools' validation programs, one for each part of the runtime specification, each with `runtimetest` as the
# container's process.

suite_runtime() { echo runc; }
suite_version() { printf 'runtime-tools %s, runc %s' "$(tools_version)" "$(dpkg-query -W -f='${Version}' runc)"; }
tools_version() { cat "$SUITES_WORK/tools/VERSION"; }
suite_source() {
  if [ -n "$SUITES_GIVEN" ]; then
    echo "$SUITES_GIVEN"
  else
    echo "$SUITES_SOURCES"/golang-github-opencontainers-runtime-tools-*/
  fi
}
suite_files() {
  find "$SUITES_WORK/tools/programs" -type f -printf '%f\n' | sort
}

suite_prepare() {
  local source rootfs=$SUITES_WORK/rootfs applet
  local tools=$SUITES_WORK/go/src/github.com/opencontainers/runtime-tools
  source=$(suite_source)
  [ -f "$source/validation/util/test.go" ] || { echo "no source of runtime-tools in $source"; return 3; }
  mkdir -p "${tools%/*}"
  cp -a "${source%/}" "$tools"
  ln -s "$tools" "$SUITES_WORK/tools"
  cd "$tools" || return 1
  export GO111MODULE=off GOPATH=$SUITES_WORK/go:/usr/share/gocode GOCACHE=/var/cache/suites-go
  mkdir programs
  CGO_ENABLED=0 go build -o runtimetest ./cmd/runtimetest && go build -ldflags "-s -w" -o programs ./validation/... ||
    return 1
  # Its repository has a root file system, which Debian leaves out.
  [ ! -e "rootfs-$(go env GOARCH).tar.gz" ] || return 0
  mkdir -p "$rootfs"/{bin,dev,etc,home,proc,root,run,sbin,sys,tmp,usr/bin,usr/sbin,var/tmp}
  cp "$(command -v busybox)" "$rootfs/bin/busybox"
  for applet in $(busybox --list); do [ "$applet" = busybox ] || ln -s busybox "$rootfs/bin/$applet"; done
  chmod 1777 "$rootfs/tmp" "$rootfs/var/tmp"
  printf 'root:x:0:0:root:/root:/bin/sh\n' >"$rootfs/etc/passwd"
  printf 'root:x:0:\n' >"$rootfs/etc/group"
  tar -C "$rootfs" -czf "rootfs-$(go env GOARCH).tar.gz" .
}

# Some programs have no test but their exit status.
suite_run() {  # RUNTIME FILE
  local status
  cd "$SUITES_WORK/tools" || return 1
  RUNTIME=$1 timeout -k 10 300 "programs/$2" | tee output
  status=${PIPESTATUS[0]}
  grep -qE '^(not )?ok' output || printf '%s 1 - it ends with status 0\n' "$([ "$status" -eq 0 ] || printf 'not ')ok"
  return "$status"
}
