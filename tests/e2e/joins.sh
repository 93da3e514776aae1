#!/bin/bash
# Containers that share namespaces: docker --network/--ipc/--pid container:, pairs as compose makes
# them, podman's pods, ctr --with-ns.
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"
# shellcheck source=tests/e2e/cri_engine.sh
. "$E2E_DIR/cri_engine.sh"
# shellcheck source=tests/e2e/podman_network.sh
. "$E2E_DIR/podman_network.sh"

covers host-namespaces
DIRECTORY=$E2E_POLICIES/own
# join LIST: a policy that lets these namespaces of other containers be joined
join() {
  printf '{"log": {"target": "file:%s/audit.jsonl"}, "rules": {"host-namespaces": {"join": %s}}}\n' \
    "$DIRECTORY" "$1" >"$DIRECTORY/policy.json"
}
in_container() { docker exec "$1" readlink "/proc/self/ns/$2"; }
refuses_join() {  # DESCRIPTION KIND OPTION…: the container would have started under plain runc
  local description=$1 kind=$2
  shift 2
  docker_run "$@" box true
  guards "$description is refused" refused host-namespaces '/linux/namespaces/[0-9]+/path' "$kind"
}

# --- a service and its companion, as compose writes network_mode: service: ---
docker_start web
docker exec web sh -c 'echo served >/tmp/index.html && httpd -p 127.0.0.1:8080 -h /tmp'
NETWORK=container:web docker_run box wget -q -O - http://127.0.0.1:8080/
holds "a companion reaches the service on its loopback interface" out_is served
capture docker run -d --name companion --network container:web --runtime runclad box sleep 600
holds "… and lives beside it" test "$(in_container companion net)" = "$(in_container web net)"
NETWORK=container:companion docker_run box cat /etc/hostname
holds "a third joins the second" succeeded
holds "… and has the first one's host name" out_is "$(docker exec web cat /etc/hostname)"
docker restart -t 0 web companion >/dev/null 2>&1
holds "both restart" test "$(in_container companion net)" = "$(in_container web net)"
docker_remove companion web

# --- ipc ---
docker_start shared --ipc shareable
docker exec shared sh -c 'echo x >/dev/shm/x'
docker_run --ipc container:shared box cat /dev/shm/x
holds "--ipc container: shares /dev/shm" out_is x
docker_remove shared

# --- pids ---
docker_start target
refuses_join "--pid container:" pid --pid container:target
join '["network", "ipc", "pid"]'
RUNTIME=own docker_start debugged
RUNTIME=own docker_run --pid container:debugged box cat /proc/1/comm
holds "--pid container: is possible if the policy allows it" out_is sleep
join '["pid"]'
RUNTIME=own NETWORK=container:debugged docker_run box true
guards "what is not listed is refused" refused host-namespaces '/linux/namespaces/[0-9]+/path' \
  "container $(docker inspect -f '{{.Id}}' debugged)"
docker_remove target debugged

# --- of containers that runclad has not made, and of the host by way of one ---
RUNTIME=plain docker_start outsider --ipc shareable
refuses_join "the ipc namespace of another runtime's container" ipc --ipc container:outsider
NETWORK=container:outsider refuses_join "the network of another runtime's container" network
capture docker run -d --name hosts --network host --pid host --ipc host --runtime plain box sleep 600
for kind in network ipc pid; do
  if [ "$kind" = network ]; then
    NETWORK=container:hosts docker_run box true
  else
    docker_run "--$kind" container:hosts box true
  fi
  guards "the host's $kind namespace by way of a container is refused" \
    err_has "is the host's $kind namespace"
done
docker_remove outsider hosts

# --- pods of podman's ---
PODMAN=(podman --cgroup-manager cgroupfs --events-backend file --runtime "$E2E_WORK/runtimes/runclad/runclad")
LIMITS=(--ulimit nofile=1024:2048 --ulimit nproc=1000:2000)
tar -C "$E2E_WORK/rootfs" -c . | podman import -q -c 'CMD ["sh"]' - box >/dev/null
pod() {  # NAME OPTION…
  local name=$1
  shift
  capture "${PODMAN[@]}" pod create --name "$name" --network none --cgroup-parent "$E2E_CGROUP" \
    --infra-image localhost/box --infra-command 'sleep 600' "$@"
}
member() { capture "${PODMAN[@]}" run --rm --pod "$1" "${LIMITS[@]}" box "${@:2}"; }
pod ordinary --share net,ipc,uts
holds "podman pod create" succeeded
for kind in net ipc uts; do
  member ordinary readlink "/proc/self/ns/$kind"
  holds "a member of podman's pod has the pod's $kind namespace" \
    test -n "$OUT" -a "$OUT" != "$(readlink "/proc/self/ns/$kind")"
  first=$OUT
  member ordinary readlink "/proc/self/ns/$kind"
  holds "… and so has the next" out_is "$first"
done
member ordinary cat /etc/hostname
holds "… and its host name" out_is ordinary
pod pids --share net,ipc,uts,pid
INFRA=$("${PODMAN[@]}" pod inspect -f '{{.InfraContainerID}}' pids)
member pids readlink /proc/self/ns/pid
holds "a member of podman's pod with --share pid has the pod's pids" \
  out_is "$(readlink "/proc/$("${PODMAN[@]}" inspect -f '{{.State.Pid}}' "$INFRA")/ns/pid")"
alone() { capture "${PODMAN[@]}" run --network none --cgroup-parent "$E2E_CGROUP" "${LIMITS[@]}" "$@"; }
alone -d --name alone box sleep 600
ALONE=$OUT
alone --rm --pid container:alone box true
guards "those of a container that is in no pod are refused" \
  refused host-namespaces '/linux/namespaces/[0-9]+/path' "container $ALONE"

