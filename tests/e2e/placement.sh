#!/bin/bash
# Where a container is on the host: its cgroup, its root directory, its user namespace, and what else its
# document tells the runtime.
# shellcheck disable=SC2016  # dollars are for jq
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"

# --- annotations ---
covers annotations
bundle=$(make_bundle annotated '.annotations = {"org.criu.config": "/etc/shadow", "mine": "stays",
  "bundle": "/etc", "run.oci.hooks.stdout": "/etc/written"}')
capture_runtime create --bundle "$bundle" annotated
annotation() { plain state annotated | jq -e "$1" >/dev/null; }
guards "annotations that runtimes obey are taken out" \
  not annotation '.annotations | has("org.criu.config") or has("run.oci.hooks.stdout")'
holds "others are kept" annotation '.annotations.mine == "stays"'
labels() { jq -e '[.config.labels[] | select(startswith("bundle="))] | length == 1' "$STATE/annotated/state.json" >/dev/null; }
guards "the runtime's own label of the bundle is not forged" labels
discard annotated

# --- cgroups ---
covers cgroup-path
docker_run --cgroup-parent / box true
guards "docker run --cgroup-parent / is refused" refused cgroup-path /linux/cgroupsPath '"/'
docker_run --cgroup-parent /elsewhere box true
guards "docker run --cgroup-parent /elsewhere is refused" refused cgroup-path /linux/cgroupsPath /elsewhere
find /sys/fs/cgroup -depth -type d -path "*/elsewhere*" -exec rmdir {} + 2>/dev/null
docker_run --cgroup-parent /docker box true
holds "Docker's default parent" succeeded
find /sys/fs/cgroup -maxdepth 2 -depth -type d -name docker -exec rmdir {} + 2>/dev/null
docker_start victim
ID=$(docker inspect -f '{{.Id}}' victim)
bundle=$(make_bundle joining ".linux.cgroupsPath = \"$E2E_CGROUP/$ID\"")
capture_runtime create --bundle "$bundle" joining
guards "no container joins another one's cgroup" refused cgroup-path /linux/cgroupsPath "$ID"
discard joining
docker_remove victim
bundle=$(make_bundle climbing ".linux.cgroupsPath = \"$E2E_CGROUP/x/../../climbing\"")
capture_runtime create --bundle "$bundle" climbing
guards "a path with .. is refused" refused cgroup-path /linux/cgroupsPath climbing
discard climbing

# --- the root directory ---
covers rootfs-path
rooted() {  # PATH
  local bundle
  bundle=$(make_bundle rooted ".root.path = \"$1\" | .process.args = [\"true\"]
    | .root.readonly = true | del(.linux.maskedPaths, .linux.readonlyPaths)
    | .mounts = [{\"destination\": \"/proc\", \"type\": \"proc\", \"source\": \"proc\"}]")
  capture_runtime run --bundle "$bundle" rooted
}
mkdir -p "$E2E_SRV/bound" && mount --bind / "$E2E_SRV/bound"
for path in / /. "$E2E_SRV/bound"; do
  rooted "$path"
  guards "the host's root as $path is refused" refused rootfs-path /root/path "\"$path\""
done
umount "$E2E_SRV/bound"
mkdir -p "$E2E_SRV/files" && cp -a "$E2E_WORK/rootfs/." "$E2E_SRV/files"
rooted "$E2E_SRV/files"
guards "a directory of the host is refused" refused rootfs-path /root/path "\"$E2E_SRV/files\""
capture podman --cgroup-manager cgroupfs --events-backend file \
  --runtime "$E2E_WORK/runtimes/runclad/runclad" run --rm --network none \
  --cgroup-parent "$E2E_CGROUP" --ulimit nofile=1024:2048 --ulimit nproc=1000:2000 \
  --rootfs "$E2E_SRV/files" true
guards "podman run --rootfs is refused" refused rootfs-path /root/path "\"$E2E_SRV/files\""
printf '{"rules": {"rootfs-path": {"allow": ["%s"]}}}\n' "$E2E_SRV" >"$E2E_POLICIES/own/policy.json"
E2E_RUNTIME=$E2E_WORK/runtimes/own/runclad rooted "$E2E_SRV/files"
holds "unless the policy lists it" succeeded

# --- user namespaces ---
covers user-namespace
printf '{"rules": {"user-namespace": {"action": "refuse", "required": true}}}\n' \
  >"$E2E_POLICIES/own/policy.json"
RUNTIME=own docker_run box true
guards "a container without a user namespace is refused where one is required" \
  refused user-namespace /linux/namespaces absent
MAPPED='.linux.namespaces += [{"type": "user"}] | .process.args = ["cat", "/proc/self/uid_map"]
  | .mounts |= map(select(.type != "sysfs" and .type != "mqueue"))'
mapped() {  # HOST-ID
  local bundle
  bundle=$(make_bundle mapped "$MAPPED
    | .linux.uidMappings = [{\"containerID\": 0, \"hostID\": $1, \"size\": 1000}]
    | .linux.gidMappings = [{\"containerID\": 0, \"hostID\": $1, \"size\": 1000}]")
  chown -R "$1:$1" "$bundle/rootfs"
  chmod o+x "$E2E_WORK" "$E2E_WORK/bundles" "$bundle"
  E2E_RUNTIME=$E2E_WORK/runtimes/own/runclad capture_runtime run --bundle "$bundle" mapped
}
mapped 0
guards "one that maps the host's root is refused" \
  refused user-namespace /linux/uidMappings/0/hostID 0
mapped 100000
holds "one that does not runs" out_has 100000

# --- members that no rule judges ---
covers unknown-fields
for member in '.linux.netDevices = {"lo": {}}' '.linux.memoryPolicy = {"mode": "MPOL_BIND"}' \
  '.linux.intelRdt = {"schemata": ["L3:0=1"]}' '.vm = {"hypervisor": {"path": "/x"}}'; do
  bundle=$(make_bundle unknown "$member")
  capture_runtime create --bundle "$bundle" unknown
  guards "refused: $member" refused unknown-fields '/[a-zA-Z/]*' 'no rule judges it'
  discard unknown
done
bundle=$(make_bundle unknown '.linux.laterThanUs = {"a": 1}')
capture_runtime create --bundle "$bundle" unknown
holds "what is not known goes on" succeeded
guards "and is in the log" log_has runclad \
  'any(.findings[]?; .rule == "unknown-fields" and .path == "/linux/laterThanUs")'
discard unknown
