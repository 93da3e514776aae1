# shellcheck shell=bash
# shellcheck disable=SC2034  # the lists are for those who source this
# Sourced by quickstart.sh and tests/run.sh: what they need of Debian, installed when it is missing.

# For `runclad` and `runcladctl`.
PACKAGES_BUILD="g++ cmake ninja-build libseccomp-dev libcap-ng-dev libmd-dev libspdlog-dev
  libfmt-dev libcli11-dev libsqlite3-dev nlohmann-json3-dev libtomlplusplus-dev libyaml-dev"
# For a container without an engine.
PACKAGES_TRY="runc busybox-static"
# For the packages of runclad (deb.sh, rpm.sh) and their tests.
PACKAGES_PACKAGE="debhelper dpkg-dev lintian rpm rpmlint logrotate zsh fish"
# For every test.
PACKAGES_TEST="clang libclang-rt-14-dev lld clang-format shellcheck valgrind jq curl libgtest-dev libgmock-dev libc6-dev
  containerd docker.io podman buildah conmon crun python3-jsonschema python3-kubernetes python3-prometheus-client python3-yaml iproute2 libcap2-bin tini catatonit procps util-linux bsdutils strace"

# For the engines of other Debian suites: what makes their root (tests/engines/root.sh), and what it has.
PACKAGES_ENGINES="debootstrap"
PACKAGES_ENGINES_ROOT="docker.io docker-cli docker-buildx docker-compose containerd podman buildah runc crun
  conmon netavark catatonit tini busybox-static jq curl python3 python3-jsonschema python3-yaml gcc libc6-dev libcap2-bin strace
  iproute2 procps util-linux mount e2fsprogs bsdutils kmod ca-certificates uidmap"

# For the engines' own test suites (tests/suites): what their root has; the sources that are built there, with
# their build dependencies; and those that are only run.
PACKAGES_SUITES_ROOT="runc crun podman buildah conmon containerd containernetworking-plugins docker.io docker-registry
  bats golang-go gcc make git jq busybox-static python3 gawk socat ncat openssl skopeo slirp4netns catatonit uidmap
  iproute2 iptables procps util-linux mount e2fsprogs bsdutils kmod ca-certificates file xz-utils sudo bc strace
  dpkg-dev"
PACKAGES_SUITES_BUILT="runc crun"
PACKAGES_SUITES_BUILT_BOOKWORM="docker.io golang-github-opencontainers-runtime-tools"
PACKAGES_SUITES_SOURCES="libpod podman"

# What looks at the page of `runcladctl report`.
PACKAGES_BROWSER="chromium fonts-dejavu-core python3-websocket"

# What the benchmark compares with.
PACKAGES_BENCH="golang-go gcc libc6-dev"

# What the root has that a package is installed in (tests/packaging/run.sh).
PACKAGES_PACKAGE_ROOT="runc logrotate systemd-standalone-tmpfiles man-db bash-completion"

# What compiles for arm64, and runs what it compiled, in a root of its own (packaging/release.sh,
# tests/packaging/arm64.sh); and what that has of arm64 itself: the C library for its updates, which the cross
# compiler's own copy does not get.
PACKAGES_CROSS_ROOT="g++-aarch64-linux-gnu cmake ninja-build dpkg-dev python3 nlohmann-json3-dev libcli11-dev
  qemu-user-static ccache procps"
PACKAGES_CROSS_LIBRARIES="libc6-dev libstdc++6 libseccomp-dev libcap-ng-dev libmd-dev libsqlite3-dev libyaml-dev
  libspdlog-dev libfmt-dev libtomlplusplus-dev libgtest-dev libgmock-dev"

# Another vendor's package of the same program will do: these are installed only when their command
# is missing.
package_command() {
  case "$1" in
    runc | crun | containerd | podman | buildah | conmon) echo "$1" ;;
    docker.io) echo dockerd ;;
  esac
}

package_is_missing() {
  local command
  command=$(package_command "$1")
  if [ -n "$command" ] && command -v "$command" >/dev/null; then return 1; fi
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" != installed ]
}

# Installs those of the named packages that are missing; starts no daemon. Says what it does.
install_missing() {
  local package missing=() policy=/usr/sbin/policy-rc.d own_policy='' status log
  for package in "$@"; do
    if package_is_missing "$package"; then missing+=("$package"); fi
  done
  if [ ${#missing[@]} -eq 0 ]; then return 0; fi
  printf 'installing with apt-get: %s\n' "${missing[*]}"
  if [ "$(id -u)" != 0 ]; then
    printf 'these packages are missing, and only root can install them\n' >&2
    return 1
  fi
  # Packages of engines would start their daemons, and with them bridges and firewall rules.
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy"
    own_policy=1
  fi
  log=$(mktemp)
  export DEBIAN_FRONTEND=noninteractive
  { apt-get install -y -q --no-install-recommends "${missing[@]}" ||
    { apt-get update -q && apt-get install -y -q --no-install-recommends "${missing[@]}"; }; } \
    >"$log" 2>&1 </dev/null
  status=$?
  if [ -n "$own_policy" ]; then rm -f "$policy"; fi
  if [ "$status" -ne 0 ]; then
    tail -n 5 "$log" >&2
    printf 'apt-get could not install: %s\n' "${missing[*]}" >&2
  fi
  rm -f "$log"
  return "$status"
}
