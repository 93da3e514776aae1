#!/bin/bash
# The Debian package of runclad and runcladctl.
#
#   packaging/deb.sh [--build DIRECTORY] [OUTPUT]
#
#   --build DIRECTORY  packages this release build; without it, everything is compiled
#   OUTPUT             where the package is left (default: build/packages)
#
# Prints the package's path. The date in it is that of the last commit, or SOURCE_DATE_EPOCH.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=packaging/release_info.sh
. packaging/release_info.sh

read_arguments "$@"
work=$(mktemp -d "$output/.deb.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir "$work/runclad"
copy_sources "$work/runclad"
cd "$work/runclad"
mv packaging/debian debian
cat >debian/changelog <<CHANGELOG
runclad ($(package_version)-1) unstable; urgency=medium

  * Release $RELEASE; see /usr/share/doc/runclad/changelog.gz.

 -- $(sed -n 's/^Maintainer: //p' debian/control)  $(date -R -u -d "@$SOURCE_DATE_EPOCH")
CHANGELOG
export RUNCLAD_BUILD=$build RUNCLAD_COMMIT=$COMMIT
dpkg-buildpackage --build=binary --no-sign --no-check-builddeps >"$work/log" 2>&1 || {
  tail -n 40 "$work/log" >&2
  exit 1
}
mv "$work"/runclad_*.deb "$output"
printf '%s\n' "$output/runclad_$(package_version)-1_$(dpkg --print-architecture).deb"
