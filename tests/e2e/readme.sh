#!/bin/bash
# README.md's blocks are run unchanged, and their effect is checked: the engine is asked for its settings. The topic
# configure has everything else about registering. In --prove, runc is what is registered.
# shellcheck disable=SC2016  # dollars are of README's
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"
# shellcheck source=tests/readme_block.sh
. "$E2E_DIR/../readme_block.sh"

PLACE=$E2E_WORK/readme
CTL=/usr/sbin/runcladctl
NAMED=/usr/sbin/runclad
FILE=$E2E_WORK/daemon.json
commands() { readme_block 'runcladctl configure docker --default' | sed 's/ *#.*//'; }
command_for() { commands | grep -E "^runcladctl configure $1( |\$)"; }
run_as_written() {  # ENGINE
  local words
  read -ra words <<<"$(command_for "$1")"
  capture "$CTL" "${words[@]:1}"
}
is_confined() { status_field CapBnd 0000000000000400; }
if [ "${1:-}" = --containerd ]; then
  # shellcheck source=tests/e2e/readme_containerd.sh
  . "$E2E_DIR/readme_containerd.sh"
  exit
fi

# --- what README begins with ---
docker tag box busybox
readme_block '# docker run --rm --runtime runclad --cap-add ALL busybox' | sed 's/ --rm / --rm --network none /' >"$E2E_WORK/begin"
mapfile -t RUNS < <(sed -n 's/^# //p' "$E2E_WORK/begin")
# As it says: by words, since what lies between them is the kernel's.
says_as_written() {
  [ "$(tr -s ' \t' ' ' <<<"$OUT")" = "$(sed -n '2,/^$/p' "$E2E_WORK/begin" | grep . | tr -s ' ' ' ')" ]
}
capture bash -c "${RUNS[0]}"
guards "README's first container prints what README shows" says_as_written
capture bash -c "${RUNS[1]}"
guards "its second one is refused" refused host-mounts '/mounts/[0-9]+/source' '"/" is the host'
guards "with the words in README" test "$(tail -n 1 "$E2E_WORK/begin" | grep -o '"/" is.*filesystem')" = \
  "$(grep -o '"/" is the host.s root filesystem' <<<"$ERR")"
docker rmi busybox >/dev/null

# The programs are where a package has them, with the policy where an operator has it; the host's own files stay out of
# reach.
mkdir -p "$PLACE"/{sbin,etc,etc-work}
cp "${E2E_PROGRAM%/*}/runcladctl" "$PLACE/sbin"
if [ "$E2E_PROVE" = 1 ]; then
  cp "$E2E_WORK/runtimes/plain/runclad" "$PLACE/sbin/runclad"
else
  cp "$E2E_PROGRAM" "$PLACE/sbin/runclad"
fi
mount -t overlay -o "lowerdir=$PLACE/sbin:/usr/sbin" overlay /usr/sbin
mount -t overlay -o "lowerdir=/etc,upperdir=$PLACE/etc,workdir=$PLACE/etc-work" overlay /etc
trap 'umount --lazy /usr/share /usr/sbin /etc /opt /var/log 2>/dev/null' EXIT
mount -t tmpfs -o mode=755 tmpfs /opt
mount -t tmpfs -o mode=755 tmpfs /var/log
rm -rf /etc/runclad
mkdir -p /etc/runclad/policy.d /var/log/runclad
cp "$E2E_POLICIES/own/policy.d/cgroups.json" /etc/runclad/policy.d
reload() { kill -HUP "$E2E_DOCKERD_PID"; }
cp "$FILE" "$PLACE/daemon.original"
jq 'del(.runtimes.runclad)' "$PLACE/daemon.original" >"$PLACE/daemon.before"
cat "$PLACE/daemon.before" >"$FILE"
reload
knows_runclad() { docker info --format '{{json .Runtimes}}' | grep -q '"runclad"'; }
holds "dockerd does not know runclad" eventually 10 not knows_runclad

# --- "Register it" ---
for engine in docker podman containerd crio buildkit; do
  holds "README has one command for $engine" test "$(command_for "$engine" | wc -l)" = 1
done
holds "and no other command, which no test would run" test "$(commands | wc -l)" = 5

