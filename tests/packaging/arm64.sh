#!/bin/bash
# The arm64 release, cross-built in a root of its own: what its programs are, and their unit tests under qemu-user.
# An hour where nothing is in ccache.
#
#   tests/packaging/arm64.sh
#
# qemu-user is not a kernel: it has neither seccomp(2) nor ptrace(2). The tests that cannot run in it are listed in
# arm64_left_out.txt with the reason.
# shellcheck disable=SC2317  # functions are called by name
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/packaging/lib.sh
. tests/packaging/lib.sh
# shellcheck source=packaging/release_info.sh
. packaging/release_info.sh
work=$(mktemp -d /var/tmp/runclad-arm64.XXXXXX)
trap 'rm -rf "$work"' EXIT
cache=${CCACHE_DIR:-$HOME/.cache/ccache}
mkdir -p "$cache"

# The tree is seen under the same path in each run, so that ccache knows its files again.
in_arm64_root() { CCACHE_DIR=$cache packaging/in_cross_root.sh arm64 "$work" "$@"; }

program() { printf '%s\n' "$work/unpacked/usr/local/$1"; }
each_program() {  # COMMAND…
  "$@" "$(program sbin/runclad)" && "$@" "$(program bin/runcladctl)"
}
is_for_arm64() { readelf -hW "$1" | grep -E 'Machine: +AArch64'; }
is_static_and_position_independent() {
  readelf -hW "$1" | grep -E 'Type: +DYN' && ! readelf -lW "$1" | grep INTERP && ! readelf -dW "$1" | grep NEEDED &&
    readelf -dW "$1" | grep BIND_NOW && readelf -lW "$1" | grep GNU_RELRO
}
# PACIASP, in the functions of ours: not one or two, which the C library has.
signs_return_addresses() {
  [ "$(in_arm64_root aarch64-linux-gnu-objdump -d "/mnt/work/${1#"$work"/}" | grep -c paciasp)" -gt 1000 ]
}
runs() {  # PROGRAM ARGUMENT…
  in_arm64_root qemu-aarch64-static "/mnt/work/unpacked/usr/local/$1" "${@:2}"
}
says() {  # PATTERN COMMAND…
  local said
  said=$("${@:2}" 2>&1)
  grep -qE -e "$1" <<<"$said" || { echo "$said"; return 1; }
}
bill_is_complete() {
  python3 tests/packaging/sbom.py "$work"/release/*-arm64.spdx.json "$(program sbin/runclad)" "$(program bin/runcladctl)"
}
# What Debian keeps patched is what is linked.
links_arm64s_own_c_library() {
  jq -r '.packages[].externalRefs[]?.referenceLocator' "$work"/release/*-arm64.spdx.json |
    grep -E '^pkg:deb/debian/libc6-dev@.*[?]arch=arm64$'
}

mkdir -p "$work/source"
copy_sources "$work/source"
is "a release for arm64 is made" env CCACHE_DIR="$cache" packaging/release.sh --arch arm64 "$work/release"
mkdir "$work/unpacked"
tar -C "$work/unpacked" -xzf "$work"/release/*.tar.gz
is "its programs are for arm64" each_program is_for_arm64
is "they are static and position-independent" each_program is_static_and_position_independent
is "they sign their return addresses" each_program signs_return_addresses
is "the bill of materials is complete" bill_is_complete
is "it names arm64's own C library" links_arm64s_own_c_library
is "runclad knows its release" says "^runclad $RELEASE " runs sbin/runclad --runclad-version
is "runcladctl runs" says '^capabilities: ' runs bin/runcladctl explain capabilities
is "the shipped policy has no faults" runs bin/runcladctl policy lint /mnt/work/source/packaging/host

# --- unit tests ---
# As the release is compiled, so that ccache has everything but the tests.
build_tests() {
  in_arm64_root COMMIT="$COMMIT" nice bash -euc "$(declare -f compile)
    compile /mnt/work/source -DRUNCLAD_TESTS=ON -DCMAKE_TOOLCHAIN_FILE=/mnt/work/source/packaging/arm64.cmake"
}
# A pattern of those that are left out, in ctest's words.
left_out() {
  sed -E '/^(#|$)/d; s/ .*//; s/\./\\./g; s/\*/.*/g' tests/packaging/arm64_left_out.txt | paste -sd '|'
}
is "the unit tests compile for arm64" build_tests
log=$work/ctest.log
in_arm64_root nice ctest --test-dir /mnt/work/source/build -j "$(nproc)" --output-on-failure --no-tests=error \
  --timeout 300 -E "^($(left_out))$" >"$log" 2>&1
summary=$(grep -E 'tests passed, [0-9]+ tests failed out of [0-9]+' "$log")
if [[ $summary =~ ([0-9]+)\ tests\ failed\ out\ of\ ([0-9]+) ]]; then
  FAILED=$((FAILED + BASH_REMATCH[1]))
  PASSED=$((PASSED + BASH_REMATCH[2] - BASH_REMATCH[1]))
  sed -nE 's/^\t *[0-9]+ - (.*) \(.*/not ok - unit test \1/p' "$log"
  [ "${BASH_REMATCH[1]}" -eq 0 ] || grep -B2 -A25 -E '\*\*\*|^\[  FAILED' "$log" | tail -n 200
  printf 'unit tests under qemu-user: %s of %s passed, %s left out\n' \
    $((BASH_REMATCH[2] - BASH_REMATCH[1])) "${BASH_REMATCH[2]}" "$(grep -cvE '^(#|$)' tests/packaging/arm64_left_out.txt)"
else
  tail -n 20 "$log"
  is "the unit tests run" false
fi
finish
