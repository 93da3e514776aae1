#!/bin/bash
# Prints the path of trixie's kustomize, of which Debian 12 has no package. Needs root for the directory in which it is
# kept, and the mirror once; without them, a message and status 1.
#
# The package is Debian's, checked by apt's signatures; it needs no other library than Debian 12's libc (>= 2.34).
# RUNCLAD_ENGINES_CACHE and RUNCLAD_DEBIAN_MIRROR are those of tests/engines/root.sh.
set -eu
CACHE=${RUNCLAD_ENGINES_CACHE:-/var/cache/runclad-tests}
MIRROR=${RUNCLAD_DEBIAN_MIRROR:-http://deb.debian.org/debian}
ROOT=$CACHE/kustomize
PROGRAM=$ROOT/usr/bin/kustomize

die() {
  printf 'kustomize.sh: %s\n' "$1" >&2
  exit 1
}

if [ ! -x "$PROGRAM" ]; then
  mkdir -p "$CACHE" 2>/dev/null || true
  [ -w "$CACHE" ] || die "$CACHE cannot be written"
  exec 9>"$ROOT.lock"
  flock 9
fi
if [ ! -x "$PROGRAM" ]; then
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  mkdir -p "$work"/state/lists/partial "$work"/cache/archives/partial
  printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s trixie main\n' "$MIRROR" >"$work/sources.list"
  apt=(-q -o "Dir::State=$work/state" -o "Dir::Cache=$work/cache" -o "Dir::Etc::SourceList=$work/sources.list"
    -o Dir::Etc::SourceParts=/dev/null -o Dir::State::status=/dev/null -o APT::Sandbox::User=root
    -o Acquire::Languages=none -o Acquire::Check-Valid-Until=false)
  cd "$work"
  { apt-get "${apt[@]}" update && apt-get "${apt[@]}" download kustomize; } >"$work/log" 2>&1 ||
    die "trixie's kustomize could not be fetched from $MIRROR: $(tail -n 1 "$work/log")"
  rm -rf "$ROOT.new"
  dpkg -x kustomize_*.deb "$ROOT.new"
  dpkg-deb -f kustomize_*.deb Version >"$ROOT.new/version"
  rm -rf "$ROOT"
  mv "$ROOT.new" "$ROOT"
fi
printf '%s\n' "$PROGRAM"
