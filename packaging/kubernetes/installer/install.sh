#!/bin/sh
# What the pods of the DaemonSet run on each node, which is mounted at $HOST:
#
#   install.sh install   the programs, the policy, containerd's runtime handler
#   install.sh serve     proves the handler with a pod, labels the node, and proves it again every hour
#   install.sh remove    before the pod ends: takes everything back if the DaemonSet is being deleted
#
# Of the API only: pods of its own namespace, its own DaemonSet, and the labels of its node.
set -eu

HOST=${HOST:-/host}
POLICY=${POLICY:-/policy}
PROGRAMS=${PROGRAMS:-/usr/local/lib/runclad}
ACCOUNT=${ACCOUNT:-/var/run/secrets/kubernetes.io/serviceaccount}
API=${API:-https://kubernetes.default.svc}
TRY_SECONDS=${TRY_SECONDS:-120}
EVERY_SECONDS=${EVERY_SECONDS:-3600}

say() { printf 'runclad: %s\n' "$*" >&2; }
die() {
  say "$*"
  exit 1
}
on_host() { chroot "$HOST" /usr/bin/env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"; }

# api METHOD PATH [CONTENT-TYPE BODY]: prints the answer; the status of HTTP is in $STATUS.
api() {
  api_answer=$(mktemp)
  set -- "$1" "$2" "${3:-application/json}" "${4:-}"
  STATUS=$(printf '%s' "$4" | curl --silent --show-error --max-time 20 --cacert "$ACCOUNT/ca.crt" \
    --header "Authorization: Bearer $(cat "$ACCOUNT/token")" --header "Content-Type: $3" \
    --request "$1" --data-binary @- --output "$api_answer" --write-out '%{http_code}' "$API$2") || STATUS=000
  ANSWER=$(cat "$api_answer")
  rm -f "$api_answer"
}

# Replaces a program in one step: containers that are started meanwhile get the old or the new one.
place() {  # SOURCE TARGET
  cp "$1" "$2.new"
  chmod 755 "$2.new"
  sync "$2.new"
  mv -f "$2.new" "$2"
}

install_node() {
  mkdir -p "$HOST/usr/local/sbin" "$HOST/usr/local/bin"
  place "$PROGRAMS/runclad" "$HOST/usr/local/sbin/runclad"
  place "$PROGRAMS/runcladctl" "$HOST/usr/local/bin/runcladctl"
  if [ -e "$POLICY/policy.json" ]; then
    staged=/run/runclad-policy
    rm -rf "${HOST:?}$staged"
    mkdir -m 700 "$HOST$staged"
    # A ConfigMap's files are links; its names (images..docker.io..library..nginx.json) are understood.
    cp -L "$POLICY"/*.json "$HOST$staged/"
    on_host runcladctl policy apply "$staged" || die "the policy was not applied; see runcladctl policy lint"
    rm -rf "${HOST:?}$staged"
  fi
  on_host runcladctl configure containerd --restart --program /usr/local/sbin/runclad ||
    die "containerd was not configured"
}

# shellcheck disable=SC2153  # NODE is from the environment of the pod
probe_name() { printf 'runclad-probe-%s' "$NODE" | tr '._' '--' | cut -c1-63; }
probe() {
  sed -e "s|@NAME@|$(probe_name)|; s|@NODE@|$NODE|; s|@IMAGE@|$IMAGE|" /etc/runclad-installer/probe.json
}
member() {  # NAME: the text of the first member of this name in the answer
  printf '%s' "$ANSWER" | tr -d ' \n' | sed -n "s|.*\"$1\":\"\([^\"]*\)\".*|\1|p"
}

# Sets MODE to the one that the container was decided in: runclad's own record of it says so, and where
# something is enforced, the kernel has to say so too: no engine asks for a filter for this pod.
is_hardened() {  # ID
  record=$(find "$HOST/run/runclad" -mindepth 2 -maxdepth 2 -name "$1.json" 2>/dev/null | head -n 1)
  [ -n "$record" ] || { say "container $1 was not started through runclad"; return 1; }
  MODE=$(sed -n 's/.*"mode":"\([a-z]*\)".*/\1/p' "$record")
  pid=$(sed -n 's/.*"pid":\([0-9]*\).*/\1/p' "$record")
  [ "$MODE" = audit ] || grep -q '^Seccomp:.2$' "$HOST/proc/$pid/status" || {
    say "container $1 runs without the filter that runclad gives it"
    return 1
  }
}

# Whether a pod of the runtime class goes through runclad on this node.
is_proved() {
  pods=/api/v1/namespaces/$NAMESPACE/pods
  api GET "$pods/$POD"
  IMAGE=$(member image)
  api DELETE "$pods/$(probe_name)?gracePeriodSeconds=0"
  left=$TRY_SECONDS
  while api GET "$pods/$(probe_name)" && [ "$STATUS" = 200 ] && [ "$left" -gt 0 ]; do
    sleep 2
    left=$((left - 2))
  done
  api POST "$pods" application/json "$(probe)"
  [ "$STATUS" = 201 ] || { say "the probe pod was not accepted (HTTP $STATUS): $ANSWER"; return 1; }
  result=1
  while [ "$left" -gt 0 ]; do
    api GET "$pods/$(probe_name)"
    id=$(member containerID)
    if [ "$(member phase)" = Running ] && [ -n "$id" ]; then
      is_hardened "${id##*/}" && result=0
      break
    fi
    if [ "$(member phase)" = Failed ]; then
      say "the probe pod failed; kubectl describe pod $(probe_name) says why"
      break
    fi
    sleep 2
    left=$((left - 2))
  done
  [ "$left" -gt 0 ] || say "the probe pod did not run within $TRY_SECONDS seconds"
  api DELETE "$pods/$(probe_name)?gracePeriodSeconds=0"
  return "$result"
}

labels() {  # READY MODE: values in JSON, null removes them
  api PATCH "/api/v1/nodes/$NODE" application/strategic-merge-patch+json \
    "{\"metadata\":{\"labels\":{\"runclad.io/ready\":$1,\"runclad.io/mode\":$2}}}"
  [ "$STATUS" = 200 ] || say "the node could not be labelled (HTTP $STATUS): $ANSWER"
}

serve() {
  while :; do
    if is_proved; then labels '"true"' "\"$MODE\""; else labels null null; fi
    sleep "$EVERY_SECONDS" &
    wait $!
  done
}

# The pod of a DaemonSet also ends when it is updated: only what says that the DaemonSet is gone, or
# going, removes anything. Its account goes with the release, hence 401.
is_deleted() {
  api GET "/apis/apps/v1/namespaces/$NAMESPACE/daemonsets/$DAEMONSET"
  case "$STATUS" in
    401 | 404) return 0 ;;
    200) printf '%s' "$ANSWER" | grep -q '"deletionTimestamp"' ;;
    *) return 1 ;;
  esac
}

remove_node() {
  is_deleted || return 0
  labels null null
  on_host runcladctl unconfigure containerd --restart --program /usr/local/sbin/runclad ||
    say "containers still need the runtime's name; it now leads to runc"
  # The programs stay: running containers are stopped through them.
}

case "${1:-}" in
  install) install_node ;;
  serve) serve ;;
  remove) remove_node ;;
  *) die "install.sh install|serve|remove" ;;
esac
