#!/bin/bash
# Another lower runtime: crun, which refuses a hybrid cgroup layout and therefore runs below a
# cgroup2 mount of its own here.
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"

if [ "${1:-}" != --below-cgroup2 ]; then
  exec unshare --mount --propagation private "$BASH" "$0" --below-cgroup2
fi
mount -t cgroup2 cgroup2 /sys/fs/cgroup

mkdir -p "$E2E_WORK/runtimes/crun" "$E2E_POLICIES/crun"
# To load a device cgroup crun raises RLIMIT_MEMLOCK, which this machine may not let anybody do; the
# pids controller is bound to the other layout.
printf '{"log": {"target": "file:%s"}, "rules": {"device-cgroup": {"action": "off"}, "pids-limit": {"action": "off"},
  "seccomp": {"deny": ["setsockopt arg1==41 arg2==64"]}, "cgroup-path": {"parents": ["%s"]}}}\n' \
  "$E2E_POLICIES/crun/audit.jsonl" "$E2E_CGROUP" >"$E2E_POLICIES/crun/policy.json"
if [ "$E2E_PROVE" = 1 ]; then
  printf '#!/bin/sh\nexec %s "$@"\n' "$(command -v crun)"
else
  printf '#!/bin/sh\nexec %s --runclad-config=%s --runclad-runtime=%s "$@"\n' \
    "$E2E_PROGRAM" "$E2E_POLICIES/crun" "$(command -v crun)"
fi >"$E2E_WORK/runtimes/crun/runclad"
chmod 755 "$E2E_WORK/runtimes/crun/runclad"
E2E_PLAIN=$(command -v crun)
E2E_RUNTIME=$E2E_WORK/runtimes/crun/runclad
STATE=$E2E_WORK/crun-state

# Without limits: crun raises one of its own to load the filter of devices.
bundle=$(make_bundle other 'del(.linux.resources)')
capture_runtime create --bundle "$bundle" other
holds "crun: create" succeeded
capture_runtime exec other grep -E 'Cap|NoNew|Seccomp' /proc/self/status
guards "crun: exec into a created container: CapBnd" status_field CapBnd 0000000000000400
guards "crun: exec into a created container: NoNewPrivs" status_field NoNewPrivs 1
capture_runtime start other
holds "crun: start" succeeded
holds "crun: it runs" eventually 5 state_is other running
confined() { [ "$(host_field other CapBnd)/$(host_field other NoNewPrivs)/$(host_field other Seccomp)" = \
  0000000000000400/1/2 ]; }
guards "crun: it is confined" eventually 5 confined
capture_runtime exec --cap CAP_SYS_ADMIN other grep -E 'Cap|NoNew|Seccomp' /proc/self/status
guards "crun: exec --cap: CapBnd" status_field CapBnd 0000000000000400
capture_runtime exec other sh -c 'echo x >/written'
guards "crun: the root filesystem is read-only" failed
capture_runtime exec other sh -c 'echo x >/tmp/written && cat /tmp/written'
holds "crun: /tmp is writable" out_is x
# A call that is denied with some arguments only (its number, of x86-64, is setsockopt's).
capture_runtime exec other probe call 54 -1 41 64
guards "crun: a system call is denied by its arguments" out_is EPERM
capture_runtime exec other probe call 54 -1 0x100000029 64
guards "crun: whatever the upper halves are" out_is EPERM
capture_runtime exec other probe call 54 -1 41 65
holds "crun: and with no others" out_is EBADF
# Where a directory of the host is left open, a link to it leads out of the container.
covers working-directory
HOST_ROOT=$(stat -c %d:%i /)
ln -s /proc/self/fd/9 "$bundle/rootfs/to-fd"
ln -s /proc/sys "$bundle/rootfs/to-proc"
capture sh -c 'exec 9</ && exec "$@"' sh "$E2E_RUNTIME" --root "$STATE" exec --cwd /to-fd other \
  stat -c %d:%i .
guards "crun: exec --cwd of a link to a descriptor does not start in the host's /" \
  not out_is "$HOST_ROOT"
capture_runtime exec --cwd /to-proc other pwd
guards "crun: exec --cwd does not start below /proc by a link" not out_is /proc/sys
capture_runtime kill other KILL
holds "crun: kill" eventually 5 state_is other stopped
capture_runtime delete other
holds "crun: delete" state_is other ""

make_bundle other '.mounts += [{destination: "/host", type: "bind", source: "/", options: ["rbind"]}]
  | del(.linux.resources)' >/dev/null
