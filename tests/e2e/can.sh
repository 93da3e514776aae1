#!/bin/bash
# runcladctl can: its answers agree with what the containers' own first processes are able to do, for
# every question in can.py, however the container is confined.
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"

CONTROL=${E2E_PROGRAM%/*}/runcladctl
image=$E2E_WORK/try-rootfs
mkdir -p "$image"
cp -a "$E2E_WORK/rootfs/." "$image"
"${CC:-cc}" -static -O1 -Wall -Wextra -Werror -o "$image/bin/try" "$E2E_DIR/try.c" || exit 1
printf 'secret\n' >"$image/root/secret"
printf 'secret\n' >"$image/etc/only-root"
chmod 600 "$image/etc/only-root"
chmod 700 "$image/root"
mkdir "$image/data"
ln -s /tmp "$image/link"
tar -C "$image" -c . | docker import -c 'CMD ["/bin/try"]' - box-try >/dev/null
mkdir -p "$E2E_SRV/try-data"

# A user namespace whose root is not the host's, with every capability, by plain runc.
mkdir -p "$E2E_WORK/try-mapped/rootfs"
cp -a "$image/." "$E2E_WORK/try-mapped/rootfs"
chown -R 100000:100000 "$E2E_WORK/try-mapped/rootfs/root" "$E2E_WORK/try-mapped/rootfs/home"
chmod 711 "$E2E_WORK"
(cd "$E2E_WORK/try-mapped" && "$E2E_PLAIN" spec && jq '
  .process.terminal = false | .process.args = ["/bin/try"] | .root.readonly = false |
  .linux.namespaces += [{"type": "user"}] | .process.noNewPrivileges = false |
  .linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 65536}] |
  .linux.gidMappings = .linux.uidMappings |
  .linux.namespaces |= map(select(.type != "cgroup")) |
  .process.capabilities |= map_values(["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_NET_BIND_SERVICE",
    "CAP_SYS_ADMIN", "CAP_SYS_CHROOT", "CAP_SETUID", "CAP_NET_RAW"]) |
  .mounts |= map(select(.type != "cgroup"))' config.json >c && mv c config.json)

run="docker run -i --rm --network none"
"${PYTHON:-python3}" "$E2E_DIR/can.py" "$CONTROL" --root "$E2E_WORK/own-root" <<LIST >"$E2E_WORK/answers"
restricted $run --name restricted --runtime runclad -v $E2E_SRV/try-data:/data box-try
restricted-user $run --name restricted-user --runtime runclad -u 1000 box-try
baseline $run --name baseline --runtime baseline -v $E2E_SRV/try-data:/data:ro --cap-add NET_RAW box-try
plain $run --name plain --runtime plain box-try
plain-user $run --name plain-user --runtime plain -u 1000:1000 --sysctl net.ipv4.ip_unprivileged_port_start=1024 box-try
open $run --name open --runtime plain --cap-add SYS_ADMIN --cap-add NET_ADMIN --security-opt seccomp=unconfined box-try
tight $run --name tight --runtime plain --read-only --cap-drop ALL --security-opt no-new-privileges --tmpfs /tmp:noexec --sysctl net.ipv4.ip_unprivileged_port_start=1024 box-try
mapped $E2E_PLAIN --root $E2E_WORK/own-root run --bundle $E2E_WORK/try-mapped mapped
LIST
while read -r result description; do
  # There the answer is "unknown", which trying cannot confirm.
  if cgroup_is_v2 && grep -qF "device rules of cgroup v2 are a program" <<<"$description"; then
    printf '# left out: %s\n' "$description"
    continue
  fi
  OUT=$description holds "$description" test "$result" = ok
done <"$E2E_WORK/answers"
holds "sixty questions or more were asked of eight containers" \
  test "$(grep -c ': said ' "$E2E_WORK/answers")" -ge 480
docker rmi box-try >/dev/null
