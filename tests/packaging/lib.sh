# shellcheck shell=bash
# Sourced by the scripts in this folder, which close with `N passed, N failed`.
PASSED=0
FAILED=0

# is SENTENCE COMMAND…: one test; what a failing command printed is shown.
is() {
  local sentence=$1 said
  shift
  if said=$("$@" 2>&1); then
    PASSED=$((PASSED + 1))
    printf 'ok - %s\n' "$sentence"
  else
    FAILED=$((FAILED + 1))
    printf 'not ok - %s\n%s\n' "$sentence" "$said"
  fi
}

finish() {
  printf '%s passed, %s failed\n' "$PASSED" "$FAILED"
  [ "$FAILED" -eq 0 ] && [ "$PASSED" -gt 0 ]
  exit
}
