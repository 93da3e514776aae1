# shellcheck shell=bash
# The same container by each engine's client: sourced by ordinary.sh after lib.sh and cri_engine.sh.
# PROFILE (runclad, baseline) names the runtime, NETWORK=container:NAME whose network is shared.
#
#   run_by ENGINE NAME OPTION… box PROGRAM…   with the options that docker and podman have in common
#                                             (-d -t -u -v --init --rm); NAME is the container's in
#                                             each engine
# containerd's client and its CRI plugin know no named volumes and no init: a volume is a directory
# of the host or of the pod there, an init is one that the image has.

PODMAN=(podman --cgroup-manager cgroupfs --events-backend file --runtime)
declare -A POD_CONTAINERS  # their ids in the CRI plugin, by name
export CONTAINERD_NAMESPACE=ordinary

runtime_program() { printf '%s\n' "$E2E_WORK/runtimes/$PROFILE/runclad"; }

run_by() {
  local engine=$1 name=$2
  shift 2
  case "$engine" in
    docker)
      capture docker run --name "$name" --network "${NETWORK:-none}" --runtime "$PROFILE" "$@"
      ;;
    podman)
      capture "${PODMAN[@]}" "$(runtime_program)" run --name "$name" --network "${NETWORK:-none}" \
        --cgroup-parent "$E2E_CGROUP" --ulimit nofile=1024:2048 --ulimit nproc=1000:2000 "$@"
      ;;
    *) run_by_containerd "$engine" "$name" "$@" ;;
  esac
}
run_by_containerd() {  # ctr|cri NAME OPTION… box PROGRAM…
  local engine=$1 name=$2 background='' terminal='' user='' volume='' init=()
  shift 2
  while [ "$1" != box ]; do
    case "$1" in
      -d) background=1 ;;
      -t) terminal=1 ;;
      -u) user=$2 && shift ;;
      -v) volume=$2 && shift ;;
      --init) init=(tini --) ;;
      --rm) ;;
      *) return 1 ;;
    esac
    shift
  done
  shift
  set -- "${init[@]}" "$@"
  "run_by_$engine" "$name" "$@"
}

ctr_pid() { ctr task ls | awk -v id="$1" '$1 == id {print $2}'; }
ctr_has_ended() { ctr task ls | grep -q "^$1 .*STOPPED"; }
ctr_stop() {  # NAME
  ctr task kill -s KILL "$1"
  eventually 5 ctr_has_ended "$1" && ctr task delete "$1"
} >/dev/null 2>&1
run_by_ctr() {  # with the options of run_by_containerd
  local name=$1 options=(--rm) image=box
  shift
  [ -z "$background" ] || options=(-d)
  [ -z "$user" ] || image=box-user  # of which 1000:1000 is the user
  if [ -n "$volume" ]; then
    local directory=$E2E_SRV/volumes/${volume%:*}
    mkdir -p "$directory" && chmod 1777 "$directory"
    options+=(--mount "type=bind,src=$directory,dst=${volume#*:},options=rbind:rw")
  fi
  if [ -n "${NETWORK:-}" ]; then
    options+=(--with-ns "network:/proc/$(ctr_pid "${NETWORK#container:}")/ns/net")
  fi
  set -- "${CTR_RUN[@]}" --cgroup "$E2E_CGROUP/$name" --runc-binary "$(runtime_program)" "${options[@]}" \
    ${terminal:+-t} "docker.io/library/$image:latest" "$name" "$@"
  [ -z "$terminal" ] || set -- script -qec "$(printf '%q ' "$@")" /dev/null
  capture "$@"
}

# The pod of a profile's containers: POD.
pod_start() {
  # shellcheck disable=SC2153  # of cri_engine.sh
  printf '{"extends": "%s", "log": {"target": "file:%s/audit.jsonl"}}\n' \
    "${PROFILE/runclad/restricted}" "$DIRECTORY" >"$DIRECTORY/policy.json"
  cri run-sandbox "$PROFILE" default
  holds "a pod's sandbox under $PROFILE" succeeded
  POD=$OUT
}
run_by_cri() {  # with the options of run_by_containerd
  local name=$1 options=() argument directory
  shift
  for argument in "$@"; do options+=("run=$argument"); done
  [ -z "$terminal" ] || options+=(tty)
  [ -z "$user" ] || options+=("user=$user")
  if [ -n "$volume" ]; then
    directory=/var/lib/kubelet/pods/uid-$PROFILE/volumes/kubernetes.io~empty-dir/${volume%:*}
    mkdir -p "$directory" && chmod 1777 "$directory"
    options+=("mount=$directory:${volume#*:}")
  fi
  cri create "$POD" "$name" default docker.io/library/box:1 "${options[@]}"
  succeeded || return 0
  POD_CONTAINERS[$name]=$OUT
  cri start "$OUT"
  if [ -n "$background" ] || failed; then return 0; fi
  eventually 10 cri_has_ended "$name"
  OUT=$(cut -d' ' -f4- "/run/$name.log")
  remove_by cri "$name"
}
cri_has_ended() { ! cri_ctr task ls | grep -q "^${POD_CONTAINERS[$1]} "; }

exec_by() {  # ENGINE NAME PROGRAM…
  local engine=$1 name=$2
  shift 2
  case "$engine" in
    docker) capture docker exec "$name" "$@" ;;
    podman) capture "${PODMAN[@]}" "$(runtime_program)" exec "$name" "$@" ;;
    ctr) capture ctr task exec --exec-id "e$((EXECS += 1))" "$name" "$@" ;;
    cri) cri exec "${POD_CONTAINERS[$name]}" "$@" ;;
  esac
}
EXECS=0

# Stops a container and starts it again; its own options and program are for a kubelet, which makes
# another one in its place.
restart_by() {  # ENGINE NAME OPTION… box PROGRAM…
  local engine=$1 name=$2
  case "$engine" in
    docker) capture docker restart -t 0 "$name" ;;
    podman) capture "${PODMAN[@]}" "$(runtime_program)" restart -t 0 "$name" ;;
    ctr)
      ctr_stop "$name"
      capture ctr task start -d "$name"
      ;;
    cri)
      cri stop "${POD_CONTAINERS[$name]}"
      remove_by cri "$name"
      run_by "$@"
      ;;
  esac
}

remove_by() {  # ENGINE NAME
  case "$1" in
    docker) docker rm -f "$2" ;;
    podman) "${PODMAN[@]}" "$(runtime_program)" rm -f -t 0 "$2" ;;
    ctr) ctr_stop "$2" && ctr container delete "$2" ;;
    cri)
      python3 "$E2E_DIR/cri_call.py" "$CRI_SOCKET" remove "${POD_CONTAINERS[$2]}"
      rm "/run/$2.log"
      ;;
  esac >/dev/null 2>&1
}
