#!/bin/bash
# Runs the fuzz programs, each on inputs made of real ones.
#
#   tests/fuzz/run.sh [--seconds N] [TARGET…]    (default: 30 seconds each, every target)
#
# RUNCLAD_FUZZ_SEED (default: 1) begins another sequence of inputs.
#
# As root, since most work in a mount namespace of their own. The programs are those of
# RUNCLAD_FUZZ_BUILD (default: build/asan-clang). tests/fuzz/found/TARGET has inputs that once failed;
# they are run first. An input that fails is kept in build/fuzz-found and named. The last line is
# `N passed, N failed`.
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=${RUNCLAD_FUZZ_BUILD:-build/asan-clang}
SECONDS_EACH=30
if [ "${1:-}" = --seconds ]; then
  SECONDS_EACH=$2
  shift 2
fi
ALL="bolt command_line create engine_state exec json_reader packages policy seccomp"
DATA=tests/data
FOUND=$PWD/build/fuzz-found
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
mkdir -p "$FOUND"
FAILED=0
PASSED=0

# Copies the files into the corpus of the target, each by a name of its own.
seed() {  # TARGET FILE…
  local target=$1 file
  shift
  for file in "$@"; do
    cp "$file" "$WORK/$target/$(printf '%s' "$file" | tr '/' '_')"
  done
}

documents() { find "$DATA/corpus" -name '*.json' ! -name '*.process.json' ! -name '*.config.v2.json' ! -name '*.hostconfig.json'; }

seeds_of() {  # TARGET
  local target=$1 file number=0
  case "$target" in
    bolt) seed bolt "$DATA/containerd/meta.db" ;;
    command_line)
      while read -r line; do
        number=$((number + 1))
        printf '%s' "$line" | tr ' ' '\0' >"$WORK/command_line/line-$number"
      done <<'LINES'
--root /run/r --log /b/log.json --log-format json --systemd-cgroup create --bundle /b --pid-file /p --console-socket /s --no-pivot id
--runclad-config=/etc/x --root=/r start id
exec --process /p --console-socket=/s --detach --pid-file /q id
exec -t -e A=B -e C=D --cap CAP_KILL --user 1:2 --additional-gids 3 --no-new-privs=false id sh -c ls
run -b /b --keep --preserve-fds 3 -- id
update --resources=- --pids-limit 5 --memory 4m id
delete --force id
kill --all id KILL
restore -no-subreaper --image-path /i -b /b id
LINES
      ;;
    create) documents | while read -r file; do seed create "$file"; done ;;
    engine_state) RUNCLAD_FUZZ_SEEDS=$WORK/engine_state "$BUILD/tests/fuzz/fuzz_engine_state" -runs=0 >/dev/null 2>&1 ;;
    exec)
      find "$DATA/corpus" -name '*.process.json' | while read -r file; do seed exec "$file"; done
      documents | head -n 40 | while read -r file; do
        jq -c .linux.resources "$file" >"$WORK/exec/$(printf '%s' "$file" | tr '/' '_')"
      done
      ;;
    json_reader)
      documents | head -n 40 | while read -r file; do seed json_reader "$file"; done
      find profiles -name '*.json' -size -40k | while read -r file; do seed json_reader "$file"; done
      ;;
    packages) seed packages "$DATA"/rpm/Packages "$DATA"/rpm/Packages.db "$DATA"/rpm/rpmdb.sqlite
      printf 'P:curl\nF:usr/bin\nR:curl\n' >"$WORK/packages/apk" ;;
    policy)
      seed policy profiles/*.json
      find profiles/images "$DATA/policies" -name '*.json' | while read -r file; do seed policy "$file"; done
      ;;
    seccomp)
      documents | while read -r file; do
        jq -c '.linux.seccomp // empty' "$file" >"$WORK/seccomp/$(printf '%s' "$file" | tr '/' '_')"
      done
      ;;
  esac
}

# The words of the documents, so that mutations say something.
dictionary() {
  documents | xargs jq -r '.. | (strings, (objects | keys[]))' | sort -u |
    grep -xE '[A-Za-z0-9_./:@-]{2,40}' | sed 's/.*/"&"/' >"$WORK/dictionary"
}

# Prints `ok - …` or `not ok - …` and what was found.
fuzz() {  # TARGET
  local target=$1 status before after
  before=$(find "$FOUND" -name "$target-*" | wc -l)
  local inputs=("$WORK/$target")
  [ ! -d "tests/fuzz/found/$target" ] || inputs+=("tests/fuzz/found/$target")
  LSAN_OPTIONS=suppressions=tests/lsan.supp "$BUILD/tests/fuzz/fuzz_$target" \
    -seed="${RUNCLAD_FUZZ_SEED:-1}" -max_total_time="$SECONDS_EACH" -timeout=10 -rss_limit_mb=2048 -malloc_limit_mb=512 \
    -max_len=65536 -dict="$WORK/dictionary" -artifact_prefix="$FOUND/$target-" -print_final_stats=1 \
    "${inputs[@]}" >"$WORK/$target.log" 2>&1 </dev/null
  status=$?
  after=$(find "$FOUND" -name "$target-*" | wc -l)
  local runs
  runs=$(grep -oP 'number_of_executed_units: \K.*' "$WORK/$target.log")
  if [ "$status" -eq 0 ] && [ "$before" -eq "$after" ] && [ "${runs:-0}" -gt 100 ]; then
    printf 'ok - %s: %s inputs in %s s\n' "$target" "$runs" "$SECONDS_EACH"
  else
    printf 'not ok - %s: status %s after %s inputs\n' "$target" "$status" "${runs:-0}"
    grep -E 'does not hold|ERROR|SUMMARY|runtime error|Test unit written' "$WORK/$target.log" |
      head -n 8 | sed 's/^/#   /'
  fi
}

dictionary
# shellcheck disable=SC2086  # a list of words
[ $# -gt 0 ] || set -- $ALL
# One program a processor at a time: each uses one, and a memory of up to 2 GiB.
for target in "$@"; do
  while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do wait -n; done
  mkdir -p "$WORK/$target"
  seeds_of "$target"
  fuzz "$target" >"$WORK/$target.said" &
done
wait
for target in "$@"; do
  cat "$WORK/$target.said"
  if grep -q '^ok - ' "$WORK/$target.said"; then PASSED=$((PASSED + 1)); else FAILED=$((FAILED + 1)); fi
done
printf '%s passed, %s failed\n' "$PASSED" "$FAILED"
[ "$FAILED" -eq 0 ] && [ "$PASSED" -gt 0 ]
