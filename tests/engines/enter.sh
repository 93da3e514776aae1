# shellcheck shell=bash
# How a root of another Debian suite (root.sh) is entered, and that no cgroup hierarchy stays active afterwards.
# Whoever sources this has sourced tests/e2e/cgroups.sh, has a function `die`, and is in mount and pid namespaces
# of its own when it calls enter_root.

# What the root has of the machine: devices, cgroups, and the source tree, the programs under test and what more is
# asked for (as `source`) below PLACE. A bind
# of the root makes it a mount point, which pivot_root asks for; after a chroot alone the lower runtime finds no
# mount at /.
enter_root() {  # ROOT TREE BUILD PLACE [SOURCE]
  local root=$1 place=$4
  mount --bind "$root" "$root"
  mkdir -p "$root$place"/{tree,build} "$root/.old"
  mount --bind "$2" "$root$place/tree"
  mount --bind "$3" "$root$place/build"
  if [ -n "${5:-}" ]; then
    mkdir -p "$root$place/source"
    mount --bind -o ro "$5" "$root$place/source"
  fi
  mount -t proc proc "$root/proc"
  mount --rbind /dev "$root/dev"
  mount -t sysfs sysfs "$root/sys"
  mount_cgroups "$root/sys/fs/cgroup"
  mount -t tmpfs -o mode=755 tmpfs "$root/run"
  mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
  { cd "$root" && pivot_root . .old; } || die "pivot_root failed"
  cd /
  umount --recursive --lazy /.old
  ip link set lo up 2>/dev/null
}

mount_cgroups() {  # DIRECTORY
  if [ "$ENGINES_LAYOUT" = v2 ]; then
    mount -t cgroup2 cgroup2 "$1"
  else
    mount_all_hierarchies "$1"
  fi
}

# Hierarchies that the engines made active would stay so, and change what later runs find.
end_new_hierarchies() {  # THOSE BEFORE
  local names left
  for names in $(comm -13 <(printf '%s\n' "$1") <(active_hierarchies)); do
    left=$(end_hierarchy "$names" | head -n 1)
    ! active_hierarchies | grep -qxF "$names" || die "the cgroup hierarchy $names was not active before; it cannot be
ended${left:+, because of its cgroup $left}: see which process is in it, and remove it with rmdir"
  done
}
