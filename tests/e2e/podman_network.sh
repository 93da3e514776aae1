# shellcheck shell=bash
# A network of podman's that needs no bridge and no firewall: sourced after lib.sh and cri_engine.sh. Its
# name is `nothing`; a container on it has a namespace that podman pins, a loopback interface and an
# address that is nobody's. podman 4 has it from a CNI plugin, a podman without CNI from one of netavark's.

podman_network() {  # sets CONTAINERS_CONF
  cri_network
  mkdir -p "$E2E_WORK/podman"
  export CONTAINERS_CONF=$E2E_WORK/podman/containers.conf
  cat >"$CONTAINERS_CONF" <<TOML
[network]
network_backend = "cni"
cni_plugin_dirs = ["$E2E_WORK/cni/bin"]
network_config_dir = "$E2E_WORK/cni/net.d"
TOML
  if podman info 2>&1 | grep -q 'cni support is not enabled'; then netavark_network; fi
}

netavark_network() {
  mkdir -p "$E2E_WORK/netavark/bin" "$E2E_WORK/netavark/net.d"
  cat >"$E2E_WORK/netavark/bin/nothing" <<'SH'
#!/bin/sh
case $1 in
  info) echo '{"version": "0.0.0", "api_version": "1.0.0"}' ;;
  create) cat ;;
  setup)
    cat >/dev/null
    nsenter --net="$2" ip link set lo up || exit 1
    echo '{"dns_search_domains": [], "dns_server_ips": [],
      "interfaces": {"eth0": {"mac_address": "02:00:00:00:00:01", "subnets": [{"ipnet": "192.0.2.2/24"}]}}}'
    ;;
  teardown) cat >/dev/null ;;
esac
SH
  chmod 755 "$E2E_WORK/netavark/bin/nothing"
  printf '{"name": "nothing", "id": "%064d", "driver": "nothing", "created": "2026-01-01T00:00:00Z",
    "subnets": [{"subnet": "192.0.2.0/24", "gateway": "192.0.2.1"}], "ipv6_enabled": false, "internal": true,
    "dns_enabled": false, "ipam_options": {"driver": "host-local"}}\n' 1 >"$E2E_WORK/netavark/net.d/nothing.json"
  cat >"$CONTAINERS_CONF" <<TOML
[network]
network_backend = "netavark"
netavark_plugin_dirs = ["$E2E_WORK/netavark/bin"]
network_config_dir = "$E2E_WORK/netavark/net.d"
TOML
}
