#!/bin/bash
# Process, memory and CPU limits: a container's, and what an update may change.
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"

# --- cgroup v2 without the controllers, as it is where cgroup v1 uses them ---
limited_by() {  # RULE ACTION: a container without limits of its own, by hand
  mkdir -p "$E2E_WORK/limits"
  jq -n --arg cgroup "$E2E_CGROUP" --arg rule "$1" --arg action "$2" \
    '{rules: ({"cgroup-path": {parents: [$cgroup]}, "pids-limit": {action: "off"}} +
              {($rule): {action: $action, default: 4000000, maximum: 4000000}})}' \
    >"$E2E_WORK/limits/policy.json"
  local bundle program=("$E2E_PROGRAM" "--runclad-config=$E2E_WORK/limits" "--runclad-runtime=$E2E_PLAIN")
  [ "$E2E_PROVE" = 0 ] || program=("$E2E_PLAIN")
  bundle=$(make_bundle limited 'del(.linux.resources) | .process.args = ["true"]')
  capture "${program[@]}" --root "$STATE" run --bundle "$bundle" limited
}
without_controllers() {
  local kind
  for kind in pids memory cpu; do
    if has_controller "$kind"; then
      printf '# left out, for cgroup v2 has it: no %s controller\n' "$kind"
      continue
    fi
    limited_by "$kind-limit" fix
    covers "$kind-limit"
    guards "cgroup v2 without the $kind controller: the error says what is missing" \
      err_has "the host's cgroup v2 has no $kind controller"
    guards "… and what to do" err_has "set the rule $kind-limit to \"warn\" in policy.json"
    limited_by "$kind-limit" warn
    holds "… which lets the container run without the limit" succeeded
  done
}
if [ "${1:-}" = --below-cgroup2 ]; then
  mount -t cgroup2 cgroup2 /sys/fs/cgroup
  without_controllers
  exit
fi
if cgroup_is_v2; then
  without_controllers
else
  unshare --mount --propagation private "$BASH" "$0" --below-cgroup2
fi
needs_controller pids "limits that are set, and updates" || exit 0

# --- processes ---
covers pids-limit
pids_max() { limit_of pids "$1"; }
PIDS=$(limit_file pids)
docker_run box cat "$PIDS"
guards "a container of Docker has a process limit" out_is 2048
docker_run --pids-limit -1 box cat "$PIDS"
guards "and --pids-limit -1 does not lift it" out_is 2048
docker_run --pids-limit 100000 box cat "$PIDS"
guards "nor raise it" out_is 2048
docker_run --pids-limit 50 box cat "$PIDS"
holds "a smaller one is kept" out_is 50
RUNTIME=baseline docker_run box cat "$PIDS"
guards "baseline's is larger" out_is 4096

# --- update ---
docker_start updated
ID=$(docker inspect -f '{{.Id}}' updated)
capture docker update --pids-limit -1 updated
holds "docker update --pids-limit -1 succeeds" succeeded
guards "but lifts nothing" test "$(pids_max "$ID")" = 2048
capture docker update --pids-limit 30 updated
holds "docker update lowers the limit" test "$(pids_max "$ID")" = 30
capture docker update --memory 64m --memory-swap 64m updated
holds "docker update --memory" succeeded
holds "sets it" test "$(limit_of memory "$ID")" = 67108864
holds "and leaves the others" test "$(pids_max "$ID")" = 30
docker_remove updated
guards "the update is in the log" log_has runclad \
  '.verb == "update" and any(.findings[]?; .rule == "pids-limit" and .after == 2048)'

RUNTIME=audit docker_start watched
ID=$(docker inspect -f '{{.Id}}' watched)
capture docker update --pids-limit 5000 watched
holds "in mode audit, docker update is unchanged" test "$(pids_max "$ID")" = 5000
guards "and the log says what would have been done" log_has audit \
  '.verb == "update" and any(.findings[]?; .rule == "pids-limit" and .after == 2048)'
docker_remove watched

# Older than runclad: the host's policy holds.
bundle=$(make_bundle older)
capture_plain run --detach --bundle "$bundle" older
capture_runtime update --pids-limit 5000 older
guards "an update of a container without a record" test "$(pids_max older)" = 2048
capture_runtime delete --force older

