#!/bin/bash
# runcladctl close replaces runc with runclad for everyone who calls runc by name, and open undoes
# it. On copies of /usr, /etc and dpkg's database that are gone afterwards.
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"
# shellcheck source=tests/readme_block.sh
. "$E2E_DIR/../readme_block.sh"

# podman's runtime, which refuses a hybrid cgroup layout. To load a device cgroup it raises a limit, which this
# machine may not let anybody do.
closed_crun() {
  mount -t cgroup2 cgroup2 /sys/fs/cgroup
  jq '.rules["device-cgroup"].action = "off" | .rules["pids-limit"].action = "off"' \
    /etc/runclad/policy.json >/etc/runclad/policy.new
  mv /etc/runclad/policy.new /etc/runclad/policy.json
  local bundle root=$E2E_WORK/crun-state
  bundle=$(make_bundle older 'del(.linux.resources)')
  crun --root "$root" run --detach --bundle "$bundle" older >/dev/null 2>&1 </dev/null
  if [ "$E2E_PROVE" = 0 ]; then
    capture bash -c "$(commands_of_block '# runcladctl close')"
    holds "README's command takes every runtime" succeeded
    holds "and shows what README shows" says_what_readme_says
    holds "crun is closed" grep -qE 'crun .*/usr/bin/crun .*closed' <<<"$OUT"
    holds "and so is runc" grep -qE 'runc .*/usr/sbin/runc .*closed' <<<"$OUT"
    holds "podman finds crun" test "$(podman info --format '{{.Host.OCIRuntime.Path}}')" = /usr/bin/crun
  fi
  capture crun --root "$root" exec older grep NoNew /proc/self/status
  guards "exec into an existing crun container is hardened" status_field NoNewPrivs 1
  capture crun --root "$root" delete --force older
  holds "and it is removed" succeeded
  bundle=$(make_bundle newer 'del(.linux.resources) | .process.args = ["grep", "NoNew", "/proc/self/status"]')
  capture crun --root "$root" run --bundle "$bundle" newer
  guards "crun run is hardened" status_field NoNewPrivs 1
  [ "$E2E_PROVE" = 1 ] || ctl open
  holds "crun is opened" test ! -L /usr/bin/crun
}
ctl() { capture runcladctl "$@"; }
words() { tr -s ' ' ' '; }
says_what_readme_says() {
  [ "$(readme_block '# runcladctl close' | grep -v '^# ' | words | grep -cxFf - <(words <<<"$OUT"))" = 2 ]
}
if [ "${1:-}" = --crun ]; then
  closed_crun
  exit 0
fi

PLACES=$E2E_WORK/places
mkdir -p "$PLACES"
mount -t tmpfs tmpfs "$PLACES"
for name in usr etc; do
  mkdir -p "$PLACES/$name"/{new,work}
  mount -t overlay -o "lowerdir=/$name,upperdir=$PLACES/$name/new,workdir=$PLACES/$name/work" overlay "/$name"
done
trap 'umount -l /etc /usr "$PLACES"' EXIT
# What dockerd makes of a user's bind mounts whose sources do not exist.
mkdir -p /usr/libexec/runclad/{.runc.from,.runc.from.runclad-new,runc,runc.runclad-new}/inside /usr/sbin/runc.runclad-new/inside
mkdir -p /var/lib/dpkg/{info,updates,triggers} /etc/runclad
touch /var/lib/dpkg/{status,available,diversions}
install -m 755 "$E2E_PROGRAM" /usr/sbin/runclad
install -m 755 "${E2E_PROGRAM%/*}/runcladctl" /usr/bin/runcladctl
LOG=$E2E_WORK/closed.jsonl
jq --arg log "file:$LOG" '.log.target = $log | .builds = "build"' "$E2E_POLICIES/runclad/policy.json" >/etc/runclad/policy.json

RUNC=/usr/sbin/runc
BEHIND=/usr/libexec/runclad
before=$(stat -c '%a %u:%g %Y' "$RUNC"; sha256sum <"$RUNC")
same_as_before() { [ "$(stat -c '%a %u:%g %Y' "$RUNC"; sha256sum <"$RUNC")" = "$before" ]; }
diverted() { dpkg-divert --list "$RUNC" | grep -qF "$BEHIND/runc"; }
nothing_is_closed() { [ ! -e "$BEHIND" ] && ! diverted && [ ! -L "$RUNC" ] && same_as_before; }
export RUNTIME=runc