capture_runtime create --bundle "$bundle" other
guards "crun: a bind of / is refused" refused host-mounts '/mounts/[0-9]+/source' '"/"'
discard other
mkdir -p "$E2E_SRV/nested/a/sub" "$E2E_SRV/nested/b"
echo nested >"$E2E_SRV/nested/b/file"
nested='del(.linux.resources) | .process.args = ["cat", "/data/sub/file"]
  | .mounts += [{destination: "/data", source: "'$E2E_SRV'/nested/a", options: ["rbind"]},
      {destination: "PLACE", source: "'$E2E_SRV'/nested/b", options: ["rbind"]}]'
make_bundle other "${nested/PLACE//data/sub}" >/dev/null
capture_runtime run --bundle "$bundle" other
holds "crun: a volume in a directory of another" out_is nested
ln -s /data "$E2E_SRV/nested/a/link"
make_bundle other "${nested/PLACE//data/link/sub}" >/dev/null
capture_runtime run --bundle "$bundle" other
guards "crun: a volume behind a link of another is refused" \
  refused mount-destinations '/mounts/[0-9]+/destination' /data/link/sub
discard other
make_bundle other 'del(.linux.resources)' >/dev/null
# crun reads another document with --config: what was checked is not what would run.
cp "$bundle/config.json" "$E2E_WORK/plain.json"
for option in --config -f; do
  capture_runtime create "$option" "$E2E_WORK/plain.json" --bundle "$bundle" other
  guards "crun: $option is refused" failed
  discard other
done
# Where crun keeps its containers when nobody names a root, as root too.
mkdir "$E2E_WORK/xdg"
capture env "XDG_RUNTIME_DIR=$E2E_WORK/xdg" "$E2E_RUNTIME" create --bundle "$bundle" other
holds "crun: create below XDG_RUNTIME_DIR" test -d "$E2E_WORK/xdg/crun/other"
capture env "XDG_RUNTIME_DIR=$E2E_WORK/xdg" "$E2E_RUNTIME" exec --cap CAP_SYS_ADMIN other \
  grep -E 'Cap|NoNew|Seccomp' /proc/self/status
holds "crun: exec below XDG_RUNTIME_DIR" succeeded
guards "crun: exec --cap below XDG_RUNTIME_DIR: CapBnd" status_field CapBnd 0000000000000400
capture env "XDG_RUNTIME_DIR=$E2E_WORK/xdg" "$E2E_RUNTIME" delete --force other
holds "crun: delete below XDG_RUNTIME_DIR" not test -e "$E2E_WORK/xdg/crun/other"
capture_runtime run --detach --bundle "$bundle" other
holds "crun: run --detach" succeeded
guards "crun: run --detach is confined" eventually 5 confined
capture_runtime delete --force other

# What is mounted below a bind comes along with a recursive propagation, and has flags of its own.
covers mount-options
mkdir -p "$E2E_SRV/along/sub"
mount -t tmpfs tmpfs "$E2E_SRV/along/sub"
echo file >"$E2E_SRV/along/file"
in_create() {  # POINT MOUNT [JQ-FILTER]: LINE is the options of a mount of a container that waits
  local point=$1 mount=$2
  make_bundle other ".mounts += [$mount] | del(.linux.resources) | ${3:-.}" >/dev/null
  mkdir "$bundle/rootfs/data"
  : >"$bundle/rootfs/file"
  chmod 755 "$E2E_WORK/bundles" "$E2E_WORK/bundles/other"
  capture_runtime create --bundle "$bundle" other
  LINE=$(awk -v point="$point" '$5 == point {print $6; exit}' "/proc/$(pid_of other)/mountinfo")
  capture_runtime start other
  eventually 2 state_is other running || true
}
has_flags() { local flag; for flag; do grep -qE "(^|,)$flag(,|$)" <<<"$LINE" || return 1; done; }
for propagation in rslave rprivate; do
  in_create /data/sub "{destination: \"/data\", type: \"bind\", source: \"$E2E_SRV/along\", options: [\"bind\", \"$propagation\"]}"
  holds "crun: bind,$propagation includes the mounts below it, and starts" state_is other running
  guards "crun: bind,$propagation: nothing there runs or is a device" has_flags nosuid nodev noexec
  discard other
