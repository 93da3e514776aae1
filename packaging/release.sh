#!/bin/bash
# The release: a tarball of the static programs and what belongs to them, its bill of materials and its
# checksums.
#
#   packaging/release.sh [OUTPUT]   (default: build/release-files)
#
#   runclad-VERSION-linux-ARCHITECTURE.tar.gz    unpack it in /: programs below /usr/local, image files in
#                                                /usr/share/runclad, no policy
#   runclad-VERSION-linux-ARCHITECTURE.spdx.json
#   SHA256SUMS
#
# What is packaged is what git has at HEAD. The same commit, built with the same versions of Debian's
# packages, gives the same bytes, in whatever directory and on whatever day (tests/packaging/reproducible.sh).
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=packaging/release_info.sh
. packaging/release_info.sh

read_arguments "${1:-build/release-files}"
work=$(mktemp -d "$output/.release.XXXXXX")
trap 'rm -rf "$work"' EXIT
name=runclad-$RELEASE-linux-$(dpkg --print-architecture)
mkdir "$work/source" "$work/root"
if [ -n "$COMMIT" ]; then git archive HEAD | tar -x -C "$work/source"; else copy_sources "$work/source"; fi
compile "$work/source" >"$work/log" 2>&1 || { tail -n 40 "$work/log" >&2; exit 1; }
DESTDIR=$work/root cmake --install "$work/source/build" --prefix /usr/local --strip >>"$work/log"
DESTDIR=$work/root cmake --install "$work/source/build" --component host >>"$work/log"
# Unpacked over an older release, it must not replace the operator's policy.
rm -r "$work/root/etc/runclad"
install -Dm 644 LICENSE "$work/root/usr/local/share/doc/runclad/LICENSE"
mkdir "$work/programs"
ln -s "$work"/root/usr/local/{sbin/runclad,bin/runcladctl} "$work/programs"
python3 packaging/sbom.py --programs "$work/programs" "$work/source/build" >"$output/$name.spdx.json"
tar -C "$work/root" --sort=name --owner=root:0 --group=root:0 --mode=go-w,go+rX \
  --mtime="@$SOURCE_DATE_EPOCH" --format=gnu -c etc usr | gzip -9n >"$output/$name.tar.gz"
cd "$output"
sha256sum "$name.spdx.json" "$name.tar.gz" >SHA256SUMS
printf '%s\n' "$output/$name.tar.gz"
