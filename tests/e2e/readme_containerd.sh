# shellcheck shell=bash
# README's command for containerd, which restarts it, with a file without a version and one of each version that this
# containerd reads: the daemon is another process afterwards, and a pod's container runs behind runclad. readme.sh
# sources this in a mount namespace of its own, where no other containerd is found.
# shellcheck source=tests/e2e/cri_engine.sh
. "$E2E_DIR/cri_engine.sh"

CONTAINERD_FILE=/etc/containerd/config.toml
SERVICE=$PLACE/containerd  # what systemd would know of the unit: .start, .pid
# runcladctl knows a service by its cgroup.
SERVICE_CGROUP=$(dirname "$(limit_file pids x)" | sed 's|/x$||')/containerd.service

# A systemd of one service. Its own output ends with it, as systemctl's does.
write_systemd() {
  cat >"$SERVICE.start" <<SH
#!/bin/sh
echo \$\$ >$SERVICE_CGROUP/cgroup.procs
echo \$\$ >$SERVICE.pid
exec containerd --root $CRI_ROOT --state $CRI_RUN --address $CRI_SOCKET </dev/null >>$E2E_WORK/cri.log 2>&1
SH
  cat >"$PLACE/bin/systemctl" <<SH
#!/bin/sh
echo "\$*" >>$SERVICE.calls
[ "\$*" = "restart containerd.service" ] || exit 1
pid=\$(cat $SERVICE.pid)
kill "\$pid" && while [ -e "/proc/\$pid" ]; do sleep 0.1; done
$SERVICE.start &
SH
  chmod 755 "$SERVICE.start" "$PLACE/bin/systemctl"
}
# What the engine has taken of its file.
dump() { containerd config dump | tr \' \"; }
pod_image() { dump | sed -nE 's/^ *sandbox(_image)? = "(.*)"/\2/p' | head -n 1; }
start_service() {
  "$SERVICE.start" &
  eventually 20 cri_answers
}
stop_service() {
  local pid
  pid=$(cat "$SERVICE.pid")
  kill "$pid" && eventually 10 test ! -e "/proc/$pid"
}
is_another_process() { eventually 20 cri_answers && [ "$(cat "$SERVICE.pid")" != "$BEFORE" ] && [ ! -e "/proc/$BEFORE" ]; }

file_of() {  # VERSION|none
  case "$1" in
    none) printf '# of the site\n' ;;
    2) printf 'version = 2\n[plugins."io.containerd.grpc.v1.cri"]\n  restrict_oom_score_adj = true\n' ;;
    3) printf "version = 3\n[plugins.'io.containerd.cri.v1.runtime']\n  restrict_oom_score_adj = true\n" ;;
  esac
}

mkdir -p /etc/containerd /etc/cni "$SERVICE_CGROUP"
rm -rf /etc/containerd/* /etc/cni/*
trap 'stop_service' EXIT
write_systemd
cri_network
# Where containerd looks by itself: upstream's default, and Debian's.
mkdir -p "$PLACE"/{lib,lib-work}
mount -t overlay -o "lowerdir=/usr/lib,upperdir=$PLACE/lib,workdir=$PLACE/lib-work" overlay /usr/lib
mkdir -p /opt/cni/bin /usr/lib/cni
cp -a "$E2E_WORK/cni/net.d" /etc/cni
cp -a "$E2E_WORK/cni/bin/." /opt/cni/bin
cp -a "$E2E_WORK/cni/bin/." /usr/lib/cni

VERSIONS="none 2"
if engine_is containerd 2; then VERSIONS="none 2 3"; fi
for version in $VERSIONS; do
  what="containerd, version $version of its file"
  file_of "$version" >"$CONTAINERD_FILE"
  cp "$CONTAINERD_FILE" "$PLACE/containerd.before"
  start_service
  BEFORE=$(cat "$SERVICE.pid")
  if ! cri_ctr image ls -q | grep -q app:1; then cri_images app:1; fi
  cri_ctr image tag --force docker.io/library/pause:1 "$(pod_image)" >/dev/null
  run_as_written containerd
  holds "$what: README's command" succeeded
  holds "… says that the service was restarted" out_has "containerd.service was restarted"
  holds "… and it was: another process answers" is_another_process
  holds "… whose file names runclad as the default runtime" grep -q 'default_runtime_name = "runclad"' <<<"$(dump)"
  holds "… and its program" grep -q "BinaryName = \"$NAMED\"" <<<"$(dump)"
  cp "$CONTAINERD_FILE" "$PLACE/containerd.configured"
  if [ "$version" = none ]; then
    # Without this setting no pod starts where nobody may lower oom_score_adj; the file has a version by now.
    written=$(sed -nE 's/^version = ([0-9]+)$/\1/p' "$CONTAINERD_FILE")
    file_of "$written" | tail -n +2 >>"$CONTAINERD_FILE"
    systemctl restart containerd.service
    eventually 20 cri_answers
  fi
  cri run-sandbox "pod-$version" default
  holds "$what: a pod starts" succeeded
  POD=$OUT
  cri create "$POD" app default docker.io/library/app:1 capability=NET_ADMIN
  CONTAINER=$OUT
  cri start "$CONTAINER"
  cri exec "$CONTAINER" /bin/grep CapBnd /proc/1/status
  guards "$what: its container is confined" is_confined
  cri remove-sandbox "$POD"
  cp "$PLACE/containerd.configured" "$CONTAINERD_FILE"
  capture "$CTL" unconfigure containerd --restart
  holds "$what: README's command to go back" cmp -s "$PLACE/containerd.before" "$CONTAINERD_FILE"
  eventually 20 cri_answers
  stop_service
done
trap - EXIT
rmdir "$SERVICE_CGROUP"