# What other topics left names the runtime as well, and would keep the name registered.
docker ps -aq | xargs -r docker rm -f >/dev/null
run_as_written docker
holds "README's command for Docker" succeeded
capture docker info --format '{{.DefaultRuntime}} {{(index .Runtimes "runclad").Path}}'
holds "dockerd has runclad as its default runtime" out_is "runclad $NAMED"
capture docker run --rm --network none box grep CapBnd /proc/self/status
guards "a container of the default runtime is confined" is_confined

# --- "Policy" ---
nginx() {  # TAG FILE: an image with a file of its own
  mkdir -p "$E2E_WORK/rootfs/var/cache/nginx"
  : >"$E2E_WORK/rootfs/$2"
  tar -C "$E2E_WORK/rootfs" -c . | docker import -c 'CMD ["sleep", "600"]' - "nginx:$1" >/dev/null
  rm -r "$E2E_WORK/rootfs/$2" "$E2E_WORK/rootfs/var/cache"
}
nginx 1.27 first
nginx 1.28 second
readme_block '// /etc/runclad/policy.json' >/etc/runclad/policy.json
capture "$CTL" policy lint
holds "README's policy has no faults" succeeded
try() { capture docker run --rm --network none nginx:1.27 "$@"; }
try grep CapBnd /proc/self/status
holds "in its mode, audit, nothing is removed" not status_field CapBnd 0000000000000420
guards "and the log is where it says" test -s /var/log/runclad/audit.jsonl
sed -i 's/"audit"/"enforce"/' /etc/runclad/policy.json
try grep CapBnd /proc/self/status
guards "enforced, its capabilities are those that it lists" status_field CapBnd 0000000000000420
try sh -c 'echo x >/var/cache/nginx/x'
holds "its writable directory can be written to" succeeded
printf '{ %s }\n' "$(readme_block '"rules": { "host-mounts": { "allow": ["/opt/shop/data"')" >/etc/runclad/policy.json
mkdir -p /opt/shop/{data,keys}
capture docker run --rm --network none -v /opt/shop/data:/data box true
holds "a directory that README's rule allows is mounted" succeeded
capture docker run --rm --network none -v /opt/shop/keys:/data box true
guards "another one is not" refused host-mounts '/mounts/[0-9]+/source' /opt/shop/keys

# A shield that is shipped, by its name.
mkdir -p "$PLACE/share/runclad"
cp -r "$E2E_DIR/../../profiles/shields" "$PLACE/share/runclad"
mount -t overlay -o "lowerdir=$PLACE/share:/usr/share" overlay /usr/share
# shellcheck disable=SC2016  # backticks of Markdown
capture bash -c "$(grep -oE '`runcladctl shield add [^`]*`' "$E2E_DIR/../../README.md" | tr -d '`')"
holds "README's command adds a shield" succeeded
capture "$CTL" shield status
holds "which is in force" out_has af-alg
capture "$CTL" shield remove af-alg
holds "and is removed again" succeeded

# --- "Roll out" ---
check_as_written() { capture bash -c "$(readme_block 'runcladctl check --all')"; }
if [ "$E2E_PROVE" = 0 ]; then
  docker_start decent
  check_as_written
  holds "README's check finds nothing to refuse" status_is 0
  RUNTIME=plain docker_start needy -v /opt/shop/keys:/keys
  check_as_written
  holds "its status is 2 where a container would be refused" status_is 2
  holds "and the container is named" grep -q needy <<<"$OUT$ERR"
  docker_remove decent needy
fi

# --- "Pin what each image may do" ---
PIN=/etc/runclad/images/docker.io/library/nginx.json
printf '{ "mode": "audit" }\n' >/etc/runclad/policy.json
{
  commands_of_block '# web=$(docker run -d nginx:1.27)' | sed 's/run -d/run -d --network none/'
  commands_of_block '# runcladctl policy pin nginx --from-container $web'
  printf 'runcladctl policy show --container $web\ndocker rm -f $web >/dev/null\n'
} >"$E2E_WORK/pin.sh"
capture bash -e "$E2E_WORK/pin.sh"
if [ "$E2E_PROVE" = 0 ]; then
  holds "README's commands pin an image" succeeded
  holds "it identifies the image" out_has docker.io/library/nginx:1.27
  holds "and writes the file that README names" test -s "$PIN"
  members() { jq -c 'keys' "$@"; }
  holds "which has what README shows" test "$(members "$PIN")" = "$(readme_block '{' | members)"
  jq --slurpfile made "$PIN" '.digests = $made[0].digests' <<<"$(readme_block '{')" >"$PIN.new" && mv "$PIN.new" "$PIN"
  capture "$CTL" policy lint
  holds "the file that README shows has no faults" succeeded
