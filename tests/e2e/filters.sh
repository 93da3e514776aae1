#!/bin/bash
# What the seccomp filter blocks: each call reaches the kernel under plain runc, where Docker's own filter
# must be switched off for some.
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"

covers seccomp
for question in userfaultfd io-uring keyctl bpf; do
  docker_run --security-opt seccomp=unconfined box probe "$question"
  guards "$question is out of reach under seccomp=unconfined" out_is EPERM
done
docker_run box probe io-uring
guards "io-uring is out of reach by default" out_is EPERM
# The kernel may have no AF_ALG: without a filter it is the kernel that says so.
docker_run box probe alg
guards "AF_ALG is out of reach" out_is EPERM
# Every address family by every call that makes a socket, as the kernel answers: "socket 1", …
FAMILIES=$(for way in socket socket32 socketpair; do
  for family in 1 2 10 16; do echo "$way $family"; done
done | sort)
has_families() {  # those of OUT but x32's, which not every kernel has
  [ "$(grep -vE '^x32 (1|2|10|16)$' <<<"$OUT" | sort)" = "$1" ]
}
for RUNTIME in runclad baseline; do
  docker_run box probe families
  guards "$RUNTIME: sockets are UNIX, INET, INET6 or NETLINK, by whatever call" \
    has_families "$FAMILIES"
  docker_run --security-opt seccomp=unconfined box probe families
  guards "$RUNTIME: under seccomp=unconfined too" has_families "$FAMILIES"
done
unset RUNTIME
# Two comparisons of one argument are alternatives to runc: this denies INET and NETLINK.
printf '%s\n' '{"defaultAction": "SCMP_ACT_ALLOW",
  "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"], "syscalls": [{"names": ["socket"],
  "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 2, "op": "SCMP_CMP_EQ"},
  {"index": 0, "value": 16, "op": "SCMP_CMP_EQ"}]}]}' >"$E2E_WORK/families.json"
docker_run --security-opt "seccomp=$E2E_WORK/families.json" box probe families
guards "a profile that the user names restricts these further" \
  has_families "$(grep -vE '^socket(32)? (2|16)$' <<<"$FAMILIES")"
tar -C "$E2E_WORK/rootfs" -c . | podman import -q - box-families >/dev/null
podman_run() {
  capture podman --cgroup-manager cgroupfs --events-backend file --runtime "$E2E_RUNTIME" run --rm \
    --network none --cgroup-parent "$E2E_CGROUP" --ulimit nofile=1024:2048 \
    --ulimit nproc=1000:2000 "$@"
}
podman_run box-families probe families
guards "podman: the same families" has_families "$FAMILIES"
podman_run --security-opt seccomp=unconfined box-families probe families
guards "podman: under seccomp=unconfined too" has_families "$FAMILIES"
podman rmi box-families >/dev/null
covers seccomp capabilities
docker_run --cap-add DAC_READ_SEARCH --security-opt seccomp=unconfined box probe handle
guards "open_by_handle_at is out of reach with CAP_DAC_READ_SEARCH asked for" out_is EPERM
covers capabilities
docker_run box probe packet
guards "AF_PACKET is out of reach" out_is EPERM
docker_run --cap-add NET_RAW box probe packet
guards "also when CAP_NET_RAW is asked for" out_is EPERM

covers host-namespaces
docker_start victim
docker_run --pid container:victim --cap-add SYS_PTRACE box probe trace-1
guards "a process of another container is not traced" out_lacks reached
docker_remove victim

# --- what a policy may ask for on top ---
policy() {  # SECCOMP-PARAMETERS
  printf '{"log": {"target": "file:%s"}, "rules": {"seccomp": %s}}\n' \
    "$E2E_POLICIES/own/audit.jsonl" "$1" >"$E2E_POLICIES/own/policy.json"
}
covers seccomp
docker_run box probe getpid32
holds "32-bit calls work by default" out_is reached
policy '{"families": ["CAN", "40"]}'
RUNTIME=own docker_run box probe socket 29
holds "families: the kernel is asked for a family that the policy lists" out_lacks EPERM
RUNTIME=own docker_run --security-opt seccomp=unconfined box probe socket 40
holds "families: by its number as well" out_lacks EPERM
RUNTIME=own docker_run box probe socket 31
guards "families: and for no other" out_is EPERM
printf '{"rules": {"capabilities": {"allow": ["NET_RAW"]}}}\n' >"$E2E_POLICIES/own/policy.json"
RUNTIME=own docker_run --cap-add NET_RAW box probe packet
holds "AF_PACKET comes with CAP_NET_RAW" out_is reached

policy '{"64-bit-only": true}'
RUNTIME=own docker_run box probe getpid32
guards "64-bit-only: a 32-bit call ends the program" status_is 159
guards "64-bit-only: and reaches nothing" out_lacks reached
RUNTIME=own docker_run box sh -c 'echo x >/tmp/f && cat /tmp/f'
holds "64-bit-only: 64-bit programs work" out_is x

policy '{"deny-set-id": true}'
host=$E2E_SRV/set-id
has_no_set_id() { [ -e "$host/$1" ] && [ -z "$(find "$host/$1" -perm /6000)" ]; }
set_id() {  # COMMAND…
  rm -rf "$host" && mkdir -p "$host" && : >"$host/f" && chmod 755 "$host/f"
  RUNTIME=own docker_run -v "$host:/data" box "$@"
}
set_id chmod 4755 /data/f
guards "deny-set-id: chmod leaves no set-user-ID file on the host" has_no_set_id f
guards "deny-set-id: and fails" failed
set_id chmod g+s /data/f
guards "deny-set-id: nor a set-group-ID file" has_no_set_id f
set_id probe chmod32-setuid /data/f
guards "deny-set-id: nor does a 32-bit chmod" has_no_set_id f
set_id probe create-setuid /data/new
guards "deny-set-id: no file is made with the bit" test ! -e "$host/new"
set_id sh -c 'mkdir /data/d && echo x >/data/d/f && chmod 700 /data/d/f && cp -a /data/d /data/e &&
  tar -C /data -cf /data/t d && tar -C /data/e -xf /data/t && cat /data/e/d/f'
holds "deny-set-id: files are created, copied and unpacked as usual" out_is x
