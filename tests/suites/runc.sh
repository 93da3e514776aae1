# shellcheck shell=bash
# runc's integration tests (tests/integration/*.bats), with its helper programs built from the same source.

suite_runtime() { echo runc; }
suite_version() { printf 'runc %s' "$(dpkg-query -W -f='${Version}' runc)"; }
suite_source() { echo "$SUITES_SOURCES"/runc-*/; }
# Restoring lazily does not come to an end on every kernel, with runc alone either.
suite_files() {
  find "$(suite_source)tests/integration" -name '*.bats' -printf '%f\n' | sed 's/\.bats$//' | sort |
    if command -v criu >/dev/null; then grep -vx checkpoint; else cat; fi
}

suite_prepare() {
  local source go=$SUITES_WORK/go/src/github.com/opencontainers program
  source=$(suite_source)
  [ -f "$source/tests/integration/helpers.bash" ] || { echo "no source of runc in $SUITES_SOURCES"; return 1; }
  # The tests write into their own tree.
  mkdir -p "$go"
  cp -a "${source%/}" "$go/runc"
  cd "$go/runc" || return 1
  local where=contrib/cmd
  [ -d tests/cmd ] && where=tests/cmd
  mkdir -p tests/cmd/_bin
  for program in "$where"/*/; do
    program=$(basename "$program")
    [ "$program" != _bin ] || continue
    GO111MODULE=off GOPATH=$SUITES_WORK/go:/usr/share/gocode GOCACHE=/var/cache/suites-go \
      go build -tags seccomp -o "$where/$program/$program" "./$where/$program" || return 1
    cp "$where/$program/$program" tests/cmd/_bin/
  done
  # In the place of images from the network; tar does not go by the name, and nobody waits for xz.
  local arch image=$SUITES_WORK/busybox applet
  arch=$(go env GOARCH)
  mkdir -p "$image"/{bin,dev,etc,home,proc,root,sys,tmp,usr/sbin,var}
  cp "$(command -v busybox)" "$image/bin/busybox"
  for applet in $(busybox --list); do [ "$applet" = busybox ] || ln "$image/bin/busybox" "$image/bin/$applet"; done
  chmod 1777 "$image/tmp"
  printf 'root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/usr/sbin:/bin/false\n' >"$image/etc/passwd"
  printf 'root:x:0:\ndaemon:x:1:\n' >"$image/etc/group"
  tar -C "$image" -cf "tests/integration/testdata/busybox-$arch.tar.xz" .
  debian_files | tar -C / -cf - --no-recursion -T - >"tests/integration/testdata/debian-$arch.tar.xz"
}

# Debian's essential packages and what they need, as far as a shell and ldconfig go.
debian_files() {
  local package
  printf '%s\n' ./bin ./lib ./lib64 ./sbin ./dev ./proc ./sys ./tmp ./etc ./etc/passwd ./etc/group ./usr ./usr/bin
  for package in base-files bash coreutils dash libc6 libc-bin libtinfo6 libselinux1 libpcre2-8-0 libacl1 \
    libattr1 libgmp10 libmd0 grep sed findutils mawk; do
    dpkg -L "$package"
  done | sed -E -e 's,^/(bin|lib|lib64|sbin)/,/usr/\1/,' -e 's,^/,./,' |
    grep -E '^\./(usr/(bin|lib|lib64|sbin)|etc)/' | sort -u | while read -r file; do
      [ ! -e "/$file" ] || echo "$file"
    done
}

# runc asks for a terminal of the caller's where a bundle has one.
suite_run() {  # RUNTIME FILE
  cd "$SUITES_WORK/go/src/github.com/opencontainers/runc" || return 1
  RUNC=$1 timeout -k 10 900 script --quiet --return --command "bats --tap tests/integration/$2.bats" /dev/null |
    tr -d '\r'
}
