#!/bin/bash
# Ways from a container to its host, each followed to its end: a file on the host is written, a program
# runs as root on the host, a kernel setting changes. Under plain runc every one of them succeeds.
#
# Shorter attacks are in the topic of their rule: the host's directories and sockets in docker_refusals.sh,
# devices and privileged containers in devices.sh, system calls, socket families and set-user-ID programs
# in docker_confinement.sh and filters.sh, hooks in hooks.sh, limits in resources.sh, programs that were
# copied in or hidden in drift.sh, exec in exec.sh and process.sh.
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"

# --- a key in root's authorized_keys ---
covers host-mounts
KEYS=$E2E_SRV/home/.ssh/authorized_keys
mkdir -p "${KEYS%/*}"
docker_run -v /:/mnt box sh -c "echo attacker >>/mnt$KEYS"
guards "-v /:/mnt writes no key on the host" test ! -e "$KEYS"
rm -f "$KEYS"
docker_run -v "/tmp/..:/mnt" box sh -c "echo attacker >>/mnt$KEYS"
guards "nor does it by another spelling" test ! -e "$KEYS"
docker_run -v "/proc/self/root:/mnt" box sh -c "echo attacker >>/mnt$KEYS"
guards "nor through /proc" test ! -e "$KEYS"

# --- the engine's socket under its names ---
asks_engine() { out_has ApiVersion; }
ask='printf "GET /version HTTP/1.0\r\n\r\n" | nc local:/s 2>/dev/null || test -S /s && echo ApiVersion'
ln -sf /run/docker.sock "$E2E_SRV/link.sock"
docker_run -v "$E2E_SRV/link.sock:/s" box sh -c "$ask"
guards "a link to docker.sock reaches no engine" not asks_engine
touch "$E2E_SRV/alias.sock" && mount --bind /run/docker.sock "$E2E_SRV/alias.sock"
docker_run -v "$E2E_SRV/alias.sock:/s" box sh -c "$ask"
guards "nor does an alias" not asks_engine
umount "$E2E_SRV/alias.sock"
mkdir -p "$E2E_SRV/run" && mount --bind /run "$E2E_SRV/run"
docker_run -v "$E2E_SRV/run:/r" box sh -c 'test -S /r/docker.sock && echo ApiVersion'
guards "nor does an alias of its directory" not asks_engine
umount "$E2E_SRV/run"

# --- a program run by the kernel on the host: cgroup release_agent ---
# In a hierarchy of its own: those of the host stay as they are.
is_forgotten() {
  end_hierarchy name=runclad-e2e >/dev/null
  ! active_hierarchies | grep -qxF name=runclad-e2e
}
covers capabilities privileged
cat >"$E2E_SRV/agent" <<AGENT
#!/bin/sh
id -u >$E2E_SRV/agent-ran
AGENT
chmod 755 "$E2E_SRV/agent"
release="mkdir /tmp/c && mount -t cgroup -o none,name=runclad-e2e runclad-e2e /tmp/c &&
  echo $E2E_SRV/agent >/tmp/c/release_agent && mkdir /tmp/c/x && echo 1 >/tmp/c/x/notify_on_release &&
  sh -c 'echo \$\$ >/tmp/c/x/cgroup.procs'; sleep 1; rmdir /tmp/c/x; umount /tmp/c"
docker_run --cap-add SYS_ADMIN --security-opt seccomp=unconfined --security-opt apparmor=unconfined \
  box sh -c "$release"
guards "release_agent runs nothing on the host" test ! -e "$E2E_SRV/agent-ran"
holds "the hierarchy of the test is gone" eventually 10 is_forgotten

# --- the host's disk ---
covers devices device-cgroup
DISK=$E2E_WORK/attacked.img
truncate -s 2M "$DISK" && mkfs.ext2 -q "$DISK"
LOOP=$(losetup --find --show "$DISK")
mkdir -p "$E2E_WORK/disk" && mount "$LOOP" "$E2E_WORK/disk"
echo 'of the host' >"$E2E_WORK/disk/file" && umount "$E2E_WORK/disk"
MINOR=$((16#$(stat -c %T "$LOOP")))
docker_run --device-cgroup-rule 'b *:* rwm' --cap-add MKNOD --cap-add SYS_ADMIN \
  --security-opt seccomp=unconfined box sh -c \
  "mknod /tmp/d b 7 $MINOR && mkdir /tmp/m && mount -t ext2 -o ro /tmp/d /tmp/m && cat /tmp/m/file"
guards "mknod and mount show no file of the host's disk" out_lacks 'of the host'
losetup -d "$LOOP"

# --- settings of the kernel: what it runs on a crash, and what it does when asked by SysRq ---
# core_pattern gets the value that it has, SysRq the request for its help text.
covers readonly-paths
# shellcheck disable=SC2016  # for the shell in the container
docker_run --security-opt systempaths=unconfined box sh -c \
  'p=$(cat /proc/sys/kernel/core_pattern) && echo "$p" >/proc/sys/kernel/core_pattern && echo set'
guards "core_pattern is not written" out_lacks set
if [ -e /proc/sysrq-trigger ]; then  # not every kernel has it
  docker_run --security-opt systempaths=unconfined box \
    sh -c 'echo h >/proc/sysrq-trigger && echo sent'
  guards "nor is sysrq-trigger" out_lacks sent
fi

# --- a user namespace, and root in it ---
covers seccomp
docker_run --security-opt seccomp=unconfined -u 1000 box unshare -Urm sh -c \
  'mount -t tmpfs none /mnt && echo mounted || mount -t tmpfs none /tmp && echo mounted'
guards "unshare and mount get nowhere" out_lacks mounted

# --- another container's memory and files ---
covers host-namespaces
docker_start victim -e SECRET=of-the-victim
docker_run --pid container:victim --cap-add SYS_PTRACE box sh -c \
  'tr "\0" "\n" </proc/1/environ; cat /proc/1/root/etc/passwd'
guards "--pid container: with SYS_PTRACE reads nothing of another container" out_lacks of-the-victim
docker_remove victim

# --- a fork bomb ---
needs_controller pids "a fork bomb" || exit 0
covers pids-limit
bomb() {  # processes that a bomb in the container gets to
  # shellcheck disable=SC2016  # for the shell in the container
  docker_run box sh -c 'n=0; while [ $n -lt 3000 ]; do sleep 20 & n=$((n+1)); done 2>/dev/null
    ls -d /proc/[0-9]* | wc -l'
}
bomb
guards "a fork bomb stops at the limit" test "${OUT:-0}" -le 2048
