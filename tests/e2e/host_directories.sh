#!/bin/bash
# Which host directories may be mounted: under restricted those that the policy lists, under baseline
# all but those that lead to root. /opt and /home are private to this run.
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"

covers host-mounts
mount -t tmpfs -o mode=755 tmpfs /opt
mount -t tmpfs -o mode=755 tmpfs /home
mount -t tmpfs -o mode=1777 tmpfs /tmp
mount -t tmpfs -o mode=755 tmpfs /etc/containers
trap 'umount /opt /home /tmp /etc/containers' EXIT

MARK=mark-of-${E2E_SRV##*.}
# A directory of the host with a file that a container looks for.
host_directory() { mkdir -p "$1" && printf '%s\n' "$MARK" >"$1/mark"; }
mounted() { docker_run -v "$1:/x${2:-}" box cat /x/mark; }
refuses_directory() {  # SOURCE WORDS
  mounted "$1"
  guards "${RUNTIME:-restricted}: -v $1 shows nothing of the host" out_lacks "$MARK"
  guards "${RUNTIME:-restricted}: -v $1 is refused" \
    refused host-mounts '/mounts/[0-9]+/source' "\"$1\" "
  guards "${RUNTIME:-restricted}: -v $1: the sentence says why" err_has "$2"
}
passes_directory() {  # SOURCE
  mounted "$1"
  holds "${RUNTIME:-restricted}: -v $1 is mounted" out_is "$MARK"
}

# --- restricted: the list ---
for directory in "$E2E_SRV/x" "$E2E_SRV/x/deep"; do
  host_directory "$directory"
  passes_directory "$directory"
done
docker_run -v "$E2E_SRV/x:/x" box touch /x/written
holds "and can be written" test -f "$E2E_SRV/x/written"
unlisted="is not on the list of what may be mounted"
for directory in /opt/x /home/alice/data /tmp/x /var/lib/app; do
  host_directory "$directory"
  refuses_directory "$directory" "$unlisted"
  guards "restricted: -v $directory: the sentence says what to write" \
    err_has "add \"$directory\" to host-mounts.allow in /etc/runclad/policy.json"
done
ln -s /opt/x "$E2E_SRV/to-opt"
mounted "$E2E_SRV/to-opt"
guards "restricted: a link below /srv is what it leads to" err_has "leads to /opt/x, which $unlisted"
docker volume create -o type=none -o o=bind -o device=/opt/x unlisted >/dev/null
docker_run -v unlisted:/x box cat /x/mark
guards "restricted: a volume with device=/opt/x shows nothing of it" out_lacks "$MARK"
guards "restricted: nor is it started" err_has "$unlisted"
docker volume rm unlisted >/dev/null
docker volume create -o type=none -o o=bind -o "device=$E2E_SRV/x" listed >/dev/null
docker_run -v listed:/x box cat /x/mark
holds "restricted: a volume with a device below /srv is mounted" out_is "$MARK"
docker volume rm listed >/dev/null
mknod "$E2E_SRV/x/null" c 1 3
docker_run -v "$E2E_SRV/x/null:/x" box test -c /x
guards "restricted: the list of directories lifts nothing: a device below /srv is refused" \
  err_has "is a device"
rm "$E2E_SRV/x/null"

# --- another engine's storage, which its configuration puts below a listed directory ---
host_directory "$E2E_SRV/storage"
host_directory "$E2E_SRV/storage/overlay"
passes_directory "$E2E_SRV/storage"
printf '[storage]\ngraphroot = "%s"\n' "$E2E_SRV/storage" >/etc/containers/storage.conf
for directory in "$E2E_SRV/storage" "$E2E_SRV/storage/overlay"; do
  refuses_directory "$directory" " $E2E_SRV/storage, which is on the deny list"
done
docker volume create -o type=none -o o=bind -o "device=$E2E_SRV/storage" theirs >/dev/null
docker_run -v theirs:/x box cat /x/mark
guards "restricted: nor does a volume with it as its device show anything" out_lacks "$MARK"
docker volume rm theirs >/dev/null
rm /etc/containers/storage.conf

# --- what the host mounts later below a read-only directory would be writable ---
host_directory "$E2E_SRV/receives"
mount --bind "$E2E_SRV/receives" "$E2E_SRV/receives" && mount --make-shared "$E2E_SRV/receives"
mkdir "$E2E_SRV/receives/late"
docker_start receives -v "$E2E_SRV/receives:/x:ro,rslave"
holds "restricted: a read-only directory with the propagation rslave is mounted" succeeded
mount -t tmpfs tmpfs "$E2E_SRV/receives/late"
docker exec receives touch /x/late/written 2>/dev/null
guards "restricted: but does not get the host's later mounts" \
  test ! -e "$E2E_SRV/receives/late/written"
docker_remove receives
umount "$E2E_SRV/receives/late" "$E2E_SRV/receives"

# --- one line allows exactly one more ---
LOG="\"log\": {\"target\": \"file:$E2E_POLICIES/own/audit.jsonl\"}"
own_policy() {  # EXTENDS RULE-SETTING
  printf '{"extends": "%s", %s, "rules": {"host-mounts": {%s}}}\n' "$1" "$LOG" "$2" \
    >"$E2E_POLICIES/own/policy.json"
}
export RUNTIME=own
own_policy restricted '"allow": ["/opt/x"]'
host_directory /opt/y
passes_directory /opt/x
passes_directory "$E2E_SRV/x"
refuses_directory /opt/y "$unlisted"
refuses_directory /home/alice/data "$unlisted"
own_policy restricted '"data-directories": ["/opt"]'
passes_directory /opt/y
refuses_directory "$E2E_SRV/x" "$unlisted"
own_policy restricted "\"deny\": [\"$E2E_SRV/x\"]"
refuses_directory "$E2E_SRV/x" "is $E2E_SRV/x, which is on the deny list"
own_policy restricted '"allow-only": false'
passes_directory /opt/y
own_policy restricted ''

# --- baseline: what leads to root ---
export RUNTIME=baseline
for directory in /opt/y /home/alice/data /tmp/x /var/lib/app; do passes_directory "$directory"; done
for directory in /opt/cni /opt/containerd /opt/puppetlabs /opt/bin \
  /var/lib/cloud /var/lib/snapd /var/lib/extensions /var/lib/confexts /var/lib/portables \
  /var/lib/machines /var/lib/buildkit /var/lib/nerdctl /var/lib/lxc /var/lib/lxd /var/lib/incus \
  /var/lib/libvirt /var/lib/k0s /var/lib/minikube /var/lib/cri-dockerd /var/lib/apt /var/lib/dkms \
  /var/lib/sudo /var/lib/polkit-1 /var/lib/initramfs-tools /var/lib/NetworkManager \
  /var/lib/amazon /var/lib/waagent /var/lib/salt /var/lib/alternatives \
  /home/alice/.config /home/alice/.local /home/alice/bin /tmp/tmux-1000 /tmp/.X11-unix; do
  host_directory "$directory"
  refuses_directory "$directory" "which is on the deny list"
done
# The host's network devices and debugfs; a container has a /sys of its own.
for directory in /sys/class /sys/class/net /sys/devices /sys/kernel; do
  docker_run -v "$directory:/x:ro" box ls /x
  guards "baseline: -v $directory:ro is refused" \
    refused host-mounts '/mounts/[0-9]+/source' "\"$directory\" "
done
docker_run -v /sys/devices/system:/x:ro box ls /x
holds "baseline: the processors' directory is mounted read-only" out_has cpu
for directory in /opt /home/alice /tmp /var/lib; do
  host_directory "$directory"
  refuses_directory "$directory" "is an ancestor of "
done
printf '%s\n' "$MARK" >/home/alice/.bashrc
docker_run -v /home/alice/.bashrc:/x box cat /x
guards "baseline: a user's dot file is not shown" out_lacks "$MARK"
host_directory /opt/cni/bin
docker_run -v /opt/cni/bin:/x box sh -c 'cat /x/mark; echo changed >/x/mark'
guards "baseline: below such a directory, files can be read but not written" \
  grep -qxF "$MARK" /opt/cni/bin/mark
holds "and is read" out_has "$MARK"
# What engines keep for other containers, and what this container gets from there by its engine.
docker volume create theirs >/dev/null
docker_run -v theirs:/x box sh -c "echo $MARK >/x/mark && cat /x/mark"
holds "baseline: the container's own volume is written and read" out_is "$MARK"
for directory in "$(docker info --format '{{.DockerRootDir}}')"/{containers,image,overlay2,volumes/theirs/_data}; do
  [ -d "$directory" ] || continue
  docker_run -v "$directory:/x:ro" box ls /x
  guards "baseline: -v ${directory##*/}:ro of Docker's own directory is refused" \
    refused host-mounts '/mounts/[0-9]+/source' "\"$directory\" "
done
docker volume rm theirs >/dev/null
# What other engines keep, as they would on another host. The directory itself is on the deny list.
for directory in /var/lib/{nerdctl/1935db59/volumes/default/v/_data,crio/x,lxc/c/rootfs,machines/m/etc,portables/x} \
  /var/lib/{kubelet/plugins/x,rancher/k3s/agent/containerd,k0s/pki} /home/alice/.local/share/containers/storage; do
  host_directory "$directory"
  docker_run -v "$directory:/x:ro" box cat /x/mark
  guards "baseline: -v $directory:ro of another engine's storage is refused" \
    refused host-mounts '/mounts/[0-9]+/source' "\"$directory\" "
done
# Where the storage could be anywhere.
printf 'storage = { graphroot = "%s/storage" }\n' "$E2E_SRV" >/etc/containers/storage.conf
refuses_directory "$E2E_SRV/storage" " $E2E_SRV/storage, which is on the deny list"
printf '[storage\n' >/etc/containers/storage.conf
refuses_directory /opt/y "may be the storage of an engine: line 1 of /etc/containers/storage.conf cannot be read as TOML"
rm /etc/containers/storage.conf
# A socket of somebody's, which a read-only mount does not protect.
python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' /tmp/agent.sock
docker_run -v /tmp/agent.sock:/x box test -S /x
guards "baseline: another's socket in /tmp is refused" \
  refused host-mounts '/mounts/[0-9]+/source' '"/tmp/agent.sock"'
own_policy restricted ''
