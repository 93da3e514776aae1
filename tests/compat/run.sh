#!/bin/bash
# Containers that an earlier version of runclad made, under this one: both programs are real.
#
#   tests/compat/run.sh [--write-results] [COMMIT]   builds that commit's runclad (default: the one
#                                                    named in BEFORE) in tests/.cache and upgrades it
#                                                    below living containers
# --write-results puts the last line into RESULTS.md.
#
# RUNCLAD_E2E_RUNTIME names this version's program (default: build/release/runclad); runcladctl stands
# beside it.
set -euo pipefail
cd "$(dirname "$0")/../.."
results=
if [ "${1:-}" = --write-results ]; then
  results=tests/compat/RESULTS.md
  shift
fi
commit=$(git rev-parse --verify "${1:-$(cat tests/compat/BEFORE)}^{commit}")
after=$(realpath "${RUNCLAD_E2E_RUNTIME:-build/release/runclad}")
cache=$PWD/tests/.cache/compat/$commit
if [ ! -x "$cache/runclad" ]; then
  tree=$(mktemp -d)
  trap 'rm -rf "$tree"' EXIT
  git archive "$commit" | tar -x -C "$tree"
  cmake -S "$tree" -B "$tree/build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DRUNCLAD_TESTS=OFF >/dev/null
  cmake --build "$tree/build" --target runclad >/dev/null
  mkdir -p "$cache"
  cp "$tree/build/runclad" "$cache/runclad"
fi
# The program that engines call: the topic replaces it, as an upgrade of the package does.
place=$(mktemp -d)
trap 'rm -rf "$place" "${tree:-$place}"' EXIT
cp "$cache/runclad" "$place/runclad"
cp "${after%/*}/runcladctl" "$place/runcladctl"
cp "$after" "$place/runclad.after"
RUNCLAD_E2E_EARLIER=1 RUNCLAD_E2E_RUNTIME=$place/runclad tests/e2e/run.sh tests/compat/upgrade.sh | tee "$place/output"
[ -z "$results" ] || printf '# The last upgrade\n\n%s, from %s to %s: %s\n' "$(date -u +%F)" \
  "$(git rev-parse --short "$commit")" "$(git rev-parse --short HEAD)" "$(tail -n 1 "$place/output")" \
  >"$results"
