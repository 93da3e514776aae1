#!/bin/bash
# The end-to-end tests with the engines of another Debian suite.
#
#   tests/engines/run.sh [--cgroup2] [--refresh] [--write-results] trixie|sid|bookworm
#                        [--engine-topics | TOPIC…]
#
#   bookworm         this machine's engines, as tests/e2e/run.sh has them; for --write-results
#   --engine-topics, TOPIC
#                    as for tests/e2e/run.sh; without any, all topics
#   --cgroup2        with a pure cgroup v2 layout, whatever the machine has
#   --refresh        with the newest packages of the suite, in a new root
#   --write-results  writes the figures of a whole run into tests/engines/RESULTS.md and README.md
#
# The engines run in a root of the suite (root.sh says where it is kept), in mount and pid namespaces of
# their own, and see the machine's devices, the machine's cgroups and this source tree.
# RUNCLAD_E2E_RUNTIME names the program under test (default: build/release/runclad).
set -u
here=$(cd "$(dirname "$0")" && pwd)
tree=$(cd "$here/../.." && pwd)
# shellcheck source=tests/e2e/cgroups.sh
. "$tree/tests/e2e/cgroups.sh"
# shellcheck source=tests/engines/enter.sh
. "$here/enter.sh"

die() {
  printf 'engines: %s\n' "$1" >&2
  exit 1
}

outer() {
  local refresh=() write='' suite commit=''
  export ENGINES_LAYOUT=hybrid ENGINES_ROOT ENGINES_TREE=$tree ENGINES_BUILD
  grep -q ' /sys/fs/cgroup cgroup2 ' /proc/mounts && ENGINES_LAYOUT=v2
  while :; do
    case "${1:-}" in
      --cgroup2) ENGINES_LAYOUT=v2 ;;
      --refresh) refresh=(--refresh) ;;
      --write-results) write=1 ;;
      *) break ;;
    esac
    shift
  done
  suite=${1:-}
  case "$suite" in
    trixie | sid) shift ;;
    bookworm)
      [ "$ENGINES_LAYOUT$*" = hybridbookworm ] || die "bookworm is for whole runs with this machine's cgroups"
      shift
      ;;
    *) die "name a suite: trixie, sid or bookworm" ;;
  esac
  if [ -n "$write" ]; then
    [ $# -eq 0 ] || die "--write-results is for a run of all topics"
    is_committed || die "--write-results is for what is committed: git status shows changes"
    commit=$(git -C "$tree" rev-parse --short HEAD)
  fi
  [ "$(id -u)" = 0 ] || die "the end-to-end tests start container engines: run them as root"
  local program=${RUNCLAD_E2E_RUNTIME:-$tree/build/release/runclad}
  [ -x "$program" ] || die "there is no runtime at $program: build it, or name one with RUNCLAD_E2E_RUNTIME"
  ENGINES_BUILD=$(cd "$(dirname "$program")" && pwd)
  [ "$suite" = bookworm ] || ENGINES_ROOT=$("$here/root.sh" "${refresh[@]}" "$suite") || exit 1

  local mounts hierarchies status
  work=$(mktemp -d) || exit 1
  trap 'end_child; rm -rf "$work"' EXIT
  trap 'exit 130' INT TERM
  mounts=$(wc -l </proc/self/mountinfo)
  if is_only_run; then end_hierarchies_of_earlier_runs; fi
  exec 8<&-
  hierarchies=$(active_hierarchies)
  mkfifo "$work/said"
  tee "$work/log" <"$work/said" &
  local tee=$!
  if [ "$suite" = bookworm ]; then
    { versions; exec "$tree/tests/e2e/run.sh"; } >"$work/said" 2>&1 &
  else
    unshare --mount --pid --fork --kill-child --propagation private \
      "$BASH" "$here/run.sh" --inside "$@" >"$work/said" 2>&1 &
  fi
  child=$!
  wait "$child"
  status=$?
  child=
  wait "$tee"
  [ "$(wc -l </proc/self/mountinfo)" -eq "$mounts" ] || die "there are more or fewer mounts than before"
  end_new_hierarchies "$hierarchies"
  if [ -n "$write" ]; then
    python3 "$here/results.py" "$suite, ${ENGINES_LAYOUT/v2/cgroup v2}" "$commit" "$work/log" || status=1
  fi
  exit "$status"
}

# Whether all is committed but the figures, of which an earlier run may have written some.
is_committed() {
  local outside='/^<!-- written by/,/^<!-- end/d'
  [ -z "$(git -C "$tree" status --porcelain -- . ":!tests/LONG.md" ":!tests/engines/RESULTS.md" ":!tests/suites/RESULTS.md" \
    ":!README.md")" ] &&
    cmp -s <(git -C "$tree" show HEAD:README.md | sed "$outside") <(sed "$outside" "$tree/README.md")
}

end_child() {
  [ -n "${child:-}" ] || return 0
  # tests/e2e/run.sh ends what it has started.
  kill "-$([ "${suite:-}" = bookworm ] && echo TERM || echo KILL)" "$child"
  wait "$child"
} 2>/dev/null

inside() {
  local place=/runclad-tests  # not below /usr or /opt, which topics mount over
  enter_root "$ENGINES_ROOT" "$ENGINES_TREE" "$ENGINES_BUILD" "$place"
  exec env -i HOME=/root TERM="${TERM:-dumb}" LC_ALL=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    PYTHONDONTWRITEBYTECODE=1 PODMAN_IGNORE_CGROUPSV1_WARNING=1 RUNCLAD_E2E_RUNTIME=$place/build/runclad \
    /bin/bash -c "$(declare -f versions); versions; cd $place/tree && exec tests/e2e/run.sh \"\$@\"" run.sh "$@"
}

# The lines that results.py reads.
versions() {
  local package version
  for package in docker.io docker-buildx docker-compose containerd podman buildah runc crun; do
    version=$(dpkg-query -W -f='${Version}' "$package" 2>/dev/null)  # empty, too, where it is not installed
    printf '# version %s %s\n' "$package" "${version:--}"
  done
}

if [ "${1:-}" = --inside ]; then
  shift
  inside "$@"
else
  outer "$@"
fi
