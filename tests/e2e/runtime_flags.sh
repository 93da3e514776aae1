#!/bin/bash
# What users of podman and buildah can pass to the runtime with --runtime-flag: a policy and a program that they
# have put into an image, a volume or a secret. An engine writes these as root.
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"

# The program alone, without flags of the host's. Plain runc has no such flags: an earlier runclad did what this does.
mkdir -p "$E2E_WORK/runtimes/bare"
RUNTIME=$E2E_WORK/runtimes/bare/runclad
if [ "$E2E_PROVE" = 1 ]; then
  cat >"$RUNTIME" <<WRAPPER
#!/bin/sh
runtime=$E2E_PLAIN
while true; do
  case "\$1" in
    --runclad-runtime=*|--criu=*) runtime=\${1#*=} ;;
    --runclad-*) ;;
    *) break ;;
  esac
  shift
done
exec "\$runtime" "\$@"
WRAPPER
else
  printf '#!/bin/sh\nexec %s "$@"\n' "$E2E_PROGRAM" >"$RUNTIME"
fi
chmod 755 "$RUNTIME"
PODMAN=(podman --cgroup-manager cgroupfs --events-backend file --runtime "$RUNTIME")

# --- the image: a policy that enforces nothing, and a program ---
CONTENT=$E2E_WORK/supplied
RAN=$E2E_SRV/program-ran
mkdir -p "$CONTENT"
cp -a "$E2E_WORK/rootfs" "$CONTENT/rootfs"
mkdir "$CONTENT/rootfs/policy"
printf '{"mode": "audit", "log": {"target": "file:%s"}}\n' "$E2E_WORK/supplied/log" >"$CONTENT/rootfs/policy/policy.json"
printf '#!/bin/sh\nid -u >%s\nexec %s "$@"\n' "$RAN" "$E2E_PLAIN" >"$CONTENT/rootfs/policy/runc"
chmod 755 "$CONTENT/rootfs/policy/runc"
tar -C "$CONTENT/rootfs" -c . | podman import -q -c 'CMD ["sh"]' - supplier >/dev/null
tar -C "$E2E_WORK/rootfs" -c . | podman import -q -c 'CMD ["sh"]' - box >/dev/null
MERGED=$(podman image mount supplier)
LAYER=/var/lib/containers/storage/overlay/$(podman image inspect --format '{{.RootFS}}' supplier | grep -oE '[0-9a-f]{64}')/diff
holds "the layer holds the policy, and it is root's" test "$(stat -c %u "$LAYER/policy/policy.json")" = 0
podman volume create supplied >/dev/null
VOLUME=$(podman volume inspect -f '{{.Mountpoint}}' supplied)
cp -a "$CONTENT/rootfs/policy" "$VOLUME/policy"
mkdir -p "$E2E_SRV/alias" && mount --bind "$VOLUME" "$E2E_SRV/alias"
ln -s "$LAYER/policy" "$E2E_WORK/supplied/link"
cp -a "$CONTENT/rootfs/policy" "$E2E_SRV/policy"
# Root has mounted elsewhere what containers may mount.
mkdir -p "$E2E_WORK/supplied/alias" && mount --bind "$E2E_SRV/policy" "$E2E_WORK/supplied/alias"
# Of the host's own, so under names of this run.
CONTEXT=/var/tmp/libpod_builder-${E2E_CGROUP#/}
SHARED=/dev/shm/${E2E_CGROUP#/}
for directory in "$CONTEXT" "$SHARED"; do
  mkdir -p "$directory" && cp -a "$CONTENT/rootfs/policy" "$directory/policy"
done
sleep 600 3<"$LAYER/policy" &
HOLDER=$!

NETWORK=(--network none --cgroup-parent "$E2E_CGROUP")
gets_all() { out_has CapBnd && ! out_has 0000000000000400; }
with_flags() {  # FLAG…: what a container gets with them
  local flag flags=()
  for flag in "$@"; do flags+=(--runtime-flag "$flag"); done
  rm -f "$RAN"
  capture "${PODMAN[@]}" "${flags[@]}" run --rm "${NETWORK[@]}" --cap-add ALL --security-opt seccomp=unconfined \
    box grep CapBnd /proc/self/status
}
# One that the host's root has made.
HOSTS=$E2E_WORK/hosts
mkdir -p "$HOSTS" && cp "$E2E_POLICIES/runclad/policy.json" "$E2E_PLAIN" "$HOSTS"
for place in "$LAYER/policy" "$MERGED/policy" "$VOLUME/policy" "$E2E_SRV/alias/policy" "$E2E_WORK/supplied/link" \
  "$E2E_SRV/policy" "$E2E_WORK/supplied/alias" "$CONTEXT/policy" "$SHARED/policy" "/proc/$HOLDER/fd/3" \
  "/proc/$HOLDER/root$LAYER/policy" "/proc/self/root$LAYER/policy" "/usr/../$LAYER/policy"; do
  name=${place/$LAYER/LAYER} name=${name/$MERGED/MERGED} name=${name/$HOLDER/PID}
  with_flags "runclad-config=$place"
  guards "podman --runtime-flag runclad-config=$name gives no container more" not gets_all
  [ "$E2E_PROVE" = 1 ] || holds "and is refused by name" err_has "--runclad-config"
  with_flags "runclad-runtime=$place/runc"
  guards "podman --runtime-flag runclad-runtime=$name/runc runs nothing on the host" test ! -e "$RAN"
  [ "$E2E_PROVE" = 1 ] || holds "and is refused by name, too" err_has "(--runclad-runtime)"
done
kill "$HOLDER"

# Every verb executes the lower runtime, also those for which no policy is read.
for verb in list "state nothing" "kill nothing" --version features; do
  rm -f "$RAN"
  # shellcheck disable=SC2086  # words
  capture "$RUNTIME" "--runclad-runtime=$LAYER/policy/runc" $verb
  guards "nor does ${verb%% *} run it" test ! -e "$RAN"
done
rm -f "$RAN"
capture "$RUNTIME" "--criu=$LAYER/policy/runc" checkpoint nothing
guards "nor does checkpoint run what --criu names" test ! -e "$RAN"
[ "$E2E_PROVE" = 1 ] || holds "and says so" err_has "(--criu)"

# --- a secret, whose content is what the user typed ---
printf '{"mode": "audit"}' | podman secret create policy.json - >/dev/null
capture "${PODMAN[@]}" --runtime-flag "runclad-config=$HOSTS" run -d --name holder "${NETWORK[@]}" --secret policy.json box sleep 600
holds "a container with a secret runs" succeeded
SECRETS=$(find /run/containers /var/lib/containers -type d -path '*userdata*/secrets' 2>/dev/null | head -n 1)
holds "the secret is a file of podman's" test -n "$SECRETS"
with_flags "runclad-config=$SECRETS"
guards "podman --runtime-flag runclad-config= of a secret gives no container more" not gets_all
[ "$E2E_PROVE" = 1 ] || holds "and is refused by name" err_has "--runclad-config"
# And what acts on a container that exists.
capture "${PODMAN[@]}" --runtime-flag "runclad-config=$LAYER/policy" exec --privileged holder grep CapBnd /proc/self/status
guards "nor does it give an exec more" not gets_all
capture "${PODMAN[@]}" rm -f -t 1 holder
holds "the container can be removed" succeeded
podman secret rm policy.json >/dev/null

# --- buildah ---
from=$(buildah from --pull-never localhost/box 2>/dev/null || buildah from --pull-never box)
capture buildah run --runtime "$RUNTIME" --runtime-flag "runclad-config=$LAYER/policy" \
  --network none "$from" grep CapBnd /proc/self/status
guards "buildah run --runtime-flag runclad-config= gives no step more" not gets_all
rm -f "$RAN"
capture buildah run --runtime "$RUNTIME" --runtime-flag "runclad-runtime=$LAYER/policy/runc" --network none "$from" true
guards "buildah run --runtime-flag runclad-runtime= runs nothing on the host" test ! -e "$RAN"
buildah rm "$from" >/dev/null

# --- what only some container may write: under the policy in /etc/runclad, of which this is a copy ---
mkdir -p "$E2E_WORK"/etc{,-work}
mount -t overlay -o "lowerdir=/etc,upperdir=$E2E_WORK/etc,workdir=$E2E_WORK/etc-work" overlay /etc
rm -rf /etc/runclad
mkdir -p /etc/runclad/images/docker.io/library /etc/runclad/alias
for place in image waiver root; do cp -a "$CONTENT/rootfs/policy" "$E2E_WORK/supplied/$place"; done
mkdir -p "$E2E_WORK/supplied/tree" && cp -a "$CONTENT/rootfs/policy" "$E2E_WORK/supplied/tree/images"
cp "$CONTENT/rootfs/policy/policy.json" "$E2E_WORK/supplied/tree"
printf '{"rules": {"host-mounts": {"allow": ["%s", "%s"]}}}\n' "$E2E_WORK/supplied/image" \
  "$E2E_WORK/supplied/tree/images" >/etc/runclad/images/docker.io/library/nginx.json
# A container that is given / is root on the host, which says nothing about the others.
printf '{"waivers": [{"rule": "host-mounts", "reason": "test", "exactly": ["bind %s rw", "bind / rw"]}]}\n' \
  "$E2E_WORK/supplied/waiver" >/etc/runclad/images/docker.io/library/redis.json
printf '{"builds": "build", "rules": {"rootfs-path": {"allow": ["%s"]}}}\n' "$E2E_WORK/supplied/root" \
  >/etc/runclad/policy.json
BUILT=/opt/${E2E_CGROUP#/}
mkdir -p "$BUILT" && cp -a "$CONTENT/rootfs/policy" "$BUILT/policy"
mount --bind "$E2E_SRV/policy" /etc/runclad/alias
for place in "$E2E_WORK/supplied/image" "$E2E_WORK/supplied/tree" "$E2E_WORK/supplied/waiver" \
  "$E2E_WORK/supplied/root" "$BUILT/policy" /etc/runclad/alias; do
  with_flags "runclad-config=$place"
  guards "podman --runtime-flag runclad-config=${place/$BUILT/BUILT} gives no container more" not gets_all
  [ "$E2E_PROVE" = 1 ] || holds "and is refused, as a container could write there" err_has "could be changed by a container"
done

# --- files that the lower runtime writes as root: through a link that a container has made ---
VICTIM=$E2E_WORK/victim
mkdir -p "$VICTIM" "$E2E_SRV/app"
ln -s "$VICTIM" "$E2E_SRV/app/link"
ln -s "$VICTIM" "$E2E_WORK/supplied/image/link"
rm -f "$RAN"
for place in "$E2E_SRV/app/link" "$E2E_WORK/supplied/image/link"; do
  for verb in "state nothing" "kill nothing KILL" "exec nothing true" "delete nothing" list; do
    rm -f "$VICTIM/log"
    # shellcheck disable=SC2086  # words
    capture "$RUNTIME" "--log=$place/log" $verb
    guards "${verb%% *} --log=${place/$E2E_SRV/SRV}/log writes nothing through the link" test ! -e "$VICTIM/log"
    [ "$E2E_PROVE" = 1 ] || holds "and says so" err_has "of --log"
  done
  rm -f "$VICTIM/log"
  capture "${PODMAN[@]}" --runtime-flag "log=$place/log" run --rm "${NETWORK[@]}" box true
  guards "nor does podman --runtime-flag log= write there" test ! -e "$VICTIM/log"
  capture "$RUNTIME" "--log=$place/log" --no-such-flag list
  guards "nor does a call that cannot be parsed" test ! -e "$VICTIM/log"
done
rm -f "$VICTIM/log"
capture "$RUNTIME" "--runclad-runtime=$(command -v crun)" "--log=file:$E2E_SRV/app/link/log" kill nothing KILL
guards "kill --log=file: (crun) writes nothing through the link" test ! -e "$VICTIM/log"
capture "$RUNTIME" "--log=$E2E_WORK/log" kill nothing KILL
holds "a log in a directory that only root can write to is written" test -s "$E2E_WORK/log"
umount /etc/runclad/alias && umount --lazy /etc
rm -rf "$BUILT" "$E2E_SRV/app"

# --- what the host's root has made is taken ---
with_flags "runclad-config=$HOSTS" "runclad-runtime=$HOSTS/${E2E_PLAIN##*/}"
holds "a policy and a program of the host are accepted" succeeded
guards "and the policy holds" status_field CapBnd 0000000000000400
umount "$E2E_SRV/alias" "$E2E_WORK/supplied/alias"
podman image unmount supplier >/dev/null
podman volume rm supplied >/dev/null
rm -rf "$CONTEXT" "$SHARED" "$E2E_SRV/policy"