bundle=$(make_bundle limits)
capture_runtime create --bundle "$bundle" limits
capture_runtime start limits
update() { capture_runtime update "$@" limits; }
limit_is() { [ "$(pids_max limits)" = "$1" ]; }
holds "a bundle's limit" test -n "$(pids_max limits)"
update --pids-limit 99999
guards "update by a flag raises nothing" limit_is 2048
printf '{"pids": {"limit": -1}}' >"$E2E_WORK/limits.json"
update --resources "$E2E_WORK/limits.json"
guards "update by a file lifts nothing" limit_is 2048
"$E2E_RUNTIME" --root "$STATE" update --resources - limits <"$E2E_WORK/limits.json"
guards "nor by standard input" limit_is 2048
update --pids-limit 40 --memory 64m
holds "update by flags works" limit_is 40
printf '{"pids": {"limit": 3}, "pids": {"limit": -1}}' >"$E2E_WORK/limits.json"
update --resources "$E2E_WORK/limits.json"
guards "an update that can be read in two ways is refused" failed
guards "and changes nothing" limit_is 40

# Which groups of processes share the caches: create refuses it, and so does update.
covers unknown-fields
before=$(pids_max limits)
update --l3-cache-schema "L3:0=1"
guards "update --l3-cache-schema is refused" \
  refused unknown-fields /linux/intelRdt/l3CacheSchema "L3:0=1"
update --mem-bw-schema "MB:0=10" --pids-limit 35
guards "update --mem-bw-schema is refused" \
  refused unknown-fields /linux/intelRdt/memBwSchema "MB:0=10"
printf '{"pids": {"limit": 35}}' >"$E2E_WORK/limits.json"
update --resources "$E2E_WORK/limits.json" --mem-bw-schema "MB:0=10"
guards "beside --resources too" refused unknown-fields /linux/intelRdt/memBwSchema "MB:0=10"
holds "and no part of the update is applied" limit_is "$before"
# A limit that nobody sets is not to look like one.
for flag in --cpu-idle=1 --cpu-burst=1000; do
  update "$flag"
  if "$E2E_PLAIN" update --help | grep -qF -- "${flag%=*}"; then
    holds "update $flag works where the lower runtime knows it" succeeded
    update "${flag%=*}=0"
    holds "… and back" succeeded
  else
    holds "update $flag is an error where the lower runtime does not know it" failed
  fi
done
update --cpuset-cpus 0 --cpu-share 512 --blkio-weight 500 --memory-reservation 32m
holds "an update of values that no rule limits works" succeeded
holds "and is applied" \
  test "$(limit_of cpuset limits)" = 0
capture_runtime delete --force limits

# --- memory and processors, where the policy names limits ---
cat >"$E2E_POLICIES/own/policy.json" <<POLICY
{"log": {"target": "file:$E2E_POLICIES/own/audit.jsonl"},
 "rules": {"memory-limit": {"action": "fix", "default": 67108864, "maximum": 134217728},
           "cpu-limit": {"action": "fix", "default": 500, "maximum": 1500}}}
POLICY
covers memory-limit
MEMORY=$(limit_file memory)
RUNTIME=own docker_run box cat "$MEMORY"
guards "a container without a memory limit gets one" out_is 67108864
RUNTIME=own docker_run --memory 1g box cat "$MEMORY"
guards "a large one becomes the maximum" out_is 134217728
RUNTIME=own docker_run --memory 32m box cat "$MEMORY"
holds "a small one is kept" out_is 33554432
if ! cgroup_is_v2; then  # which cannot switch it off
  RUNTIME=own docker_run --memory 32m --oom-kill-disable box cat /sys/fs/cgroup/memory/memory.oom_control
  guards "--oom-kill-disable has no effect" out_has 'oom_kill_disable 0'
fi
docker_run box true
guards "restricted warns of it" log_has runclad \
  'any(.findings[]?; .rule == "memory-limit" and .action == "warned")'
covers cpu-limit
QUOTA=$(limit_file cpu)
RUNTIME=own docker_run box cut -d' ' -f1 "$QUOTA"
guards "a container without a CPU limit gets one" out_is 50000
RUNTIME=own docker_run --cpus 2 box cut -d' ' -f1 "$QUOTA"
guards "a large one becomes the maximum" out_is 150000
RUNTIME=own docker_run --cpus 0.25 box cut -d' ' -f1 "$QUOTA"
holds "a small one is kept" out_is 25000
RUNTIME=own docker_start weighed
ID=$(docker inspect -f '{{.Id}}' weighed)
capture docker update --memory 512m --memory-swap 2g weighed
covers memory-limit
guards "docker update --memory stays below the maximum" \
  test "$(limit_of memory "$ID")" = 134217728
capture docker update --cpus 2 weighed
covers cpu-limit
guards "so does docker update --cpus" \
  test "$(limit_of cpu "$ID")" = 150000
docker_remove weighed
