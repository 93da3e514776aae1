#!/bin/bash
# The Debian package, installed, upgraded, removed and purged in a fresh Debian 12, as root.
#
#   tests/packaging/run.sh [BUILD]
#
#   BUILD   packages this build; without it, README's command compiles everything
#
# The root is that of tests/engines/root.sh, below an overlay that is gone afterwards; everything happens in
# mount and pid namespaces of its own.
# shellcheck disable=SC2016,SC2317  # dollars are for the shell in the root; functions are called by name
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/packaging/lib.sh
. tests/packaging/lib.sh
# shellcheck source=tests/readme_block.sh
. tests/readme_block.sh
# README's two lines: how a package is made, and how it is installed.
line_of_readme() { readme_block 'packaging/deb.sh' | sed -n "$1{s/ *#.*//;p}"; }

outer() {
  local root deb work
  root=$(tests/engines/root.sh bookworm) || exit 1
  work=$(mktemp -d) || exit 1
  # shellcheck disable=SC2064  # the directory of now
  trap "rm -rf '$work'" EXIT
  if [ -n "${1:-}" ]; then
    deb=$(packaging/deb.sh --build "$1" "$work") || exit 1
  else
    deb=$(bash -c "$(line_of_readme 1)") || exit 1
  fi
  unshare --mount --pid --fork --kill-child --propagation private "$BASH" tests/packaging/run.sh --inside "$root" "$deb"
}

# The root as a place that can be written to and forgotten.
enter() {  # ROOT DEB
  local place
  place=$(mktemp -d)
  mount -t tmpfs tmpfs "$place"
  rmdir_later=$place
  mkdir "$place"/{new,work,root}
  mount -t overlay -o "lowerdir=$1,upperdir=$place/new,workdir=$place/work" overlay "$place/root"
  ROOT=$place/root
  mount -t proc proc "$ROOT/proc"
  mount --rbind /dev "$ROOT/dev"
  mount -t sysfs sysfs "$ROOT/sys"
  mount --rbind /sys/fs/cgroup "$ROOT/sys/fs/cgroup"
  mount -t tmpfs -o mode=755 tmpfs "$ROOT/run"
  cp "$2" "$ROOT/var/tmp/runclad.deb"
  # Where README's command looks for it, and without a question.
  mkdir -p "$ROOT/var/tmp/build/packages"
  cp "$2" "$ROOT/var/tmp/build/packages/runclad_1_amd64.deb"
  printf 'APT::Get::Assume-Yes "true";\n' >"$ROOT/etc/apt/apt.conf.d/yes"
  mkdir -p "$ROOT/tmp/archives/partial"  # the root's setting, for packages that nobody keeps
}