done
# In a user namespace crun sets no plain flags.
pod='[{containerID: 0, hostID: 100000, size: 65536}]'
user=".linux.namespaces += [{type: \"user\"}] | .linux.uidMappings = $pod | .linux.gidMappings = $pod
    | .mounts |= map(select(.type != \"cgroup\"))"
in_create /data "{destination: \"/data\", type: \"bind\", source: \"$E2E_SRV/along\", options: [\"bind\"]}" "$user"
holds "crun: a user namespace and a bind: it starts" state_is other running
guards "crun: a user namespace and a bind: nothing there runs or is a device" has_flags nosuid nodev noexec
discard other
in_create /file "{destination: \"/file\", type: \"bind\", source: \"$E2E_SRV/along/file\", options: [\"bind\", \"ro\"]}" "$user"
holds "crun: a user namespace and a read-only file: it starts" state_is other running
guards "crun: a user namespace and a read-only file: its flags" has_flags ro nosuid nodev
discard other
umount "$E2E_SRV/along/sub"

# The working directory becomes such a link when it is judged and not yet used.
cat >"$E2E_WORK/swaps-cwd" <<SH
#!/bin/sh
for argument; do
  if [ "\$argument" = create ]; then
    rmdir "$bundle/rootfs/work" && ln -s /proc/self/fd/9 "$bundle/rootfs/work"
    exec 9</
  fi
done
exec $E2E_PLAIN "\$@"
SH
chmod 755 "$E2E_WORK/swaps-cwd"
swapped() {  # RUNTIME…: create of a bundle whose /work the lower runtime exchanges
  make_bundle other 'del(.linux.resources) | .process.cwd = "/work"
    | .process.args = ["sh", "-c", "stat -c %d:%i . >/tmp/where; sleep 600"]' >/dev/null
  mkdir "$bundle/rootfs/work"
  capture "$@" --root "$STATE" create --bundle "$bundle" other
}
if [ "$E2E_PROVE" = 1 ]; then swapping=("$E2E_WORK/swaps-cwd"); else
  swapping=("$E2E_PROGRAM" "--runclad-config=$E2E_POLICIES/crun" "--runclad-runtime=$E2E_WORK/swaps-cwd")
fi
swapped "$E2E_WORK/swaps-cwd"
if state_is other created; then  # a crun that does not look where its working directory is
  discard other
  swapped "${swapping[@]}"
  holds "crun: a container whose working directory is swapped is created" state_is other created
  capture "${swapping[@]}" --root "$STATE" start other
  is_at_host() { [ "$(stat -L -c %d:%i "/proc/$(pid_of other)/cwd")" = "$HOST_ROOT" ]; }
  runs_at_host() { state_is other running && is_at_host; }
  guards "crun: and does not start in the host's /" not runs_at_host
else
  swapped "${swapping[@]}"
  holds "crun itself refuses a working directory outside of the container" err_has "working directory"
  holds "… and nothing is created for it" not state_is other created
fi
discard other

# An idmapped mount: what is root's on the host is the container's user's, who has no capability.
covers host-mounts
mkdir "$E2E_SRV/idmap"
printf 'of root\n' >"$E2E_SRV/idmap/secret"
chmod 600 "$E2E_SRV/idmap/secret"
idmapped() {  # JQ-OBJECT: what the mount has beside its source, and the filter of the document
  rm -f "$E2E_SRV/idmap/new"
  make_bundle other ".mounts += [{destination: \"/mnt\", type: \"bind\", source: \"$E2E_SRV/idmap\"}
      + $1] | del(.linux.resources) | .process.user = {uid: 1000, gid: 1000}
    | .process.args = [\"sh\", \"-c\", \"cat /mnt/secret; echo x >/mnt/new\"] | ${2:-.}" >/dev/null
  mkdir "$bundle/rootfs/mnt"
  capture_runtime run --bundle "$bundle" other
}
is_roots() { [ "$(stat -c %u "$E2E_SRV/idmap/new" 2>/dev/null)" = 0 ]; }
idmapped '{options: ["bind"]}'
holds "crun: a user cannot read a file of the host's root" out_lacks "of root"
one='[{containerID: 0, hostID: 1000, size: 1}]'
idmapped "{options: [\"bind\"], uidMappings: $one, gidMappings: $one}"
guards "crun: nor by a mapping of the mount" \
  refused host-mounts '/mounts/[0-9]+/uidMappings' '"hostID":1000'
guards "crun: and it is not read" out_lacks "of root"
guards "crun: nor does it write a file as root" not is_roots
idmapped '{options: ["bind", "idmap=uids=0-1000-1;gids=0-1000-1"]}'
guards "crun: nor by an option" refused host-mounts '/mounts/[0-9]+/options' idmap=
guards "crun: and it is not read by that" out_lacks "of root"
# As pods of Kubernetes with user namespaces have it.
pod='[{containerID: 0, hostID: 100000, size: 65536}]'
chmod 755 "$E2E_WORK/bundles" "$E2E_WORK/bundles/other"
idmapped "{options: [\"bind\"], uidMappings: $pod, gidMappings: $pod}" \
  ".process.args[2] = \"id -u; stat -c %u /mnt/secret\" | .process.user = {uid: 0, gid: 0}
    | .linux.namespaces += [{type: \"user\"}] | .linux.uidMappings = $pod | .linux.gidMappings = $pod
    | .mounts |= map(select(.type != \"cgroup\"))"
holds "crun: a user namespace's own mapping passes" out_is "0
0"