# --- networks for which podman pins a namespace, and what its database says of them ---
podman_network
on_network() {  # NETWORK PODMAN-OPTION… box PROGRAM…
  local network=$1
  shift
  capture "${PODMAN[@]}" run --network "$network" --cgroup-parent "$E2E_CGROUP" "${LIMITS[@]}" "$@"
}
network_of() { "${PODMAN[@]}" exec "$1" readlink /proc/self/ns/net; }
pin_of() { podman inspect -f '{{.NetworkSettings.SandboxKey}}' "$1"; }
refuses_pin() {  # DESCRIPTION PATH
  on_network "ns:$2" --rm box readlink /proc/self/ns/net
  guards "podman --network ns: of $1 is refused" \
    refused host-namespaces '/linux/namespaces/[0-9]+/path' "$2"
}
on_network nothing -d --name pinned box sleep 600
holds "podman run on a network" succeeded
holds "… in the namespace that it pinned" \
  test "$(network_of pinned)" = "net:[$(stat -L -c %i "$(pin_of pinned)")]"
on_network container:pinned --rm box readlink /proc/self/ns/net
holds "… which another joins by --network container:" out_is "$(network_of pinned)"
on_network "ns:$(pin_of pinned)" --rm box readlink /proc/self/ns/net
holds "… or by its path, since runclad made the container" out_is "$(network_of pinned)"
"${PODMAN[@]}" restart -t 0 pinned >/dev/null
holds "… and has another one after podman restart" \
  test "$(network_of pinned)" = "net:[$(stat -L -c %i "$(pin_of pinned)")]"
capture "${PODMAN[@]}" pod create --name net --network nothing --cgroup-parent "$E2E_CGROUP" \
  --infra-image localhost/box --infra-command 'sleep 600'
member net readlink /proc/self/ns/net
holds "a pod of podman on a network" test "$OUT" != "$(readlink /proc/self/ns/net)"
first=$OUT
member net readlink /proc/self/ns/net
holds "… has one for its members" out_is "$first"

# A container that ended with nobody to clean up after it leaves its namespace, ports and all.
on_network nothing -d --name crashed box sleep 600
PIN=$(pin_of crashed)
podman inspect -f '{{.State.ConmonPid}} {{.State.Pid}}' crashed | while read -r conmon pid; do
  [ "$pid" -gt 0 ] && kill -KILL "$conmon" "$pid"
done
refuses_pin "another container's, which has ended" "$PIN"
touch /run/netns/empty /run/netns/others
unshare --net=/run/netns/empty true
unshare --net=/run/netns/others sleep 600 &
OTHERS=$!
refuses_pin "one that nobody is in" /run/netns/empty
refuses_pin "another process's" /run/netns/others
kill "$OTHERS"
wait "$OTHERS" 2>/dev/null
umount /run/netns/empty /run/netns/others
"${PODMAN[@]}" rm -f -t 0 pinned crashed alone >/dev/null 2>&1
"${PODMAN[@]}" pod rm -f -t 0 ordinary pids net >/dev/null 2>&1
unset CONTAINERS_CONF
umount /run/netns
podman rmi -f box >/dev/null
# Of conmon and of pods, once conmon has ended.
find /sys/fs/cgroup -depth -type d -path "*$E2E_CGROUP/*" -exec rmdir {} + 2>/dev/null

# --- ctr ---
export CONTAINERD_NAMESPACE=e2e
docker save box -o "$E2E_WORK/box.tar"
ctr image import "$E2E_WORK/box.tar" >/dev/null
rm "$E2E_WORK/box.tar"
IMAGE=docker.io/library/box:latest
ctr_start() {  # ID RUNTIME
  capture "${CTR_RUN[@]}" -d --cgroup "$E2E_CGROUP/$1" --runc-binary "$E2E_WORK/runtimes/$2/runclad" \
    "$IMAGE" "$1" sleep 600
}
ctr_pid() { ctr task ls | awk -v id="$1" '$1 == id {print $2}'; }
# Once, the cgroup was gone before runc wrote its process there: runc did not get to a namespace, which is no answer.
ctr_join() {  # ID KIND OF
  ctr_join_once "$@"
  [[ $ERR == *"/cgroup.procs: no such file or directory"* ]] || return 0
  printf '# the cgroup was removed, once more: %s\n' "$ERR"
  ctr_join_once "$1-again" "${@:2}"
}
ctr_join_once() {  # ID KIND OF
  capture "${CTR_RUN[@]}" --rm --cgroup "$E2E_CGROUP/$1" --runc-binary "$E2E_WORK/runtimes/runclad/runclad" \
    --with-ns "$2:/proc/$(ctr_pid "$3")/ns/${2/network/net}" "$IMAGE" "$1" \
    readlink "/proc/self/ns/${2/network/net}"
}
ctr_start peer runclad
ctr_start stranger plain
until_printed ctr_join j1 network peer
holds "ctr --with-ns network: of a hardened container" \
  out_is "$(readlink "/proc/$(ctr_pid peer)/ns/net")"
ctr_join j2 network stranger
guards "ctr --with-ns network: of another is refused" refused host-namespaces \
  '/linux/namespaces/[0-9]+/path' "/proc/$(ctr_pid stranger)/ns/net"
ctr_join j3 pid peer
guards "ctr --with-ns pid: is refused" refused host-namespaces '/linux/namespaces/[0-9]+/path' pid
for id in peer stranger; do
  ctr task kill -s KILL "$id"
  eventually 5 sh -c "ctr task ls | grep -q '^$id .*STOPPED'"
  ctr task delete "$id" >/dev/null 2>&1
  ctr container delete "$id"
done
ctr image rm "$IMAGE" >/dev/null
holds "nothing is left in containerd" test -z "$(ctr container ls -q)"
