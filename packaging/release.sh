#!/bin/bash
# The release: a tarball of the static programs and what belongs to them, its bill of materials and its
# checksums.
#
#   packaging/release.sh [--arch arm64] [OUTPUT]   (default: build/release-files)
#
#   runclad-VERSION-linux-ARCHITECTURE.tar.gz    unpack it in /: programs below /usr/local, image files in
#                                                /usr/share/runclad, no policy
#   runclad-VERSION-linux-ARCHITECTURE.spdx.json
#   SHA256SUMS                                   of the releases of each architecture that OUTPUT has
#
# --arch arm64: cross-built, with the static libraries that Debian 12 has for it, in a root of its own below
# /var/cache/runclad-tests (tests/engines/root.sh). Only root can do that.
#
# What is packaged is what git has at HEAD. The same commit, built with the same versions of Debian's
# packages, gives the same bytes, in whatever directory and on whatever day (tests/packaging/reproducible.sh).
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=packaging/release_info.sh
. packaging/release_info.sh

arch=$(dpkg --print-architecture)
cross=
if [ "${1:-}" = --arch ]; then
  [ "${2:-}" = "$arch" ] || cross=${2:-}
  arch=${2:-}
  shift 2
fi
if [ -n "$cross" ] && [ ! -e "packaging/$cross.cmake" ]; then
  printf 'release: there is no packaging/%s.cmake: a release is made for arm64 and for this machine\n' "$cross" >&2
  exit 2
fi
read_arguments "${1:-build/release-files}"
work=$(mktemp -d "$output/.release.XXXXXX")
trap 'rm -rf "$work"' EXIT
name=runclad-$RELEASE-linux-$arch
mkdir "$work/source" "$work/root" "$work/programs"
if [ -n "$COMMIT" ]; then git archive HEAD | tar -x -C "$work/source"; else copy_sources "$work/source"; fi

# For another architecture this runs in a root that has its compiler.
make_programs() {  # WORK [CMAKE-ARGUMENT…]
  local work=$1
  shift
  compile "$work/source" "$@" >"$work/log" 2>&1 || { tail -n 40 "$work/log" >&2; return 1; }
  DESTDIR=$work/root cmake --install "$work/source/build" --prefix /usr/local --strip >>"$work/log"
  DESTDIR=$work/root cmake --install "$work/source/build" --component host >>"$work/log"
  ln -s "$work"/root/usr/local/{sbin/runclad,bin/runcladctl} "$work/programs"
  python3 packaging/sbom.py --version "$RELEASE" --programs "$work/programs" "$work/source/build" >"$work/sbom"
}

if [ -z "$cross" ]; then
  make_programs "$work"
else
  packaging/in_cross_root.sh "$cross" "$work" COMMIT="$COMMIT" RELEASE="$RELEASE" \
    SOURCE_DATE_EPOCH="$SOURCE_DATE_EPOCH" bash -euo pipefail -c "
    $(declare -f compile make_programs)
    cd /mnt/work/source
    make_programs /mnt/work -DCMAKE_TOOLCHAIN_FILE=/mnt/work/source/packaging/$cross.cmake"
fi
# Unpacked over an older release, it must not replace the operator's policy.
rm -r "$work/root/etc/runclad"
install -Dm 644 LICENSE "$work/root/usr/local/share/doc/runclad/LICENSE"
mv "$work/sbom" "$output/$name.spdx.json"
tar -C "$work/root" --sort=name --owner=root:0 --group=root:0 --mode=go-w,go+rX \
  --mtime="@$SOURCE_DATE_EPOCH" --format=gnu -c etc usr | gzip -9n >"$output/$name.tar.gz"
cd "$output"
sha256sum "runclad-$RELEASE-linux"-*.{spdx.json,tar.gz} >SHA256SUMS
printf '%s\n' "$output/$name.tar.gz"
