#!/bin/bash
# The end-to-end tests: real engines call the runtime, and what the kernel says is looked at.
#
#   tests/e2e/run.sh [--prove [--changed] [--write-results]] [--engine-topics | TOPIC…]
#                                           a topic is a file here without .sh (exec, policy …), or
#                                           a path (tests/bench/instructions.sh)
#
# --prove runs the same tests with plain runc in runclad's place and expects every `guards` to fail:
# the attacks are real, and no test passes by itself. A whole run leaves out the topics without a
# `guards`. --engine-topics leaves out those that come out the same with every engine.
# What --prove shows is about the tests alone, so that it holds until they change: --write-results keeps for each topic
# that it has passed, with a digest of what it runs, in PROVED.md; --changed leaves out those for which that is current.
# RUNCLAD_E2E_RUNTIME names the program under test (default: build/release/runclad).
#
# The engines run in mount, pid, network, uts and ipc namespaces of their own, with a /run and a
# /var/lib of their own: whatever happens, they end with this program and leave nothing.
set -u
export E2E_DIR
E2E_DIR=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/e2e/cgroups.sh
. "$E2E_DIR/cgroups.sh"
export PATH=/usr/sbin:/usr/bin:/sbin:/bin  # the distribution's engines
all_topics="
  docker_confinement
  filters
  docker_refusals
  host_directories
  docker_life
  builds
  buildkit
  compose
  buildah
  containerd_store
  joins
  ordinary
  attacks
  hostile
  destinations
  promise
  devices
  drift
  look
  can
  shield
  learn
  needs
  process
  exec
  by_hand
  containerd
  cri
  pods
  crio
  podman
  runtime_flags
  hooks
  resources
  placement
  identity
  pins
  image_volumes
  unverified
  policy
  apply
  squatters
  commands
  draft
  audit
  log_settings
  advice
  passthrough
  peers
  bounds
  streams
  faults
  crun
  configure
  close
  doctor
  wrong_hosts
  readme
  tables"

# An engine starts containers here at most; what is checked is the work of runclad or runcladctl alone: policies
# and their errors, the log, what the kernel holds for a container, time and memory, faults of system calls,
# /usr/sbin/runc as a link, documents that README's tables are made of.
same_with_every_engine="policy apply audit log_settings look can bounds faults close tables"

die() {
  printf 'e2e: %s\n' "$1" >&2
  exit 1
}

topic_file() {
  case "$1" in
    */*) realpath "$1" ;;
    *) printf '%s/%s.sh\n' "$E2E_DIR" "$1" ;;
  esac
}

# A file that no run reads would be believed to pass.
check_every_file_is_read() {
  local file name
  for file in "$E2E_DIR"/*.sh; do
    name=${file##*/}
    [ "$name" = run.sh ] || grep -qxF "${name%.sh}" <<<"${all_topics// /}" ||
      grep -qE "^ *\. \".*/$name\"" "$E2E_DIR"/*.sh ||
      die "$name is not in all_topics (run.sh), and no file there reads it"
  done
}

outer() {
  check_every_file_is_read
  [ "$(id -u)" = 0 ] || die "the end-to-end tests start container engines: run them as root"
  export E2E_PROVE=0 E2E_PLAIN E2E_PROGRAM
  export E2E_CHANGED='' E2E_KEEP=''
  if [ "${1:-}" = --prove ]; then
    E2E_PROVE=1
    shift
    if [ "${1:-}" = --changed ]; then E2E_CHANGED=1; shift; fi
    if [ "${1:-}" = --write-results ]; then E2E_KEEP=1; shift; fi
  fi
  if [ "${1:-}" = --engine-topics ]; then
    shift
    # shellcheck disable=SC2046,SC2086  # lists of words
    set -- $(printf '%s\n' $all_topics | grep -vxF "$(printf '%s\n' $same_with_every_engine)")
  fi
  E2E_PLAIN=$(command -v runc) || die "runc is not installed: apt-get install runc"
  local needed
  for needed in containerd dockerd docker ctr podman buildah crun busybox jq curl python3 setcap unshare strace; do
    command -v "$needed" >/dev/null || die "$needed is not installed (tests/run.sh installs it)"
  done
  E2E_PROGRAM=${RUNCLAD_E2E_RUNTIME:-$(cd "$E2E_DIR/../.." && pwd)/build/release/runclad}
  [ "$E2E_PROVE" = 1 ] || [ -x "$E2E_PROGRAM" ] ||
    die "there is no runtime at $E2E_PROGRAM: build it, or name one with RUNCLAD_E2E_RUNTIME"
  local topic
  for topic in "$@"; do
    [ -f "$(topic_file "$topic")" ] || die "there is no topic $topic"
  done

  export E2E_SRV E2E_CGROUP E2E_LOGS
  E2E_SRV=$(mktemp -d /srv/runclad-e2e.XXXXXX) || die "/srv is not writable"
  chmod 755 "$E2E_SRV"
  E2E_CGROUP=/${E2E_SRV##*/}
  E2E_LOGS=$(cd "$E2E_DIR/../.." && pwd)/build/e2e-logs  # of a run that failed
  trap 'end_child; rm -rf "$E2E_SRV"; remove_cgroups' EXIT
  trap 'exit 130' INT TERM
  if ! cgroup_is_v2 && is_only_run; then end_hierarchies_of_earlier_runs; fi
  is_a_run

  unshare --mount --pid --net --uts --ipc --fork --kill-child --mount-proc --propagation private \
    "$BASH" "$E2E_DIR/run.sh" --inside "$@" 8<&- &
  child=$!
  wait "$child"
  local status=$?
  child=
  exit "$status"
}

