#!/bin/bash
# Image builds. The classic builder is Docker's own: each RUN step is a container with dockerd's default
# runtime, and cannot be distinguished from `docker run --log-driver none`. BuildKit is not installed
# here: its call is made by hand, `runc run` of a bundle in its executor's directory.
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"

# dockerd reads its default runtime again on SIGHUP.
default_runtime() {  # NAME
  jq --arg name "$1" '."default-runtime" = $name' "$E2E_WORK/daemon.json" >"$E2E_WORK/daemon.new"
  cat "$E2E_WORK/daemon.new" >"$E2E_WORK/daemon.json"
  kill -HUP "$E2E_DOCKERD_PID"
  eventually 10 default_is "$1" || record not-ok "dockerd takes $1 for its default runtime"
}
default_is() { [ "$(docker info --format '{{.DefaultRuntime}}')" = "$1" ]; }
# As dockerd takes it; a build without one has the version alone.
runc_commit() {
  capture_plain --version
  sed -n 's/^commit: //p' <<<"$OUT" | grep . || echo N/A
}

context=$E2E_WORK/context
mkdir -p "$context"
cat >"$context/Dockerfile" <<'DOCKERFILE'
FROM box
RUN printf '#!/bin/sh\necho built\n' >/usr/bin/made && chmod 755 /usr/bin/made
RUN made >/built && chown app /built && mkdir -m 700 /home/other && chown app:app /home/other
CMD ["cat", "/built"]
DOCKERFILE
build() { DOCKER_BUILDKIT=0 capture docker build --network none --no-cache -t made "$context"; }

printf '{"extends": "build", "log": {"target": "file:%s"}}\n' "$E2E_POLICIES/own/audit.jsonl" \
  >"$E2E_POLICIES/own/policy.json"
default_runtime own
build
holds "under build, the classic builder's steps write, run and own files" succeeded
docker_run --pull never made
holds "and the image works" out_is built
covers capabilities no-new-privileges
RUNTIME=own docker_run --cap-add SYS_ADMIN box grep -E 'CapBnd|NoNewPrivs' /proc/self/status
guards "under build, a container has baseline's capabilities" status_field CapBnd 00000000800405fb
guards "and no_new_privs" status_field NoNewPrivs 1
covers host-mounts
RUNTIME=own docker_run -v /:/host box true
guards "and no host mounts" refused host-mounts '/mounts/[0-9]+/source' /
default_runtime runclad
capture docker info --format '{{.RuncCommit.ID}}'
holds "dockerd reads the lower runtime's commit in --version, as without runclad" \
  test "$OUT" = "$(runc_commit)"
build
covers read-only-rootfs
guards "under restricted, a step of the classic builder cannot write" failed
guards "and says that the file system is read-only" \
  grep -qF "Read-only file system" <<<"$OUT$ERR"
default_runtime runc

# --- BuildKit ---
policy() {  # MEMBER…; BuildKit has cgroups of its own
  printf '{%s"log": {"target": "file:%s"}, "rules": {"cgroup-path": {"parents": ["%s"]}}}\n' "$1" \
    "$E2E_POLICIES/own/audit.jsonl" "$E2E_CGROUP" >"$E2E_POLICIES/own/policy.json"
}
buildkit() {
  DOCKER_BUILDKIT=1 capture docker build --progress plain --network none --no-cache -t made \
    "$context"
}
docker rmi made >/dev/null
policy ''
buildkit
covers read-only-rootfs
guards "a step of BuildKit is refused under restricted" failed
guards "by the rule that prevents every build" err_has \
  "runclad: refused by read-only-rootfs: /root/readonly false"
guards "and the error names the setting" err_has '"builds": "build" in policy.json'
policy '"builds": "build", '
buildkit
holds "under the policy's profile for builds, BuildKit's steps write, run and own files" \
  succeeded
docker_run --pull never made
holds "and the image works" out_is built
cat >"$context/Dockerfile" <<'DOCKERFILE'
FROM box
RUN grep -E 'CapBnd|NoNewPrivs|Seccomp:' /proc/self/status >/status; setuid-probe >/euid
USER app
RUN setuid-probe >/tmp/euid
CMD ["cat", "/status", "/euid", "/tmp/euid"]
DOCKERFILE
buildkit
holds "BuildKit builds on" succeeded
docker_run --pull never made
covers capabilities
guards "a step of BuildKit has baseline's capabilities" status_field CapBnd 00000000800405fb
covers no-new-privileges
guards "and no_new_privs" status_field NoNewPrivs 1
guards "so that a set-user-ID program gains nothing" \
  test "$(tail -n 1 <<<"$OUT")" = 1000
holds "and a filter" status_field Seccomp 2
docker rmi made >/dev/null
docker builder prune -af >/dev/null
# shellcheck source=tests/e2e/buildkit_mounts.sh
. "$E2E_DIR/buildkit_mounts.sh"
buildkit_mounts

# --- a directory of BuildKit's name is nobody's word ---
build_by_hand() {  # EXECUTOR MEMBER…: as BuildKit calls
  local bundle
  bundle=$(make_bundle step1 '.process.args = ["sh", "-c", "echo x >/written && cat /written"]')
  rm -rf "$1" && mkdir -p "$1"
  mv "$bundle" "$1/step1"
  policy "$2"
  capture "$E2E_WORK/runtimes/own/runclad" --root "$STATE" --log "$1/step1/log.json" \
    --log-format json run --bundle "$1/step1" step1
  discard step1
}
build_by_hand "$E2E_WORK/buildkit/runc-overlayfs/executor" '"builds": "build", '
holds "a step in a directory that only root can write to is recognised as BuildKit's" out_is x
mkdir -p "$E2E_WORK/open"
chmod 777 "$E2E_WORK/open"
build_by_hand "$E2E_WORK/open/executor" '"builds": "build", '
covers read-only-rootfs
guards "in a directory that others can write to it is not" out_lacks x
