# shellcheck shell=bash
# A containerd with its CRI plugin, for the topics on pods: sourced by them after lib.sh. Its
# runtime has the policy directory `own`.

CRI_ROOT=/var/lib/cri-containerd
CRI_RUN=/run/cri-containerd
CRI_SOCKET=$E2E_WORK/cri.sock
DIRECTORY=$E2E_POLICIES/own
cri_ctr() { ctr --address "$CRI_SOCKET" --namespace k8s.io "$@"; }
cri() { capture python3 "$E2E_DIR/cri_call.py" "$CRI_SOCKET" "$@"; }
cri_answers() { cri_ctr version >/dev/null 2>&1; }
last_create() { jq -cs 'map(select(.verb == "create")) | last' "$DIRECTORY/audit.jsonl" 2>/dev/null; }
log_says() { [ -s "$DIRECTORY/audit.jsonl" ] && last_create | jq -e "$1" >/dev/null; }

# A CNI plugin gives a pod's network namespace a loopback interface and no other; the addresses that
# it tells are nobody's. podman uses it too (joins.sh).
cri_network() {
  mkdir -p "$E2E_WORK/cni/bin" "$E2E_WORK/cni/net.d"
  cat >"$E2E_WORK/cni/bin/nothing" <<'SH'
#!/bin/sh
case $CNI_COMMAND in
  VERSION) echo '{"cniVersion": "0.4.0", "supportedVersions": ["0.3.1", "0.4.0"]}' ;;
  ADD)
    nsenter --net="$CNI_NETNS" ip link set lo up || exit 1
    printf '{"cniVersion": "0.3.1",
      "interfaces": [{"name": "%s", "sandbox": "%s", "mac": "02:00:00:00:00:01"}],
      "ips": [{"version": "4", "address": "192.0.2.2/24", "interface": 0}]}\n' \
      "$CNI_IFNAME" "$CNI_NETNS"
    ;;
esac
SH
  chmod 755 "$E2E_WORK/cni/bin/nothing"
  ln -sf nothing "$E2E_WORK/cni/bin/loopback"
  printf '{"cniVersion": "0.3.1", "name": "nothing", "plugins": [{"type": "nothing"}]}\n' \
    >"$E2E_WORK/cni/net.d/nothing.conflist"
}

# The top of containerd's file, below its version.
cri_settings() {
  cat <<TOML
root = "$CRI_ROOT"
state = "$CRI_RUN"
[grpc]
  address = "$CRI_SOCKET"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "docker.io/library/pause:1"
  restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "$E2E_WORK/cni/bin"
  conf_dir = "$E2E_WORK/cni/net.d"
TOML
}

cri_start() {
  cri_network
  printf '{"log": {"target": "file:%s/audit.jsonl"}}\n' "$DIRECTORY" >"$DIRECTORY/policy.json"
  {
    printf 'version = 2\n'
    cri_settings
    cat <<TOML
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
  pod_annotations = ["*"]
  container_annotations = ["*"]
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
  BinaryName = "$E2E_WORK/runtimes/own/runclad"
TOML
  } >"$E2E_WORK/cri.toml"
  containerd --config "$E2E_WORK/cri.toml" >"$E2E_WORK/cri.log" 2>&1 &
  CRI_PID=$!
  trap 'kill "$CRI_PID" 2>/dev/null; wait "$CRI_PID" 2>/dev/null' EXIT
  holds "containerd with its CRI plugin starts" eventually 20 cri_answers
}

# cri_images NAME…: another config, and so another image, for each; pause:1 has the program.
cri_images() {
  local name
  mkdir -p "$E2E_WORK/pause"
  printf '#include <unistd.h>\nint main(void) { for (;;) pause(); }\n' >"$E2E_WORK/pause.c"
  "${CC:-cc}" -static -O1 -o "$E2E_WORK/pause/pause" "$E2E_WORK/pause.c"
  tar -C "$E2E_WORK/pause" -c . | docker import -c 'ENTRYPOINT ["/pause"]' - pause:1 >/dev/null
  for name in "$@"; do
    tar -C "$E2E_WORK/rootfs" -c . |
      docker import -c 'CMD ["/bin/sleep", "600"]' -c "ENV V=$name" - "$name" >/dev/null
  done
  docker save pause:1 "$@" -o "$E2E_WORK/cri.tar"
  cri_ctr image import "$E2E_WORK/cri.tar" >/dev/null
  rm "$E2E_WORK/cri.tar"
  docker image rm --force pause:1 "$@" >/dev/null 2>&1
}
