#!/bin/bash
# runcladctl configure and unconfigure, with engines of this topic at their default places.
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"
# shellcheck source=tests/e2e/cri_engine.sh
. "$E2E_DIR/cri_engine.sh"

CTL=${E2E_PROGRAM%/*}/runcladctl
PROGRAM=$E2E_WORK/runtimes/own/runclad
NAME=hardened
printf '{"log": {"target": "file:%s/audit.jsonl"}}\n' "$E2E_POLICIES/own" \
  >"$E2E_POLICIES/own/policy.json"
configure() { capture "$CTL" configure "$@" --name "$NAME" --program "$PROGRAM"; }
unconfigure() { capture "$CTL" unconfigure "$@" --name "$NAME" --program "$PROGRAM"; }
same() { cmp -s "$1" "$2"; }
# The host's own files stay out of reach.
for directory in /etc/docker /etc/containerd /etc/containers; do
  mkdir -p "$E2E_WORK/etc$directory"
  [ -d "$directory" ] || continue
  cp -a "$directory/." "$E2E_WORK/etc$directory"
  mount --bind "$E2E_WORK/etc$directory" "$directory"
done
trap 'kill "${CRI_PID:-}" 2>/dev/null; umount /etc/docker /etc/containerd /etc/containers 2>/dev/null' EXIT

# --- docker: the daemon of the run, whose file has five runtimes already ---
FILE=$E2E_WORK/daemon.json
cp "$FILE" "$E2E_WORK/daemon.before"
docker_default() { docker info --format '{{.DefaultRuntime}}'; }
configure docker --default --dry-run
holds "configure docker --dry-run prints a diff" grep -qE "^\+.*\"default-runtime\": \"$NAME\"" <<<"$OUT"
holds "and changes nothing" same "$FILE" "$E2E_WORK/daemon.before"
capture docker run -d --name older --network none box sleep 600
configure docker --default
holds "configure docker --default" succeeded
holds "it lists the container that was made before" out_has older
holds "dockerd has the default without a restart" test "$(docker_default)" = "$NAME"
capture docker run --rm --network none box grep -E 'CapBnd|NoNew' /proc/self/status
guards "docker run is hardened" status_field NoNewPrivs 1
cp "$FILE" "$E2E_WORK/daemon.configured"
configure docker --default
holds "a second time it changes nothing" same "$FILE" "$E2E_WORK/daemon.configured"
capture docker run -d --name between --network none box sleep 600
holds "a container is made in between" succeeded
unconfigure docker --final
holds "unconfigure --final refuses and lists it" status_is 2
holds "by its name" out_has between
holds "and changes nothing" same "$FILE" "$E2E_WORK/daemon.configured"
unconfigure docker
holds "unconfigure docker" succeeded
holds "it lists the container that names the runtime" out_has between
holds "the name leads to runc" test "$(jq -r ".runtimes.$NAME.path" "$FILE")" = "$E2E_PLAIN"
holds "nothing else differs" test "$(jq -cS "del(.runtimes.$NAME)" "$FILE")" = "$(jq -cS . "$E2E_WORK/daemon.before")"
holds "the default is runc again" test "$(docker_default)" = runc
for name in older between; do
  docker kill "$name" >/dev/null
  capture docker start "$name"
  holds "the container $name starts again" succeeded
done
docker_remove older between
unconfigure docker
holds "unconfigure docker, without containers" succeeded
holds "the file is byte for byte as before" same "$FILE" "$E2E_WORK/daemon.before"
holds "dockerd does not have the name any more" not grep -q "$NAME" <<<"$(docker info --format '{{json .Runtimes}}')"
unconfigure docker
holds "a second time it changes nothing" same "$FILE" "$E2E_WORK/daemon.before"
jq '. + {"no-such-setting": 1}' "$E2E_WORK/daemon.before" >"$FILE"
cp "$FILE" "$E2E_WORK/daemon.odd"
configure docker
holds "a file that dockerd does not accept is an error" status_is 3
holds "and is put back" same "$FILE" "$E2E_WORK/daemon.odd"
holds "nothing is kept of it" not test -e "/var/lib/runclad/before/docker/$NAME"
cp "$E2E_WORK/daemon.before" "$FILE"

# --- containerd: with its CRI plugin, and a file that names no runtime ---
TOML=$E2E_WORK/cri.toml
{
  printf 'version = 2  # of the site\n'
  cri_settings
} >"$TOML"
cp "$TOML" "$E2E_WORK/cri.before"
# containerd 2 quotes with ' what 1 quotes with ".
unshown() { containerd --config "$TOML" config dump | tr \' \" | grep -c "$1"; }
configure containerd --config "$TOML" --default --dry-run
holds "configure containerd --dry-run prints a diff" out_has "+  default_runtime_name = \"$NAME\""
holds "and changes nothing" same "$TOML" "$E2E_WORK/cri.before"
configure containerd --config "$TOML" --default
holds "configure containerd --default" succeeded
holds "containerd keeps the entry of runc" test "$(unshown 'runtimes.runc\]')" = 1
cp "$TOML" "$E2E_WORK/cri.configured"
configure containerd --config "$TOML" --default
holds "a second time it changes nothing" same "$TOML" "$E2E_WORK/cri.configured"
cri_network
containerd --config "$TOML" >"$E2E_WORK/cri.log" 2>&1 &
CRI_PID=$!
holds "containerd starts with it" eventually 20 cri_answers
cri_images web:1
configure containerd
holds "without --config it lists both that run" status_is 3
holds "by their files" err_has "$TOML"
if needs_controller cpu "pods, which always have CPU shares"; then
  for handler in '' "$NAME"; do
    cri run-sandbox "pod${handler:+-by-name}" default ${handler:+"runtime=$handler"}
    holds "a pod ${handler:+that names the runtime }starts" succeeded
    POD=$OUT
    cri create "$POD" "container${handler:+-by-name}" default docker.io/library/web:1
    CONTAINER=$OUT
    cri start "$CONTAINER"
    cri exec "$CONTAINER" /bin/grep NoNew /proc/1/status
    guards "it is hardened" status_field NoNewPrivs 1
  done
  unconfigure containerd --config "$TOML" --final
  holds "unconfigure --final refuses" status_is 2
  holds "and lists the pod that names the runtime" out_has "k8s.io/pod-by-name_default"
  holds "and what calls the program under the default" out_has "$PROGRAM"
  unconfigure containerd --config "$TOML"
  holds "unconfigure containerd" succeeded
  holds "the name leads to runc" test "$(unshown "BinaryName = \"$E2E_PLAIN\"")" = 1
  holds "the default is runc" test "$(unshown 'default_runtime_name = "runc"')" = 1
  kill "$CRI_PID" && wait "$CRI_PID"
  containerd --config "$TOML" >>"$E2E_WORK/cri.log" 2>&1 &
  CRI_PID=$!
  holds "containerd starts with that" eventually 20 cri_answers
  cri create "$POD" after default docker.io/library/web:1
  CONTAINER=$OUT
  cri start "$CONTAINER"
  holds "a container in the pod that names the runtime starts" succeeded
  for pod in $(cri_ctr containers ls -q); do cri remove-sandbox "$pod"; done
  holds "the pods are removed" test -z "$(cri_ctr containers ls -q)"
fi
unconfigure containerd --config "$TOML"
holds "unconfigure containerd, without pods" succeeded
holds "the file is byte for byte as before" same "$TOML" "$E2E_WORK/cri.before"
kill "$CRI_PID" && wait "$CRI_PID"
printf '[plugins.cri]\n  sandbox_image = "x"\n' >"$TOML"
cp "$TOML" "$E2E_WORK/cri.odd"
configure containerd --config "$TOML"
holds "a file of version 1 is refused" err_has "reads it as version 1"
holds "and stays as it is" same "$TOML" "$E2E_WORK/cri.odd"
mkdir -p "$E2E_WORK/conf.d"
printf 'version = 2\nimports = ["%s/conf.d/*.toml"]\n' "$E2E_WORK" >"$TOML"
configure containerd --config "$TOML"
holds "a file that imports others gets a drop-in" test -e "$E2E_WORK/conf.d/$NAME.toml"
holds "which containerd reads" test "$(unshown "BinaryName = \"$PROGRAM\"")" = 1
unconfigure containerd --config "$TOML"
holds "unconfigure removes it" not test -e "$E2E_WORK/conf.d/$NAME.toml"

# --- containerd: --drop-in, beside a main file that imports nothing yet ---
rm -rf "$E2E_WORK/conf.d"
DROP_IN=$E2E_WORK/conf.d/$NAME.toml
{
  printf 'version = 2  # of the site\n'
  cri_settings
} >"$TOML"
if ! engine_is containerd 2; then
  cp "$TOML" "$E2E_WORK/cri.before"
  configure containerd --config "$TOML" --default --drop-in
  holds "containerd 1: a drop-in that would hide the main file's settings is refused" \
    err_has "takes a plugin's settings from one file only"
  holds "the main file stays as it is" same "$TOML" "$E2E_WORK/cri.before"
  holds "and there is no drop-in" not test -e "$DROP_IN"
  sed -i '/^\[plugins/,$d' "$TOML"
fi
cp "$TOML" "$E2E_WORK/cri.before"
configure containerd --config "$TOML" --default --drop-in --dry-run
holds "configure containerd --drop-in --dry-run prints a diff of both files" \
  test "$(grep -c '^+++ ' <<<"$OUT")" = 2
holds "and changes nothing" same "$TOML" "$E2E_WORK/cri.before"
configure containerd --config "$TOML" --default --drop-in
holds "configure containerd --drop-in" succeeded
imports() { grep -c 'conf\.d/\*\.toml' "$TOML"; }
holds "the main file imports the directory" test "$(imports)" = 1
holds "and has nothing of the runtime" not grep -q BinaryName "$TOML"
holds "containerd config dump has the program" test "$(unshown "BinaryName = \"$PROGRAM\"")" = 1
holds "and the default" test "$(unshown "default_runtime_name = \"$NAME\"")" = 1
holds "and its own socket, as before" test "$(unshown "address = \"$CRI_SOCKET\"")" = 1
cp "$TOML" "$E2E_WORK/cri.configured"
cp "$DROP_IN" "$E2E_WORK/drop-in.configured"
configure containerd --config "$TOML" --default --drop-in
holds "a second time it changes the main file no more" same "$TOML" "$E2E_WORK/cri.configured"
holds "nor the drop-in" same "$DROP_IN" "$E2E_WORK/drop-in.configured"
if engine_is containerd 2; then
  capture "$CTL" configure containerd --config "$TOML" --drop-in --name second --program "$PROGRAM"
  holds "another name has a file of its own" test -e "$E2E_WORK/conf.d/second.toml"
  holds "in the directory that is imported once" test "$(imports)" = 1
  capture "$CTL" unconfigure containerd --config "$TOML" --name second --program "$PROGRAM"
  holds "which unconfigure removes alone" test -e "$DROP_IN" -a ! -e "$E2E_WORK/conf.d/second.toml"
  holds "so that the first is still imported" test "$(imports)" = 1
else
  # As an operator of containerd 1 has to: all of the plugin's settings are in one file.
  cri_settings | sed -n '/^\[plugins/,$p' >>"$DROP_IN"
fi
containerd --config "$TOML" >>"$E2E_WORK/cri.log" 2>&1 &
CRI_PID=$!
holds "containerd starts with its drop-in" eventually 20 cri_answers
if needs_controller cpu "pods, which always have CPU shares"; then
  cri run-sandbox dropped default
  holds "a pod starts" succeeded
  POD=$OUT
  cri create "$POD" dropped default docker.io/library/web:1
  CONTAINER=$OUT
  cri start "$CONTAINER"
  cri exec "$CONTAINER" /bin/grep NoNew /proc/1/status
  guards "and is hardened" status_field NoNewPrivs 1
  cri remove-sandbox "$POD"
fi
kill "$CRI_PID" && wait "$CRI_PID"
unconfigure containerd --config "$TOML"
holds "unconfigure containerd, with a drop-in" succeeded
holds "the main file is byte for byte as before" same "$TOML" "$E2E_WORK/cri.before"
if engine_is containerd 2; then
  holds "and the drop-in is gone" not test -e "$DROP_IN"
else
  {
    printf 'version = 2\n'
    cri_settings | sed -n '/^\[plugins/,$p'
  } >"$E2E_WORK/others"
  holds "what others wrote into the drop-in stays, in its version, and nothing else" same "$DROP_IN" "$E2E_WORK/others"
fi

# --- podman ---
PODMAN=(podman --cgroup-manager cgroupfs --events-backend file)
podman_run() {
  capture "${PODMAN[@]}" run --network none --cgroup-parent "$E2E_CGROUP" --ulimit nofile=1024:2048 \
    --ulimit nproc=1000:2000 "$@"
}
tar -C "$E2E_WORK/rootfs" -c . | podman import -q -c 'CMD ["sh"]' - box >/dev/null
DROP_IN=/etc/containers/containers.conf.d/50-$NAME.conf
# By runc: this machine's cgroups may be of a layout in which crun starts nothing.
capture "${PODMAN[@]}" --runtime runc run -d --name older --network none --cgroup-parent "$E2E_CGROUP" \
  --ulimit nofile=1024:2048 --ulimit nproc=1000:2000 box sleep 600
holds "a container is made with runc" succeeded
configure podman --default --dry-run
holds "configure podman --dry-run prints a diff" out_has "+  runtime = \"$NAME\""
holds "and changes nothing" not test -e "$DROP_IN"
configure podman --default
holds "configure podman --default" succeeded
holds "it lists the container that was made before" out_has older
podman_run --rm box grep NoNew /proc/self/status
guards "podman run is hardened" status_field NoNewPrivs 1
podman_run --rm -v /:/host box true
guards "a refusal is the runtime's own sentence" err_has "runclad: refused by host-mounts"
configure podman --default
holds "a second time it changes nothing" out_has "has it already"
podman_run -d --name between box sleep 600
holds "a container is made with it" succeeded
unconfigure podman --final
holds "unconfigure --final refuses and lists it" status_is 2
holds "by its name" out_has between
unconfigure podman
holds "unconfigure podman" succeeded
holds "the name leads to runc" grep -q "^ *$NAME = \[\"$E2E_PLAIN\"\]" "$DROP_IN"
holds "the default is podman's own again" not grep -q '^ *runtime = ' "$DROP_IN"
for name in older between; do
  capture "${PODMAN[@]}" kill "$name"
  capture "${PODMAN[@]}" start "$name"
  holds "the container $name starts again" succeeded
  capture "${PODMAN[@]}" rm -f -t 0 "$name"
done
unconfigure podman
holds "unconfigure podman, without containers" succeeded
holds "its file is gone" not test -e "$DROP_IN"
podman rmi -f box >/dev/null
