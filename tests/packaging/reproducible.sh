#!/bin/bash
# Two releases of the same commit, built in different directories on different days, have the same bytes; the
# bill of materials says what is in them, and the checksums hold. Several minutes: everything is compiled
# twice.
#
#   tests/packaging/reproducible.sh [--arch arm64]
# shellcheck disable=SC2016,SC2317  # dollars are for another shell; functions are called by name
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/packaging/lib.sh
. tests/packaging/lib.sh
arguments=("$@")
work=$(mktemp -d /var/tmp/runclad-release.XXXXXX)
trap 'rm -rf "$work"' EXIT

same_bytes() {
  local file
  for file in "$work/one"/*; do
    cmp "$file" "$work/another-longer-directory/${file##*/}" || return
  done
}
checksums_hold() { (cd "$work/one" && sha256sum --check --strict SHA256SUMS); }
names_no_directory_of_the_build() { ! grep -rlaF "$work" "$work/unpacked"; }
# Static, so that no library of the host decides what they do.
need_nothing() {
  local program
  for program in "$work"/unpacked/usr/local/{sbin/runclad,bin/runcladctl}; do
    if readelf -dW "$program" | grep NEEDED || readelf -lW "$program" | grep INTERP; then return 1; fi
  done
}

# Nothing is taken from ccache.
export CCACHE_DISABLE=1
unset CCACHE_DIR CMAKE_CXX_COMPILER_LAUNCHER
is "a release is made" packaging/release.sh "${arguments[@]}" "$work/one"
# Another time zone, language and umask.
is "and made again elsewhere" env TZ=Pacific/Kiritimati LC_ALL=C \
  bash -c 'umask 077 && exec packaging/release.sh "$@"' bash "${arguments[@]}" "$work/another-longer-directory"
is "both have the same bytes" same_bytes
is "the checksums hold" checksums_hold
mkdir "$work/unpacked"
tar -C "$work/unpacked" -xzf "$work"/one/*.tar.gz
is "no path of the build is in it" names_no_directory_of_the_build
is "the programs need no library" need_nothing
is "the bill of materials is complete" python3 tests/packaging/sbom.py "$work"/one/*.spdx.json \
  "$work"/unpacked/usr/local/{sbin/runclad,bin/runcladctl}
finish