docker_start older
holds "a container is made by plain runc" succeeded
version=$(runc --version)
if [ "$E2E_PROVE" = 0 ]; then
  # --- nothing is closed that would not work afterwards ---
  printf '#!/bin/sh\nexit 1\n' >/usr/local/bin/crun && chmod 755 /usr/local/bin/crun
  ctl close /usr/local/bin/crun
  holds "a runtime that makes no container is not closed" status_is 1
  holds "the reason is printed" out_has "it runs no container by itself"
  holds "and its file stays in place" test ! -L /usr/local/bin/crun
  rm /usr/local/bin/crun
  mount -t tmpfs -o mode=755 tmpfs /opt
  mkdir -p /opt/{own,root}/bin
  for owner in own root; do
    printf '#!/bin/sh\ntouch /opt/%s/ran\nexit 1\n' "$owner" >"/opt/$owner/bin/runc" && chmod 755 "/opt/$owner/bin/runc"
  done
  chown -R nobody /opt/own
  ctl close /opt/own/bin/runc
  holds "a runtime that a user could replace is not closed" status_is 1
  holds "the reason is printed" out_has "could be replaced by users other than root"
  holds "and it is not run" test ! -e /opt/own/ran
  cp /etc/runclad/policy.json "$PLACES/policy.json"
  jq '.extends = "baseline"' "$PLACES/policy.json" >/etc/runclad/policy.json
  ctl close /opt/root/bin/runc
  holds "a runtime in a directory that containers may write is not closed" status_is 1
  holds "the reason is printed" out_has "could be changed by a container that mounts /opt"
  holds "and it is not run" test ! -e /opt/root/ran
  jq 'del(.builds) | .extends = "restricted"' "$PLACES/policy.json" >/etc/runclad/policy.json
  ctl close /opt/root/bin/runc
  holds "where no container may write, it is run" test -e /opt/root/ran
  cp "$PLACES/policy.json" /etc/runclad/policy.json
  umount /opt
  ctl close --program /usr/bin/busybox runc
  holds "a program that does not harden is not put in a runtime's place" status_is 1
  holds "everything was put back" nothing_is_closed

  ctl close runc
  holds "close runc" succeeded
  holds "it is listed" grep -q "runc .*$RUNC .*closed: $BEHIND/runc" <<<"$OUT"
  holds "crun is listed as open, and who can reach it" grep -qE "crun .*/usr/bin/crun .*open to podman run$" <<<"$OUT"
  ctl doctor --only roads/podman-default
  holds "doctor finds the same" out_has /usr/bin/crun
  ctl configure podman --default
  ctl close runc
  holds "once podman's default is runclad, no engine offers crun" \
    grep -qE "crun .*/usr/bin/crun .*open, but no engine on this host offers it" <<<"$OUT"
  ctl doctor --only roads/podman-default
  holds "and doctor finds nothing" out_lacks /usr/bin/crun
  ctl unconfigure podman
  holds "its package's files are diverted" diverted
  ctl close runc
  holds "a second time changes nothing" succeeded
fi

# --- everyone who says runc gets runclad ---
docker_run box grep -E 'CapBnd|NoNew' /proc/self/status
guards "docker run --runtime runc has no privileges to gain" status_field NoNewPrivs 1
guards "and no capabilities" has_at_most_net_bind_service CapBnd
docker_run -v /:/x box true
guards "a mount of / is refused" refused host-mounts '/mounts/[0-9]+/source' '"/"'
bundle=$(make_bundle closed '.process.args = ["grep", "NoNew", "/proc/self/status"]')
for name in runc /usr/bin/runc /sbin/runc /bin/runc; do
  capture "$name" --root "$STATE" run --bundle "$bundle" closed
  guards "$name run, as BuildKit calls it, is hardened" status_field NoNewPrivs 1
done
# Without the runc of other topics that comes first in dockerd's PATH.
mv "$E2E_WORK/buildkit-path/runc" "$PLACES/buildkit-runc"
mkdir "$PLACES/context"
printf 'FROM box\nRUN grep NoNewPrivs /proc/self/status >/status\nCMD ["cat", "/status"]\n' >"$PLACES/context/Dockerfile"
DOCKER_BUILDKIT=1 capture docker build --network none --no-cache -t built-closed "$PLACES/context"
holds "docker build" succeeded
mv "$PLACES/buildkit-runc" "$E2E_WORK/buildkit-path/runc"
docker_run --pull never built-closed
guards "its steps are hardened" status_field NoNewPrivs 1
docker rmi built-closed >/dev/null
docker builder prune -af >/dev/null
holds "runc --version begins with runc's own lines" test "$(runc --version | head -n 2)" = "$(head -n 2 <<<"$version")"
capture runc features
holds "runc features prints JSON alone" test "$(jq -r 'type' "$E2E_WORK/out")" = object

