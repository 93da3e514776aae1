# shellcheck shell=bash
# The machine's cgroup v1 hierarchies. One stays active for as long as it has a mount or a cgroup: a cgroup that a
# run leaves in a hierarchy that is mounted nowhere keeps it active, and every process is in it. containerd looks
# for a container's cgroups in each hierarchy of /proc/PID/cgroup; where it finds one without a mount below
# /sys/fs/cgroup, it reports no container's processes and metrics.
#
# A hierarchy is named by its controllers, as in /proc/self/cgroup: "hugetlb", "cpu,cpuacct", "name=systemd".

cgroup_is_v2() { [ -e /sys/fs/cgroup/cgroup.controllers ]; }

# Whether limits of this kind can be set: in cgroup v2, a controller that cgroup v1 uses is missing.
has_controller() {  # pids|memory|cpu|cpuset
  if cgroup_is_v2; then
    grep -qw "$1" /sys/fs/cgroup/cgroup.controllers
  else
    mountpoint -q "/sys/fs/cgroup/$1"
  fi
}

active_hierarchies() { cut -d: -f2 /proc/self/cgroup | grep . | sort; }

unmounted_hierarchies() {
  local names
  for names in $(active_hierarchies); do
    grep -qE "^[^ ]+ /sys/fs/cgroup/[^ ]+ cgroup [^ ]*,${names%%,*}(,| )" /proc/mounts || printf '%s\n' "$names"
  done
}

mount_hierarchy() {  # NAMES DIRECTORY
  mount -t cgroup -o "${1/#name=/none,name=}" cgroup "$2"
}

# Mounts what is mounted at /sys/fs/cgroup, and the active hierarchies that are not, on a tmpfs of our own: the
# engines find them all, and what they make there is not made on the machine's (podman makes a directory for each
# controller that it knows).
mount_all_hierarchies() {  # DIRECTORY
  local entry names
  mount -t tmpfs -o mode=755 tmpfs "$1"
  for entry in /sys/fs/cgroup/*; do
    if [ -L "$entry" ]; then
      cp -P "$entry" "$1"
    elif mountpoint -q "$entry"; then
      mkdir "$1/${entry##*/}"
      mount --bind "$entry" "$1/${entry##*/}"
    fi
  done
  for names in $(unmounted_hierarchies); do
    mkdir "$1/${names#name=}"
    mount_hierarchy "$names" "$1/${names#name=}"
  done
}

# Removes the empty cgroups below those whose names begin with PREFIX (all, if it is empty) and lets go of the
# hierarchy, which ends unless somebody else uses it. The kernel frees a cgroup some time after it was removed, and
# keeps a hierarchy whose last mount goes before. What stays is printed.
end_hierarchy() {  # NAMES [PREFIX]
  # A mount that no other namespace gets a copy of.
  # shellcheck disable=SC2016
  unshare --mount --propagation private "$BASH" -c '. "$0"; end_hierarchy_here "$@"' "${BASH_SOURCE[0]}" "$@"
}
end_hierarchy_here() {
  local place deadline=$((SECONDS + 5)) left=
  place=$(mktemp -d) || return 1
  while active_hierarchies | grep -qxF "$1" && [ "$SECONDS" -lt "$deadline" ]; do
    mount_hierarchy "$1" "$place" || break
    find "$place" -mindepth 1 -depth -type d -path "*/${2:-}*" -exec rmdir {} + 2>/dev/null
    left=$(find "$place" -mindepth 1 -type d -printf '/%P\n')
    umount "$place"
    [ -z "$left" ] || break
    sleep 0.1
  done
  rmdir "$place"
  [ -z "$left" ] || printf '%s\n' "$left"
}

# --- which runs are going on ---

# Every run holds a lock for as long as it lives. It is on /dev, which a root with other engines shares; the kernel
# releases it when the run is killed.
is_only_run() { exec 8</dev && flock --nonblock --exclusive 8; }
is_a_run() { exec 8</dev && flock --shared 8; }

# What an earlier run that was killed has left in hierarchies that are mounted nowhere.
end_hierarchies_of_earlier_runs() {
  local names
  for names in $(unmounted_hierarchies); do
    end_hierarchy "$names" runclad-e2e. >/dev/null
  done
}
