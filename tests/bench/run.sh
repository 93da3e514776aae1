#!/bin/bash
# The benchmark: times and ratios of the shim, of its lower runtime alone, and of other wrappers.
#
#   tests/bench/run.sh [--rounds N] [--write-results]
#
# Wants a quiet machine and the release build. Installs Go. --write-results keeps the tables and a
# plot in tests/bench/RESULTS.md and results.svg; they are of the commit that is checked out.
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
# shellcheck disable=SC2086  # a list of words
install_missing $PACKAGES_BENCH
[ -x build/release/runclad ] || {
  printf 'bench: there is no build/release/runclad: build it first\n' >&2
  exit 1
}
result=$(mktemp)
log=$(mktemp)
trap 'rm -f "$result" "$log"' EXIT
BENCH_ROUNDS=$rounds BENCH_RESULT=$result tests/e2e/run.sh tests/bench/times.sh >"$log" 2>&1 || {
  tail -n 30 "$log"
  exit 1
}
python3 tests/bench/tables.py "$result" ${write:+--write tests/bench}