capture /usr/sbin/runclad --runclad-runtime="$RUNC" --version
holds "runc as the lower runtime is the real one" test "$(head -n 2 <<<"$OUT")" = "$(head -n 2 <<<"$version")"

# --- the container of before ---
capture docker exec older true
holds "exec into an existing container works" succeeded
capture docker exec older grep -E 'NoNew|CapEff' /proc/self/status
guards "and has no more than the host's policy allows" has_at_most_net_bind_service CapEff
capture docker restart -t 0 older
holds "it is stopped and starts again" succeeded
capture docker exec older grep NoNew /proc/1/status
guards "and is then hardened" status_field NoNewPrivs 1
capture docker rm -f older
holds "and is removed" succeeded

[ "$E2E_PROVE" = 0 ] || {
  unshare --mount --propagation private "$BASH" "$0" --crun
  exit 0
}

# --- an upgrade of runc's package ---
DEB=$PLACES/runc-deb
mkdir -p "$DEB"/{DEBIAN,usr/sbin,usr/bin}
printf 'Package: runc\nVersion: 99\nArchitecture: all\nMaintainer: nobody\nDescription: runc of tomorrow\n' \
  >"$DEB/DEBIAN/control"
{ cat "$BEHIND/runc"; echo tomorrow; } >"$DEB/usr/sbin/runc"
chmod 755 "$DEB/usr/sbin/runc"
ln -s ../sbin/runc "$DEB/usr/bin/runc"
dpkg-deb --root-owner-group -Znone --build "$DEB" "$PLACES/runc.deb" >/dev/null
capture dpkg --force-all --install "$PLACES/runc.deb"
holds "the package of runc is upgraded" succeeded
holds "the new runc is the one that runclad calls" cmp "$BEHIND/runc" "$DEB/usr/sbin/runc"
docker_run box grep NoNew /proc/self/status
holds "and docker run --runtime runc is still hardened" status_field NoNewPrivs 1
ctl policy status
docker_start between
holds "a container is made while runc is closed" succeeded

# --- and back ---
ctl open
holds "open" succeeded
holds "the upgraded runc is in its place" cmp "$RUNC" "$DEB/usr/sbin/runc"
holds "no file of runclad is left" test ! -e "$BEHIND"
holds "nor a diversion" not diverted
docker_run box grep NoNew /proc/self/status
holds "docker run --runtime runc is plain again" status_field NoNewPrivs 0
capture docker restart -t 0 between
holds "the container that was made meanwhile starts" succeeded
docker_remove between
capture dpkg --force-all --purge runc
cp -p "$DEB/usr/sbin/runc" "$RUNC"
before=$(stat -c '%a %u:%g %Y' "$RUNC"; sha256sum <"$RUNC")

# --- interrupted at each step: either command goes on from there ---
half() {  # STEPS: what was done before the power failed
  mkdir -p "$BEHIND"
  ln -s "$RUNC" "$BEHIND/.runc.from"
  [ "$1" -lt 2 ] || ln "$RUNC" "$BEHIND/runc"
  [ "$1" -lt 3 ] || dpkg-divert --local --no-rename --quiet --divert "$BEHIND/runc" --add "$RUNC"
  [ "$1" -lt 4 ] || ln -sfn /usr/sbin/runclad "$RUNC"
}
for step in 1 2 3 4; do
  half "$step"
  ctl open runc
  holds "interrupted after step $step: open puts everything back" nothing_is_closed
  half "$step"
  ctl close runc
  holds "interrupted after step $step: close goes on" succeeded
  docker_run box grep NoNew /proc/self/status
  holds "and it is hardened" status_field NoNewPrivs 1
  ctl open runc
  holds "and opened again" nothing_is_closed
done
# As an upgrade by rpm leaves it: a new file in runclad's place.
ctl close runc
rm "$RUNC"
cp -p "$DEB/usr/sbin/runc" "$RUNC"
ctl close runc
holds "a file that was installed since is closed, too" test -L "$RUNC"
holds "and is the one that runs" grep -q '^runc version' <<<"$(runc --version)"
ctl open runc
holds "and it comes back" nothing_is_closed
unshare --mount --propagation private "$BASH" "$0" --crun
