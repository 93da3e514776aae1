#!/bin/bash
# What was checked is what runs: between the check and the program, somebody replaces a mount's source, moves
# its mount point, or mounts something else, and requests try to prevent that from being noticed. Here the
# lower runtime itself replaces the source when it is called to create, and files are moved between create
# and start, so that every attempt succeeds under plain runc.
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"
covers host-mounts

PLACE=$E2E_SRV/promise
SOURCE=$PLACE/source
SWAP=$E2E_WORK/swap
mkdir -p "$PLACE/host" "$SWAP"
echo "of the host" >"$PLACE/host/who"

# A lower runtime: what is in $SWAP/now is done on create or run, once.
cat >"$SWAP/runc" <<SH
#!/bin/sh
for argument; do
  if { [ "\$argument" = create ] || [ "\$argument" = run ]; } && [ -x $SWAP/now ]; then
    $SWAP/now
    rm $SWAP/now
  fi
done
exec $E2E_PLAIN "\$@"
SH
# The runtime under test in front of it; also by the name that podman and containerd look for.
if [ "$E2E_PROVE" = 1 ]; then
  cp "$SWAP/runc" "$SWAP/runtime"
else
  printf '#!/bin/sh\nexec %s --runclad-config=%s --runclad-runtime=%s "$@"\n' \
    "$E2E_PROGRAM" "$E2E_POLICIES/runclad" "$SWAP/runc" >"$SWAP/runtime"
fi
mkdir "$SWAP/closed"
cp "$SWAP/runtime" "$SWAP/closed/runc"
chmod 755 "$SWAP/runc" "$SWAP/runtime" "$SWAP/closed/runc"
cp "$E2E_WORK/daemon.json" "$SWAP/daemon.json"
jq --arg path "$SWAP/runtime" '.runtimes.own = {path: $path}' "$SWAP/daemon.json" \
  >"$E2E_WORK/daemon.json"
kill -HUP "$E2E_DOCKERD_PID"
eventually 5 sh -c 'docker info --format "{{json .Runtimes}}" | grep -q swap/runtime'

# The source as it is when the request is judged, and what becomes of it.
prepare() {  # [COMMAND: in place of the exchange of $SOURCE]
  rm -rf "$SOURCE" "$PLACE/was"
  mkdir "$SOURCE"
  echo "of the source" >"$SOURCE/who"
  printf '#!/bin/sh\n%s\n' "${1:-mv $SOURCE $PLACE/was && ln -s $PLACE/host $SOURCE}" >"$SWAP/now"
  chmod 755 "$SWAP/now"
}
untouched() { prepare true; }
docker_reads() {  # OPTION… : reads $FILE
  capture docker run --rm --network none --runtime own "$@" "${IMAGE:-box}" cat "${FILE:-/v/who}"
}

untouched
docker_reads -v "$SOURCE:/v"
holds "an unchanged bind" out_is "of the source"
prepare
docker_reads -v "$SOURCE:/v"
guards "a source that is replaced after the check" out_lacks "of the host"

# --- requests that would keep the comparison from being made ---
by_api() {  # JSON of HostConfig: prints what the container says
  local id
  capture curl -sS --unix-socket "$E2E_WORK/docker.sock" -H 'Content-Type: application/json' \
    -d "$(jq -n --argjson host "$1" '{Image: "box", Cmd: ["cat", "/v/who"],
          HostConfig: ({NetworkMode: "none", Runtime: "own"} + $host)}')" \
    "http://localhost/v1.41/containers/create"
  id=$(jq -r .Id <<<"$OUT")
  capture docker start -a "$id"
  docker rm -f "$id" >/dev/null
}
prepare
by_api "{\"Binds\": [\"$SOURCE:/v\"], \"MaskedPaths\": [\"/\"]}"
guards "Docker's API with MaskedPaths /" out_lacks "of the host"
prepare
by_api "{\"Binds\": [\"$SOURCE:/v\"], \"ReadonlyPaths\": [\"/\"]}"
guards "Docker's API with ReadonlyPaths /" out_lacks "of the host"

# The image leads /l/m to /, and in the volume that is mounted at /l it is a directory: the tmpfs
# covers everything for who looks at the image alone.
mkdir -p "$E2E_WORK/linked/l"
ln -s / "$E2E_WORK/linked/l/m"
cp -a "$E2E_WORK/rootfs/." "$E2E_WORK/linked/"
tar -C "$E2E_WORK/linked" -c . | docker import - linked >/dev/null
docker volume create --label e2e led >/dev/null
docker run --rm --network none --runtime plain -v led:/l box mkdir /l/m
prepare
IMAGE=linked docker_reads -v led:/l -v "$SOURCE:/v" --tmpfs /l/m
guards "a link in the image at a later mount's destination" out_lacks "of the host"

