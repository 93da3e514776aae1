#!/bin/bash
# What a container started by Docker can do, asked from inside, with the options that users pass.
# shellcheck disable=SC2016  # dollars are for the shell in the container
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"

STATUS_FIELDS='Cap|NoNew|Seccomp'

# --- the default container ---
covers capabilities
docker_run box grep -E "$STATUS_FIELDS" /proc/self/status
holds "a default container runs" succeeded
guards "its bounding set is NET_BIND_SERVICE alone" status_field CapBnd 0000000000000400
guards "its permitted set is NET_BIND_SERVICE alone" status_field CapPrm 0000000000000400
guards "its effective set is NET_BIND_SERVICE alone" status_field CapEff 0000000000000400
holds "nothing is inheritable" status_field CapInh 0000000000000000
holds "nothing is ambient" status_field CapAmb 0000000000000000
covers no-new-privileges
guards "no_new_privs is on" status_field NoNewPrivs 1
holds "a seccomp filter is loaded" status_field Seccomp 2

docker_run box sh -c 'echo x >/written'
covers read-only-rootfs
guards "writing to / fails" failed
guards "because the root filesystem is read-only" err_has "Read-only file system"
docker_run box sh -c 'for d in /tmp /var/tmp /run; do echo x >$d/written && cat $d/written; done'
holds "writing to /tmp, /var/tmp and /run works" out_is $'x\nx\nx'
docker_run box cat /run/seed
holds "what the image has below /run is still there" out_is "from the image"
docker_run box stat -c %a /tmp
holds "/tmp keeps the image's mode" out_is 1777
docker_run -u 1000 box sh -c 'echo x >/tmp/written && cat /tmp/written'
holds "a user that is not root writes to /tmp" out_is x

# --- capabilities that are asked for ---
covers capabilities
docker_run --cap-add SYS_ADMIN --cap-add NET_ADMIN --cap-add SYS_PTRACE box \
  grep -E "$STATUS_FIELDS" /proc/self/status
guards "--cap-add adds none" status_field CapBnd 0000000000000400
docker_run --cap-add SYS_ADMIN --security-opt apparmor=unconfined box \
  sh -c 'mkdir /tmp/m && mount -t tmpfs none /tmp/m && echo mounted'
guards "--cap-add SYS_ADMIN mounts nothing" out_lacks mounted
docker_run --cap-add ALL box grep -E "$STATUS_FIELDS" /proc/self/status
guards "--cap-add ALL adds none" status_field CapBnd 0000000000000400
docker_run --cap-drop ALL box grep -E "$STATUS_FIELDS" /proc/self/status
holds "--cap-drop ALL is not widened" status_field CapBnd 0000000000000000
docker_run --cap-drop ALL --cap-add NET_BIND_SERVICE box grep -E "$STATUS_FIELDS" /proc/self/status
holds "--cap-drop ALL --cap-add NET_BIND_SERVICE is kept" status_field CapBnd 0000000000000400

# --- seccomp: the filter fits the capabilities that are left (FACTS: a stale one is a hole) ---
covers seccomp
docker_run box probe unshare-user
holds "unshare(CLONE_NEWUSER) is denied by default" out_is EPERM
docker_run --cap-add SYS_ADMIN box probe unshare-user
guards "and under a filter that was resolved for SYS_ADMIN" out_is EPERM
docker_run --cap-add SYS_ADMIN box probe bpf
guards "bpf(2) is denied under a filter for SYS_ADMIN" out_is EPERM
docker_run --cap-add SYS_ADMIN box probe mount
guards "fsopen(2) is denied under a filter for SYS_ADMIN" out_is EPERM
docker_run --security-opt seccomp=unconfined box grep -E "$STATUS_FIELDS" /proc/self/status
guards "seccomp=unconfined has a filter all the same" status_field Seccomp 2
docker_run --security-opt seccomp=unconfined box probe unshare-user
guards "unshare(CLONE_NEWUSER) is denied under seccomp=unconfined" out_is EPERM
docker_run --security-opt seccomp=unconfined box probe keyctl
guards "keyctl(2) is denied under seccomp=unconfined" out_is EPERM
docker_run --security-opt seccomp=unconfined box probe clone3
guards "clone3(2) is absent, so that libc falls back to clone" out_is ENOSYS
printf '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": []}\n' >"$E2E_WORK/allow-all.json"
docker_run --security-opt "seccomp=$E2E_WORK/allow-all.json" box probe unshare-user
guards "unshare(CLONE_NEWUSER) is denied under a profile that allows everything" out_is EPERM
printf '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"],
  "action": "SCMP_ACT_ERRNO"}]}\n' >"$E2E_WORK/deny-list.json"
docker_run --security-opt "seccomp=$E2E_WORK/deny-list.json" box mkdir /tmp/d
holds "what a deny-list profile denies stays denied" failed
docker_run box probe vsock
guards "AF_VSOCK, the way to the hypervisor, is out of reach" out_lacks reached
docker_run box probe vsock32
guards "and by the 32-bit socketcall as well" out_lacks reached
docker_run --security-opt seccomp=unconfined box probe vsock32
guards "and by it under seccomp=unconfined" out_lacks reached

# --- no_new_privs: programs that raise privileges; noexec: programs that were brought along ---
covers no-new-privileges
docker_run -u 1000 box setuid-probe
guards "a set-user-ID program keeps the user that started it" out_is 1000
docker_run --security-opt no-new-privileges=false -u 1000 box setuid-probe
guards "also when asked for otherwise" out_is 1000
docker_run box sh -c 'cp /bin/busybox /tmp/echo && /tmp/echo ran'
guards "a program written to /tmp does not run" out_lacks ran
docker_run box sh -c 'echo ok >/dev/null && head -c 4 /dev/zero | wc -c'
holds "the devices of /dev work" out_is 4

# --- read-only or not, masks, limits ---
docker_run --read-only box sh -c 'echo x >/written'
holds "--read-only stays read-only" failed
docker_run --read-only box sh -c 'echo x >/tmp/written'
holds "and gets no writable /tmp that it did not ask for" failed
docker_run --read-only --tmpfs /tmp box sh -c 'echo x >/tmp/written && cat /tmp/written'
holds "--read-only --tmpfs /tmp writes to /tmp" out_is x
docker_run --security-opt systempaths=unconfined box sh -c 'wc -c </proc/keys'
covers masked-paths
guards "systempaths=unconfined unmasks nothing" out_is 0
docker_run --security-opt systempaths=unconfined box \
  sh -c 'cat /proc/sys/vm/swappiness >/proc/sys/vm/swappiness && echo written'
covers readonly-paths
guards "and makes no kernel setting writable" out_lacks written
if needs_controller pids "a limit that was asked for"; then
  docker_run --pids-limit 50 box cat "$(limit_file pids)"
  holds "a requested process limit is kept" out_is 50
fi
docker_run --ulimit nofile=256:512 box sh -c 'ulimit -n'
holds "a requested limit is kept" out_is 256

# --- another policy: baseline keeps more, and still takes ---
RUNTIME=baseline docker_run box grep -E "$STATUS_FIELDS" /proc/self/status
covers capabilities
guards "baseline: eleven capabilities" status_field CapBnd 00000000800405fb
guards "baseline: no_new_privs" status_field NoNewPrivs 1
RUNTIME=baseline docker_run box sh -c 'echo x >/written && cat /written'
holds "baseline: the root filesystem stays writable" out_is x
RUNTIME=baseline docker_run box sh -c 'cp /bin/busybox /tmp/echo && /tmp/echo echo ran'
holds "baseline: programs that were copied in may run" out_has ran
