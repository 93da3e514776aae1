#!/bin/bash
# What has no safe form is refused, with the rule, the path and the value on docker's stderr, and nothing
# on the host is reached. Similar but harmless requests keep working.
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"

# refuses WHAT RULE POINTER VALUE QUESTION DOCKER-OPTION…
# QUESTION is shell code inside the container: it succeeds when the attack has reached the host.
refuses() {
  local what=$1 rule=$2 pointer=$3 value=$4 question=$5
  shift 5
  docker_run "$@" box sh -c "$question && echo reached-the-host"
  covers "$rule"
  guards "$what reaches nothing" out_lacks reached-the-host
  guards "$what is refused by $rule, naming $value" refused "$rule" "$pointer" "$value"
  guards "$what: docker's exit status is 125" status_is 125
}
refuses_mount() {  # WHAT VALUE QUESTION DOCKER-OPTION…
  local what=$1 value=$2 question=$3
  shift 3
  refuses "$what" host-mounts '/mounts/[0-9]+/source' "\"$value\"" "$question" "$@"
}

marker=secret-of-${E2E_SRV##*.}
printf '%s\n' "$marker" >"$E2E_SRV/secret"
at_root="grep -q $marker /host$E2E_SRV/secret"

# --- / under its names ---
refuses_mount "-v /:/host" / "$at_root" -v /:/host
refuses_mount "-v /:/host:ro" / "$at_root" -v /:/host:ro
refuses_mount "--mount source=/" / "$at_root" --mount type=bind,source=/,target=/host
ln -s / "$E2E_SRV/root-link"
refuses_mount "-v of a symlink to /" "$E2E_SRV/root-link" "$at_root" -v "$E2E_SRV/root-link:/host"
mkdir "$E2E_SRV/alias"
mount --bind / "$E2E_SRV/alias"
refuses_mount "-v of a bind mount of /" "$E2E_SRV/alias" "$at_root" -v "$E2E_SRV/alias:/host"
refuses_mount "-v of /etc below a bind mount of /" "$E2E_SRV/alias/etc" \
  "test -f /host/debian_version" -v "$E2E_SRV/alias/etc:/host"
umount "$E2E_SRV/alias"
docker volume create -o type=none -o o=bind -o device=/ rootvol >/dev/null
refuses_mount "a volume with device=/" /var/lib/docker/volumes/rootvol/_data "$at_root" -v rootvol:/host
docker volume rm rootvol >/dev/null
docker_run -v "/proc/$$/root:/host" box true
covers host-mounts
guards "-v /proc/PID/root is refused" refused host-mounts '/mounts/[0-9]+/source' "\"/proc/$$/root\""
refuses_mount "-v of /etc with dots" /etc "test -f /host/debian_version" -v /srv/../etc:/host

# --- trees that are the host's ---
refuses_mount "-v /etc" /etc "test -f /host/debian_version" -v /etc:/host
refuses_mount "-v /etc/shadow" /etc/shadow "grep -q root: /host" -v /etc/shadow:/host
refuses_mount "-v /var" /var "test -d /host/lib/docker" -v /var:/host
refuses_mount "-v /var/lib" /var/lib "test -d /host/docker" -v /var/lib:/host
refuses_mount "-v /var/lib/docker" /var/lib/docker "test -d /host/containers" -v /var/lib/docker:/host
refuses_mount "-v /var/lib/docker/containers" /var/lib/docker/containers \
  "ls /host/*/config.v2.json" -v /var/lib/docker/containers:/host
refuses_mount "-v /var/log" /var/log "test -d /host" -v /var/log:/host
refuses_mount "-v /run" /run "test -S /host/docker.sock" -v /run:/host
refuses_mount "-v /var/run" /var/run "test -S /host/docker.sock" -v /var/run:/host
refuses_mount "-v /root" /root "test -d /host" -v /root:/host
refuses_mount "-v /usr" /usr "test -f /host/sbin/dockerd" -v /usr:/host
refuses_mount "-v /lib" /lib "test -d /host/x86_64-linux-gnu" -v /lib:/host
refuses_mount "-v /boot" /boot "test -d /host" -v /boot:/host
refuses_mount "-v /dev" /dev "test -e /host/kmsg" -v /dev:/host
refuses_mount "-v /proc" /proc "test -d /host/$$" -v /proc:/host
refuses_mount "-v /sys" /sys "test -d /host/class" -v /sys:/host

# --- sockets of the engines ---
refuses_mount "-v /var/run/docker.sock" /var/run/docker.sock "test -S /s" -v /var/run/docker.sock:/s
refuses_mount "-v of dockerd's socket below /run" "$E2E_WORK/docker.sock" "test -S /s" \
  -v "$E2E_WORK/docker.sock:/s"
refuses_mount "-v of containerd's socket" "$E2E_WORK/containerd.sock" "test -S /s" \
  -v "$E2E_WORK/containerd.sock:/s"
refuses_mount "-v of dockerd's socket at an unusual place" "$E2E_SRV/engine.sock" "test -S /s" \
  -v "$E2E_SRV/engine.sock:/s"

# --- namespaces of the host ---
for kind in pid ipc uts; do
  refuses "--$kind host" host-namespaces "/linux/namespaces[^ ]*" "$kind" \
    "test \$(readlink /proc/self/ns/$kind) = '$(readlink "/proc/self/ns/$kind")'" "--$kind" host
done
NETWORK=host refuses "--network host" host-namespaces "/linux/namespaces[^ ]*" network \
  "test \$(readlink /proc/self/ns/net) = '$(readlink /proc/self/ns/net)'"
docker_run --pid host box sh -c 'grep -ls dockerd /proc/[0-9]*/comm | grep -q . && echo reached-the-host'
covers host-namespaces
guards "--pid host shows no process of the host" out_lacks reached-the-host
docker_run --uts host --cap-add SYS_ADMIN box hostname changed-by-a-container
guards "--uts host changes no host name" test "$(hostname)" != changed-by-a-container

# --- namespaces of other containers ---
docker_start outsider
RUNTIME=plain docker_start stranger
refuses "--pid container:" host-namespaces "/linux/namespaces[^ ]*" pid "true" --pid container:outsider
NETWORK=container:stranger refuses "--network of a container that runclad has not made" \
  host-namespaces "/linux/namespaces[^ ]*" network "true"
docker_remove outsider stranger

# --- several at once: the first is enough, nothing half-made stays ---
NETWORK=host docker_run --name several --pid host -v /:/host -v /etc:/e box true
guards "several reasons are one refusal" status_is 125
holds "a refused container leaves no state in the lower runtime" \
  not grep -qs several /run/docker/runtime-runc/moby/*/state.json
capture docker inspect several
holds "a refused container's name is free again" failed

# --- what goes on working ---
mkdir -p "$E2E_SRV/x"
printf 'data\n' >"$E2E_SRV/x/file"
docker_run -v "$E2E_SRV/x:/x" box sh -c 'cat /x/file && echo more >/x/written'
holds "-v below /srv is mounted" out_is data
holds "and written to" grep -qx more "$E2E_SRV/x/written"
docker_run -v "$E2E_SRV/x:/x:ro" box sh -c 'cat /x/file; echo more >/x/again'
holds "-v …:ro is mounted" out_is data
holds "and not written to" test ! -e "$E2E_SRV/x/again"
docker_run -v "$E2E_SRV/x/file:/one" box cat /one
holds "-v of one file is mounted" out_is data
docker_run -v named:/data box sh -c 'echo kept >/data/file'
docker_run -v named:/data box cat /data/file
holds "a named volume keeps its data" out_is kept
docker volume rm named >/dev/null
docker_run -v /anonymous box sh -c 'echo x >/anonymous/file && cat /anonymous/file'
holds "an anonymous volume is written to" out_is x
docker_run box cat /etc/hostname
holds "Docker's /etc/hostname" grep -qE '^[0-9a-f]{12}$' <<<"$OUT"
docker_run --add-host peer:10.1.2.3 box cat /etc/hosts
holds "Docker's /etc/hosts" out_has "10.1.2.3"
docker_run --dns 10.9.8.7 box cat /etc/resolv.conf
holds "Docker's /etc/resolv.conf" out_has "10.9.8.7"
docker_run --shm-size 8m box sh -c 'echo x >/dev/shm/x && df -k /dev/shm | tail -n 1'
holds "Docker's /dev/shm" out_has 8192
docker_run --init box sh -c 'cat /proc/1/comm'
holds "--init" grep -qE 'docker-init|tini' <<<"$OUT"
docker_start peer
NETWORK=container:peer docker_run box cat /etc/hostname
holds "--network container: of a hardened container" out_is "$(docker exec peer cat /etc/hostname)"
docker_remove peer
docker_start shared --ipc shareable
docker_run --ipc container:shared box readlink /proc/self/ns/ipc
holds "--ipc container: of a hardened container" out_is "$(docker exec shared readlink /proc/self/ns/ipc)"
docker_remove shared
docker_start source -v "$E2E_SRV/x:/x"
docker_run --volumes-from source box cat /x/file
holds "--volumes-from" out_is data
docker_remove source