# --- a named volume, whose directory is the engine's ---
data=$(docker volume inspect --format '{{.Mountpoint}}' led)
docker run --rm --network none --runtime plain -v led:/l box sh -c 'echo "of the volume" >/l/who'
untouched
FILE=/l/who docker_reads -v led:/l
holds "an unchanged named volume" out_is "of the volume"
prepare "mv $data $data.was && ln -s $PLACE/host $data"
FILE=/l/who docker_reads -v led:/l
guards "a named volume that is replaced" out_lacks "of the host"
rm "$data" && mv "$data.was" "$data"
docker volume rm led >/dev/null

# --- podman ---
tar -C "$E2E_WORK/rootfs" -c . | podman import -q -c 'CMD ["sh"]' - box >/dev/null
podman_reads() {
  capture podman --cgroup-manager cgroupfs --events-backend file --runtime "$SWAP/closed/runc" \
    run --rm --network none --cgroup-parent "$E2E_CGROUP" --ulimit nofile=1024:2048 \
    --ulimit nproc=1000:2000 "$@" box cat /v/who
}
untouched
podman_reads -v "$SOURCE:/v"
holds "podman: an unchanged bind" out_is "of the source"
prepare
podman_reads --security-opt mask=/ -v "$SOURCE:/v"
guards "podman --security-opt mask=/" out_lacks "of the host"
prepare
podman_reads -v "$SOURCE:/v:ro"
guards "podman -v :ro" out_lacks "of the host"
podman rmi -f box >/dev/null

# --- by hand: what happens between create and start ---
RUNTIME_BEFORE=$E2E_RUNTIME
E2E_RUNTIME=$SWAP/runtime
bound() {  # NAME MOUNTS [JQ-FILTER]
  make_bundle "$1" ".mounts += $2 | .process.args = [\"sh\", \"-c\", \"cat /v/who; cat /v/*/who; sleep 600\"]
    | ${3:-.}" >/dev/null
  capture_runtime create --bundle "$E2E_WORK/bundles/$1" "$1"
}
bind() {  # SOURCE DESTINATION OPTION…
  local source=$1 destination=$2
  shift 2
  printf '{"destination": "%s", "type": "bind", "source": "%s", "options": %s}' \
    "$destination" "$source" "$(jq -n -c '$ARGS.positional' --args -- "$@")"
}
start() {  # NAME
  capture_runtime start "$1"
  eventually 2 state_is "$1" running || true
}

# The source is exchanged, then the mount point that shows it is renamed, and the right directory put
# where it was: what stands at the destination is what was judged.
prepare
mkdir -p "$PLACE/volume/m"
bound moved "[$(bind "$PLACE/volume" /v bind), $(bind "$SOURCE" /v/m bind)]"
mv "$PLACE/volume/m" "$PLACE/volume/h" && mv "$PLACE/was" "$PLACE/volume/m"
start moved
guards "a mount point that is renamed between create and start" not state_is moved running
discard moved
rm -rf "$PLACE/volume"

# The root filesystem is writable, and the line of / in the mount table that says so is not the
# last one.
bundle=$(make_bundle promised)
cp "$bundle/config.json" "$E2E_WORK/plain.json"
capture_runtime create --bundle "$bundle" promised
discard promised
jq '.root.readonly = false | .linux.maskedPaths += ["/"]' "$bundle/config.json" >"$E2E_WORK/plain.json"
cp "$E2E_WORK/plain.json" "$bundle/config.json"
capture_plain create --bundle "$bundle" promised
holds "a container whose root is writable below a mask of /" state_is promised created
start promised
guards "does not start" not state_is promised running
capture_runtime delete --force promised

# A mount that nobody asked for, in a place where there was none.
untouched
bound added "[$(bind "$SOURCE" /v bind)]"
nsenter --target "$(pid_of added)" --mount mount -t tmpfs none /srv
start added
guards "a mount that was not requested" not state_is added running
discard added

# Limits.
if needs_controller pids "a limit that was lifted"; then
  untouched
  bound limited "[$(bind "$SOURCE" /v bind)]" '.linux.resources.pids = {limit: 100}'
  holds "a container with a process limit" state_is limited created
  pids=$(awk -F: '$2 ~ /(^|,)pids(,|$)/ {print $3}' "/proc/$(pid_of limited)/cgroup")
  pids_file=$(awk '$9 == "cgroup" && $NF ~ /(^|,)pids(,|$)/ {print $5; exit}' /proc/self/mountinfo)$pids/pids.max
  [ -e "$pids_file" ] || pids_file=/sys/fs/cgroup$(awk -F: '$1 == 0 {print $3}' "/proc/$(pid_of limited)/cgroup")/pids.max
  echo max >"$pids_file"
  start limited
  guards "a limit that was removed" not state_is limited running
  discard limited
fi

