#!/bin/bash
# containerd's own client: no Docker state, no seccomp filter by default, a runtime without
# arguments (a program that calls runclad with them).
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"

export CONTAINERD_NAMESPACE=e2e
docker save box -o "$E2E_WORK/box.tar"
ctr image import "$E2E_WORK/box.tar" >/dev/null
rm "$E2E_WORK/box.tar"
IMAGE=docker.io/library/box:latest

ctr_run() {  # ID OPTION… -- PROGRAM ARGUMENT…
  local id=$1 options=()
  shift
  while [ "$1" != -- ]; do
    options+=("$1")
    shift
  done
  shift
  capture "${CTR_RUN[@]}" --rm --cgroup "$E2E_CGROUP/$id" --runc-binary "$E2E_WORK/runtimes/runclad/runclad" \
    "${options[@]}" "$IMAGE" "$id" "$@"
}

until_printed ctr_run c1 -- grep -E 'Cap|NoNew|Seccomp' /proc/self/status
holds "ctr run" succeeded
guards "ctr run: CapBnd" status_field CapBnd 0000000000000400
holds "ctr run: NoNewPrivs" status_field NoNewPrivs 1
guards "ctr run: Seccomp" status_field Seccomp 2
ctr_run c2 -- sh -c 'exit 11'
holds "ctr run: the exit status is passed on" status_is 11
until_printed ctr_run c3 -- sh -c 'echo x >/tmp/x && cat /tmp/x'
holds "ctr run writes to /tmp" out_is x
ctr_run c4 -- sh -c 'echo x >/written'
guards "ctr run does not write to /" failed
ctr_run c5 --privileged -- true
guards "ctr run --privileged is refused" refused privileged /process/capabilities/bounding every
ctr_run c6 --mount type=bind,src=/,dst=/host,options=rbind:ro -- test -f /host/etc/debian_version
guards "ctr run --mount src=/ is refused" refused host-mounts '/mounts/[0-9]+/source' '"/"'
ctr_run c7 --mount "type=bind,src=$E2E_SRV,dst=/srv,options=rbind:rw" -- test -d /srv
holds "ctr run --mount below /srv" succeeded
ctr_run c8 --net-host -- true
guards "ctr run --net-host is refused" refused host-namespaces '/linux/namespaces[^ ]*' network
ctr_run c9 --with-ns pid:/proc/self/ns/pid -- true
guards "ctr run --with-ns pid: is refused" refused host-namespaces '/linux/namespaces[^ ]*' pid
until_printed ctr_run c10 --cap-add CAP_SYS_ADMIN -- grep -E 'Cap|NoNew|Seccomp' /proc/self/status
guards "ctr run --cap-add" status_field CapBnd 0000000000000400
until_printed ctr_run c11 --seccomp -- probe unshare-user
holds "ctr run --seccomp: unshare(CLONE_NEWUSER)" out_is EPERM

# A directory that the image declares as a volume: ctr mounts none there.
tar -C "$E2E_WORK/rootfs" -c . | docker import -c 'VOLUME /data' -c 'CMD ["sh"]' - box-data >/dev/null
docker save box-data -o "$E2E_WORK/box-data.tar" && ctr image import "$E2E_WORK/box-data.tar" >/dev/null
rm "$E2E_WORK/box-data.tar"
data_is_told() {
  log_has runclad 'any(.findings[]?; .rule == "read-only-rootfs" and .before == "/data" and
    (.why | startswith("is declared as a volume by the image")))'
}
covers read-only-rootfs
docker_run box-data sh -c 'echo x >/data/x && cat /data/x'
holds "Docker makes a volume of it" out_is x
guards "which needs no line in the log" eval 'log_has runclad .findings && ! data_is_told'
IMAGE=docker.io/library/box-data:latest ctr_run c12 -- sh -c 'mkdir -p /data && echo x >/data/x'
guards "ctr run: a volume that is not mounted stays read-only" failed
guards "ctr run: and the log says so" data_is_told
docker rmi box-data >/dev/null
ctr image rm docker.io/library/box-data:latest >/dev/null

# The runtime's state where a container that mounts /srv could write: whoever forges it has the host.
ctr_run c13 --runc-root "$E2E_SRV/state" -- true
guards "ctr run --runc-root below /srv is refused" \
  err_has "refused: the runtime's state directory $E2E_SRV/state/e2e (--root) could be changed by a container that mounts"
rm -rf "$E2E_SRV/state"
ctr_run c14 --runc-root /run/other-state -- true
holds "ctr run --runc-root below /run works" succeeded

# Another image under a pinned name, in forms that no engine gives to an image.
OWN=$E2E_POLICIES/own
mkdir -p "$OWN/images/docker.io/library"
printf '{"log": {"target": "file:%s"}}\n' "$OWN/audit.jsonl" >"$OWN/policy.json"
printf '{"digests": ["sha256:%064d"]}\n' 1 >"$OWN/images/docker.io/library/pinned.json"
for name in docker.io/library/pinned index.docker.io/library/pinned:1 pinned pinned:1 docker.io/pinned:1 \
  "docker.io/library/pinned:1@sha256:$(printf %064d 2)" docker.io/library/pinned:1; do
  ctr image tag "$IMAGE" "$name" >/dev/null
  capture "${CTR_RUN[@]}" --rm --cgroup "$E2E_CGROUP/odd" --runc-binary "$E2E_WORK/runtimes/own/runclad" "$name" odd true
  guards "another image that is called $name is refused" err_has \
    "runclad: refused by image: image \"docker.io/library/pinned"
  ctr container rm odd 2>/dev/null
  ctr image rm "$name" >/dev/null
done
ctr image tag "$IMAGE" free >/dev/null
capture "${CTR_RUN[@]}" --rm --cgroup "$E2E_CGROUP/odd" --runc-binary "$E2E_WORK/runtimes/own/runclad" free odd true
holds "a short name that nobody has pinned runs" succeeded
ctr image rm free >/dev/null
rm "$OWN/images/docker.io/library/pinned.json"

# A task that lives, and exec in it.
capture "${CTR_RUN[@]}" -d --cgroup "$E2E_CGROUP/task" --runc-binary "$E2E_WORK/runtimes/runclad/runclad" \
  "$IMAGE" task sleep 600
holds "ctr run -d" succeeded
until_printed capture ctr task exec --exec-id e1 task grep -E 'Cap|NoNew|Seccomp' /proc/self/status
guards "ctr task exec: CapBnd" status_field CapBnd 0000000000000400
guards "ctr task exec: Seccomp" status_field Seccomp 2
capture ctr task exec --exec-id e2 task sh -c 'exit 3'
holds "ctr task exec: the exit status is passed on" status_is 3
capture ctr task pause task
holds "ctr task pause" succeeded
capture ctr task resume task
holds "ctr task resume" succeeded
capture ctr task ps task
holds "ctr task ps" succeeded
finds_hierarchies() { cgroup_is_v2 || [ -z "$(unmounted_hierarchies)" ]; }
holds "containerd finds each cgroup hierarchy" finds_hierarchies
capture ctr task metrics task
holds "ctr task metrics" succeeded
capture ctr task kill -s KILL task
holds "ctr task kill" succeeded
eventually 5 sh -c 'ctr task ls | grep -q STOPPED'
capture ctr task delete task
holds "ctr task delete" grep -qE '^(0|137)$' <<<"$STATUS"
capture ctr container delete task
ctr image rm "$IMAGE" >/dev/null
holds "nothing is left in containerd" test -z "$(ctr container ls -q)"
