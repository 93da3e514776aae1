#!/bin/bash
# Runs a command in the root that compiles for another architecture (tests/engines/root.sh --cross), which it makes
# where it is missing.
#
#   packaging/in_cross_root.sh ARCHITECTURE DIRECTORY COMMAND…
#
# DIRECTORY is /mnt/work there. With $CCACHE_DIR ccache compiles, from there. The mounts are seen by the command alone.
# shellcheck disable=SC2016  # dollars are for another shell
set -euo pipefail
cd "$(dirname "$0")/.."
root=$(tests/engines/root.sh --cross "$1" bookworm)
unshare --mount --pid --fork --kill-child --propagation private "$BASH" -euc '
  root=$1 work=$2 cache=$3
  shift 3
  mount --bind "$root" "$root"  # a mount point, which tests make private
  mount -t proc proc "$root/proc"
  mount --rbind /sys "$root/sys"
  mount --rbind /dev "$root/dev"
  mount -t tmpfs tmpfs "$root/tmp"
  mount -t tmpfs tmpfs "$root/mnt"
  mkdir "$root/mnt/work" "$root/mnt/cache"
  mount --bind "$work" "$root/mnt/work"
  if [ -n "$cache" ]; then
    mount --bind "$cache" "$root/mnt/cache"
    set -- CCACHE_DIR=/mnt/cache CMAKE_CXX_COMPILER_LAUNCHER=ccache "$@"
  fi
  exec chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 "$@"
' bash "$root" "$2" "${CCACHE_DIR:-}" "${@:3}" </dev/null
