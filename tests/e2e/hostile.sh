#!/bin/bash
# README's hostile requests ("What it stops") with each engine and store: dockerd with its own image store and with
# containerd's, podman, and containerd's client. `attacks` is one table; a function for each engine has the engine's
# spelling. Other topics have more variants of each attack with dockerd.
# shellcheck disable=SC2016  # dollars are for the shell in the container
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"
# shellcheck source=tests/e2e/docker_store.sh
. "$E2E_DIR/docker_store.sh"

DIRECTORY=$E2E_POLICIES/own
PROGRAM=$E2E_WORK/runtimes/own/runclad
LOG=$DIRECTORY/audit.jsonl
PLACE=$E2E_SRV/hostile  # of the host
HITS=("$PLACE/hit" "$PLACE/data/hit" "$PLACE/files/hit" /opt/x/hit)  # what no attack may leave there
LISTED=$PLACE/listed    # what ctr starts a document in that has no image
mkdir -p "$PLACE"/{files,listed,data,shared,programs}
printf '{"log": {"target": "file:%s"}, "rules": {"rootfs-path": {"allow": ["%s"]}}}\n' "$LOG" "$LISTED" \
  >"$DIRECTORY/policy.json"
mkdir -p "$DIRECTORY/images/docker.io/library"
printf '{"digests": ["sha256:%064d"]}\n' 1 >"$DIRECTORY/images/docker.io/library/pinned.json"

# --- what the attacks are about ---
mount -t tmpfs -o mode=755 tmpfs /opt
mkdir -p /opt/x
ln -s / "$PLACE/root-link"
mkdir "$PLACE/alias" && mount --bind / "$PLACE/alias"
mount --bind "$PLACE/shared" "$PLACE/shared" && mount --make-shared "$PLACE/shared"
printf 'the host secret' >"$E2E_WORK/disk.img" && truncate -s 1M "$E2E_WORK/disk.img"
LOOP=$(losetup --find --show "$E2E_WORK/disk.img")
cat >"$E2E_WORK/hook" <<HOOK
#!/bin/sh
echo x >$PLACE/hit
HOOK
chmod 755 "$E2E_WORK/hook"
mkdir -p "$E2E_WORK/hooks.d"
printf '{"version": "1.0.0", "hook": {"path": "%s"}, "when": {"always": true}, "stages": ["prestart"]}\n' \
  "$E2E_WORK/hook" >"$E2E_WORK/hooks.d/hit.json"
trap 'losetup -d "$LOOP"; umount --lazy "$PLACE/alias" "$PLACE/shared" /opt; store_stop' EXIT

# The image of the attacker: device nodes, links to what is the runtime's.
for files in "$E2E_WORK/hostile" "$LISTED" "$PLACE/files"; do
  mkdir -p "$files" && cp -a "$E2E_WORK/rootfs/." "$files"
  mkdir "$files/nodes" && mknod "$files/nodes/kmsg" c 1 11
  ln -s /dev "$files/to-dev"
done
tar -C "$E2E_WORK/hostile" -cf "$E2E_WORK/hostile.tar" .

