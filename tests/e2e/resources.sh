#!/bin/bash
# What runs and weighs on the host beside the container: hooks and limits, on update too.
# shellcheck disable=SC2016  # dollars are for jq
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"

# --- hooks ---
covers hooks
MARK=$E2E_WORK/hook-ran
cat >"$E2E_WORK/hook" <<HOOK
#!/bin/sh
id -u >$MARK
HOOK
chmod 755 "$E2E_WORK/hook"
ran() { sleep 0.2 && test -s "$MARK"; }
hooked() {  # KIND JQ-OBJECT: a bundle with that hook
  rm -f "$MARK"
  local bundle
  bundle=$(make_bundle hooked ".hooks = {\"$1\": [$2]} | .process.args = [\"true\"]")
  capture_runtime run --bundle "$bundle" hooked
}
hooked prestart "{\"path\": \"$E2E_WORK/hook\"}"
guards "a prestart hook is refused" refused hooks /hooks/prestart/0 "$E2E_WORK/hook"
guards "and its program does not run on the host" not test -s "$MARK"
for kind in createRuntime createContainer poststart poststop; do
  hooked "$kind" "{\"path\": \"$E2E_WORK/hook\"}"
  guards "nor does a $kind hook's" not ran
done
hooked prestart "{\"path\": \"/bin/sh\", \"args\": [\"sh\", \"-c\", \"id -u >$MARK\"]}"
guards "a shell as a hook does not run" not test -s "$MARK"
hooked prestart "{\"path\": \"/proc/$E2E_DOCKERD_PID/exe\", \"args\": [\"dockerd\", \"--version\"]}"
guards "dockerd with other arguments is refused" \
  refused hooks /hooks/prestart/0 "/proc/$E2E_DOCKERD_PID/exe"

cat >"$E2E_POLICIES/own/policy.json" <<POLICY
{"rules": {"hooks": {"allow": ["$E2E_WORK/hook"]}}}
POLICY
own_hooked() { E2E_RUNTIME=$E2E_WORK/runtimes/own/runclad hooked "$@"; }
own_hooked prestart "{\"path\": \"$E2E_WORK/hook\"}"
holds "a hook that the policy lists runs" test -s "$MARK"
cat >"$E2E_WORK/preload.c" <<'SOURCE'
#include <stdlib.h>
#include <stdio.h>
__attribute__((constructor)) static void ran(void) {
  FILE* file = fopen(getenv("MARK"), "w");
  if (file) fputs("preloaded\n", file), fclose(file);
  _exit(0);
}
SOURCE
"${CC:-cc}" -shared -fPIC -include unistd.h -o "$E2E_WORK/preload.so" "$E2E_WORK/preload.c"
own_hooked prestart "{\"path\": \"$E2E_WORK/hook\",
  \"env\": [\"LD_PRELOAD=$E2E_WORK/preload.so\", \"MARK=$MARK\"]}"
guards "but no other code in it" not test -s "$MARK"
chmod 775 "$E2E_WORK/hook"
own_hooked prestart "{\"path\": \"$E2E_WORK/hook\"}"
guards "nor one that others may write to" not test -s "$MARK"
chmod 755 "$E2E_WORK/hook"

mkdir -p "$E2E_WORK/hooks.d"
printf '{"version": "1.0.0", "hook": {"path": "%s"}, "when": {"always": true}, "stages": ["prestart"]}\n' \
  "$E2E_WORK/hook" >"$E2E_WORK/hooks.d/mark.json"
tar -C "$E2E_WORK/rootfs" -c . | podman import -q -c 'CMD ["sh"]' - box >/dev/null
podman_run() {
  capture podman --cgroup-manager cgroupfs --events-backend file --hooks-dir "$E2E_WORK/hooks.d" \
    --runtime "$E2E_WORK/runtimes/runclad/runclad" run --rm --network none \
    --cgroup-parent "$E2E_CGROUP" --ulimit nofile=1024:2048 --ulimit nproc=1000:2000 "$@"
}
rm -f "$MARK"
podman_run box true
# podman 5 hands a prestart hook on as the specification's createRuntime.
STAGE=prestart
if engine_is podman 5; then STAGE=createRuntime; fi
guards "podman --hooks-dir: refused" refused hooks "/hooks/$STAGE/0" "$E2E_WORK/hook"
guards "podman --hooks-dir: nothing runs" not test -s "$MARK"
podman rmi -f box >/dev/null
docker_run box true
holds "Docker's own hook works" succeeded
docker_start hooked
docker_hook() { jq -e '.hooks.prestart[0].args[0] == "libnetwork-setkey"' "$1" >/dev/null; }
DOCUMENT=/run/containerd/io.containerd.runtime.v2.task/moby/$(docker inspect -f '{{.Id}}' hooked)/config.json
if engine_is docker 28; then
  holds "and there is none: Docker 28 sets up networks between create and start" \
    jq -e '.hooks == null' "$DOCUMENT"
else
  holds "and there was one" docker_hook "$DOCUMENT"
fi
docker_remove hooked

# --- processes ---
covers pids-limit
pids_max() { limit_of pids "$1"; }
PIDS=$(limit_file pids)
docker_run box cat "$PIDS"
guards "a container of Docker's has a limit of processes" out_is 2048
docker_run --pids-limit -1 box cat "$PIDS"
guards "and --pids-limit -1 does not lift it" out_is 2048
docker_run --pids-limit 100000 box cat "$PIDS"
guards "nor raise it" out_is 2048
docker_run --pids-limit 50 box cat "$PIDS"
holds "a smaller one stays" out_is 50
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
holds "in mode audit docker update does what it is told" test "$(pids_max "$ID")" = 5000
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
holds "and nothing of the update is done" limit_is "$before"
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
holds "update of what no rule limits works" succeeded
holds "and is done" \
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
guards "a container without a limit of memory gets one" out_is 67108864
RUNTIME=own docker_run --memory 1g box cat "$MEMORY"
guards "a large one becomes the maximum" out_is 134217728
RUNTIME=own docker_run --memory 32m box cat "$MEMORY"
holds "a small one stays" out_is 33554432
if ! cgroup_is_v2; then  # which cannot switch it off
  RUNTIME=own docker_run --memory 32m --oom-kill-disable box cat /sys/fs/cgroup/memory/memory.oom_control
  guards "--oom-kill-disable has no effect" out_has 'oom_kill_disable 0'
fi
docker_run box true
guards "restricted tells of it" log_has runclad \
  'any(.findings[]?; .rule == "memory-limit" and .action == "warned")'
covers cpu-limit
QUOTA=$(limit_file cpu)
RUNTIME=own docker_run box cut -d' ' -f1 "$QUOTA"
guards "a container without a limit of processors gets one" out_is 50000
RUNTIME=own docker_run --cpus 2 box cut -d' ' -f1 "$QUOTA"
guards "a large one becomes the maximum" out_is 150000
RUNTIME=own docker_run --cpus 0.25 box cut -d' ' -f1 "$QUOTA"
holds "a small one stays" out_is 25000
RUNTIME=own docker_start weighed
ID=$(docker inspect -f '{{.Id}}' weighed)
capture docker update --memory 512m --memory-swap 2g weighed
covers memory-limit
guards "docker update --memory stays below the maximum" \
  test "$(limit_of memory "$ID")" = 134217728
capture docker update --cpus 2 weighed
covers cpu-limit
guards "docker update --cpus too" \
  test "$(limit_of cpu "$ID")" = 150000
docker_remove weighed