in_root() { chroot "$ROOT" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@" </dev/null; }
sh_in_root() { in_root sh -c "$1"; }
install_package() { in_root dpkg --install "$@" "${PACKAGE:-/var/tmp/runclad.deb}"; }

upgrade() { PACKAGE=/var/tmp/newer.deb install_package --force-confdef --force-confold; }

# The same package as another version, with other defaults.
make_newer() {
  local tree=$ROOT/var/tmp/newer
  dpkg-deb --raw-extract "$ROOT/var/tmp/runclad.deb" "$tree"
  sed -i 's/^Version: .*/Version: 99/' "$tree/DEBIAN/control"
  printf '{\n  "extends": "baseline"\n}\n' >"$tree/etc/runclad/policy.json"
  dpkg-deb --root-owner-group -Znone --build "$tree" "$ROOT/var/tmp/newer.deb"
}

is_installed() { [ "$(in_root dpkg-query -W -f '${db:Status-Status}' runclad)" = installed ]; }
files_are_intact() { ! in_root dpkg --verify runclad | grep .; }
mode_is() { [ "$(stat -c '%a %U:%G' "$ROOT$2")" = "$1" ] || { stat "$ROOT$2"; return 1; }; }
says() {  # PATTERN COMMAND…
  local said
  said=$("${@:2}" 2>&1)
  grep -qE -e "$1" <<<"$said" || { echo "$said"; return 1; }
}
nothing_of_ours_is_left() {
  ! chroot "$ROOT" find / -xdev -path /var/tmp -prune -o -path /var/log/dpkg.log -prune -o \
    -iname '*runclad*' -print | grep . && ! sh_in_root 'ls -d /run/runclad*' 2>/dev/null | grep .
}
# A record as runclad writes it; of this shell, which lives, or of a process that cannot.
record() {  # ID PID
  local start
  start=$(sed 's/.*) //' "$ROOT/proc/$2/stat" 2>/dev/null | cut -d ' ' -f 20)
  mkdir -p "$ROOT/run/runclad/64768-42"
  printf '{"id":"%s","bundle":"/run/b","pid":%s,"startTime":%s}\n' "$1" "$2" "${start:-1}" \
    >"$ROOT/run/runclad/64768-42/$1.json"
  ln -sfn "$1" "$ROOT/run/runclad/64768-42/pid-$2"
}

inside() {
  enter "$@"
  is "the package installs without another one" install_package
  is "and by README's command" sh_in_root "cd /var/tmp && dpkg --purge runclad && $(line_of_readme 2)"
  is "and is installed" is_installed
  is "its files are as packaged" files_are_intact
  is "runclad knows its release" says '^runclad [0-9]+\.[0-9]+\.[0-9]+.* \(commit [0-9a-f]{12}\)$' in_root runclad --runclad-version
  is "runclad calls the distribution's runc" says '^runc version ' in_root runclad --version
  is "runcladctl runs" says '^capabilities: ' in_root runcladctl explain capabilities
  is "the shipped policy has no faults" in_root runcladctl policy lint
  is "man finds the pages" sh_in_root 'for page in "8 runclad" "8 runcladctl" "5 runclad-policy" "7 runclad-rules"; do man -w $page; done'
  is "bash loads the completions" sh_in_root 'bash -c ". /usr/share/bash-completion/bash_completion; _completion_loader runcladctl; complete -p runcladctl"'
  is "logrotate takes its file" in_root logrotate --debug /etc/logrotate.d/runclad
  local directory
  for directory in run/runclad var/log/runclad; do
    is "/$directory is root's alone" mode_is "700 root:root" "/$directory"
  done
  is "/var/lib/runclad is root's to list" mode_is "711 root:root" /var/lib/runclad

  # --- upgrade ---
  printf '{ "extends": "restricted", "mode": "audit" }\n' >"$ROOT/etc/runclad/policy.json"
  cp "$ROOT/etc/runclad/policy.json" "$ROOT/var/tmp/changed.json"
  mkdir -p "$ROOT/etc/runclad/images/docker.io/library"
  printf '{ "rules": {} }\n' >"$ROOT/etc/runclad/images/docker.io/library/own.json"
  make_newer >/dev/null
  is "a version can be upgraded to the next" upgrade
  is "a policy that was changed is kept" cmp "$ROOT/etc/runclad/policy.json" "$ROOT/var/tmp/changed.json"
  is "the new default lies beside it" grep -q baseline "$ROOT/etc/runclad/policy.json.dpkg-dist"
  is "an image's file of the operator stays" test -f "$ROOT/etc/runclad/images/docker.io/library/own.json"
  is "a candidate sorts before its release" dpkg --compare-versions \
    "$(dpkg-deb -f "$ROOT/var/tmp/runclad.deb" Version)" lt "$(dpkg-deb -f "$ROOT/var/tmp/runclad.deb" Version | sed 's/~[^-]*//')"

  # --- closed runtimes ---
  is "the runtime of the distribution is closed" in_root runcladctl close runc
  is "runc is runclad" says '^runclad: ' in_root runc --version
  is "runc is reinstalled" sh_in_root 'apt-get update -q && apt-get install --reinstall -y runc'
  is "and lies behind runclad" test -L "$ROOT/usr/sbin/runc" -a -x "$ROOT/usr/libexec/runclad/runc"
  is "runc is runclad afterwards" says '^runclad: ' in_root runc --version
  is "its package's files are as packaged" in_root dpkg --verify runc
  is "it is not removed while a runtime is closed" says 'put the runtime back with runcladctl open' in_root dpkg --remove runclad
  is "the runtime is opened" in_root runcladctl open
  is "and is the distribution's" says '^runc version ' in_root runc --version
  is "nothing is diverted" bash -c '! "$@" | grep runclad' bash in_root dpkg-divert --list

  # --- removal ---
  record alive $$
  is "it is not removed below a running container" says 'no engine could stop these running containers without it: alive$' \
    in_root dpkg --remove runclad
  is "and stays in place" in_root runclad --runclad-version
  rm -r "$ROOT/run/runclad/64768-42"
  record ended 4194303
  mkdir -p "$ROOT/etc/docker"
  printf '{"runtimes": {"runclad": {"path": "/usr/sbin/runclad"}}}\n' >"$ROOT/etc/docker/daemon.json"
  is "removal names the files that name it" says '/etc/docker/daemon.json still names runclad' in_root dpkg --remove runclad
  rm "$ROOT/etc/docker/daemon.json"
  is "after the container's end it is removed" bash -c '! "$@"' bash test -e "$ROOT/usr/sbin/runclad"
  is "its policy remains" cmp "$ROOT/etc/runclad/policy.json" "$ROOT/var/tmp/changed.json"

  # --- purge ---
  mkdir -p "$ROOT/var/lib/runclad/names" "$ROOT/var/log/runclad"
  touch "$ROOT/var/lib/runclad/names/x" "$ROOT/var/log/runclad/audit.jsonl.1.gz"
  is "it is purged" in_root dpkg --purge runclad
  is "nothing of it is left" nothing_of_ours_is_left

  # --- by force ---
  is "it installs again" install_package
  record alive $$
  is "RUNCLAD_REMOVE=force removes it all the same" in_root env RUNCLAD_REMOVE=force dpkg --purge runclad
  is "and leaves nothing either" nothing_of_ours_is_left
  umount --recursive --lazy "$rmdir_later"
  rmdir "$rmdir_later"
  finish
}

if [ "${1:-}" = --inside ]; then
  inside "$2" "$3"
else
  outer "$@"
fi
