#!/bin/bash
# The peers' own test suites, each with the plain runtime and with runclad in mode audit in front of the same
# runtime: what a test says must not depend on runclad. Part of tests/run.sh --long, not of CI.
#
#   tests/suites/run.sh [--refresh] [--rounds N] [--write-results] [--source SUITE=DIR]… [SUITE…]
#
#   SUITE            runc, crun, podman, runtime-tools, moby, critest (of Debian 12), runc-sid (of sid);
#                    SUITE/FILE… for some of its files: runc/exec, podman/030-run; without any, all suites
#   --refresh        with the newest packages, in a new root
#   --source S=DIR   the suite S from this source tree instead of Debian's; critest has no other: it is in
#                    cri-tools (github.com/kubernetes-sigs/cri-tools, tag v1.26.1, with its directory vendor)
#   --rounds N       a test with two results is run again, until both agree or N rounds are over (default: 3)
#   --write-results  writes the figures into tests/suites/RESULTS.md, those of some files in a line of their own
#
# The sources are Debian's, or a tree that you name; they and the engines are in a root that tests/engines/root.sh
# keeps. Nothing of them gets into the tree. A suite without a source is left out. Images that would come from a
# registry are made of Debian's packages. What fails with the plain runtime as well is the machine's (no systemd, no
# registry) and counts as the same.
#
# A difference that is not in known.toml is a failure; so is one that known.toml has and that did not appear.
# The last line is `N passed, N failed`. RUNCLAD_E2E_RUNTIME names the program under test (default:
# build/release/runclad); the whole output of every test stays in build/suites.
set -u
here=$(cd "$(dirname "$0")" && pwd)
tree=$(cd "$here/../.." && pwd)
# shellcheck source=tests/e2e/cgroups.sh
. "$tree/tests/e2e/cgroups.sh"
# shellcheck source=tests/engines/enter.sh
. "$tree/tests/engines/enter.sh"
all_suites="runc crun podman runtime-tools moby critest runc-sid"
export PLACE=/runclad-tests

die() {
  printf 'suites: %s\n' "$1" >&2
  exit 1
}

debian_of() {  # SUITE
  case "$1" in
    *-sid) echo sid ;;
    *) echo bookworm ;;
  esac
}

