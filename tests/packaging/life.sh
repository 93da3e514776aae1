#!/bin/bash
# The life of a host, from the package's installation to its purge, in a fresh Debian with Docker, as root: docker is
# configured, runc closed, the package upgraded below running containers, and everything taken back.
#
#   tests/packaging/life.sh [bookworm|trixie|sid [BUILD]]   (default: bookworm)
#
#   BUILD   packages this build; without it, everything is compiled
#
# The root is that of tests/engines/root.sh, below an overlay that is gone afterwards. The engines run in namespaces
# of their own, at their default places.
# shellcheck disable=SC2016,SC2317  # dollars are for other shells; functions are called by name
set -u
here=$(cd "$(dirname "$0")" && pwd)
tree=$(cd "$here/../.." && pwd)
# shellcheck source=tests/packaging/lib.sh
. "$here/lib.sh"
# shellcheck source=tests/e2e/cgroups.sh
. "$tree/tests/e2e/cgroups.sh"
# shellcheck source=tests/engines/enter.sh
. "$tree/tests/engines/enter.sh"

die() {
  printf 'life: %s\n' "$1" >&2
  exit 1
}

outer() {
  local suite=${1:-bookworm} place status
  [ "$(id -u)" = 0 ] || die "the engines need root"
  export ENGINES_LAYOUT=hybrid LIFE_CGROUP LIFE_ROOT LIFE_WORK
  grep -q ' /sys/fs/cgroup cgroup2 ' /proc/mounts && ENGINES_LAYOUT=v2
  LIFE_ROOT=$("$tree/tests/engines/root.sh" --engines "$suite") || exit 1
  LIFE_WORK=$(mktemp -d) || exit 1
  place=$(mktemp -d /srv/runclad-e2e.XXXXXX) || die "/srv is not writable"
  LIFE_CGROUP=/${place##*/}
  trap end EXIT
  trap 'exit 130' INT TERM
  if [ -n "${2:-}" ]; then
    "$tree/packaging/deb.sh" --build "$2" "$LIFE_WORK" >/dev/null || exit 1
  else
    "$tree/packaging/deb.sh" "$LIFE_WORK" >/dev/null || exit 1
  fi
  if ! cgroup_is_v2 && is_only_run; then end_hierarchies_of_earlier_runs; fi
  is_a_run
  unshare --mount --pid --net --uts --ipc --fork --kill-child --mount-proc --propagation private \
    "$BASH" "$here/life.sh" --inside 8<&- &
  child=$!
  wait "$child"
  status=$?
  child=
  exit "$status"
}
end() {
  if [ -n "${child:-}" ]; then
    kill -KILL "$child"
    wait "$child"
  fi 2>/dev/null
  sleep 1
  rm -rf "$LIFE_WORK" "/srv$LIFE_CGROUP"
  find /sys/fs/cgroup -depth -type d -path "/sys/fs/cgroup*$LIFE_CGROUP*" -exec rmdir {} + 2>/dev/null
  cgroup_is_v2 || for names in $(unmounted_hierarchies); do
    end_hierarchy "$names" "${LIFE_CGROUP#/}" >/dev/null
  done
}

# The root as a place that can be written to and forgotten; engines keep their layers on a file system that is no
# overlay.
enter() {
  local layers=$LIFE_WORK/layers name
  mkdir "$layers"
  mount -t tmpfs tmpfs "$layers"
  mkdir "$layers"/{new,work,root}
  mount -t overlay -o "lowerdir=$LIFE_ROOT,upperdir=$layers/new,workdir=$layers/work" overlay "$layers/root"
  enter_root "$layers/root" "$tree" "$LIFE_WORK" /srv/test
  for name in docker containerd containers; do
    mkdir -p "/var/lib/$name"
    mount -t tmpfs tmpfs "/var/lib/$name"
  done
  export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive
}

says() {  # PATTERN COMMAND…
  local said
  said=$("${@:2}" 2>&1)
  grep -qE -e "$1" <<<"$said" || { echo "$said"; return 1; }
}
not() { ! "$@"; }
eventually() {  # COMMAND…
  local deadline=$((SECONDS + 30)) said
  until said=$("$@" 2>&1); do
    [ "$SECONDS" -lt "$deadline" ] || { echo "$said"; return 1; }
    sleep 0.2
  done
}

# --- the host ---
FILE=/etc/docker/daemon.json
start_engines() {
  mkdir -p /run/containerd
  printf 'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n' >/run/containerd.toml
  containerd --config /run/containerd.toml >/run/containerd.log 2>&1 &
  eventually ctr version >/dev/null || { tail /run/containerd.log; die "containerd did not come up"; }
  dockerd --containerd /run/containerd/containerd.sock --bridge=none --iptables=false --ip6tables=false \
    --ip-forward=false --cgroup-parent "$LIFE_CGROUP" >/run/dockerd.log 2>&1 &
  eventually docker version >/dev/null || { tail /run/dockerd.log; die "dockerd did not come up"; }
}
make_image() {
  mkdir -p /run/image/bin
  cp "$(command -v busybox)" /run/image/bin
  chroot /run/image /bin/busybox --install -s /bin
  tar -C /run/image -c . | docker import - box >/dev/null
}
# Every file that packages and engines have a part in, with its mode, owner and bytes.
files() {
  local places=(/etc /usr /var/lib -xdev ! -path '/var/lib/dpkg/*' ! -path '/var/lib/systemd/*' ! -name ld.so.cache)
  find "${places[@]}" -printf '%p %y %m %U:%G %l\n' | sort
  find "${places[@]}" -type f -print0 | sort -z | xargs -0 sha256sum
}
diversions() { dpkg-divert --list; }

run() { docker run --rm --network none "$@"; }
start() { docker run -d --network none --name "$1" "${@:2}" box sleep 10000; }  # NAME [OPTION…]
is_hardened() { says '^NoNewPrivs:	1$' "$@" grep NoNewPrivs /proc/self/status; }
is_plain() { says '^NoNewPrivs:	0$' "$@" grep NoNewPrivs /proc/self/status; }
is_up() { [ "$(docker inspect --format '{{.State.Running}}' "$1")" = true ] && docker exec "$1" true; }
starts_again() { docker kill "$1" >/dev/null; docker start "$1" && is_up "$1"; }
build_says() {  # whether a build step is hardened
  mkdir -p /run/context
  printf 'FROM box\nRUN grep NoNewPrivs /proc/self/status >/status\nCMD ["cat", "/status"]\n' >/run/context/Dockerfile
  DOCKER_BUILDKIT=1 docker build --network none --no-cache -t built /run/context && says "^NoNewPrivs:	$1\$" run built
}
# Whatever it finds is a way around runclad, or a hole of the runc that the suite has.
doctor_finds_only_roads() {
  local found
  runcladctl doctor --json >/run/doctor.json
  found=$(jq -r '.checks[] | select(.level != "fine") | "\(.id) \(.level) \(.findings)"' /run/doctor.json)
  printf '%s\n' "$found"
  grep -q '^roads/' <<<"$found" && ! grep -vE '^(roads|runtime/known-holes)' <<<"$found" | grep .
}
roads_are_open() { says "$1" runcladctl doctor --only roads; }

# The same package as another version.
make_newer() {
  dpkg-deb --raw-extract /srv/test/build/runclad_*.deb /run/newer
  sed -i 's/^Version: .*/Version: 99/' /run/newer/DEBIAN/control
  dpkg-deb --root-owner-group -Znone --build /run/newer /run/newer.deb
}
# The policy of README for builds, and that of the test alone: the engines' containers are in a cgroup of this run.
write_policy() {
  mkdir -p /etc/runclad/policy.d
  printf '{"builds": "build", "rules": {"cgroup-path": {"parents": ["%s"]}%s}}\n' "$LIFE_CGROUP" \
    "$(has_controller pids || printf ', "pids-limit": {"action": "warn"}')" >/etc/runclad/policy.d/test.json
}
# crun starts nothing where cgroup v1 has v2 beside it, and is left as it is there.
close_runtimes() {
  if [ "$ENGINES_LAYOUT" = v2 ]; then runcladctl close; else runcladctl close runc; fi
}
register() { runcladctl configure docker --default; }
default_is() { [ "$(docker info --format '{{.DefaultRuntime}}')" = "$1" ]; }
names_only_runc() { [ "$(jq -r '.runtimes | to_entries[] | "\(.key) \(.value.path)"' "$FILE")" = "runclad $(realpath /usr/sbin/runc)" ]; }

inside() {
  local name
  enter
  start_engines
  make_image
  mkdir -p /etc/docker
  printf '{ "log-opts": {"max-size": "10m"},\n      "log-driver" :"json-file" , "labels":[ "site=a"\n ] }\n' >"$FILE"
  # podman makes files of its own when it is first asked, by doctor.
  ! type podman >/dev/null 2>&1 || { podman info; podman ps --all; podman network ls; } >/dev/null 2>&1
  is "a container is made before" start older
  files >/run/files.before
  diversions >/run/diversions.before

  # --- coming ---
  is "the package is installed" dpkg --install /srv/test/build/runclad_*.deb
  write_policy
  is "docker run is not hardened yet" is_plain run box
  is "configure docker --default lists the container of before" says older register
  is "it is Docker's default without a restart" eventually default_is runclad
  is "docker run is hardened" is_hardened run box
  is "a mount of / is refused" not run -v /:/host box true
  is "doctor finds nothing critical but ways around runclad" doctor_finds_only_roads
  is "and says that --runtime runc is one" roads_are_open 'runc'
  is "docker run --runtime runc is not hardened" is_plain run --runtime runc box
  is "nor is docker build" build_says 0
  is "runc is closed" close_runtimes
  is "docker run --runtime runc is hardened" is_hardened run --runtime runc box
  is "and docker build" build_says 1
  is "doctor still finds nothing else" doctor_finds_only_roads
  is "a container is made in between" start between --restart always
  is "and one by the name of runc" start by-runc --runtime runc

  # --- an upgrade ---
  make_newer >/dev/null
  is "the package is upgraded under running containers" dpkg --install /run/newer.deb
  for name in older between by-runc; do is "$name runs on" is_up "$name"; done
  is "exec in it is hardened" is_hardened docker exec between
  is "a new container is hardened" is_hardened run box
  is "runc is still closed" is_hardened run --runtime runc box
  for name in between by-runc; do is "$name starts again" starts_again "$name"; done

  # --- going back, with a container that names runclad ---
  is "runc is opened" runcladctl open
  is "docker run --runtime runc is plain again" is_plain run --runtime runc box
  is "unconfigure --final refuses and lists the container" says between runcladctl unconfigure docker --final
  is "unconfigure keeps the name for it" says between runcladctl unconfigure docker
  is "with the path of runc, and nothing else" names_only_runc
  is "the default is runc" eventually default_is runc
  is "it is not removed below running containers" not dpkg --purge runclad
  docker stop -t 0 between by-runc >/dev/null
  is "purge says that the name stays, and leads to runc" says "$FILE .*leads to runc" dpkg --purge runclad
  is "the programs are gone" not test -e /usr/sbin/runclad -o -e /usr/bin/runcladctl
  for name in older between by-runc; do is "without runclad, $name starts again" starts_again "$name"; done
  is "and is not hardened any more" is_plain docker exec between
  is "exactly that name is left" names_only_runc

  # --- going back, without ---
  is "the package is installed again" dpkg --install /srv/test/build/runclad_*.deb
  write_policy
  is "docker is configured again" register
  is "a container is made" start again
  is "runc is closed again" close_runtimes
  is "and opened" runcladctl open
  docker rm -f between again >/dev/null
  is "without a container that names it, unconfigure --final succeeds" runcladctl unconfigure docker --final
  rm -r /etc/runclad/policy.d
  is "the package is purged" dpkg --purge runclad
  for name in older by-runc; do is "$name starts again" starts_again "$name"; done
  files >/run/files.after
  diversions >/run/diversions.after
  is "every file is byte for byte as before" diff /run/files.before /run/files.after
  is "nothing is diverted" diff /run/diversions.before /run/diversions.after
  is "nothing of it runs or is kept in /run" not sh -c 'ls -d /run/runclad* /var/log/runclad* /var/lib/runclad* 2>/dev/null | grep .'
  docker rm -f older by-runc >/dev/null
  finish
}

if [ "${1:-}" = --inside ]; then
  inside
else
  outer "$@"
fi
