#!/bin/bash
# podman: conmon calls the runtime, no --root, --log only when it knows the runtime's name.
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"

PODMAN=(podman --cgroup-manager cgroupfs --events-backend file --runtime)
# Limits that this machine may not be allowed to raise.
LIMITS=(--ulimit nofile=1024:2048 --ulimit nproc=1000:2000)
OPTIONS=(--cgroup-parent "$E2E_CGROUP" "${LIMITS[@]}")
PROGRAM=$E2E_WORK/runtimes/runclad/runclad
podman_run() {
  capture "${PODMAN[@]}" "$PROGRAM" run --rm --network "${NETWORK:-none}" "${OPTIONS[@]}" "$@"
}
tar -C "$E2E_WORK/rootfs" -c . | podman import -q -c 'CMD ["sh"]' - box >/dev/null

podman_run box grep -E 'Cap|NoNew|Seccomp' /proc/self/status
holds "podman run" succeeded
guards "podman run: CapBnd" status_field CapBnd 0000000000000400
guards "podman run: NoNewPrivs" status_field NoNewPrivs 1
holds "podman run: Seccomp" status_field Seccomp 2
podman_run box sh -c 'exit 12'
holds "podman run: the exit status is passed on" status_is 12
podman_run box sh -c 'echo x >/tmp/x && cat /tmp/x'
holds "podman run writes to /tmp" out_is x
podman_run box sh -c 'echo x >/written'
guards "podman run does not write to /" failed
podman_run box sh -c 'test -e /run/.containerenv && cat /etc/hostname'
holds "podman's /run/.containerenv and /etc/hostname" grep -qE '^[0-9a-f]{12}$' <<<"$OUT"
podman_run -t box tty
holds "podman run -t" out_has /dev/pts/0
podman_run -v "$E2E_SRV:/srv" box test -d /srv
holds "podman run -v below /srv" succeeded
podman_run -v pv:/data box sh -c 'echo x >/data/x && cat /data/x'
holds "podman run with a named volume" out_is x
# A part of a volume is mounted from podman's own directory, where it is bound to.
if engine_is podman 5.4; then
  podman_run -v pv:/data box mkdir -p /data/part
  podman_run --mount type=volume,src=pv,dst=/part,subpath=/part box sh -c 'echo part >/part/x && cat /part/x'
  holds "podman run with a part of a named volume" out_is part
  podman_run -v pv:/data box cat /data/part/x
  holds "… which is the volume's" out_is part
fi
podman volume rm pv >/dev/null
# Overlays: nothing compares the layers that the kernel mounted with those that were judged.
mkdir -p "$E2E_SRV"/layers/{root,stranger}/{data,upper,work}
chown 1000 "$E2E_SRV/layers/stranger"
for owner in root stranger; do
  echo "of $owner" >"$E2E_SRV/layers/$owner/data/x"
  podman_run -v "$E2E_SRV/layers/$owner/data:/data:O" box \
    sh -c 'cat /data/x; echo y >/data/x && cat /data/x'
  holds "podman run -v …:O of a directory that $owner may replace" \
    test "$(paste -sd ' ' <<<"$OUT")" = "of $owner y"
  holds "podman run -v …:O leaves the directory as it was" \
    grep -qxF "of $owner" "$E2E_SRV/layers/$owner/data/x"
done
layers=$E2E_SRV/layers/stranger
podman_run -v "$layers/data:/data:O,upperdir=$layers/upper,workdir=$layers/work" box true
guards "podman run -v …:O,upperdir= of a directory that others may replace" \
  refused host-mounts '/mounts/[0-9]+/options' "$layers/upper"
guards "podman run -v …:O,upperdir=: the refusal names the setting" err_has "could be replaced by"
podman_run --cap-add SYS_ADMIN box grep -E 'Cap|NoNew|Seccomp' /proc/self/status
guards "podman run --cap-add" status_field CapBnd 0000000000000400
podman_run box probe keyctl
guards "podman's own profile is tightened: keyctl" out_is EPERM
podman_run --security-opt seccomp=unconfined box probe unshare-user
guards "podman run --security-opt seccomp=unconfined" out_is EPERM
podman_run --init box cat /proc/1/comm
holds "podman run --init" grep -qE 'podman-init|catatonit' <<<"$OUT"
podman_run --read-only box true
holds "podman run --read-only" succeeded

