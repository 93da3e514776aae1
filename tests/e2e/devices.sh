#!/bin/bash
# The host's devices, the kernel's file systems and --privileged: what plain runc gives away.
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"

# A block device of the host that holds something known: a loop device on a file of ours. Its number
# is what the container would need.
DISK=$E2E_WORK/disk.img
printf 'the host secret' >"$DISK" && truncate -s 1M "$DISK"
LOOP=$(losetup --find --show "$DISK")
trap 'losetup -d "$LOOP" 2>/dev/null' EXIT
MINOR=$((16#$(stat -c %T "$LOOP")))
reads_disk() { out_has 'the host secret'; }

# --- nodes that the engine makes ---
covers devices
docker_run --device "$LOOP:/dev/disk" box head -c 15 /dev/disk
guards "--device of a disk is refused" refused devices '/linux/devices/[0-9]+' '"/dev/disk"'
guards "and nothing is read from it" not reads_disk
docker_run --device /dev/kmsg box head -c 1 /dev/kmsg
guards "--device /dev/kmsg is refused" refused devices '/linux/devices/[0-9]+' '"/dev/kmsg"'
RUNTIME=baseline docker_run --device /dev/kmsg box test -c /dev/kmsg
holds "baseline lets a character device pass" succeeded
RUNTIME=baseline docker_run --device "$LOOP:/dev/disk" box head -c 15 /dev/disk
guards "baseline refuses a disk" refused devices '/linux/devices/[0-9]+' '"/dev/disk"'
docker_run --device /dev/null:/dev/void box sh -c 'echo x >/dev/void'
holds "--device /dev/null works" succeeded
# The runtime masks paths with the container's /dev/null.
for target in /dev/null /dev//null; do
  docker_run --device "/dev/zero:$target" box true
  guards "--device /dev/zero:$target is refused when it is created" \
    refused devices '/linux/devices/[0-9]+' '"/dev/null"'
  capture "${E2E_PROGRAM%/*}/runcladctl" check -- docker run --device "/dev/zero:$target" box
  holds "and runcladctl check says so" status_is 2
done

# --- nodes that come from elsewhere, and the device cgroup ---
covers device-cgroup
# The node lies in the container's own files, as an image's layer or a volume may bring it.
plant() { mknod "$1/rootfs/disk" b 7 "$MINOR"; }
RULE='.linux.resources.devices'
run_with_devices() {  # NAME JQ-VALUE of /linux/resources/devices
  local bundle
  bundle=$(make_bundle "$1" "$RULE = $2 | .process.args = [\"head\", \"-c\", \"15\", \"/disk\"]")
  plant "$bundle"
  capture_runtime run --bundle "$bundle" "$1"
}
run_with_devices all '[{"allow": true, "access": "rwm"}]'
guards "a device cgroup that allows everything opens no disk" not reads_disk
run_with_devices blocks '[{"allow": false, "access": "rwm"},
  {"allow": true, "type": "b", "access": "rwm"}]'
guards "nor does one that allows every block device" not reads_disk
run_with_devices one "[{\"allow\": false, \"access\": \"rwm\"},
  {\"allow\": true, \"type\": \"b\", \"major\": 7, \"minor\": $MINOR, \"access\": \"rwm\"}]"
guards "nor one that allows this very disk" not reads_disk
docker_run --device-cgroup-rule 'b *:* rwm' --cap-add MKNOD box \
  sh -c "mknod /tmp/disk b 7 $MINOR && head -c 15 /tmp/disk"
guards "--device-cgroup-rule and mknod open none" not reads_disk
# Nodes of character devices that come with the image; the kernel says whether they are opened.
nodes=$(mktemp -d "$E2E_WORK/nodes.XXXXXX")
cp -a "$E2E_WORK/rootfs/." "$nodes"
mkdir "$nodes/nodes"
mknod "$nodes/nodes/kmsg" c 1 11
mknod "$nodes/nodes/fuse" c 10 229
mknod "$nodes/nodes/loop-control" c 10 237
mknod "$nodes/nodes/console" c 5 1
mknod "$nodes/nodes/zero" c 1 5
tar -C "$nodes" -c . | docker import - box-nodes >/dev/null
tar -C "$nodes" -c . | podman import -q - box-nodes >/dev/null
kernel_log_has() { dmesg | grep -qF "$1"; }
docker_nodes() { docker_run "$@"; }
podman_nodes() {
  capture podman --cgroup-manager cgroupfs --events-backend file --runtime "$E2E_RUNTIME" run --rm \
    --network none --cgroup-parent "$E2E_CGROUP" --ulimit nofile=1024:2048 \
    --ulimit nproc=1000:2000 "$@"
}
for engine in docker podman; do
  word=runclad-e2e-$engine-$$
  "${engine}_nodes" --device-cgroup-rule 'c 1:11 rwm' box-nodes sh -c "echo $word >/nodes/kmsg"
  guards "$engine --device-cgroup-rule and a node of the image write nothing to the kernel's log" \
    not kernel_log_has "$word"
  "${engine}_nodes" --device-cgroup-rule 'c 10:229 rwm' box-nodes \
    sh -c 'exec 3<>/nodes/fuse && echo opened'
  guards "$engine: nor open fuse" out_lacks opened
  "${engine}_nodes" --device-cgroup-rule 'c 10:* rwm' box-nodes \
    sh -c 'exec 3<>/nodes/loop-control && echo opened'
  guards "$engine: nor the control of loop devices" out_lacks opened
  "${engine}_nodes" box-nodes sh -c 'head -c 1 /nodes/zero | wc -c'
  holds "$engine: a node of the image for an ordinary device works" out_is 1
done
docker_run box-nodes sh -c 'exec 3>/nodes/console && echo opened'
guards "a node of the image does not open the host's console, though Docker allows it" \
  out_lacks opened
# What a policy lists, in either rule, works whoever makes the node.
for rules in '"device-cgroup": {"allow": ["c 10:229"]}' '"devices": {"allow": ["c 10:*"]}'; do
  printf '{"log": {"target": "file:%s"}, "rules": {%s}}\n' "$E2E_POLICIES/own/audit.jsonl" \
    "$rules" >"$E2E_POLICIES/own/policy.json"
  RUNTIME=own docker_run --device-cgroup-rule 'c 10:229 rwm' box-nodes \
    sh -c 'exec 3<>/nodes/fuse && echo opened'
  holds "$rules: the node opens it" out_is opened
done
RUNTIME=own docker_run --device /dev/fuse box sh -c 'exec 3<>/dev/fuse && echo opened'
holds "devices.allow: and so does one that the engine makes" out_is opened
printf '{"log": {"target": "file:%s"}}\n' "$E2E_POLICIES/own/audit.jsonl" \
  >"$E2E_POLICIES/own/policy.json"
RUNTIME=baseline docker_run --device-cgroup-rule 'c 10:229 rwm' box-nodes \
  sh -c 'exec 3<>/nodes/fuse && echo opened'
holds "baseline lets a single character device pass" out_is opened
docker rmi box-nodes >/dev/null
podman rmi box-nodes >/dev/null
docker_run box sh -c 'head -c 1 /dev/zero | wc -c && echo x >/dev/null && test -c /dev/urandom'
holds "the ordinary devices work" out_is 1
docker_run -t box tty
holds "a terminal works" out_has /dev/pts/0

# --- privileged ---
covers privileged
docker_run --privileged -u 1000 box sh -c 'cat /proc/self/status; ls /dev'
guards "--privileged -u 1000 is refused" refused privileged /process/capabilities/bounding every
docker_run --privileged box true
guards "--privileged is refused" refused privileged /process/capabilities/bounding every
RUNTIME=baseline docker_run --privileged -u 1000 box true
guards "by baseline too" refused privileged /process/capabilities/bounding every
docker_run --cap-add SYS_ADMIN --cap-add SYS_PTRACE --security-opt seccomp=unconfined box true
holds "many capabilities without a filter are only cut" succeeded

# --- the kernel's file systems ---
covers kernel-filesystems
bundle=$(make_bundle sysfs '.mounts |= map(if .type == "sysfs" then .options = ["nosuid"] else . end)
  | .process.args = ["sh", "-c", "grep \" /sys \" /proc/self/mountinfo"]')
capture_runtime run --bundle "$bundle" sysfs
guards "a writable /sys is refused" refused kernel-filesystems '/mounts/[0-9]+/options' nosuid
bundle=$(make_bundle overproc '.mounts += [{"destination": "/proc/cpuinfo2", "type": "tmpfs",
  "source": "tmpfs"}]')
capture_runtime create --bundle "$bundle" overproc
guards "a mount below /proc is refused by name" \
  refused kernel-filesystems '/mounts/[0-9]+/destination' /proc/cpuinfo2
discard overproc

bundle=$(make_bundle remount '.mounts += [{"destination": "/sys/fs/cgroup", "type": "none",
  "source": "/srv", "options": ["bind", "remount", "rw"]}]
  | .process.args = ["true"]')
capture_runtime run --bundle "$bundle" remount
covers host-mounts
guards "a mount that makes the cgroup tree writable again is refused" \
  refused host-mounts '/mounts/[0-9]+/options' remount

# --- settings of the kernel, and mounts that travel ---
covers sysctls
docker_run --sysctl net.ipv4.ip_forward=1 box true
guards "--sysctl net.ipv4.ip_forward is refused" refused sysctls /linux/sysctl/net.ipv4.ip_forward 1
RUNTIME=baseline docker_run --sysctl net.ipv4.ip_forward=1 box cat /proc/sys/net/ipv4/ip_forward
holds "baseline only warns" out_is 1
docker_run --sysctl net.ipv4.ip_unprivileged_port_start=80 box \
  cat /proc/sys/net/ipv4/ip_unprivileged_port_start
holds "a safe setting works" out_is 80
mkdir -p "$E2E_WORK/shared" && mount -t tmpfs tmpfs "$E2E_WORK/shared"
mount --make-shared "$E2E_WORK/shared" && mkdir "$E2E_WORK/shared/at"
bundle=$(make_bundle travel ".mounts += [{\"destination\": \"/srv\", \"type\": \"bind\",
    \"source\": \"$E2E_WORK/shared\", \"options\": [\"rbind\", \"rshared\"]}]
  | .process.args = [\"sh\", \"-c\", \"grep ' /srv ' /proc/self/mountinfo\"]
  | .linux.rootfsPropagation = \"rshared\"")
E2E_RUNTIME=$E2E_WORK/runtimes/baseline/runclad capture_runtime run --bundle "$bundle" travel
covers mount-propagation
guards "a shared bind only receives" not out_has shared:
umount "$E2E_WORK/shared"

# --- the working directory ---
covers working-directory
docker_run -w /proc/self/fd/7 box true
guards "docker run -w /proc/self/fd/7 is refused" refused working-directory /process/cwd /proc/self/fd/7
docker_start cwd
capture docker exec -w /proc/self/fd/7 cwd true
guards "docker exec -w likewise" grep -qF "refused by working-directory" <<<"$OUT$ERR"
capture docker exec -w /srv cwd pwd
holds "docker exec -w /srv" out_is /srv
docker_remove cwd