# --- the table ---
# attack refused|changed CODE WHAT SCRIPT WORD…
# SCRIPT runs in the container and says `reached`, or leaves a file `hit` on the host, if the attack succeeds; `-` where
# the container cannot see that. CODE is a regular expression: engines request the same thing differently. The words say
# what is requested; where an engine has no option for it, the run says so.
attacks() {
  local kind
  # This machine may not have all of them to give.
  attack changed capabilities/unlisted "every capability" - cap:ALL
  attack changed capabilities/unlisted "SYS_ADMIN" 'mkdir /tmp/m && mount -t tmpfs none /tmp/m && echo reached' \
    cap:SYS_ADMIN unfiltered unconfined
  attack refused privileged/every-device "--privileged" - privileged
  attack changed seccomp/absent "no seccomp filter" 'probe unshare-user | sed s/unshared/reached/' unfiltered
  attack changed seccomp/absent "a socket of AF_VSOCK" 'probe vsock32' unfiltered
  attack changed no-new-privileges/absent "a set-user-ID program" '[ "$(setuid-probe)" = 0 ] && echo reached' user:1000
  attack changed read-only-rootfs/writable-root "a file in the root filesystem" 'echo x >/bin/new && echo reached'

  attack refused host-mounts/host-root "a mount of /" "echo x >/h$PLACE/hit" mount:/:/h
  attack refused host-mounts/host-root "… by a link" "echo x >/h$PLACE/hit" "mount:$PLACE/root-link:/h"
  attack refused host-mounts/host-root "… by another mount of it" "echo x >/h$PLACE/hit" "mount:$PLACE/alias:/h"
  attack refused host-mounts/denied "a mount of /etc" 'test -f /h/debian_version && echo reached' mount:/etc:/h
  attack refused host-mounts/runtime-socket "a mount of docker.sock" 'test -S /s && echo reached' \
    mount:/var/run/docker.sock:/s
  attack refused host-mounts/denied "a mount of the host's /sys" 'test -d /h/class && echo reached' mount:/sys:/h
  attack refused host-mounts/unlisted "a mount of /opt/x" 'echo x >/h/hit' mount:/opt/x:/h

  attack changed mount-options/programs "a program in a host directory" \
    'cp /bin/busybox /p/echo && /p/echo reached' "mount:$PLACE/programs:/p"
  attack changed mount-options/programs "… that is mounted again, read-only" \
    'cp /bin/busybox /p/echo && /again/echo reached' "mount:$PLACE/programs:/p" "mount:$PLACE/programs:/again:ro"
  attack changed mount-options/programs "a program in a tmpfs with exec" 'cp /bin/busybox /t/echo && /t/echo reached' \
    tmpfs:/t:exec
  attack changed "read-only-rootfs/tmpfs.*" "a program in /tmp" 'cp /bin/busybox /tmp/echo && /tmp/echo reached'

  for kind in pid network ipc uts; do
    attack refused "host-namespaces/(host|missing)" "the host's $kind namespace" \
      "[ \$(readlink /proc/self/ns/${kind/network/net}) = '$(readlink "/proc/self/ns/${kind/network/net}")' ] && echo reached" \
      "ns:$kind"
  done
  attack refused devices/block "a disk" "grep -q 'the host secret' $LOOP && echo reached" "device:$LOOP"
  attack refused devices/unlisted "/dev/kmsg" '[ -c /dev/kmsg ] && echo reached' device:/dev/kmsg
  attack changed device-cgroup/opens "a node of the image, and a rule for it" 'exec 3>/nodes/kmsg && echo reached' \
    "device-rule:c 1:11 rwm"
  attack changed readonly-paths/missing "/proc/sys writable" \
    'p=$(cat /proc/sys/kernel/core_pattern) && echo "$p" >/proc/sys/kernel/core_pattern && echo reached' unmasked
  attack refused kernel-filesystems/mounted-over "a mount over /sys" 'echo x >/sys/kernel/hit' \
    "mount:$PLACE/data:/sys/kernel"
  attack refused sysctls/unsafe "a sysctl" 'grep -qx 1 /proc/sys/net/ipv4/ip_forward && echo reached' \
    sysctl:net.ipv4.ip_forward=1
  attack changed mount-propagation/mount "a mount whose mounts reach the host" \
    'grep " /x " /proc/self/mountinfo | grep -q shared: && echo reached' "mount:$PLACE/shared:/x:rshared"
  attack refused mount-destinations/dev "a mount at /dev" - "mount:$PLACE/data:/dev"
  attack refused mount-destinations/dev "a mount at a link to /dev" - "mount:$PLACE/data:/to-dev"
  attack refused working-directory/proc "/proc/self/fd/7 as the working directory" - cwd:/proc/self/fd/7
  attack refused hooks/unlisted "a hook" true hook
  attack refused cgroup-path/elsewhere "another cgroup parent" - cgroup:/elsewhere
  attack refused rootfs-path/outside "a directory of the host as the root" 'echo x >/hit' "rootfs:$PLACE/files"
  attack changed annotations/order "an annotation that runtimes obey" - annotation:org.criu.config=/etc/shadow
  attack refused image/pinned "another image under a pinned name" 'echo reached' image:pinned:1
  if needs_controller pids "no limit of processes"; then
    attack changed pids-limit/unlimited "no limit of processes" "grep -qx max $(limit_file pids) && echo reached" no-pids-limit
  fi
}

reaches_nothing() {
  local file
  ! printed_nothing || return "$UNDECIDED"
  for file in "${HITS[@]}"; do
    [ ! -e "$file" ] || return 1
  done
  ! grep -q reached <<<"$OUT"
}
log_has_code() { jq -e -s --arg code "$1" 'any(.[].findings[]?; .code | test("^(" + $code + ")$"))' "$LOG" >/dev/null 2>&1; }
is_refused() {  # CODE: with the sentence, and in the log
  failed && grep -qF -- "runclad: refused by ${1%%/*}: " <<<"$ERR" && log_has_code "$1"
}
attack() {
  local outcome=$1 code=$2 what="$ENGINE: $3" script=$4
  shift 4
  : >"$LOG"
  if ! "request_of_$SPELLING" "$@"; then
    printf '# %s has no option for it: %s\n' "$ENGINE" "${what#*: }"
    return
  fi
  until_printed "run_with_$SPELLING" "${script/#-/true}; echo ended"
  covers "${code%%/*}"
  [ "$script" = - ] || guards "$what reaches nothing" reaches_nothing
  if [ "$outcome" = refused ]; then
    guards "$what is refused: $code" is_refused "$code"
  else
    guards "$what: the log says what was changed: $code" log_has_code "$code"
  fi
  rm -f "${HITS[@]}"
}