for program in "$PROGRAM" "$E2E_WORK/runtimes/runclad/closed/runc"; do
  PROGRAM=$program
  name=${program##*/}
  podman_run -v /:/host box test -f /host/etc/debian_version
  guards "podman ($name) run -v /:/host: the sentence is shown" \
    refused host-mounts '/mounts/[0-9]+/source' '"/"'
  podman_run --pid host box true
  guards "podman ($name) run --pid host" refused host-namespaces '/linux/namespaces[^ ]*' pid
done
PROGRAM=$E2E_WORK/runtimes/runclad/runclad
NETWORK=host podman_run box true
guards "podman run --network host" refused host-namespaces '/linux/namespaces[^ ]*' network
NETWORK=ns:/proc/self/ns/net podman_run box true
guards "podman run --network ns:/proc/self/ns/net" \
  refused host-namespaces '/linux/namespaces[^ ]*' /proc/self/ns/net
podman_run --ipc host box true
guards "podman run --ipc host" refused host-namespaces '/linux/namespaces[^ ]*' ipc
podman_run --uts host box true
guards "podman run --uts host" refused host-namespaces '/linux/namespaces[^ ]*' uts
podman_run -v /run:/host box true
guards "podman run -v /run" refused host-mounts '/mounts/[0-9]+/source' '"/run"'

# --- a container that lives ---
capture "${PODMAN[@]}" "$PROGRAM" run -d --name living --network none "${OPTIONS[@]}" \
  --health-cmd 'id -u' box sleep 600
holds "podman run -d" succeeded
capture "${PODMAN[@]}" "$PROGRAM" exec living grep -E 'Cap|NoNew|Seccomp' /proc/self/status
guards "podman exec: CapBnd" status_field CapBnd 0000000000000400
guards "podman exec: NoNewPrivs" status_field NoNewPrivs 1
capture "${PODMAN[@]}" "$PROGRAM" exec --privileged living grep -E 'Cap|NoNew' /proc/self/status
guards "podman exec --privileged: CapBnd" status_field CapBnd 0000000000000400
guards "podman exec --privileged: NoNewPrivs" status_field NoNewPrivs 1
capture "${PODMAN[@]}" "$PROGRAM" exec -u 1000 living setuid-probe
guards "podman exec -u: a set-user-ID program keeps the user" out_is 1000
capture "${PODMAN[@]}" "$PROGRAM" exec living sh -c 'exit 4'
holds "podman exec: the exit status is passed on" status_is 4
capture "${PODMAN[@]}" "$PROGRAM" healthcheck run living
holds "podman healthcheck run" succeeded
NETWORK=container:living podman_run box true
holds "podman run --network container: of a hardened container" succeeded
capture "${PODMAN[@]}" "$PROGRAM" top living pid
holds "podman top" succeeded
capture "${PODMAN[@]}" "$PROGRAM" pause living
holds "podman pause" succeeded
capture "${PODMAN[@]}" "$PROGRAM" unpause living
holds "podman unpause" succeeded
capture "${PODMAN[@]}" "$PROGRAM" stop -t 1 living
holds "podman stop" succeeded
capture "${PODMAN[@]}" "$PROGRAM" start living
holds "podman start again" succeeded
capture "${PODMAN[@]}" "$PROGRAM" rm -f -t 1 living
holds "podman rm -f" succeeded

# --- a user namespace: podman gives the bundle to the container's root ---
for file in /etc/subuid /etc/subgid; do
  printf 'containers:200000:655360\n' >"$E2E_WORK/${file##*/}"
  [ -e "$file" ] && mount --bind "$E2E_WORK/${file##*/}" "$file"
done
for option in --uidmap=0:100000:65536 --userns=auto --userns=nomap --userns=keep-id; do
  # The last two are for rootless podman only, until 5.
  podman_run "$option" box true
  grep -qE 'only supported in rootless|no subuid' <<<"$ERR" && continue
  holds "podman run $option" succeeded
  podman_run "$option" -v pv:/data --user 5 box sh -c 'echo x >/data/x && cat /data/x'
  holds "podman run $option with a named volume" out_is x
  podman volume rm pv >/dev/null
  podman_run "$option" box grep -E 'Cap|NoNew|Seccomp' /proc/self/status
  guards "podman run $option: CapBnd" status_field CapBnd 0000000000000400
  podman_run "$option" -v /etc:/host box true
  guards "podman run $option -v /etc" refused host-mounts '/mounts/[0-9]+/source' '"/etc"'
done
umount /etc/subuid /etc/subgid 2>/dev/null
capture "${PODMAN[@]}" "$PROGRAM" run -d --name mapped --network none --uidmap 0:100000:65536 \
  "${OPTIONS[@]}" -v pv:/data box sh -c 'cat /proc/self/uid_map >>/data/starts; exec sleep 600'
holds "podman run -d with other user ids" succeeded
BUNDLE=/var/lib/containers/storage/overlay-containers/$OUT/userdata
as_its_root() { setpriv --reuid 100000 --regid 100000 --clear-groups "$@" 2>/dev/null; }
guards "its root on the host cannot exchange its config.json" \
  not as_its_root mv "$BUNDLE/config.json" "$BUNDLE/config.old"
[ ! -e "$BUNDLE/config.old" ] || mv "$BUNDLE/config.old" "$BUNDLE/config.json"
capture "${PODMAN[@]}" "$PROGRAM" exec mapped grep -E 'Cap|NoNew' /proc/self/status
guards "podman exec there: CapBnd" status_field CapBnd 0000000000000400
holds "podman exec there" succeeded
capture "${PODMAN[@]}" "$PROGRAM" stop -t 1 mapped
holds "podman stop there" succeeded
capture "${PODMAN[@]}" "$PROGRAM" start mapped
holds "podman start again there" succeeded
capture "${PODMAN[@]}" "$PROGRAM" exec mapped grep -c 100000 /data/starts
holds "its volume has both starts" out_is 2
guards "its root on the host cannot exchange it after the second start" \
  not as_its_root mv "$BUNDLE/config.json" "$BUNDLE/config.old"
[ ! -e "$BUNDLE/config.old" ] || mv "$BUNDLE/config.old" "$BUNDLE/config.json"
# Again where the kernel still holds the mount of a container that was just killed.
holds "podman rm -f there" eventually 10 "${PODMAN[@]}" "$PROGRAM" rm -f -t 1 mapped
podman volume rm pv >/dev/null

# --- a container that joins the user namespace and the network of another, as podman's pods do ---
# podman has no sysfs file system to give to it and binds the host's /sys. What the host has mounted
# below comes along: here two that anybody may write to, one of them where nobody expects it. podman 5 mounts the
# container's own cgroups on top, for which runc makes a tmpfs of the container's root.
mounts_own_cgroups() {  # BUNDLE
  jq -e 'any(.mounts[]; .destination == "/sys/fs/cgroup" and .type == "cgroup")' "$1/config.json"
} >/dev/null
OWN_TMPFS='^([^ ]+ ){3}/ /sys/fs/cgroup rw,[^-]* - tmpfs tmpfs rw,mode=755,uid=100000,gid=100000$'
sees_cgroups_of_host() { grep -qF "${E2E_CGROUP#/}" <<<"$OUT"; }
mount_below_sys() {
  local point
  for point in /sys/fs/pstore /sys/module; do
    mount -t tmpfs -o mode=777 tmpfs "$point"
    echo "of the host" >"$point/x"
    chmod 666 "$point/x"
  done
}
# Of ls -A with several directories in OUT: all are empty.
lists_nothing() { succeeded && ! grep -qvE ':$|^$' <<<"$OUT"; }
for policy in runclad baseline; do
  PROGRAM=$E2E_WORK/runtimes/$policy/runclad
  capture "${PODMAN[@]}" "$PROGRAM" run -d --name owner --network none --uidmap 0:100000:65536 \
    "${OPTIONS[@]}" box sleep 600
  holds "podman run -d --uidmap ($policy)" succeeded
  # Not before: with a mount there the kernel makes no sysfs file system in a user namespace.
  mount_below_sys
  joined() { NETWORK=container:owner podman_run --userns container:owner "$@"; }
  capture "${PODMAN[@]}" "$PROGRAM" run -d --name member --network container:owner \
    --userns container:owner "${OPTIONS[@]}" box sleep 600
  holds "podman run -d in the namespaces of another ($policy)" succeeded
  BUNDLE=/var/lib/containers/storage/overlay-containers/$OUT/userdata
  masked=(/sys/fs/pstore /sys/module /sys/kernel/debug /sys/class/net /sys/devices/virtual/net)
  if ! mounts_own_cgroups "$BUNDLE"; then masked+=(/sys/fs/cgroup); fi
  joined box grep -c ' 100000 ' /proc/self/uid_map
  holds "podman run --network container: --userns container: ($policy)" out_is 1
  joined box sh -c 'cat /etc/hostname /run/.containerenv && test -s /etc/hosts'
  holds "its engine's files are there ($policy)" succeeded
  joined box cat /proc/self/mountinfo
  holds "its /sys is the host's, with what is mounted below ($policy)" \
    grep -qE ' /sys/fs/cgroup[/ ].* - cgroup2? ' <<<"$OUT"
  guards "nothing at or below its /sys is writable ($policy)" \
    not grep -qE '^([^ ]+ ){4}/sys(/[^ ]*)? rw' <<<"$(grep -vE "$OWN_TMPFS" <<<"$OUT")"
  guards "nor has anything there set-user-ID programs, devices or programs ($policy)" \
    not grep -qE '^([^ ]+ ){4}/sys(/[^ ]*)? .* - (sysfs|cgroup2?|debugfs) ' <<<"$(grep -v \
      nosuid,nodev,noexec <<<"$OUT")"
  joined box ls -A "${masked[@]}"
  guards "what the host has mounted there and its network devices are masked ($policy)" \
    lists_nothing
  joined box find /sys/fs/cgroup
  guards "it finds no cgroups of the host there ($policy)" not sees_cgroups_of_host
  joined box sh -c 'echo "of the container" >/sys/fs/pstore/x; echo y >/sys/module/x'
  guards "a file of the host is not written there ($policy)" \
    test "$(sort -u /sys/fs/pstore/x /sys/module/x)" = "of the host"
  echo "of the host" | tee /sys/fs/pstore/x >/sys/module/x
  joined box sh -c 'test -d /sys/devices/system/cpu && cat /sys/kernel/uevent_seqnum'
  holds "the rest of its /sys is readable ($policy)" succeeded
  joined box grep -E 'Cap|NoNew|Seccomp' /proc/self/status
  [ "$policy" != runclad ] ||
    guards "a joined container's CapBnd" status_field CapBnd 0000000000000400
  guards "a joined container's NoNewPrivs ($policy)" status_field NoNewPrivs 1

  joined -v /sys:/sys box true
  guards "it does not get a writable /sys ($policy)" refused host-mounts '/mounts/[0-9]+/source' /sys
  joined -v /sys:/host-sys:ro box true
  guards "nor the host's /sys elsewhere ($policy)" refused host-mounts '/mounts/[0-9]+/source' /sys
  joined --tmpfs /sys/kernel box true
  guards "nor a mount below it ($policy)" refused host-mounts '/mounts/[0-9]+/source' /sys
  joined -v /sys:/sys:ro box sh -c 'echo y >/sys/module/x; ls -A "$@"' sh "${masked[@]}"
  guards "one that its user asks for is masked as well ($policy)" lists_nothing
  guards "and not written ($policy)" test "$(cat /sys/module/x)" = "of the host"
  echo "of the host" >/sys/module/x
  podman_run -v /sys:/sys:ro box true
  guards "without a user namespace /sys is refused ($policy)" \
    refused host-mounts '/mounts/[0-9]+/source' /sys
  NETWORK=container:owner podman_run -v /sys:/sys:ro box true
  guards "with the network alone, too ($policy)" refused host-mounts '/mounts/[0-9]+/source' /sys
  NETWORK=host podman_run --uidmap 0:100000:65536 box true
  guards "the host's network is refused with it ($policy)" \
    refused host-namespaces '/linux/namespaces[^ ]*' network

  if [ "$E2E_PROVE" = 0 ]; then
    capture "${E2E_PROGRAM%/*}/runcladctl" identify "$BUNDLE"
    holds "its image is identified ($policy)" out_has localhost/box:latest
    holds "and is in the log ($policy)" log_has "$policy" \
      ".container == \"$(basename "$(dirname "$BUNDLE")")\" and (tojson | test(\"localhost/box\"))"
  fi
  guards "its root on the host cannot exchange its config.json ($policy)" \
    not as_its_root mv "$BUNDLE/config.json" "$BUNDLE/config.old"
  [ ! -e "$BUNDLE/config.old" ] || mv "$BUNDLE/config.old" "$BUNDLE/config.json"
  capture "${PODMAN[@]}" "$PROGRAM" exec member grep -E 'Cap|NoNew' /proc/self/status
  guards "podman exec there: NoNewPrivs ($policy)" status_field NoNewPrivs 1
  capture "${PODMAN[@]}" "$PROGRAM" stop -t 1 member
  holds "podman stop there ($policy)" succeeded
  capture "${PODMAN[@]}" "$PROGRAM" start member
  holds "podman start again there ($policy)" succeeded
  umount /sys/fs/pstore /sys/module
  holds "podman rm -f there ($policy)" eventually 10 "${PODMAN[@]}" "$PROGRAM" rm -f -t 1 member
  holds "podman rm -f of what was joined ($policy)" \
    eventually 10 "${PODMAN[@]}" "$PROGRAM" rm -f -t 1 owner
done
PROGRAM=$E2E_WORK/runtimes/runclad/runclad
podman rmi -f box >/dev/null