# What the host mounts below a volume that receives mounts: judged like the volume itself.
mkdir -p "$PLACE/shared/late"
mount --bind "$PLACE/shared" "$PLACE/shared" && mount --make-shared "$PLACE/shared"
late() {  # NAME
  untouched
  bound "$1" "[$(bind "$PLACE/shared" /v rbind rslave)]"
}
late automount
mount -t tmpfs none "$PLACE/shared/late"
start automount
holds "a file system that the host mounts in the meantime" state_is automount running
discard automount
umount "$PLACE/shared/late"
late foreign
mount --bind /etc "$PLACE/shared/late"
start foreign
guards "the host's /etc that is mounted in the meantime" not state_is foreign running
discard foreign
umount "$PLACE/shared/late"
umount "$PLACE/shared"

# A bind below another one, which its source's writer may exchange: nobody can see what is mounted
# there, so it does not start.
mkdir -p "$PLACE/theirs/source" "$PLACE/over/inner"
chown 1000 "$PLACE/theirs"
untouched
bound covered "[$(bind "$PLACE/theirs/source" /v/inner bind), $(bind "$PLACE/over" /v bind)]"
start covered
guards "a covered bind whose source others can replace" not state_is covered running
[ "$E2E_PROVE" = 1 ] || holds "and a way out is named" err_has "mount it after the one"
discard covered
untouched
# Nobody may mount a directory above this one, which the policy lists by itself.
listed=$E2E_WORK/listed
mkdir -p "$listed" "$E2E_POLICIES/runclad/policy.d"
printf '{"rules": {"host-mounts": {"allow": ["%s"]}}}\n' "$listed" \
  >"$E2E_POLICIES/runclad/policy.d/listed.json"
bound covered "[$(bind "$listed" /v/inner bind), $(bind "$PLACE/over" /v bind)]"
start covered
holds "one that only root can replace starts" state_is covered running
rm -r "$E2E_POLICIES/runclad/policy.d"
discard covered

# Nothing is compared after `run`: a root filesystem below a directory of another user's.
bundle=$(make_bundle rooted '.root.path = "theirs/rootfs" | .process.args = ["cat", "/who"]')
mkdir "$bundle/theirs"
mv "$bundle/rootfs" "$bundle/theirs/rootfs"
cp -a "$bundle/theirs/rootfs" "$bundle/theirs/other"
echo "of the root" >"$bundle/theirs/rootfs/who"
echo "of another" >"$bundle/theirs/other/who"
chown 1000 "$bundle/theirs"
prepare "mv $bundle/theirs/rootfs $bundle/theirs/was && mv $bundle/theirs/other $bundle/theirs/rootfs"
capture_runtime run --bundle "$bundle" rooted
guards "run: a root filesystem that is replaced after the check" out_is "of the root"
E2E_RUNTIME=$RUNTIME_BEFORE

# exec into a container that `run` made and nobody verified, and that has a mount which nobody judged.
untouched
bundle=$(make_bundle ran)
capture_runtime run --detach --bundle "$bundle" ran
capture_runtime exec ran true
holds "exec into a container that run created" succeeded
capture_runtime delete --force ran
capture_runtime run --detach --bundle "$bundle" ran
nsenter --target "$(pid_of ran)" --mount mount -t tmpfs none /srv
capture_runtime exec ran true
guards "exec into a container that run created, with a mount that was not checked" failed
capture_runtime delete --force ran

# --- after a refusal nothing stays ---
docker save box -o "$E2E_WORK/box.tar"
ctr -n promise image import "$E2E_WORK/box.tar" >/dev/null
rm "$E2E_WORK/box.tar"
no_shim() { ! pgrep -f 'containerd-shim.* -namespace promise ' >/dev/null; }
# ctr now and then loses what a short task prints: the container writes what it reads into a file.
mkdir "$PLACE/answers"
has_read() {  # NUMBER WORDS
  [ "$STATUS" -ne 0 ] || [ -s "$PLACE/answers/$1" ] || return "$UNDECIDED"
  grep -qsxF "$2" "$PLACE/answers/$1"
}
ctr_reads() {  # NUMBER
  capture env CONTAINERD_NAMESPACE=promise timeout 240 "${CTR_RUN[@]}" --rm --cgroup "$E2E_CGROUP/p$1" \
    --runc-binary "$SWAP/closed/runc" --mount "type=bind,src=$SOURCE,dst=/v,options=rbind:ro" \
    --mount "type=bind,src=$PLACE/answers,dst=/answers,options=rbind:rw" \
    docker.io/library/box:latest "p$1" sh -c "cat /v/who >/answers/$1"
}
untouched
ctr_reads 0
holds "ctr: an unchanged bind" has_read 0 "of the source"
for number in 1 2 3 4; do
  prepare
  ctr_reads "$number"
  guards "ctr: a source that is replaced ($number)" not has_read "$number" "of the host"
done
holds "containerd has no task left" test -z "$(ctr -n promise task ls -q)"
holds "and no shim is left" eventually 10 no_shim
for container in $(ctr -n promise container ls -q); do ctr -n promise container rm "$container"; done
ctr -n promise image rm docker.io/library/box:latest >/dev/null

docker rmi -f linked >/dev/null
mv "$SWAP/daemon.json" "$E2E_WORK/daemon.json"
kill -HUP "$E2E_DOCKERD_PID"
