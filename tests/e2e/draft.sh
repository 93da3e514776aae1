#!/bin/bash
# runcladctl check -- docker run …, before there is a container, says what then happens: each command line is checked
# and run, and both have the same outcome, with the same rules. README's example is one of them.
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"
# shellcheck source=tests/readme_block.sh
. "$E2E_DIR/../readme_block.sh"

CTL=${E2E_PROGRAM%/*}/runcladctl
LOG=$E2E_POLICIES/runclad/audit.jsonl
mkdir -p "$E2E_SRV/draft"
all_containers() { docker ps -aq --no-trunc | sort; }
CONTAINERS=$(all_containers)
docker volume create -o type=none -o o=bind -o device=/ draft-root >/dev/null
docker volume create draft-plain >/dev/null

# Rules that read the image's files may say more of a container that exists.
rules_of() { jq -r '[.[].rule] - ["program", "hidden-paths", "working-directory"] | unique | join(" ")'; }

# What was said before, and what happened: "refused host-mounts", "rewritten capabilities …".
drafted() {
  "$CTL" check --json --config "$E2E_POLICIES/runclad" -- "$@" >"$E2E_WORK/draft.json" 2>"$E2E_WORK/draft.err"
  DRAFT_STATUS=$?
  DRAFT=$(jq -r '.containers[0].outcome' "$E2E_WORK/draft.json" 2>/dev/null)
  DRAFT_RULES=$(jq '.containers[0].findings | map(select(.action != "warned"))' "$E2E_WORK/draft.json" | rules_of)
  DRAFT_REFUSED=$(jq -r '[.containers[0].findings[] | select(.action == "refused") | .rule] | unique | join(" ")' "$E2E_WORK/draft.json")
}
happened() {
  : >"$LOG"
  capture "$@"
  FACT=$(jq -r 'select(.verb == "create") | .outcome' "$LOG" | tail -n 1)
  FACT_RULES=$(jq -c 'select(.verb == "create") | .findings | map(select(.action != "warned"))' "$LOG" | tail -n 1 | rules_of)
  FACT_REFUSED=$(jq -r 'select(.verb == "create") | [.findings[] | select(.action == "refused") | .rule] | unique | join(" ")' "$LOG" | tail -n 1)
}
agrees() {
  OUT="said: $DRAFT ($DRAFT_RULES), was: $FACT ($FACT_RULES)"
  [ -n "$FACT" ] && [ "$DRAFT" = "$FACT" ] && [ "$DRAFT_REFUSED" = "$FACT_REFUSED" ] || return 1
  [ "$FACT" = refused ] || [ "$DRAFT_RULES" = "$FACT_RULES" ]
}
status_is_of_outcome() {
  case "$DRAFT" in unchanged) set -- 0 ;; rewritten) set -- 1 ;; refused) set -- 2 ;; *) return 1 ;; esac
  [ "$DRAFT_STATUS" = "$1" ]
}

# covers the rule that refuses, where one does
check_run() {  # OPTION… (before the image)
  drafted docker run --rm --network none "$@" --runtime runclad box true
  happened docker run --rm --network none "$@" --runtime runclad box true
  guards "docker run $*: check said what happened ($DRAFT)" agrees
  holds "docker run $*: with that outcome's exit status" status_is_of_outcome
}

# --- ordinary ---
check_run
check_run --read-only --tmpfs /tmp
check_run -u 1000:1000 --cap-drop ALL --security-opt no-new-privileges
check_run -v "$E2E_SRV/draft:/data:ro" -e A=b -w /tmp
check_run -v draft-plain:/data --init
check_run --mount type=tmpfs,dst=/t,tmpfs-size=1048576 --shm-size 8m
check_run --ulimit nofile=64:128 --hostname web --add-host peer:10.1.2.3
needs_controller memory "limits" && check_run --memory 64m --pids-limit 50

# --- more than an ordinary container has ---
check_run --cap-add ALL
check_run --cap-add NET_ADMIN --cap-add SYS_PTRACE
check_run --security-opt seccomp=unconfined
check_run --security-opt systempaths=unconfined
if engine_is docker 25; then check_run --annotation run.oci.hooks.stderr=/x; fi
check_run --device /dev/null:/dev/other

# --- what has no safe form ---
check_run --privileged
check_run -v /:/host
check_run -v /etc:/e:ro
check_run -v /var/run/docker.sock:/s
check_run -v draft-root:/host
check_run -v /opt:/o
check_run --pid host
check_run --ipc host
check_run --uts host
check_run --device-cgroup-rule 'c 1:11 rwm'
check_run --sysctl kernel.shmmax=1000000
check_run -v "$E2E_SRV/draft:/dev"
check_run --cgroup-parent /
NETWORK_HOST=(docker run --rm --network host --runtime runclad box true)
drafted "${NETWORK_HOST[@]}"
happened "${NETWORK_HOST[@]}"
guards "docker run --network host: check said what happened ($DRAFT)" agrees

# --- what cannot be known is said ---
docker_start draft-peer
capture "$CTL" check --config "$E2E_POLICIES/runclad" -- docker run --volumes-from draft-peer --gpus all box
holds "what is not judged is listed" eval 'out_has "--volumes-from draft-peer" && out_has "--gpus all"'
docker_remove draft-peer
capture "$CTL" check --config "$E2E_POLICIES/runclad" -- docker run --privilegd box
holds "an option that is not known is an error" eval 'status_is 3 && err_has "did you mean \"privileged\"?"'
capture "$CTL" check --config "$E2E_POLICIES/runclad" -- docker run nowhere/else:1
holds "an image that is not on this host is reported as unknown" out_has "no engine on this host has the image"
capture "$CTL" check --config "$E2E_POLICIES/runclad" -- docker run box
holds "one that is on this host is not" out_lacks "no engine on this host has the image"
capture bash -c "$(readme_block 'runcladctl check -- docker run' | sed "s|^runcladctl|$CTL|")"
holds "README's example is refused, with the status that README says" \
  eval 'status_is 2 && out_has "refused by host-mounts"'
holds "and check created nothing" test "$(all_containers)" = "$CONTAINERS"

# --- a compose file, and a manifest ---
cat >"$E2E_SRV/draft/compose.yaml" <<YAML
services:
  good: {image: box, read_only: true, volumes: ["$E2E_SRV/draft:/data"]}
  bad: {image: box, privileged: true}
YAML
capture "$CTL" check --json --config "$E2E_POLICIES/runclad" --compose "$E2E_SRV/draft/compose.yaml"
holds "each service of a compose file has an outcome" \
  test "$(jq -c '[.containers[].outcome]' <<<"$OUT")" = '["refused","rewritten"]'
capture "$CTL" check --config "$E2E_POLICIES/runclad" --compose "$E2E_SRV/draft/compose.yaml" good
holds "a service that is named alone has its own" status_is 1
cat >"$E2E_SRV/draft/pod.yaml" <<YAML
kind: Pod
metadata: {name: p, namespace: team}
spec:
  containers:
  - {name: good, image: box, securityContext: {seccompProfile: {type: RuntimeDefault}}}
  - {name: bad, image: box, volumeMounts: [{name: etc, mountPath: /x}]}
  volumes: [{name: etc, hostPath: {path: /etc}}]
YAML
capture "$CTL" check --json --config "$E2E_POLICIES/runclad" --pod "$E2E_SRV/draft/pod.yaml"
holds "each container of a pod has an outcome" \
  test "$(jq -c '[.containers[].outcome]' <<<"$OUT")" = '["rewritten","refused"]'
docker volume rm draft-root draft-plain >/dev/null