# --- Docker ---
request_of_docker() {
  local word value
  OPTIONS=(--network none) IMAGE=hostile
  for word; do
    value=${word#*:}
    case "$word" in
      cap:*) OPTIONS+=(--cap-add "$value") ;;
      privileged) OPTIONS+=(--privileged) ;;
      unfiltered) OPTIONS+=(--security-opt seccomp=unconfined) ;;
      unconfined) OPTIONS+=(--security-opt apparmor=unconfined) ;;
      unmasked) OPTIONS+=(--security-opt systempaths=unconfined) ;;
      user:*) OPTIONS+=(--user "$value") ;;
      mount:*) OPTIONS+=(-v "$value") ;;
      tmpfs:*) OPTIONS+=(--tmpfs "$value") ;;
      ns:network) OPTIONS[1]=host ;;
      ns:*) OPTIONS+=("--$value" host) ;;
      device:*) OPTIONS+=(--device "$value") ;;
      device-rule:*) OPTIONS+=(--device-cgroup-rule "$value") ;;
      sysctl:*) OPTIONS+=(--sysctl "$value") ;;
      cwd:*) OPTIONS+=(--workdir "$value") ;;
      cgroup:*) OPTIONS+=(--cgroup-parent "$value") ;;
      no-pids-limit) OPTIONS+=(--pids-limit -1) ;;
      annotation:*)
        engine_is docker 25 || return
        OPTIONS+=(--annotation "$value")
        ;;
      image:*) IMAGE=$value ;;
      *) return 1 ;;
    esac
  done
}
run_with_docker() { capture docker run --rm --runtime own "${OPTIONS[@]}" "$IMAGE" sh -c "$1"; }
docker_images() {
  docker import -c 'CMD ["sh"]' - hostile <"$E2E_WORK/hostile.tar" >/dev/null
  docker tag hostile pinned:1
}
docker_attacks() {
  docker_images
  attacks
  docker run -d --name living --network none --runtime own hostile sleep 600 >/dev/null
  capture docker exec --privileged living grep CapBnd /proc/self/status
  covers capabilities
  guards "$ENGINE: exec --privileged has no more than the container" status_field CapBnd 0000000000000400
  docker rm -f living >/dev/null
  docker rmi -f hostile pinned:1 >/dev/null
}
SPELLING=docker
ENGINE=Docker
docker_attacks
if engine_is docker 26; then
  ENGINE="Docker with containerd's image store"
  store_start
  DOCKER_HOST=$STORE_HOST docker_attacks
else
  printf '# left out: Docker %s has its own image store only\n' "$(engine_version docker)" | tee -a "$E2E_WORK/left-out"
fi

# --- podman ---
PODMAN=(podman --cgroup-manager cgroupfs --events-backend file --runtime "$PROGRAM")
LIMITS=(--ulimit nofile=1024:2048 --ulimit nproc=1000:2000)  # this machine may not be allowed to raise them
request_of_podman() {
  local word value others=() parent=$E2E_CGROUP network=none
  GLOBALS=()
  for word; do
    value=${word#*:}
    case "$word" in
      annotation:*) others+=(--annotation "$value") ;;
      unmasked) others+=(--security-opt unmask=ALL) ;;
      hook) GLOBALS+=(--hooks-dir "$E2E_WORK/hooks.d") ;;
      rootfs:*) others+=(--rootfs) ;;
      cgroup:*) parent=$value ;;
      ns:network) network=host ;;
      *)
        request_of_docker "$word" || return
        others+=("${OPTIONS[@]:2}")
        ;;
    esac
  done
  case "${1:-}" in
    image:* | rootfs:*) IMAGE=${1#*:} ;;
    *) IMAGE=hostile ;;
  esac
  OPTIONS=(--network "$network" --cgroup-parent "$parent" "${LIMITS[@]}" "${others[@]}")
}
run_with_podman() { capture "${PODMAN[@]}" "${GLOBALS[@]}" run --rm "${OPTIONS[@]}" "$IMAGE" sh -c "$1"; }
SPELLING=podman
ENGINE=podman
podman import -q -c 'CMD ["sh"]' - docker.io/library/hostile:latest <"$E2E_WORK/hostile.tar" >/dev/null
podman tag docker.io/library/hostile:latest docker.io/library/pinned:1
attacks
request_of_podman user:0
"${PODMAN[@]}" run -d --name living "${OPTIONS[@]}" hostile sleep 600 >/dev/null
capture "${PODMAN[@]}" exec --privileged living grep CapBnd /proc/self/status
covers capabilities
guards "podman: exec --privileged has no more than the container" status_field CapBnd 0000000000000400
"${PODMAN[@]}" rm -f -t 0 living >/dev/null
podman rmi -f hostile pinned:1 >/dev/null

