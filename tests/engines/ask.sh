# shellcheck shell=bash
# Programs of engines that this machine has not, or not as new: those in the root of another suite (root.sh), where
# there is one. Sourced by tests that ask engines what they make of a file.

# Sets ASK: the words before a program that has the feature, here or in the root of a suite.
find_program() {  # SUITE PROGRAM TEST…
  local root=${RUNCLAD_ENGINES_CACHE:-/var/cache/runclad-tests}/$1 program=$2
  shift 2
  ASK=()
  if "$@" >/dev/null 2>&1; then return 0; fi
  ASK=(chroot "$root")
  [ "$(id -u)" = 0 ] && [ -e "$root/.made-by" ] && chroot "$root" sh -c "command -v $program" >/dev/null
}
# A file where the program can read it, in the root of a suite too.
visible() {  # FILE
  [ "${#ASK[@]}" -gt 0 ] || { realpath "$1"; return; }
  local copy=/tmp/runclad-ask-$$-${1##*/}
  cp "$1" "${ASK[1]}$copy" && printf '%s\n' "$copy"
}

# What `visible` left in the roots.
end_asking() { rm -rf "${RUNCLAD_ENGINES_CACHE:-/var/cache/runclad-tests}"/*/tmp/runclad-ask-$$-*; }
