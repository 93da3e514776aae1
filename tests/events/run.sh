#!/bin/bash
# Years of a host in a quarter of an hour: seeded events on a host of its own, and after each of them the same
# questions. Services with restart=always under dockerd, one of podman's and a task of containerd's; typos in the
# policy, a full log disk, engines that are restarted or die, reboots, upgrades, runc closed and opened, policies
# applied and rolled back, the break-glass switch.
#
#   tests/events/run.sh [--seed N] [--events N] [--only EVENT,…]
#
# After each event: every service is up, or it was refused and `runcladctl status` says why; every container that
# runs has a record. When what was broken is mended, everything comes up again. RUNCLAD_E2E_RUNTIME names the
# program under test (default: build/release/runclad; runcladctl is beside it).
#
# The engines run in mount, pid, network, uts and ipc namespaces of their own, with /run, /var/lib, /usr and /etc of
# their own: they end with this program and leave nothing.
set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/e2e/cgroups.sh
. "$here/../e2e/cgroups.sh"
export PATH=/usr/sbin:/usr/bin:/sbin:/bin

die() {
  printf 'events: %s\n' "$1" >&2
  exit 1
}

inside() {
  local name places
  mount -t tmpfs -o mode=755 tmpfs /run
  mount -t tmpfs -o mode=755 tmpfs /var/lib
  places=/run/places
  mkdir -p /run/lock "$places" && mount -t tmpfs tmpfs "$places"
  if ! cgroup_is_v2; then
    mkdir /run/cgroup
    mount_all_hierarchies /run/cgroup
    mount --move /run/cgroup /sys/fs/cgroup && rmdir /run/cgroup
  fi
  for name in usr etc; do
    mkdir -p "$places/$name"/{new,work}
    mount -t overlay -o "lowerdir=/$name,upperdir=$places/$name/new,workdir=$places/$name/work" overlay "/$name" ||
      die "/$name cannot be covered"
  done
  mkdir -p /var/lib/dpkg/{info,updates,triggers} /var/log/runclad
  touch /var/lib/dpkg/{status,available,diversions}
  mount -t tmpfs -o size=32m,mode=700 tmpfs /var/log/runclad
  rm -rf /etc/runclad /etc/docker/daemon.json && mkdir -p /etc/runclad /etc/docker
  install -m 755 "$EVENTS_PROGRAM" /usr/sbin/runclad
  install -m 755 "${EVENTS_PROGRAM%/*}/runcladctl" /usr/bin/runcladctl
  # Not in its place: the first process reaps what shims leave.
  /usr/bin/python3 "$here/events.py" "$@"
  exit
}

if [ "${1:-}" = --inside ]; then
  shift
  inside "$@"
fi

[ "$(id -u)" = 0 ] || die "the engines need root"
for needed in containerd dockerd docker ctr podman busybox runc unshare dpkg-divert; do
  command -v "$needed" >/dev/null || die "$needed is not installed (tests/run.sh installs it)"
done
export EVENTS_PROGRAM EVENTS_SRV EVENTS_CGROUP
EVENTS_PROGRAM=${RUNCLAD_E2E_RUNTIME:-$(cd "$here/../.." && pwd)/build/release/runclad}
[ -x "$EVENTS_PROGRAM" ] || die "there is no runtime at $EVENTS_PROGRAM: build it"
EVENTS_SRV=$(mktemp -d /srv/runclad-e2e.XXXXXX) || die "/srv is not writable"
chmod 755 "$EVENTS_SRV"
EVENTS_CGROUP=/${EVENTS_SRV##*/}
child=
# shellcheck disable=SC2317  # called by the trap
end() {
  if [ -n "$child" ]; then
    kill -KILL "$child"
    wait "$child"
    sleep 1
  fi 2>/dev/null
  rm -rf "$EVENTS_SRV"
  find /sys/fs/cgroup -depth -type d -path "/sys/fs/cgroup*$EVENTS_CGROUP*" -exec rmdir {} + 2>/dev/null
  cgroup_is_v2 || for names in $(unmounted_hierarchies); do
    end_hierarchy "$names" "${EVENTS_CGROUP#/}" >/dev/null
  done
}
trap end EXIT
trap 'exit 130' INT TERM
if ! cgroup_is_v2 && is_only_run; then end_hierarchies_of_earlier_runs; fi
is_a_run
unshare --mount --pid --net --uts --ipc --fork --kill-child --mount-proc --propagation private \
  "$BASH" "$here/run.sh" --inside "$@" 8<&- &
child=$!
wait "$child"
status=$?
child=
exit "$status"
