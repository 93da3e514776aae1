#!/bin/bash
# The benchmark: times and ratios of the shim, of its lower runtime alone, and of other wrappers, and
# beside them the instruction counts and the memory that tests/run.sh holds to limits.
#
#   tests/bench/run.sh [--rounds N] [--write-results]
#
# Wants a quiet machine. Installs what is missing and builds the release. --write-results keeps the
# tables and a plot in tests/bench/RESULTS.md and results.svg; they are of the commit that is checked
# out. A count above its limit fails the run, but not before the tables are written.
set -eu
cd "$(dirname "$0")/../.."
# shellcheck source=packaging/packages.sh
. packaging/packages.sh
rounds=40
write=
while [ $# -gt 0 ]; do
  case "$1" in
    --rounds) rounds=$2; shift ;;
    --write-results) write=1 ;;
    *) printf 'usage: tests/bench/run.sh [--rounds N] [--write-results]\n' >&2; exit 2 ;;
  esac
  shift
done
# shellcheck disable=SC2086  # lists of words
install_missing $PACKAGES_BUILD $PACKAGES_TEST $PACKAGES_BENCH
log=$(mktemp)
result=$(mktemp)
trap 'rm -f "$result" "$log"' EXIT
{ cmake --preset release && cmake --build build/release --target runclad runcladctl; } >"$log" 2>&1 || {
  tail -n 30 "$log"
  exit 1
}
status=0
BENCH_ROUNDS=$rounds BENCH_RESULT=$result RUNCLAD_E2E_RUNTIME=$PWD/build/release/runclad \
  tests/e2e/run.sh tests/bench/times.sh tests/bench/instructions.sh tests/bench/image_files.sh \
  >"$log" 2>&1 || status=$?
[ -s "$result" ] || {
  tail -n 30 "$log"
  exit 1
}
python3 tests/bench/tables.py "$result" "$log" ${write:+--write tests/bench}
grep '^not ok' "$log" || true
exit "$status"
