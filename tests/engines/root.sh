#!/bin/bash
# A root filesystem of a Debian suite; prints its directory. Those of trixie and sid have the suite's engines,
# for run.sh; that of bookworm has what the package of runclad is installed beside (tests/packaging/run.sh).
#
#   tests/engines/root.sh [--refresh] [--engines | --suites | --cross ARCHITECTURE] bookworm|trixie|sid
#
# --engines: with engines in bookworm, too (tests/packaging/life.sh).
# --suites: with engines, and what their own test suites are built and run with (tests/suites/run.sh).
# --cross: without engines; what runclad is compiled with for another architecture, arm64, and what runs the unit
# tests of that (packaging/release.sh).
#
# It is made once, in two minutes and with 1.3 GB, and kept below $RUNCLAD_ENGINES_CACHE (default:
# /var/cache/runclad-tests). It is made again when the list of packages changes, and by --refresh, which
# brings the suite's newest. Nothing is started in it, and no mount is left.
set -eu
cd "$(dirname "$0")/../.."
# shellcheck source=packaging/packages.sh
. packaging/packages.sh
CACHE=${RUNCLAD_ENGINES_CACHE:-/var/cache/runclad-tests}
MIRROR=${RUNCLAD_DEBIAN_MIRROR:-http://deb.debian.org/debian}
LOG=

die() {
  printf 'engines: %s\n' "$1" >&2
  [ -z "$LOG" ] || tail -n 20 "$LOG" >&2
  exit 1
}

# What the suite gets beyond its own line: operators of a stable release have its updates.
sources() {  # SUITE
  printf 'deb %s %s main\n' "$MIRROR" "$1"
  [ "$1" = sid ] || printf 'deb %s-security %s-security main\n' "$MIRROR" "$1"
  [ -z "$SUITES" ] || sources_of_programs "$1"
}
sources_of_programs() {  # SUITE
  printf 'deb-src %s %s main\n' "$MIRROR" "$1"
  [ "$1" = sid ] || printf 'deb-src %s-security %s-security main\n' "$MIRROR" "$1"
}

# dpkg neither waits for the disk nor unpacks what nobody reads here; packages start no daemons.
configure() {  # SUITE ROOT
  sources "$1" >"$2/etc/apt/sources.list"
  printf 'force-unsafe-io\n' >"$2/etc/dpkg/dpkg.cfg.d/tests"
  # The package's own documents are looked for in bookworm.
  [ "$1" = bookworm ] ||
    printf 'path-exclude=%s/*\n' /usr/share/doc /usr/share/man /usr/share/locale /usr/share/info \
      >>"$2/etc/dpkg/dpkg.cfg.d/tests"
  printf '#!/bin/sh\nexit 101\n' >"$2/usr/sbin/policy-rc.d"
  chmod 755 "$2/usr/sbin/policy-rc.d"
  # A mirror that stands still has a Release file that has expired; its signature is checked all the same.
  printf '%s;\n' 'APT::Install-Recommends "false"' 'Dir::Cache::archives "/tmp/archives"' \
    'Acquire::Check-Valid-Until "false"' 'Acquire::Retries "5"' >"$2/etc/apt/apt.conf.d/tests"
}

packages_of() {  # SUITE
  if [ -n "$CROSS" ]; then
    echo "$PACKAGES_CROSS_ROOT"
    # shellcheck disable=SC2086  # a list of words
    printf "%s:$CROSS\n" $PACKAGES_CROSS_LIBRARIES
  elif [ -n "$SUITES" ]; then
    echo "$PACKAGES_SUITES_ROOT"
  elif [ "$1$ENGINES" = bookworm ]; then echo "$PACKAGES_PACKAGE_ROOT"; else echo "$PACKAGES_ENGINES_ROOT"; fi
}

built_in() {  # SUITE
  [ -n "$SUITES" ] || return 0
  echo "$PACKAGES_SUITES_BUILT"
  [ "$1" != bookworm ] || echo "$PACKAGES_SUITES_BUILT_BOOKWORM"
}

# Only the packages that the suite has: the names of today are not tomorrow's.
install_script() {
  cat <<'SH'
set -eu
export DEBIAN_FRONTEND=noninteractive LC_ALL=C
mount -t proc proc /proc
mount -t tmpfs tmpfs /tmp
mkdir -p /tmp/archives/partial
apt-get update -q
for package; do
  shift
  if apt-cache show "$package" >/dev/null 2>&1; then
    set -- "$@" "$package"
  else
    echo "this suite has no $package"
  fi
done
apt-get install -y -q "$@"
if [ -n "$BUILT" ]; then
  apt-get build-dep -y -q $BUILT
  mkdir -p /usr/src/suites
  cd /usr/src/suites
  for package in $BUILT $SOURCES; do
    apt-get source -q "$package" || echo "this suite has no source of $package"
  done
  find . -maxdepth 1 -type f -delete
fi
rm -rf /var/lib/apt/lists/*
SH
}

make_root() {  # SUITE ROOT
  local suite=$1 root=$2
  # Its /proc is mounted nowhere else, should it be ended.
  unshare --mount --propagation private debootstrap --variant=minbase "$suite" "$root" "$MIRROR" >"$LOG" 2>&1 ||
    die "debootstrap of $suite failed"
  configure "$suite" "$root"
  cp -L /etc/resolv.conf "$root/etc/resolv.conf"
  [ -z "$CROSS" ] || chroot "$root" dpkg --add-architecture "$CROSS"
  # shellcheck disable=SC2046  # a list of words
  BUILT=$(built_in "$suite") SOURCES=$PACKAGES_SUITES_SOURCES \
    unshare --mount --pid --fork --kill-child --propagation private \
    chroot "$root" sh -c "$(install_script)" install $(packages_of "$suite") >>"$LOG" 2>&1 </dev/null ||
    die "the packages of $suite could not be installed"
  rm -rf "$root"/var/cache/apt/archives/*.deb
}

REFRESH=
ENGINES=
SUITES=
CROSS=
while :; do
  case "${1:-}" in
    --refresh) REFRESH=1 ;;
    --engines) ENGINES=-engines ;;
    --suites) SUITES=1 ;;
    --cross)
      CROSS=$2
      shift
      ;;
    *) break ;;
  esac
  shift
done
SUITE=${1:-}
[ -n "$SUITE" ] || die "name a suite: bookworm, trixie or sid"
[ "$(id -u)" = 0 ] || die "only root can make a root filesystem"
# shellcheck disable=SC2086
install_missing $PACKAGES_ENGINES >&2 || die "debootstrap is not installed"

mkdir -p "$CACHE"
[ "$SUITE" = bookworm ] || ENGINES=  # theirs have them
NAME=$SUITE$ENGINES${SUITES:+-suites}${CROSS:+-$CROSS}
exec 9>"$CACHE/$NAME.lock"
flock 9  # two runs at once make one root
STAMP=$({ sources "$SUITE"; install_script; printf '%s' "$(packages_of "$SUITE")" "$(built_in "$SUITE")" "${SUITES:+$PACKAGES_SUITES_SOURCES}"; } | sha256sum | cut -c1-16)
ROOT=$CACHE/$NAME
if [ -z "$REFRESH" ] && [ "$(cat "$ROOT/.made-by" 2>/dev/null)" = "$STAMP" ]; then
  printf '%s\n' "$ROOT"
  exit
fi
LOG=$CACHE/$NAME.log
rm -rf "$ROOT.new"
trap 'rm -rf "$ROOT.new"' EXIT
printf 'engines: making %s from %s (some minutes)\n' "$ROOT" "$MIRROR" >&2
make_root "$SUITE" "$ROOT.new"
printf '%s\n' "$STAMP" >"$ROOT.new/.made-by"
rm -rf "$ROOT"
mv "$ROOT.new" "$ROOT"
printf '%s\n' "$ROOT"
