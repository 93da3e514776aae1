#!/bin/bash
# The rpm of runclad and runcladctl, made with rpmbuild on Debian: the static programs run on every
# distribution.
#
#   packaging/rpm.sh [--build DIRECTORY] [OUTPUT]
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
work=$(mktemp -d "$output/.rpm.XXXXXX")
trap 'rm -rf "$work"' EXIT
if [ -z "$build" ]; then
  mkdir "$work/source"
  copy_sources "$work/source"
  build=$work/source/build
  compile "$work/source" >"$work/log" 2>&1 || { tail -n 40 "$work/log" >&2; exit 1; }
fi
sed -e '/^#BEFORE-REMOVAL#/{r packaging/host/before-removal.sh' -e 'd}' packaging/rpm/runclad.spec \
  >"$work/runclad.spec"
rpmbuild -bb --quiet --define "_topdir $work" --define "release_version $(package_version)" \
  --define "build_directory $build" --define "source_directory $PWD" --define "_buildhost localhost" \
  --define "use_source_date_epoch_as_buildtime 1" --define "clamp_mtime_to_source_date_epoch 1" \
  "$work/runclad.spec" >"$work/log" 2>&1 || { tail -n 40 "$work/log" >&2; exit 1; }
mv "$work"/RPMS/*/runclad-*.rpm "$output"
printf '%s\n' "$output/runclad-$(package_version)-1.$(uname -m).rpm"