# --- containerd's client: what it has no option for stands in a document that it is given ---
export CONTAINERD_NAMESPACE=e2e
NUMBER=0
names_of_capabilities() { capsh --print | sed -n 's/^Bounding set =//p' | tr , '\n' | tr '[:lower:]' '[:upper:]'; }
request_of_ctr() {
  local word value source destination options name document=.
  OPTIONS=() IMAGE=docker.io/library/hostile:latest CONFIG='' PARENT=$E2E_CGROUP
  for word; do
    value=${word#*:}
    IFS=: read -r source destination options <<<"$value"
    case "$word" in
      cap:ALL) for name in $(names_of_capabilities); do OPTIONS+=(--cap-add "$name"); done ;;
      privileged) OPTIONS+=(--privileged) ;;
      cap:*) OPTIONS+=(--cap-add "CAP_$value") ;;
      unfiltered | unconfined) ;;  # it has neither
      mount:*) OPTIONS+=(--mount "type=bind,src=$source,dst=$destination,options=rbind:${options:-rw}") ;;
      tmpfs:*) OPTIONS+=(--mount "type=tmpfs,src=tmpfs,dst=$source,options=$destination") ;;
      ns:network) OPTIONS+=(--net-host) ;;
      ns:*) OPTIONS+=(--with-ns "$value:/proc/self/ns/$value") ;;
      device:*) OPTIONS+=(--device "$value") ;;
      cwd:*) OPTIONS+=(--cwd "$value") ;;
      cgroup:*) PARENT=$value ;;
      annotation:*) OPTIONS+=(--annotation "$value") ;;
      image:*) IMAGE=docker.io/library/$value ;;
      rootfs:*) OPTIONS+=(--rootfs) IMAGE=$value ;;
      user:*) CONFIG=1 document+=" | .process.user = {uid: $value, gid: $value}" ;;
      unmasked) CONFIG=1 document+=' | del(.linux.maskedPaths, .linux.readonlyPaths)' ;;
      device-rule:*) CONFIG=1 document+=' | .linux.resources.devices += [{allow: true, type: "c", major: 1, minor: 11, access: "rwm"}]' ;;
      sysctl:*) CONFIG=1 document+=" | .linux.sysctl = {\"${value%%=*}\": \"${value#*=}\"}" ;;
      hook) CONFIG=1 document+=" | .hooks.prestart = [{path: \"$E2E_WORK/hook\"}]" ;;
      no-pids-limit) OPTIONS+=(--mount "type=cgroup,src=cgroup,dst=/sys/fs/cgroup,options=ro") ;;  # to look at
      *) return 1 ;;
    esac
  done
  [ -z "$CONFIG" ] || CONFIG=$(make_bundle hostile "$document | .root.path = \"$LISTED\"")/config.json
}
run_with_ctr() {
  NUMBER=$((NUMBER + 1))
  local id=hostile-$NUMBER
  if [ -n "$CONFIG" ]; then
    jq --arg script "$1" --arg cgroup "$E2E_CGROUP/$id" '.process.args = ["sh", "-c", $script] |
      .linux.cgroupsPath = $cgroup' "$CONFIG" >"$CONFIG.new"
    capture ctr run --rm --runc-binary "$PROGRAM" --config "$CONFIG.new" "$id"
  else
    capture "${CTR_RUN[@]}" --rm --runc-binary "$PROGRAM" --cgroup "$PARENT/$id" "${OPTIONS[@]}" "$IMAGE" "$id" /bin/sh -c "$1"
  fi
  ctr container rm "$id" 2>/dev/null
}
SPELLING=ctr
ENGINE=ctr
docker_images
docker save hostile pinned:1 -o "$E2E_WORK/hostile.tar"
ctr image import "$E2E_WORK/hostile.tar" >/dev/null
docker rmi -f hostile pinned:1 >/dev/null
attacks
capture "${CTR_RUN[@]}" -d --cgroup "$E2E_CGROUP/living" --runc-binary "$PROGRAM" docker.io/library/hostile:latest living sleep 600
capture "$PROGRAM" --root /run/containerd/runc/e2e exec --cap CAP_SYS_ADMIN living grep CapBnd /proc/self/status
covers capabilities
guards "ctr: runc exec --cap has no more than the container" status_field CapBnd 0000000000000400
ctr task kill -s KILL living
eventually 5 sh -c 'ctr task ls | grep -q STOPPED'
ctr task delete living >/dev/null 2>&1
ctr container delete living
ctr image rm docker.io/library/{hostile:latest,pinned:1} >/dev/null
find /sys/fs/cgroup -depth -type d -path "*/elsewhere*" -exec rmdir {} + 2>/dev/null
rm -r "$DIRECTORY/images"