outer() {
  local refresh=() write=() suite failed=0 seen=() asked
  export SUITES_GIVEN=
  declare -A sources=()
  export ENGINES_LAYOUT=hybrid SUITES_ROUNDS=3
  grep -q ' /sys/fs/cgroup cgroup2 ' /proc/mounts && ENGINES_LAYOUT=v2
  while :; do
    case "${1:-}" in
      --refresh) refresh=(--refresh) ;;
      --write-results) write=(--write "$here/RESULTS.md") ;;
      --rounds)
        SUITES_ROUNDS=${2:-}
        [[ $SUITES_ROUNDS =~ ^[1-9]$ ]] || die "--rounds takes a number from 1 to 9"
        shift
        ;;
      --source)
        suite=${2:-}
        [ -d "${suite#*=}" ] || die "--source takes SUITE=DIRECTORY; there is no directory ${suite#*=}"
        sources[${suite%%=*}]=$(cd "${suite#*=}" && pwd)
        shift
        ;;
      *) break ;;
    esac
    shift
  done
  asked=$#
  # shellcheck disable=SC2086  # a list of words
  [ $# -gt 0 ] || set -- $all_suites
  for suite in "$@"; do
    [[ " $all_suites " == *" ${suite%%/*} "* ]] || die "there is no suite ${suite%%/*}; there are $all_suites"
  done
  [ "$(id -u)" = 0 ] || die "the suites start containers: run them as root"
  local program=${RUNCLAD_E2E_RUNTIME:-$tree/build/release/runclad}
  [ -x "$program" ] || die "there is no runtime at $program: build it, or name one with RUNCLAD_E2E_RUNTIME"
  BUILD=$(cd "$(dirname "$program")" && pwd)
  RESULTS=$tree/build/suites
  mkdir -p "$RESULTS"
  trap 'end_child' EXIT
  trap 'exit 130' INT TERM

  for suite in "$@"; do
    [[ " ${seen[*]} " != *" ${suite%%/*} "* ]] || continue
    if [ "${suite%%/*}" = critest ] && [ -z "${sources[critest]:-}" ]; then
      [ "$asked" -eq 0 ] || die "Debian has no source of critest: name a source tree with --source critest=DIR"
      echo "suites: critest is left out: Debian has no source of it, and --source critest=DIR names none"
      continue
    fi
    SUITES_GIVEN=${sources[${suite%%/*}]:-}
    run_suite "$(debian_of "${suite%%/*}")" "${suite%%/*}" "$@"
    case $?,$asked in
      0,*) ;;
      3,0)
        echo "suites: ${suite%%/*} is left out: Debian's mirror has no source of it, and --source names none"
        continue
        ;;
      *) failed=1 ;;
    esac
    seen+=("${suite%%/*}")
  done
  python3 "$here/compare.py" summary "$RESULTS" "${write[@]}" "$here/known.toml" "${seen[@]}" || failed=1
  exit "$failed"
}

# One suite in a root of its own kind: its files' results are $RESULTS/SUITE/{plain,audit}/ROUND/FILE.tap
run_suite() {  # DEBIAN SUITE ARGUMENT…
  local debian=$1 suite=$2 file files=() root hierarchies status
  shift 2
  for file in "$@"; do [[ $file != "$suite"/* ]] || files+=("${file#*/}"); done
  root=$("$tree/tests/engines/root.sh" "${refresh[@]}" --suites "$debian") || exit 1
  rm -rf "${RESULTS:?}/$suite"
  mkdir -p "$RESULTS/$suite"
  if is_only_run; then end_hierarchies_of_earlier_runs; fi
  exec 8<&-
  hierarchies=$(active_hierarchies)
  SUITES_ROOT=$root SUITES_BUILD=$BUILD \
    unshare --mount --pid --net --uts --ipc --fork --kill-child --propagation private \
    "$BASH" "$here/run.sh" --enter "$suite" "${files[@]}" </dev/null &
  child=$!
  wait "$child"
  status=$?
  child=
  end_new_hierarchies "$hierarchies"
  [ "$status" -eq 0 ] || [ "$status" -eq 3 ] || printf 'suites: %s ended with status %s\n' "$suite" "$status" >&2
  return "$status"
}

end_child() {
  [ -n "${child:-}" ] || return 0
  kill -KILL "$child"
  wait "$child"
} 2>/dev/null

# The root is shared by runs: what a suite writes outside of tmpfs would stay there.
enter() {  # SUITE [FILE…]
  enter_root "$SUITES_ROOT" "$tree" "$SUITES_BUILD" "$PLACE" "$SUITES_GIVEN"
  local directory
  for directory in /var/lib/containers /var/lib/containerd /var/lib/docker /var/lib/cni /var/tmp /srv; do
    mkdir -p "$directory"
    mount -t tmpfs -o mode=755 tmpfs "$directory"
  done
  mount -t tmpfs -o mode=755 tmpfs /mnt
  cp -a /etc /mnt/etc
  mount --bind /mnt/etc /etc
  umount --lazy /mnt
  chmod 1777 /var/tmp
  mount -t tmpfs -o mode=700 tmpfs /root
  exec env -i HOME=/root TERM=dumb LC_ALL=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin PYTHONDONTWRITEBYTECODE=1 \
    SUITES_ROUNDS="$SUITES_ROUNDS" SUITES_GIVEN="${SUITES_GIVEN:+$PLACE/source}" \
    SUITES_GIVEN_NAME="${SUITES_GIVEN##*/}" /bin/bash "$PLACE/tree/tests/suites/run.sh" --inside "$@"
}

inside() {  # SUITE [FILE…]
  local suite=$1 who file start round
  shift
  export SUITES_WORK=/run/suites SUITES_SOURCES=/usr/src/suites
  local results=$PLACE/tree/build/suites/$suite
  mkdir -p "$SUITES_WORK/policy"
  # Nothing in front of audit's decisions: the suite's cgroups are anywhere.
  printf '{"extends": "restricted", "mode": "audit", "log": {"target": "file:%s"}}\n' \
    "$results/audit.jsonl" >"$SUITES_WORK/policy/policy.json"
  # shellcheck source=/dev/null
  . "$PLACE/tree/tests/suites/${suite%-sid}.sh"
  runtimes
  start=$SECONDS
  suite_prepare || { [ $? -ne 3 ] || exit 3; die "$suite could not be prepared: see above"; }
  printf '== %s: %s, prepared in %s s\n' "$suite" "$(suite_version | tee "$results/version")" "$((SECONDS - start))"
  "$PLACE/build/runclad" --version | sed -n 's/^runclad: .*(commit \([0-9a-f]*\).*/\1/p' >"$results/commit"
  [ $# -gt 0 ] || { : >"$results/whole"; mapfile -t files < <(suite_files); set -- "${files[@]}"; }
  for ((round = 1; round <= SUITES_ROUNDS; ++round)); do
    mkdir -p "$results/plain/$round" "$results/audit/$round"
    start=$SECONDS
    for file in "$@"; do
      for who in plain audit; do run_file "$who" "$results/$who/$round/$file"; done
    done
    printf '%s, round %s: %s files twice, %s s\n' "$suite" "$round" "$#" "$((SECONDS - start))"
    mapfile -t files < <(python3 "$PLACE/tree/tests/suites/compare.py" differing \
      "$PLACE/tree/tests/suites/known.toml" "$results")
    [ -n "${files[*]}" ] || break
    set -- "${files[@]}"
  done
}

run_file() {  # plain|audit RESULTS/FILE
  ( suite_run "$SUITES_WORK/$1/$(suite_runtime)" "${2##*/}" ) >"$2.tap" 2>"$2.err"
  printf '# status %s\n' $? >>"$2.tap"
}

# The two programs under test. Both are a script in front, so that both are as slow to start; they have the name of
# the runtime below, by which podman decides what it can do.
runtimes() {
  local below who name
  name=$(suite_runtime)
  below=$(command -v "$name") || die "$name is not installed"
  for who in plain audit; do
    mkdir -p "$SUITES_WORK/$who"
    {
      printf '#!/bin/bash\n'
      suite_filter
      if [ "$who" = plain ]; then
        printf 'exec %s "$@"\n' "$below"
      else
        printf 'exec %s/build/runclad --runclad-config=%s --runclad-runtime=%s "$@"\n' \
          "$PLACE" "$SUITES_WORK/policy" "$below"
      fi
    } >"$SUITES_WORK/$who/$name"
    chmod 755 "$SUITES_WORK/$who/$name"
  done
}
suite_filter() { :; }  # what both scripts do first

# For suites with daemons: nothing of one run, process, mount or address, is there in the next.
alone() {  # FUNCTION ARGUMENT…
  # shellcheck disable=SC2016  # the dollars are for the new shell
  FUNCTIONS=$(declare -f) unshare --pid --mount --net --ipc --propagation private --mount-proc --fork --kill-child "$BASH" -c \
    'eval "$FUNCTIONS"; alone_first; "$@"' alone "$@"
}
alone_first() {
  local directory
  for directory in containers containerd docker cni; do mount -t tmpfs -o mode=755 tmpfs "/var/lib/$directory"; done
  mkdir -p /run/containerd /run/docker
  mount -t tmpfs -o mode=755 tmpfs /run/containerd
  mount -t tmpfs -o mode=755 tmpfs /run/docker
  # /sys shows the devices of the network namespace that it was mounted in.
  mount --rbind /sys/fs/cgroup /mnt
  mount -t sysfs sysfs /sys
  mount --move /mnt /sys/fs/cgroup
  ip link set lo up
}

# The cgroups that a suite's engine has left below its own: its processes have ended.
remove_cgroups() {  # NAME
  local place
  for place in /sys/fs/cgroup/{,*/}"$1"; do
    [ -d "$place" ] || continue
    find "$place" -depth -type d -exec rmdir --ignore-fail-on-non-empty {} + 2>/dev/null
  done
}

case "${1:-}" in
  --enter)
    shift
    enter "$@"
    ;;
  --inside)
    shift
    inside "$@"
    ;;
  *) outer "$@" ;;
esac
