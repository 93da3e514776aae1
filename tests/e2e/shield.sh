#!/bin/bash
# shellcheck disable=SC2016  # dollars are for the shell in the container
# runcladctl shield: one command closes AF_ALG for the next containers of every engine; what it says
# of running ones is what their filters do; taken back, the filters are as before, byte for byte: in
# the document and in the kernel.
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"

CONTROL=${E2E_PROGRAM%/*}/runcladctl
DIRECTORY=$E2E_POLICIES/own
export RUNTIME=own
shield() {
  capture "$CONTROL" shield "$1" --config "$DIRECTORY" --modprobe-directory "$E2E_WORK/modprobe.d" "${@:2}"
}
PODMAN=(podman --cgroup-manager cgroupfs --events-backend file --runtime "$E2E_WORK/runtimes/own/runclad")

# A host whose containers may use AF_ALG and AF_RXRPC: what the shield is for.
printf '{"extends": "baseline", "builds": "build", "log": {"target": "file:%s/audit.jsonl"},
  "rules": {"seccomp": {"families": ["AF_ALG", "AF_RXRPC"]},
            "cgroup-path": {"parents": ["%s"]}}}\n' "$DIRECTORY" "$E2E_CGROUP" >"$DIRECTORY/policy.json"
tar -C "$E2E_WORK/rootfs" -c . | podman import -q - docker.io/library/box:1 >/dev/null
capture docker save box -o "$E2E_WORK/box.tar"
ctr image import "$E2E_WORK/box.tar" >/dev/null
rm "$E2E_WORK/box.tar"
mkdir -p "$E2E_WORK/shield-context"

by_docker() { docker_run box probe socket "$1"; }
by_podman() {
  capture "${PODMAN[@]}" run --rm --network none --cgroup-parent "$E2E_CGROUP" \
    --ulimit nofile=1024:2048 --ulimit nproc=1000:2000 docker.io/library/box:1 probe socket "$1"
}
by_containerd() {
  capture "${CTR_RUN[@]}" --rm --cgroup "$E2E_CGROUP/shield" \
    --runc-binary "$E2E_WORK/runtimes/own/runclad" docker.io/library/box:latest "shield$1" \
    probe socket "$1"
}
by_buildkit() {
  printf 'FROM box\nRUN echo "answer $(probe socket %s)"\n' "$1" >"$E2E_WORK/shield-context/Dockerfile"
  DOCKER_BUILDKIT=1 capture docker build --progress plain --network none --no-cache -t made \
    "$E2E_WORK/shield-context"
  OUT=$(grep -oE 'answer [A-Za-z]+$' <<<"$OUT$ERR" | tail -n 1 | cut -d' ' -f2)
}
# The kernel itself was asked, whether it has the family or not.
was_asked() { [ -n "$OUT" ] && ! is_closed; }
# podman's own filter answers ENOSYS, and denials of either filter are kept.
is_closed() { [ "$OUT" = EPERM ] || [ "$OUT" = ENOSYS ]; }
AF_INET=2 AF_RXRPC=33 AF_ALG=38
ENGINES="docker podman containerd buildkit"

for engine in $ENGINES; do
  "by_$engine" "$AF_ALG"
  holds "$engine: AF_ALG is open before" was_asked
done
docker_start before
filter_of() {
  jq -cS .linux.seccomp "/run/containerd/io.containerd.runtime.v2.task/moby/$(docker inspect -f '{{.Id}}' "$1")/config.json"
}
live_filters_of() {
  "${PYTHON:-python3}" "$E2E_DIR/live_filters.py" "$(docker inspect -f '{{.State.Pid}}' "$1")"
}
first=$(filter_of before)
first_live=$(live_filters_of before)

shield status
holds "status: no shield is active" out_is "no shield is active"
shield add "$E2E_DIR/../../profiles/shields/af-alg.json"
holds "one command" succeeded
covers seccomp
for engine in $ENGINES; do
  "by_$engine" "$AF_ALG"
  guards "$engine: AF_ALG is closed for the next container" is_closed
  "by_$engine" "$AF_INET"
  holds "$engine: a usual socket is not" was_asked
done
by_docker "$AF_RXRPC"
holds "AF_RXRPC is open still" was_asked
docker_start after
shield status --json
state_of() { jq -r --arg n "$1" '.containers[] | select(.name == $n and .shield == "af-alg") | .state' <<<"$OUT"; }
holds "status: the container that ran before is exposed" test "$(state_of before)" = exposed
guards "status: the one that was started since is closed" test "$(state_of after)" = closed
shield status
holds "status: says which to start again" grep -qE '^Start again: .*before' <<<"$OUT"
holds "status: exits with 1" status_is 1
printf '{"rules": {"seccomp": {"families": ["AF_ALG"], "allow": ["socket"]}}}\n' \
  >"$DIRECTORY/policy.d/zzz.json"
by_docker "$AF_ALG"
guards "a later file that allows it opens nothing" out_is EPERM
rm "$DIRECTORY/policy.d/zzz.json"

shield add "$E2E_DIR/../../profiles/shields/af-rxrpc.json"
by_docker "$AF_RXRPC"
guards "AF_RXRPC: closed by its own shield" out_is EPERM
printf '{"id": "uffd", "reason": "test", "deny": {"syscalls": ["keyctl", "userfaultfd"]}}\n' \
  >"$E2E_WORK/uffd.json"
shield add "$E2E_WORK/uffd.json"
docker_run box probe userfaultfd
holds "a system call is closed" out_is EPERM

# System calls with arguments. The kernel answers EBADF once it is asked; the upper halves of what it
# takes for an int do not count.
SETSOCKOPT=54 IOCTL=16 SOCKET=41
HALF=0x100000000
printf '{"id": "option", "reason": "test", "deny": {"syscalls": [
  {"name": "setsockopt", "args": [{"index": 1, "value": 41, "op": "SCMP_CMP_EQ"},
                                  {"index": 2, "value": 64, "op": "SCMP_CMP_EQ"}]},
  {"name": "ioctl", "args": [{"index": 1, "value": 255, "valueTwo": 18, "op": "SCMP_CMP_MASKED_EQ"}]},
  {"name": "socket", "args": [{"index": 0, "value": 2, "op": "SCMP_CMP_EQ"},
                              {"index": 2, "value": 262, "op": "SCMP_CMP_EQ"}]}]}}\n' >"$E2E_WORK/option.json"
docker_start exposed
call() { docker_run box probe call "$@"; }
call "$SETSOCKOPT" -1 41 64
holds "an option of sockets is open before" out_is EBADF
shield add "$E2E_WORK/option.json"
holds "an option is closed by its arguments" succeeded
for level in 41 "$((HALF + 41))" 0xffffffff00000029; do
  call "$SETSOCKOPT" -1 "$level" 64
  guards "the option is closed: level $level" out_is EPERM
done
call "$SETSOCKOPT" -1 41 65
holds "the next option is not" out_is EBADF
call "$SETSOCKOPT" -1 40 64
holds "nor is the option of another level" out_is EBADF
call "$IOCTL" -1 0x5412
guards "a request is closed by some of its bits" out_is EPERM
call "$IOCTL" -1 0x5413
holds "other requests are not" out_is EBADF
docker_run box probe socketcall32 14
guards "the call whose arguments no filter sees is closed" is_closed
call "$SOCKET" 2 1 262
guards "a protocol is closed by its number" out_is EPERM
call "$SOCKET" 2 1 6
holds "another protocol of the family is not" out_is reached
call "$SOCKET" 1 1 0
holds "nor is another family" out_is reached
by_podman_call() {
  capture "${PODMAN[@]}" run --rm --network none --cgroup-parent "$E2E_CGROUP" \
    --ulimit nofile=1024:2048 --ulimit nproc=1000:2000 docker.io/library/box:1 probe call "$@"
}
by_podman_call "$SETSOCKOPT" -1 41 64
guards "podman: the option is closed" is_closed
by_podman_call "$SETSOCKOPT" -1 41 65
holds "podman: the next option is not" out_is EBADF
printf '{"rules": {"seccomp": {"allow": ["setsockopt"]}}}\n' >"$DIRECTORY/policy.d/zzz.json"
call "$SETSOCKOPT" -1 41 64
guards "a later file that allows the call opens no option" out_is EPERM
rm "$DIRECTORY/policy.d/zzz.json"
docker_start closed
shield status --json
state_of_option() { jq -r --arg n "$1" '.containers[] | select(.name == $n and .shield == "option") | .state' <<<"$OUT"; }
holds "status: who ran before can set the option" test "$(state_of_option exposed)" = exposed
guards "status: who started since cannot" test "$(state_of_option closed)" = closed
capture "$CONTROL" can closed syscall setsockopt 3 41 64
guards "can: no" status_is 1
capture "$CONTROL" can closed syscall setsockopt 3 41 65
holds "can: the next option, yes" status_is 0
docker_remove exposed closed
shield remove option
call "$SETSOCKOPT" -1 41 64
holds "the option is open again" out_is EBADF

# What 32-bit programs call by another name is closed with it.
SETUID32=213 FCNTL64=221 F_SETPIPE_SZ=1031 F_GETFD=1
call32() { docker_run box probe call32 "$@"; }
call32 "$SETUID32" 0
holds "setuid32 is open before" out_is reached
call32 "$FCNTL64" 99 "$F_SETPIPE_SZ"
holds "so is a command of fcntl64" out_is EBADF
docker_start open32
printf '{"id": "names", "reason": "test", "deny": {"syscalls": ["setuid",
  {"name": "fcntl", "args": [{"index": 1, "value": %s, "op": "SCMP_CMP_EQ"}]}]}}\n' "$F_SETPIPE_SZ" >"$E2E_WORK/names.json"
shield add "$E2E_WORK/names.json"
call32 "$SETUID32" 0
guards "setuid closes setuid32" out_is EPERM
call32 "$FCNTL64" 99 "$F_SETPIPE_SZ"
guards "a command of fcntl closes that of fcntl64" out_is EPERM
call32 "$FCNTL64" 99 "$F_GETFD"
holds "other commands are open" out_is EBADF
docker_start closed32
shield status --json
state_of_names() { jq -r --arg n "$1" '.containers[] | select(.name == $n and .shield == "names") | .state' <<<"$OUT"; }
holds "status: who ran before can call them" test "$(state_of_names open32)" = exposed
guards "status: who started since cannot" test "$(state_of_names closed32)" = closed
docker_remove open32 closed32
shield remove names
# Allowed with some families: none of them is 0.
docker_start pair
printf '{"id": "pair", "reason": "test", "deny": {"syscalls": ["socketpair"]}}\n' >"$E2E_WORK/pair.json"
shield add "$E2E_WORK/pair.json"
shield status --json
state_of_pair() { jq -r --arg n "$1" '.containers[] | select(.name == $n and .shield == "pair") | .state' <<<"$OUT"; }
holds "status: a call that is allowed with some arguments is exposed" test "$(state_of_pair pair)" = exposed
docker_remove pair
shield remove pair
# Containers that mean to be taken for closed ones.
"${CC:-cc}" -static -O1 -Wall -Wextra -Werror -o "$E2E_WORK/evade" "$E2E_DIR/evade.c" || exit 1
printf '{"id": "evade", "reason": "test", "deny": {"syscalls": ["acct"]}}\n' >"$E2E_WORK/evade.json"
shield add "$E2E_WORK/evade.json"
state_of_evade() { jq -r --arg n "$1" '.containers[] | select(.name == $n and .shield == "evade") | .state' <<<"$OUT"; }
evades() {  # HOW [OPTION…]
  docker run -d --runtime plain --network none --security-opt seccomp=unconfined --cgroup-parent "$E2E_CGROUP" \
    -v "$E2E_WORK/evade:/evade:ro" --name "evade-$1" "${@:2}" box /evade "$1" >/dev/null
}
last_word_is() { test "$(docker logs "$1" | tail -n 1)" = "$2"; }
evades exec
eventually 10 last_word_is evade-exec denied
# It needs one reading to be warned, and another one at worst.
for _ in 1 2 3 4 5; do
  shield status --json
  state=$(state_of_evade evade-exec)
  sleep 1
  if ! grep -qxE 'exposed|unknown' <<<"$state" || last_word_is evade-exec reached; then break; fi
done
holds "status: a thread that goes on in the place of the first one is not closed" \
  grep -qxE 'exposed|unknown' <<<"$state"
holds "… for it calls" last_word_is evade-exec reached
evades leader
eventually 10 last_word_is evade-leader reached
shield status --json
holds "status: nor is what goes on without its first thread" test "$(state_of_evade evade-leader)" = exposed
capture "$CONTROL" ps
holds "… and ps lists it" out_has evade-leader
# The engine takes it for stopped, as runc does, and would leave it.
pid=$(docker inspect --format '{{.State.Pid}}' evade-leader)
[ "$pid" -gt 1 ] && kill -KILL "$pid"
docker_remove evade-exec evade-leader
# The host's cgroups as they are, as an agent of the host has them.
evades moved --cap-add SYS_ADMIN -v /sys/fs/cgroup:/sys/fs/cgroup
eventually 10 last_word_is evade-moved reached
shield status --json
holds "status: nor is what a process in other cgroups and other mounts can do" \
  test "$(state_of_evade evade-moved)" = exposed
docker_remove evade-moved
shield remove evade
if [ "$(cat /proc/sys/kernel/io_uring_disabled 2>/dev/null || echo 0)" = 0 ]; then
  printf '{"id": "evade", "reason": "test", "deny": {"families": ["AF_VSOCK"]}}\n' >"$E2E_WORK/evade.json"
  shield add "$E2E_WORK/evade.json"
  evades ring
  eventually 10 last_word_is evade-ring denied
  shield status --json
  holds "status: a ring that is not seen any more may be there" test "$(state_of_evade evade-ring)" = unknown
  capture "$CONTROL" can evade-ring socket AF_VSOCK
  holds "can: nor is that a no" out_has "a ring that is older than the filter"
  if "$E2E_WORK/evade" has-vsock; then
    eventually 10 last_word_is evade-ring reached
    holds "… for it makes the socket" last_word_is evade-ring reached
  fi
  docker_start rings
  shield status --json
  guards "status: the runtime's filter lets nobody make a ring" test "$(state_of_evade rings)" = closed
  docker_remove evade-ring rings
  shield remove evade
fi

printf '{"id": "moved", "reason": "test", "deny": {"syscalls": [{"name": "fadvise64", "args": [
  {"index": 3, "value": 4, "op": "SCMP_CMP_EQ"}]}]}}\n' >"$E2E_WORK/moved.json"
shield add "$E2E_WORK/moved.json"
holds "an argument that 32-bit programs pass elsewhere is an error" err_has "32-bit programs pass in another way"

printf '{"id": "bad", "reason": "test", "deny": {"syscalls": [{"name": "setsockopt", "args": [
  {"index": 1, "value": 41, "op": "SCMP_CMP_EQ"}, {"index": 2, "value": 64, "op": "SCMP_CMP_EQ"},
  {"index": 4, "value": 8, "op": "SCMP_CMP_EQ"}]}]}}\n' >"$E2E_WORK/bad.json"
shield add "$E2E_WORK/bad.json"
holds "what a filter cannot say exactly is an error" err_has "more rules than a filter may have"
holds "and nothing of it stays" test ! -e "$DIRECTORY/policy.d/zz-shield-bad.json"

# Devices: an image's file may list them, an engine may ask for them, and a node may come from anywhere.
FUSE='c 10:229'
printf '{"rules": {"devices": {"allow": ["%s"]}, "device-cgroup": {"allow": ["c 10:*"]}}}\n' "$FUSE" \
  >"$DIRECTORY/policy.d/fuse.json"
printf '{"id": "fuse", "reason": "test", "deny": {"devices": [{"type": "c", "major": 10, "minor": 229}]}}\n' \
  >"$E2E_WORK/fuse.json"
node=$E2E_WORK/fuse-node
mknod "$node" c 10 229
fuse_nodes=$(mktemp -d "$E2E_WORK/fuse-nodes.XXXXXX")
cp -a "$E2E_WORK/rootfs/." "$fuse_nodes"
mknod "$fuse_nodes/fuse" c 10 229
tar -C "$fuse_nodes" -c . | docker import - box-fuse >/dev/null
# The kernel was asked for the driver, whether it has one or not; EPERM is the cgroup's.
open_node() { docker_run --device-cgroup-rule "$1" box-fuse sh -c 'echo </fuse' 2>&1; }
node_is_closed() { grep -qi 'operation not permitted' <<<"$OUT$ERR"; }
open_node "$FUSE rwm"
holds "a device is open before" not node_is_closed
docker_start with-fuse --device-cgroup-rule "$FUSE rwm"
shield add "$E2E_WORK/fuse.json"
holds "a device is closed with one command" succeeded
covers device-cgroup
open_node "$FUSE rwm"
guards "the node of an image cannot be opened" node_is_closed
open_node 'c 10:* rwm'
guards "nor by a range" node_is_closed
covers devices
docker_run --device "$node:/dev/fuse" box true
guards "whoever asks for the device is refused" refused devices '/linux/devices/[0-9]+' '"/dev/fuse"'
covers seccomp
docker_start without-fuse --device-cgroup-rule "$FUSE rwm"
shield status --json
state_of_fuse() { jq -r --arg n "$1" '.containers[] | select(.name == $n and .shield == "fuse") | .state' <<<"$OUT"; }
if cgroup_is_v2; then
  holds "status: unknown, for the device rules are a program" test "$(state_of_fuse with-fuse)" = unknown
else
  holds "status: who ran before can open it" test "$(state_of_fuse with-fuse)" = exposed
  guards "status: who started since cannot" test "$(state_of_fuse without-fuse)" = closed
fi
docker_remove with-fuse without-fuse
shield remove fuse
open_node "$FUSE rwm"
holds "the device is open again" not node_is_closed
rm "$DIRECTORY/policy.d/fuse.json" "$node"
docker rmi box-fuse >/dev/null

# Modules: modprobe is kept from loading them, and one that is loaded already is named.
mkdir "$E2E_WORK/modprobe.d"
printf '# the host has a file of its own\n' >"$E2E_WORK/modprobe.d/own.conf"
modprobe_before=$(cat "$E2E_WORK"/modprobe.d/*)
printf '{"id": "module", "reason": "test", "deny": {"modules": ["no-such-module"]}}\n' >"$E2E_WORK/module.json"
shield add "$E2E_WORK/module.json"
holds "a module is closed with one command" succeeded
shield status --json
state_of_module() { jq -r '.modules[] | select(.shield == "module") | "\(.module) \(.state)"' <<<"$OUT"; }
# Without the kernel's list of what is built in, nobody knows whether it is.
closed=unknown exposed=unknown
if [ -r /proc/modules ] && [ -r "/lib/modules/$(uname -r)/modules.builtin" ]; then
  closed=closed exposed=exposed
fi
holds "status: it is closed, as far as the kernel says" test "$(state_of_module)" = "no_such_module $closed"
if command -v modprobe >/dev/null; then
  capture modprobe -C "$E2E_WORK/modprobe.d" -c
  holds "modprobe reads that it must not load it" out_has "install no_such_module /bin/false"
else
  echo "# left out, for there is no modprobe: what it reads" | tee -a "$E2E_WORK/left-out"
fi
rm "$E2E_WORK/modprobe.d/runclad-shield-module.conf"
shield status --json
holds "status: without the file it is exposed" test "$(state_of_module)" = "no_such_module $exposed"
shield add "$E2E_WORK/module.json"
shield remove module
holds "taken back, modprobe's files are as before" test "$(cat "$E2E_WORK"/modprobe.d/*)" = "$modprobe_before"

# A signed shield may come from anybody.
if command -v ssh-keygen >/dev/null; then
  ssh-keygen -q -t ed25519 -N '' -C fleet -f "$E2E_WORK/shield-key"
  printf 'fleet %s\n' "$(cat "$E2E_WORK/shield-key.pub")" >"$E2E_WORK/shield-signers"
  printf '{"id": "signed", "reason": "test", "deny": {"syscalls": ["userfaultfd"]}}\n' >"$E2E_WORK/signed.json"
  ssh-keygen -q -Y sign -n runclad-shield -f "$E2E_WORK/shield-key" "$E2E_WORK/signed.json" 2>/dev/null
  chmod 666 "$E2E_WORK/signed.json"
  shield add "$E2E_WORK/signed.json" --signature "$E2E_WORK/signed.json.sig" --signers "$E2E_WORK/shield-signers"
  holds "a signed shield is up" out_has "signed by fleet"
  docker_run box probe userfaultfd
  holds "and closes its call" out_is EPERM
  shield remove signed
  echo >>"$E2E_WORK/signed.json"
  shield add "$E2E_WORK/signed.json" --signature "$E2E_WORK/signed.json.sig" --signers "$E2E_WORK/shield-signers"
  holds "a signature of something else does not count" err_has "has a signature that does not match"
else
  echo "# left out, for there is no ssh-keygen: a signed shield" | tee -a "$E2E_WORK/left-out"
fi

printf '{"id": "bad", "reason": "test", "deny": {"family": ["AF_ALG"]}}\n' >"$E2E_WORK/bad.json"
shield add "$E2E_WORK/bad.json"
holds "a shield with a misspelt member is an error" err_has "it has families, syscalls"
chmod 666 "$E2E_WORK/uffd.json"
shield add "$E2E_WORK/uffd.json"
holds "so is one that others could have written" failed

printf '{"rules": \n' >"$DIRECTORY/policy.d/broken.json"
shield add "$E2E_DIR/../../profiles/shields/af-alg.json"
holds "beside a policy that cannot be read, adding is an error" failed
rm "$DIRECTORY/policy.d/broken.json"
by_docker "$AF_ALG"
guards "and the shield that was up stays up" out_is EPERM

for id in af-alg af-rxrpc uffd; do shield remove "$id"; done
holds "taken back" succeeded
holds "no file of it is left" test -z "$(ls "$DIRECTORY/shields")"
by_docker "$AF_ALG"
holds "AF_ALG is open again" was_asked
docker_start again
holds "and the filter is byte for byte as before" test "$(filter_of again)" = "$first"
holds "and so is what the kernel holds" test "$(live_filters_of again)" = "$first_live"
guards "which was not so under the shield" not test "$(live_filters_of after)" = "$first_live"
docker_remove before after again
docker rmi made >/dev/null 2>&1
podman rmi docker.io/library/box:1 >/dev/null
ctr image rm docker.io/library/box:latest >/dev/null