fi
printf '{ "mode": "enforce" }\n' >/etc/runclad/policy.json
run_nginx() { capture docker run --rm --network none --cap-add ALL "nginx:$1" grep CapBnd /proc/self/status; }
run_nginx 1.27
guards "whatever is requested, its image gets these four capabilities" status_field CapBnd 00000000000004c1
run_nginx 1.28
guards "another image of the name is refused" refused image '[^ ]*' nginx
if [ "$E2E_PROVE" = 0 ]; then
  capture "$CTL" policy pin nginx --add --image nginx:1.28
  holds "README's command adds the next release" succeeded
  run_nginx 1.28
  guards "… which gets the same" status_field CapBnd 00000000000004c1
fi
docker ps -aq | xargs -r docker rm -f >/dev/null
docker rmi -f nginx:1.27 nginx:1.28 >/dev/null
rm -rf /etc/runclad/images /etc/runclad/policy.json

# --- a policy for a fleet, as one signed file ---
if ! command -v ssh-keygen >/dev/null; then
  echo "# left out, for there is no ssh-keygen: a signed policy" | tee -a "$E2E_WORK/left-out"
elif [ "$E2E_PROVE" = 0 ]; then
  cp -a /etc/runclad "$PLACE/runclad.before"
  mkdir -p "$PLACE/fleet/policy"
  cp -a /etc/runclad/policy.d "$PLACE/fleet/policy"
  printf '{ "rules": { "capabilities": { "allow": ["KILL"] } } }\n' >"$PLACE/fleet/policy/policy.json"
  ssh-keygen -q -t ed25519 -N '' -C fleet -f "$PLACE/fleet/policy_key"
  printf 'fleet %s\n' "$(cat "$PLACE/fleet/policy_key.pub")" >/etc/runclad/allowed_signers
  # README's date passes.
  capture bash -ec "cd $PLACE/fleet
$(readme_block 'runcladctl policy bundle' | sed "s/--not-after [^ ]*/--not-after $(date -d '+2 days' +%F)/")"
  holds "README's commands sign a policy and put it in force" succeeded
  docker tag box busybox
  capture docker run --rm --network none busybox grep CapBnd /proc/self/status
  guards "which containers then get" status_field CapBnd 0000000000000020
  docker rmi busybox >/dev/null
  rm -rf /etc/runclad
  cp -a "$PLACE/runclad.before" /etc/runclad
fi

# --- and back ---
capture "$CTL" unconfigure docker
holds "README's commands to go back" cmp -s "$PLACE/daemon.before" "$FILE"
cat "$PLACE/daemon.original" >"$FILE"
reload
eventually 10 knows_runclad

run_as_written podman
holds "README's command for podman" succeeded
capture podman --cgroup-manager cgroupfs --events-backend file info --format '{{.Host.OCIRuntime.Path}}'
holds "podman has runclad as its runtime" out_is "$NAMED"
tar -C "$E2E_WORK/rootfs" -c . | podman import -q - box >/dev/null
capture podman --cgroup-manager cgroupfs --events-backend file run --rm --network none --cgroup-parent "$E2E_CGROUP" \
  --ulimit nofile=1024:2048 --ulimit nproc=1000:2000 box grep CapBnd /proc/self/status
guards "a container of podman is confined" is_confined
podman rmi -f box >/dev/null

# --- engines that Debian does not have: what their packages install, and their files ---
mkdir -p /etc/crio
: >/etc/crio/crio.conf
mkdir -p "$PLACE/bin" && cp /bin/true "$PLACE/bin/buildkitd"
PATH=$PLACE/bin:$PATH
for engine in crio:/etc/crio/crio.conf.d/10-runclad.conf buildkit:/etc/buildkit/buildkitd.toml; do
  run_as_written "${engine%%:*}"
  holds "README's command for ${engine%%:*}" succeeded
  holds "its file names runclad" grep -q "\"$NAMED\"" "${engine#*:}"
done

if needs_controller cpu "containerd's pods, which always have CPU shares"; then
  unshare --mount --propagation private "$BASH" "$0" --containerd
fi