# unshare(1) ignores SIGTERM; when it is killed, the pid namespace goes with it.
end_child() {
  [ -n "${child:-}" ] || return 0
  kill -KILL "$child"
  wait "$child"
  # The processes of the namespace end in their own time, and hold their cgroups until then.
  sleep 1
} 2>/dev/null

# A run that was cut short leaves its cgroups; their processes are gone with the namespace. An engine may have
# made some in a hierarchy that was not active before.
remove_cgroups() {
  local names
  find /sys/fs/cgroup -depth -type d -path "/sys/fs/cgroup*$E2E_CGROUP*" -exec rmdir {} + 2>/dev/null
  cgroup_is_v2 || for names in $(unmounted_hierarchies); do
    end_hierarchy "$names" "${E2E_CGROUP#/}" >/dev/null
  done
}

inside() {
  # shellcheck source=tests/e2e/engines.sh
  . "$E2E_DIR/engines.sh"
  mount -t tmpfs -o mode=755 tmpfs /run
  mount -t tmpfs -o mode=755 tmpfs /var/lib
  mkdir -p /run/lock /run/user
  # Always: podman takes any directory there for a controller, also one that an earlier podman has made.
  if ! cgroup_is_v2; then
    mkdir /run/cgroup
    mount_all_hierarchies /run/cgroup
    mount --move /run/cgroup /sys/fs/cgroup && rmdir /run/cgroup
  fi
  if [ -d /etc/runclad ]; then mount -t tmpfs -o mode=755 tmpfs /etc/runclad; fi
  export E2E_WORK=/run/e2e E2E_POLICIES=/run/e2e/policies E2E_RUNTIME=/run/e2e/runtimes/runclad/runclad
  local topic before began file files=()
  local is_whole=
  # shellcheck disable=SC2086  # a list of words
  [ $# -gt 0 ] || { is_whole=1; set -- $all_topics; }
  for topic in "$@"; do
    file=$(topic_file "$topic")
    [ -n "$is_whole" ] && [ "$E2E_PROVE" = 1 ] && ! has_guards "$file" || files+=("$file")
  done
  mkdir -p "$E2E_WORK" && cd "$E2E_WORK" || exit 1
  : >results
  : >failures
  : >covered
  active_hierarchies >hierarchies
  started=$(date +%s)
  engines_start

  for file in "${files[@]}"; do
    topic=${file##*/}
    printf '\n# %s\n' "${topic%.sh}"
    before=$(wc -l <results)
    if [ -n "$E2E_CHANGED" ] && is_proved "$file"; then
      finding ok "$topic was shown to fail as it stands"
      continue
    fi
    began=$SECONDS
    : >left-out
    bash "$file" || finding not-ok "$topic ended with status $?"
    [ "$(wc -l <results)" -gt "$before" ] || [ -s left-out ] || finding not-ok "$topic made no assertion"
    printf '# took %s s\n' "$((SECONDS - began))"
    if [ -n "$E2E_KEEP" ] && ! tail -n "+$((before + 1))" results | grep -q not-ok; then
      keep_proof "$file" "$(($(wc -l <results) - before))"
    fi
  done

  printf '\n# what is left\n'
  engines_stop
  check_nothing_is_left
  check_log_lines
  [ -z "$is_whole" ] || [ -n "$E2E_CHANGED" ] || check_every_rule_is_covered
  summary
}

# Of all that a topic runs but the engines and the programs: its own text, and that of the files here that it names.
digest_of() {  # FILE
  local name
  {
    cat "$1" "$E2E_DIR/lib.sh" "$E2E_DIR/engines.sh" "$E2E_DIR/cgroups.sh"
    grep -oE '[a-z_]+\.(sh|py|c)' "$1" | sort -u | while read -r name; do
      if [ -f "$E2E_DIR/$name" ]; then cat "$E2E_DIR/$name"; fi
    done
  } | sha256sum | cut -c 1-16
}
is_proved() {  # FILE
  local topic=${1##*/}
  grep -qxE "\| ${topic%.sh} \| $(digest_of "$1") \|.*" "$E2E_DIR/PROVED.md" 2>/dev/null
}
keep_proof() {  # FILE ASSERTIONS
  local topic=${1##*/} proofs=$E2E_DIR/PROVED.md
  # shellcheck disable=SC2016  # backticks of Markdown
  [ -s "$proofs" ] || printf '%s\n' '# Topics that were shown to fail with plain runc' '' \
    '`tests/e2e/run.sh --prove --write-results` writes this file: for each topic, what it consisted of when each of its' \
    '`guards` failed without runclad.' '' '| topic | digest | assertions | date |' '|---|---|---|---|' >"$proofs"
  {
    head -n 7 "$proofs"
    {
      tail -n +8 "$proofs" | grep -v "^| ${topic%.sh} |"
      printf '| %s | %s | %s | %s |\n' "${topic%.sh}" "$(digest_of "$1")" "$2" "$(date +%F)"
    } | sort
  } >"$proofs.new"
  mv "$proofs.new" "$proofs"
}

has_guards() { grep -qE '^ *guards ' "$1"; }

finding() {  # ok|not-ok DESCRIPTION
  printf '%s\n' "$1" >>results
  printf '%s - %s\n' "${1/-/ }" "$2"
  [ "$1" = ok ] || printf '%s\n' "$2" >>failures
}

# By the catalogue of the program that was built with the runtime under test.
check_every_rule_is_covered() {
  local rule rules
  rules=$("${E2E_PROGRAM%/*}/runcladctl" rules --json | jq -r '.[].id')
  [ -n "$rules" ] || finding not-ok "runcladctl lists no rules"
  for rule in $rules; do
    if grep -qxF "$rule" covered; then
      finding ok "the rule $rule is seen at work"
    else
      finding not-ok "no assertion shows the rule $rule at work (covers $rule)"
    fi
  done
}

check_log_lines() {
  local said
  # The schema is this version's.
  [ -z "${RUNCLAD_E2E_EARLIER:-}" ] || return 0
  if [ "$E2E_PROVE" = 1 ] || ! /usr/bin/python3 -c 'import jsonschema' 2>/dev/null; then return; fi
  compgen -G "$E2E_POLICIES/*/audit.jsonl" >/dev/null || return 0
  if said=$("$E2E_DIR/../log_lines.py" "$E2E_POLICIES"); then
    finding ok "every line of the log conforms to its schema: $said"
  else
    finding not-ok "lines of the log do not conform to its schema: $said"
  fi
}

check_nothing_is_left() {
  local left
  # Everything in this pid namespace but this shell and the commands of the question itself, which
  # are copies of this shell at first.
  left=$(ps -eo pid=,ppid=,args= |
    awk -v me=$$ '$1 != me && $2 != me && $0 !~ /ps -eo|awk -v me|\[awk\]$|run\.sh --inside/')
  if [ -z "$left" ]; then finding ok "no process is left"; else finding not-ok "processes left: $left"; fi
  # An empty cgroup that the lower runtime gave up on while the machine was busy is nobody's; one
  # that cannot be removed is in use.
  remove_cgroups
  left=$(find /sys/fs/cgroup -mindepth 1 -type d -path "*$E2E_CGROUP/*")
  if [ -z "$left" ]; then finding ok "no cgroup is left"; else finding not-ok "cgroups left: $left"; fi
  left=$(active_hierarchies | comm -13 hierarchies -)
  if [ -z "$left" ]; then
    finding ok "no cgroup hierarchy has become active"
  else
    finding not-ok "cgroup hierarchies that were not active before: $left"
  fi
  # dockerd itself leaves the network namespace of --network host, and may leave its data directory;
  # podman its storage after a container that was refused.
  left=$(awk '{print $5}' /proc/self/mountinfo | grep -E "^(/run/|/var/lib/|$E2E_SRV)" |
    grep -vxE "/run/docker/netns/default|/var/lib/docker|/var/lib/containers/storage/overlay")
  if [ -z "$left" ]; then finding ok "no mount is left"; else finding not-ok "mounts left: $left"; fi
}

summary() {
  local passed failed
  passed=$(grep -c '^ok$' results)
  failed=$(grep -c '^not-ok$' results)
  printf '\n'
  if [ "$failed" -gt 0 ]; then
    sed 's/^/failed: /' failures
    mkdir -p "$E2E_LOGS" && cp ./*.log "$E2E_LOGS"
  fi
  printf '%s s, %s\n' "$(($(date +%s) - started))" \
    "$([ "$E2E_PROVE" = 1 ] && echo "plain runc in runclad's place" || echo "runtime $E2E_PROGRAM")"
  printf '%s passed, %s failed\n' "$passed" "$failed"
  [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}

if [ "${1:-}" = --inside ]; then
  shift
  inside "$@"
else
  outer "$@"
fi
