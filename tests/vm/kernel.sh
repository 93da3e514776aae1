#!/bin/bash
# What the machine's own kernel may not have: crypto sockets, SysRq, AppArmor, a cgroup v2 alone.
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"

holds "the kernel has AppArmor" grep -qx Y /sys/module/apparmor/parameters/enabled
holds "and a cgroup v2 for everything" test -e /sys/fs/cgroup/cgroup.controllers

# --- sockets into the kernel's crypto code ---
covers seccomp
RUNTIME=plain docker_run box probe alg
holds "AF_ALG is reached under plain runc" out_is reached
docker_run box probe alg
guards "AF_ALG is out of reach" out_is EPERM
RUNTIME=baseline docker_run box probe alg
guards "under baseline too" out_is EPERM

# --- SysRq, which takes commands from whoever writes; h only prints help ---
covers readonly-paths
own_rules() {
  printf '{"log": {"target": "file:%s"}, "rules": {%s}}\n' "$E2E_POLICIES/own/audit.jsonl" "$1" \
    >"$E2E_POLICIES/own/policy.json"
}
# Docker's AppArmor profile would deny it as well: here it is the paths alone that do.
own_rules '"lsm-label": {"action": "off"}'
RUNTIME=own docker_run --security-opt systempaths=unconfined --security-opt apparmor=unconfined box \
  sh -c 'cat /proc/self/attr/current; echo h >/proc/sysrq-trigger && echo sent'
holds "without AppArmor" out_has unconfined
guards "SysRq takes no command from a container's root user" out_lacks sent

# --- AppArmor ---
covers lsm-label
label() { docker_run "$@" box cat /proc/self/attr/current; }
label
holds "a container has the engine's default profile" out_is "docker-default (enforce)"
label --security-opt apparmor=unconfined
guards "a container that asks for none gets no further" out_lacks unconfined
guards "and the sentence says why" refused lsm-label /process/apparmorProfile unconfined
own_rules '"lsm-label": {"unconfined": "fix"}'
RUNTIME=own label --security-opt apparmor=unconfined
guards "with unconfined: fix it gets the default profile" out_is "docker-default (enforce)"
docker_start labelled
capture docker exec labelled cat /proc/self/attr/current
holds "exec has the container's profile" out_is "docker-default (enforce)"
capture docker exec --privileged labelled grep CapBnd /proc/self/status
guards "exec --privileged has the container's capabilities" status_field CapBnd 0000000000000400
# Docker 20.10 leaves the profile alone; whoever calls the runtime need not.
capture "$E2E_RUNTIME" --root /run/docker/runtime-runc/moby exec --apparmor unconfined \
  "$(docker inspect -f '{{.Id}}' labelled)" cat /proc/self/attr/current
guards "an exec with another profile has the container's own" out_is "docker-default (enforce)"
docker_remove labelled

# --- cgroup v2 ---
covers pids-limit
docker_run --cgroupns private --pids-limit -1 box cat /sys/fs/cgroup/pids.max
guards "no limit of processes is ours" out_is 2048
covers device-cgroup mount-options
mknod "$E2E_SRV/tty0" c 4 0  # the console that a person at the machine sees
docker_run --device-cgroup-rule 'c *:* rwm' -v "$E2E_SRV:/srv" box sh -c ': </srv/tty0 && echo opened'
guards "a device of the host is not opened" out_lacks opened
docker_run box head -c 1 /dev/zero
holds "a container's own are" succeeded
