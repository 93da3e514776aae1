# shellcheck shell=bash
# A host on which Docker, podman and containerd's CRI plugin call runclad by default, for the topics about doctor:
# sourced by them after lib.sh and cri_engine.sh. The program is a copy, of which faults can be made.

CTL=${E2E_PROGRAM%/*}/runcladctl
NAME=hardened
# A program of its own, which faults can be made of.
PROGRAM=$E2E_WORK/doctor/runclad
mkdir -p "$E2E_WORK/doctor"
install_program() { cp "$E2E_WORK/runtimes/own/runclad" "$PROGRAM" && chmod 755 "$PROGRAM"; }
install_program
POLICY=$E2E_POLICIES/own/policy.json
LOG=$E2E_POLICIES/own/audit.jsonl
write_policy() { printf '{"builds": "build", "log": {"target": "file:%s"}}\n' "$LOG" >"$POLICY"; }
write_policy
for directory in /etc/containers /etc/logrotate.d; do
  mkdir -p "$E2E_WORK/etc$directory" "$directory"
  cp -a "$directory/." "$E2E_WORK/etc$directory"
  mount --bind "$E2E_WORK/etc$directory" "$directory"
done
printf '%s/*.jsonl {\n  weekly\n}\n' "${LOG%/*}" >/etc/logrotate.d/runclad
mkdir -p /etc/containers/containers.conf.d
printf '[containers]\ndefault_ulimits = ["nofile=1024:2048", "nproc=1000:2000"]\n[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n' \
  >/etc/containers/containers.conf.d/10-e2e.conf
cp "$E2E_WORK/daemon.json" "$E2E_WORK/daemon.before"
reload() { kill -HUP "$E2E_DOCKERD_PID"; }
end() {
  kill "${CRI_PID:-}" 2>/dev/null && wait "$CRI_PID"
  # dockerd 20.10 does not survive a default that is no longer registered.
  jq '."default-runtime" = "runc"' "$E2E_WORK/daemon.right" >"$E2E_WORK/daemon.json" && reload
  eventually 10 default_is runc
  cp "$E2E_WORK/daemon.before" "$E2E_WORK/daemon.json" && reload
  eventually 10 is_registered runclad  # for the topic after it
  umount /etc/containers /etc/logrotate.d
  find /sys/fs/cgroup -maxdepth 2 -name libpod_parent -exec rmdir {} + 2>/dev/null
}
trap end EXIT

is_registered() { docker info --format '{{json .Runtimes}}' | jq -e --arg name "$1" 'has($name)' >/dev/null; }
default_is() { [ "$(docker info --format '{{.DefaultRuntime}}')" = "$1" ]; }

# A function, since its assertions are the topic's.
right_host() {
  printf '{"runtimes": {"%s": {"path": "%s"}}, "default-runtime": "%s"}\n' "$NAME" "$PROGRAM" "$NAME" >"$E2E_WORK/daemon.json"
  cp "$E2E_WORK/daemon.json" "$E2E_WORK/daemon.right"
  reload
  holds "dockerd has the default" eventually 10 default_is "$NAME"
  capture "$CTL" configure podman --default --name "$NAME" --program "$PROGRAM"
  holds "podman has the default" succeeded
  TOML=$E2E_WORK/cri.toml
  {
    printf 'version = 2\n'
    cri_settings
  } >"$TOML"
  "$CTL" configure containerd --config "$TOML" --default --name "$NAME" --program "$PROGRAM" >/dev/null
  cri_network
  containerd --config "$TOML" >"$E2E_WORK/cri.log" 2>&1 &
  CRI_PID=$!
  holds "containerd starts" eventually 20 cri_answers
}
