#!/bin/bash
# Hooks: programs that the lower runtime starts on the host.
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
  holds "and there is no such hook: Docker 28 sets up networks between create and start" \
    jq -e '.hooks == null' "$DOCUMENT"
else
  holds "and there was one" docker_hook "$DOCUMENT"
fi
docker_remove hooked
