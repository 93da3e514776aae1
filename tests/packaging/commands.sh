#!/bin/bash
# README's commands that build and install from a clone, as they stand: with the release build that is there. What they
# install goes to an overlay of /usr that is gone afterwards.
#
#   tests/packaging/commands.sh
# shellcheck disable=SC2317  # functions that are called by name
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/packaging/lib.sh
. tests/packaging/lib.sh
# shellcheck source=tests/readme_block.sh
. tests/readme_block.sh

if [ "${1:-}" = --inside ]; then
  mount -t tmpfs tmpfs "$2" && mkdir "$2"/{new,work} || exit 1
  mount -t overlay -o "lowerdir=/usr,upperdir=$2/new,workdir=$2/work" overlay /usr || exit 1
  bash -c "$3" || exit 1
  find "$2/new" -type f -printf '/usr/%P\n' >"$4"
  for program in /usr/local/sbin/runclad /usr/local/bin/runcladctl; do "$program" --help >/dev/null || exit 1; done
  exec /usr/local/sbin/runclad --version
fi

work=$(mktemp -d)
# The try builds without unit tests, and the build keeps to that.
tests=$(sed -n 's/^RUNCLAD_TESTS:[A-Z]*=//p' build/release/CMakeCache.txt 2>/dev/null)
trap 'rm -rf "$work"; [ -z "$tests" ] || cmake --preset release "-DRUNCLAD_TESTS=$tests" >/dev/null' EXIT

# --- the five-minute try ---
shows() { grep -qE "$1" "$work/said" || { cat "$work/said"; return 1; }; }
nothing_runs() { ! find /run -maxdepth 1 -name 'runclad-quickstart.*' | grep .; }
is "README's try runs to its end" bash -c "$(readme_block 'packaging/quickstart.sh') >'$work/said' 2>&1"
is "runc shows the host's password file" shows 'runc +reads [0-9]+ lines of the password file'
is "runclad refuses it" shows 'runclad +refused by host-mounts'
is "runc leaves every capability, runclad one" shows '^CapBnd +[0-9a-f]{16} +0000000000000400$'
is "runc sets no no_new_privs, runclad does" shows '^NoNewPrivs +0 +1$'
is "nothing is left" nothing_runs

# --- from source ---
# shellcheck disable=SC2016
line=$(grep -oE '`cmake --preset release && [^`]*--install [^`]*`' README.md | tr -d '`')
mkdir "$work/usr"
has() { grep -qxE "$1" "$work/files" || { cat "$work/files"; return 1; }; }
is "README's command builds and installs, and what it installed runs" \
  unshare --mount --propagation private "$BASH" tests/packaging/commands.sh --inside "$work/usr" "$line" "$work/files"
for file in /usr/local/sbin/runclad /usr/local/bin/runcladctl /usr/share/runclad/images/docker.io/library/nginx.json \
  '.*/bash-completion/completions/runcladctl' '.*/man5/runclad-policy.5'; do
  is "it has installed $file" has "$file"
done
finish
