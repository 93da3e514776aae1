#!/bin/bash
# Every test of the project, from a clone on Debian 12, as root:
#
#   tests/run.sh           everything but the three below
#   tests/run.sh --quick   without the engines: build, unit tests, format
#   tests/run.sh --long [PART…]
#                          every attack under plain runc, the engines of Debian trixie and sid on both cgroup layouts,
#                          with every topic, the peers' own suites in mode audit, an upgrade from the version before, 200 seeded events on
#                          one host, every service behind an image file, the report's page in a browser, what
#                          `configure` writes asked of the engines, the packages installed on Debian 12, a host's life
#                          from installation to purge on Debian 12 and sid, the releases for amd64 and arm64 built
#                          twice, arm64's unit tests in qemu-user, alone, with the release build that is there
#                          (several hours); tests/LONG.md has each part's last result
#   tests/run.sh --vm      Debian's kernel in an emulator alone, with the release build that is there:
#                          AppArmor, AF_ALG, SysRq, cgroup v2, which a machine's own may lack
#   tests/run.sh --tidy    clang-tidy alone (several minutes)
#
# Installs what is missing with apt-get. The last line is `N passed, N failed`.
# shellcheck disable=SC2317  # functions that are called by name
set -u
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=packaging/packages.sh
. packaging/packages.sh

PASSED=0
FAILED=0
FAILURES=()
JOBS=$(nproc)
LOG=$(mktemp)
trap 'end_beside; rm -f "$LOG"' EXIT

say() { printf '\n== %s\n' "$*"; }
pass() { PASSED=$((PASSED + ${1:-1})); }
fail() {  # SENTENCE [COUNT]
  FAILED=$((FAILED + ${2:-1}))
  FAILURES+=("$1")
  printf 'FAILED: %s\n' "$1"
}
finish() {
  rm -f "$LOG"
  printf '\n'
  if [ "${#FAILURES[@]}" -gt 0 ]; then printf 'failed: %s\n' "${FAILURES[@]}"; fi
  printf '%s s\n' "$SECONDS"
  printf '%s passed, %s failed\n' "$PASSED" "$FAILED"
  [ "$FAILED" -eq 0 ] && [ "$PASSED" -gt 0 ]
  exit
}

# One test that is one command: check SENTENCE COMMAND… (its output is shown when it fails)
check() {
  local sentence=$1 start=$SECONDS
  shift
  if "$@" >"$LOG" 2>&1; then
    pass
    printf 'ok: %s (%s s)\n' "$sentence" "$((SECONDS - start))"
  else
    tail -n 40 "$LOG"
    fail "$sentence"
  fi
}

# What nothing else makes sense without.
must() {  # SENTENCE COMMAND…
  local sentence=$1 start=$SECONDS
  shift
  if "$@" >"$LOG" 2>&1; then
    printf '%s (%s s)\n' "$sentence" "$((SECONDS - start))"
  else
    tail -n 60 "$LOG"
    fail "$sentence"
    finish
  fi
}

# A program that closes with `N passed, N failed`: its counts are added to ours.
counted() {  # WHAT COMMAND…
  local what=$1 start=$SECONDS
  shift
  "$@" >"$LOG" 2>&1
  add_counts "$what" $? "$LOG" $((SECONDS - start))
}
add_counts() {  # WHAT STATUS LOG SECONDS
  local last
  last=$(tail -n 1 "$3")
  if [[ $last =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
    pass "${BASH_REMATCH[1]}"
    if [ "${BASH_REMATCH[2]}" -gt 0 ]; then
      grep -A8 -E '^not ok' "$3"
      fail "$1: ${BASH_REMATCH[2]} failed" "${BASH_REMATCH[2]}"
    elif [ "$2" -ne 0 ]; then
      fail "$1 ended with status $2"
    fi
    printf '%s: %s (%s s)\n' "$1" "$last" "$4"
  else
    tail -n 20 "$3"
    fail "$1 broke off with status $2"
  fi
}

# The same for a program that runs beside what follows, until `collect`: engines wait more than they
# compute. What follows gives way to them (behind).
BESIDE=()  # a directory each: what, pid, log, status and seconds
beside() {  # WHAT COMMAND…
  local directory start=$SECONDS
  directory=$(mktemp -d)
  printf '%s\n' "$1" >"$directory/what"
  shift
  {
    "$@" >"$directory/log" 2>&1 &
    printf '%s\n' $! >"$directory/pid"
    wait $!
    printf '%s\n' $? >"$directory/status"
    printf '%s\n' $((SECONDS - start)) >"$directory/seconds"
  } &
  BESIDE+=("$directory")
}
collect() {
  local directory
  wait
  for directory in "${BESIDE[@]}"; do
    add_counts "$(cat "$directory/what")" "$(cat "$directory/status")" "$directory/log" \
      "$(cat "$directory/seconds")"
    rm -r "$directory"
  done
  BESIDE=()
}
# Where this script ends before `collect`. The end-to-end tests end what they have started.
end_beside() {
  local directory
  for directory in "${BESIDE[@]}"; do
    [ -e "$directory/status" ] || kill "$(cat "$directory/pid")" 2>/dev/null
  done
  wait
  [ ${#BESIDE[@]} -eq 0 ] || rm -rf "${BESIDE[@]}"
}
behind() { nice -n 19 "$@"; }

unit_tests() {  # WHAT BUILD-DIRECTORY
  local start=$SECONDS
  behind ctest --test-dir "$2" -j "$JOBS" --output-on-failure --no-tests=error >"$LOG" 2>&1
  local status=$?
  local summary
  summary=$(grep -E 'tests passed, [0-9]+ tests failed out of [0-9]+' "$LOG")
  if [[ $summary =~ ([0-9]+)\ tests\ failed\ out\ of\ ([0-9]+) ]]; then
    local failed=${BASH_REMATCH[1]} all=${BASH_REMATCH[2]}
    pass $((all - failed))
    if [ "$failed" -gt 0 ]; then
      grep -B2 -A25 -E '\*\*\*|^\[  FAILED' "$LOG" | tail -n 100
      fail "$1: $failed of $all failed" "$failed"
    fi
    printf '%s: %s of %s passed (%s s)\n' "$1" $((all - failed)) "$all" "$((SECONDS - start))"
  else
    tail -n 20 "$LOG"
    fail "$1: ctest ended with status $status and no summary"
  fi
}

is_formatted() {
  find src include tests -name '*.[ch]pp' -print0 | xargs -0 clang-format --dry-run -Werror
}
scripts_are_clean() {
  find tests packaging .ci/run -name '*.sh' -print0 -o -path .ci/run -print0 |
    xargs -0 -n 8 -P "$JOBS" shellcheck -x
}
# A static program has no interpreter and needs no library.
# A static-pie: no loader, no library, an address that the kernel chooses, nothing writable that is
# called through.
is_static() {
  [ -x "$1" ] && ! readelf -lW "$1" | grep -q INTERP && ! readelf -dW "$1" | grep -q NEEDED &&
    { ldd "$1" 2>&1 || true; } | grep -qE 'statically linked|not a dynamic executable' &&
    readelf -hW "$1" | grep -qE 'Type: +DYN' && readelf -lW "$1" | grep -q GNU_RELRO &&
    readelf -dW "$1" | grep -q BIND_NOW
}

# Intel CET, where the build found that every object that is linked has the mark.
has_cet_where_possible() {  # PROGRAM BUILD-DIRECTORY
  grep -q '^RUNCLAD_CET:INTERNAL=1' "$2/CMakeCache.txt" || {
    echo "not possible here: the static C library has no CET mark"
    return 0
  }
  readelf -nW "$1" | grep -q 'IBT, SHSTK'
}

say "packages"
# shellcheck disable=SC2086  # lists of words
install_missing $PACKAGES_BUILD $PACKAGES_TRY $PACKAGES_TEST $PACKAGES_PACKAGE $PACKAGES_ENGINES || {
  fail "the packages that the tests need are not installed"
  finish
}

if [ "${1:-}" = --tidy ]; then
  say "clang-tidy"
  # shellcheck disable=SC2086
  install_missing clang-tidy || { fail "clang-tidy is not installed"; finish; }
  check "clang-tidy finds nothing" sh -c 'cmake --preset tidy && cmake --build --preset tidy'
  finish
fi

if [ "${1:-}" = --vm ]; then
  say "another kernel (several minutes)"
  counted "attacks that need another kernel" tests/vm/run.sh
  finish
fi

# One part of --long, whose result tests/LONG.md gets.
long_part() {  # PART COMMAND…
  local part=$1 passed=$PASSED failed=$FAILED start=$SECONDS
  [ ${#LONG_PARTS[@]} -eq 0 ] || [[ " ${LONG_PARTS[*]} " == *" $part "* ]] || return 0
  counted "$@"
  python3 tests/long.py "$part" "$((PASSED - passed)) passed, $((FAILED - failed)) failed" \
    "$((SECONDS - start))" || fail "tests/LONG.md could not be written"
}
if [ "${1:-}" = --long ]; then
  LONG_PARTS=("${@:2}")
  # The figures of engines are for what is committed.
  write=()
  [ -n "$(git status --porcelain -- . ':!tests/LONG.md' ':!tests/engines/RESULTS.md' ':!tests/suites/RESULTS.md' \
    ':!tests/e2e/PROVED.md' ':!README.md')" ] ||
    write=(--write-results)
  say "newer engines, an upgrade, every service, and packages (several hours)"
  long_part report tests/report/run.sh
  long_part images tests/images/run.sh
  long_part learn tests/images/run.sh --learn
  long_part proof tests/e2e/run.sh --prove "${write[@]}"
  long_part trixie tests/engines/run.sh "${write[@]}" trixie
  long_part trixie-cgroup2 tests/engines/run.sh "${write[@]}" --cgroup2 trixie
  long_part sid tests/engines/run.sh "${write[@]}" --refresh sid
  long_part sid-cgroup2 tests/engines/run.sh "${write[@]}" --cgroup2 sid
  long_part suites tests/suites/run.sh "${write[@]}"
  long_part upgrade tests/compat/run.sh
  long_part fuzz tests/fuzz/run.sh --seconds 300
  long_part events tests/events/run.sh
  long_part examples tests/packaging/examples.sh
  long_part configured tests/configure/ask_engines.sh
  long_part package tests/packaging/run.sh
  long_part life tests/packaging/life.sh bookworm build/release
  long_part life-sid tests/packaging/life.sh sid build/release
  long_part reproducible tests/packaging/reproducible.sh
  long_part arm64 tests/packaging/arm64.sh
  long_part reproducible-arm64 tests/packaging/reproducible.sh --arch arm64
  finish
fi

# The root with trixie's engines is made beside what is compiled: it waits for the network.
root_log=$(mktemp)
root_maker=
if [ "${1:-}" != --quick ]; then
  tests/engines/root.sh trixie >"$root_log" 2>&1 &
  root_maker=$!
  trap 'end_beside; kill "$root_maker" 2>/dev/null; rm -f "$LOG" "$root_log"' EXIT
fi

say "build"
must "configured (release)" cmake --preset release -DRUNCLAD_TESTS=OPTIMIZED
must "built with g++ (the programs)" cmake --build --preset release -j "$JOBS" --target runclad runcladctl

if [ "${1:-}" != --quick ]; then
  say "engines, beside what follows (about a quarter of an hour)"
  beside "end-to-end tests" tests/e2e/run.sh
  # Of the topics that have changed since PROVED.md was written, in --long.
  beside "the attacks work under plain runc, so that the tests can fail" tests/e2e/run.sh --prove --changed
  if wait "$root_maker"; then
    root_maker=
    # Topics in which no engine takes part have run above; the whole run with trixie is in --long.
    beside "end-to-end tests with the engines of Debian trixie" tests/engines/run.sh trixie --engine-topics
  else
    tail -n 40 "$root_log"
    fail "the root with the engines of Debian trixie could not be made: see above, and whether the mirror answers"
  fi
fi

say "build of the tests"
must "built with g++ (tests)" behind cmake --build --preset release -j "$JOBS"
must "configured (sanitizers)" \
  cmake --preset asan -B build/asan-clang -DCMAKE_CXX_COMPILER=clang++ -DRUNCLAD_FUZZ=ON
must "built with clang++ (AddressSanitizer, UndefinedBehaviorSanitizer, libFuzzer)" \
  behind cmake --build build/asan-clang -j "$JOBS"

say "unit tests"
unit_tests "unit tests (release)" build/release
unit_tests "unit tests (sanitizers)" build/asan-clang

say "fuzz programs, ten seconds each"
counted "fuzz programs" behind tests/fuzz/run.sh --seconds 10

say "sources"
check "every source is formatted (clang-format)" is_formatted
check "every script is clean (shellcheck)" scripts_are_clean
counted "policies against the JSON Schema" python3 tests/schema.py
counted "metrics, read by Prometheus' parser" tests/metrics.py
check "each of README's blocks is run by a test" python3 tests/readme_blocks.py
check "README's table of engines is that of the last results" python3 tests/engines/results.py --check
check "the runtime is static and position-independent" is_static build/release/runclad
check "runcladctl is too" is_static build/release/runcladctl
check "the runtime has CET where it is possible" \
  has_cet_where_possible build/release/runclad build/release

say "packages"
counted "packages of the release build" tests/packaging/contents.sh
counted "completions in bash, zsh and fish" tests/packaging/completions.sh
counted "examples" tests/packaging/examples.sh
counted "README's commands that build and install" tests/packaging/commands.sh
counted "rotation of the log" tests/packaging/logrotate.sh
counted "Kubernetes: the base and the chart" tests/kubernetes/render.py
counted "Kubernetes: the installer, against a stub of the API" tests/kubernetes/installer.py

[ "${1:-}" = --quick ] || say "engines: results"
collect

if [ "${1:-}" = --quick ]; then finish; fi

say "engines, afterwards"
# Engines and services are waited for: two at once.
beside "races between the check and the mount" tests/race/run.sh
counted "images under their image files, and one that follows why" tests/images/run.sh --quick
collect
beside "three image files that are learned" tests/images/run.sh --learn --quick
counted "documents and calls through runc alone and through runclad" \
  python3 tests/differential/run.py --seconds 60
counted "instructions on the hot path" \
  tests/e2e/run.sh tests/bench/instructions.sh tests/bench/image_files.sh
grep -E '^ *[0-9]+ (instructions|bytes|KiB)' "$LOG"
collect
finish
