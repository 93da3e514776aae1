#!/bin/bash
# How a process is started: its user, labels, limits, precedence, environment, program.
# shellcheck disable=SC2016  # dollars are for the shell in the container
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"

# The policy `own` with these rules over restricted.
own_rules() {  # JSON-MEMBERS of "rules"
  printf '{"log": {"target": "file:%s"}, "rules": {%s}}\n' "$E2E_POLICIES/own/audit.jsonl" "$1" \
    >"$E2E_POLICIES/own/policy.json"
}
export RUNTIME=own
POLICY_BEFORE=$(cat "$E2E_POLICIES/own/policy.json")
trap 'printf "%s\n" "$POLICY_BEFORE" >"$E2E_POLICIES/own/policy.json"' EXIT
OWN=$E2E_WORK/runtimes/own/runclad
capture_own() { capture "$OWN" --root "$STATE" "$@"; }
refused_by() { failed && grep -qF -- "refused by $1: $2" <<<"$OUT$ERR"; }

# --- user ---
covers user
own_rules '"user": {"root": "refuse"}'
docker_run box id -u
guards "a container of root is refused" refused user /process/user/uid 0
docker_run -u 1000:1000 box id -u
holds "one of another user runs" out_is 1000
docker_start as-user -u 1000:1000
capture docker exec -u 0 as-user id -u
guards "docker exec -u 0 is refused" refused_by user "/process/user/uid 0 is root"
capture docker exec -u 0 --privileged as-user id -u
guards "docker exec -u 0 --privileged likewise" refused_by user "/process/user/uid 0 is root"
capture docker exec as-user id -u
holds "docker exec runs as the container's user" out_is 1000
docker_remove as-user

own_rules '"user": {"root": "run-as", "run-as": "1234:2345", "deny-gids": ["10-20"]}'
docker_run --group-add 12 --group-add 30 box sh -c 'id -u; id -g; grep Groups: /proc/self/status'
holds "a container of root runs" succeeded
guards "as another user, without root's groups" out_is $'1234\n2345\nGroups:\t30 '
docker_run -u 77:88 box sh -c 'id -u; id -g'
holds "another user is kept" out_is $'77\n88'
docker_start as-other
capture docker exec -u 0 as-other sh -c 'id -u; id -g'
guards "docker exec -u 0 runs as that user, too" out_is $'1234\n2345'
capture docker exec -u 5:0 as-other sh -c 'id -u; id -g'
guards "docker exec -u 5:0 is not in root's group" out_is $'5\n2345'
docker_remove as-other
bundle=$(make_bundle exec-user '.process.user = {"uid": 1000, "gid": 1000}')
capture_own create --bundle "$bundle" exec-user
capture_own start exec-user
capture_own exec --user 1000:1000 --additional-gids 0 --additional-gids 15 exec-user \
  grep Groups: /proc/self/status
holds "exec --additional-gids runs" succeeded
guards "without the groups of root and those denied" not out_has 15
guards "which leaves none" out_is $'Groups:\t '
capture_own exec --user 1000:12 exec-user id -g
guards "exec with a denied group is refused" refused_by user '/process/user/gid 12 is denied'
discard exec-user
capture_own delete --force exec-user

own_rules '"user": {"root": "refuse"}'
# Root of a user namespace of the container's own is not the host's.
bundle=$(make_bundle mapped '.linux.namespaces += [{"type": "user"}]
  | .linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 65536}]
  | .linux.gidMappings = .linux.uidMappings | del(.linux.resources)
  | .mounts |= map(select(.type != "cgroup" and .type != "mqueue" and .type != "devpts"))
  | .process.args = ["cat", "/proc/self/uid_map"]')
chown -R 100000:100000 "$bundle/rootfs"
chmod 755 "$E2E_WORK" "$E2E_WORK/bundles" "$bundle"
capture_own run --bundle "$bundle" mapped
holds "root of a user namespace runs" out_has 100000
RUNTIME=runclad docker_run box id -u
holds "the profiles let root pass" out_is 0
[ "$E2E_PROVE" = 1 ] || holds "with a warning" log_has runclad \
  'any(.findings[]?; .rule == "user" and .action == "warned" and .path == "/process/user/uid")'

# --- rlimits ---
covers rlimits
own_rules '"rlimits": {"nofile": 500}'
limits='awk "/core file|open files/ {print \$1, \$(NF - 2), \$(NF - 1)}" /proc/self/limits'
docker_run --ulimit nofile=800:900 --ulimit core=100:200 box sh -c "$limits"
holds "a container with limits runs" succeeded
guards "they are lowered to the policy's" out_is $'Max 0 0\nMax 500 500'
docker_run --ulimit nofile=100:200 box sh -c "$limits"
holds "lower ones stay" out_has 'Max 100 200'
guards "and no core file is written" out_has 'Max 0 0'
docker_start limits
capture docker exec limits sh -c 'ulimit -c; ulimit -H -c'
guards "nor by an exec" out_is $'0\n0'
docker_remove limits

# --- realtime ---
# (Docker has no option for a scheduling policy, and this runc takes none; it is the adjustment that
# the kernel shows. Where nobody may lower it, plain runc does not even start the container.)
covers realtime
own_rules ''
docker_run --oom-score-adj -700 box cat /proc/self/oom_score_adj
guards "a container does not outlive the host's services" out_is 0
docker_run --oom-score-adj 300 box cat /proc/self/oom_score_adj
holds "it may go before them" out_is 300
bundle=$(make_bundle fifo '.process.scheduler = {"policy": "SCHED_FIFO", "priority": 50}
  | .process.ioPriority = {"class": "IOPRIO_CLASS_RT", "priority": 0}')
capture_own create --bundle "$bundle" fifo
scheduled() { jq -e '.process | has("scheduler") or has("ioPriority")' "$bundle/config.json" >/dev/null; }
guards "realtime classes are removed from what the runtime reads" not scheduled
discard fifo
capture_own delete --force fifo

# --- environment ---
covers environment
own_rules '"environment": {"action": "refuse", "deny": ["LD_*"]}'
docker_run -e LD_PRELOAD=/tmp/hunter2.so box sh -c 'echo $LD_PRELOAD'
guards "a denied variable is refused by name" refused environment /process/env LD_PRELOAD
[ "$E2E_PROVE" = 1 ] || holds "and its value is not told" not grep -q hunter2 <<<"$OUT$ERR"
docker_start variables -e DB_PASSWORD=hunter2-long-enough
holds "a secret in the environment is let through" succeeded
capture docker exec -e LD_AUDIT=/tmp/hunter2.so variables sh -c 'echo $LD_AUDIT'
guards "docker exec with a denied variable is refused" \
  refused_by environment '/process/env ["LD_AUDIT"] is denied'
capture docker exec variables sh -c 'echo $DB_PASSWORD'
holds "the variable is there" out_is hunter2-long-enough
warned_of_password() {
  log_has own 'any(.findings[]?; .rule == "environment" and .action == "warned" and .before == ["DB_PASSWORD"])'
}
guards "its name is in the log" warned_of_password
holds "and no variable's value is" not grep -qs hunter2 "$E2E_POLICIES/own/audit.jsonl"
[ "$E2E_PROVE" = 1 ] || holds "nor in a record" not grep -rq hunter2 /run/runclad
docker_remove variables

# --- program ---
covers program
own_rules ''
bundle=$(make_bundle image-with-server .)
image=$bundle/rootfs
mkdir -p "$image/usr/sbin"
printf '#!/bin/sh\necho served\n' >"$image/usr/sbin/sshd"
chmod 755 "$image/usr/sbin/sshd"
ln -s /usr/sbin/sshd "$image/start"
cp "$image/bin/busybox" "$image/busybox-other"
printf '#!/usr/sbin/sshd\n' >"$image/script"
chmod 755 "$image/script"
for program in capable meek; do cp "$image/bin/busybox" "$image/busybox-$program"; done
setcap cap_net_admin+ep "$image/busybox-capable" && setcap cap_net_admin+p "$image/busybox-meek"
tar --xattrs --xattrs-include='*' -C "$image" -c . | docker import -c 'CMD ["sh"]' - server >/dev/null
for program in /usr/sbin/sshd sshd /start '/bin/../start'; do
  docker_run server "$program"
  guards "docker run … $program is refused" refused program /process/args/0 "$program"
done
docker_run --init server sshd
guards "docker run --init … sshd likewise" refused program /process/args/0 docker-init
docker_run server busybox telnetd --help
guards "docker run … busybox telnetd" refused program /process/args/0 busybox
bundle=$(make_bundle by-script '.process.args = ["/script"]')
cp -a "$image/usr/sbin/sshd" "$bundle/rootfs/usr/bin/sshd"
printf '#!/usr/bin/sshd\n' >"$bundle/rootfs/script"
chmod 755 "$bundle/rootfs/script"
capture_own run --bundle "$bundle" by-script
guards "a script whose interpreter it is" refused program /process/args/0 /script
docker_run server grep -c root /etc/passwd
holds "another program runs" out_is 1
capture docker run -d --name served --network none --runtime own server sleep 600
capture docker exec served sshd
guards "docker exec … sshd is refused" refused_by program '/process/args/0 "sshd" runs sshd'
capture docker exec served /start
guards "docker exec of a link to it too" refused_by program '/process/args/0 "/start" runs sshd'
capture docker exec served ls /start
holds "docker exec of another program" out_is /start
docker_remove served
RUNTIME=baseline docker_run server sshd
holds "baseline only warns" out_is served

own_rules '"program": {"allow": ["/bin/busybox"], "allow-only": true}'
docker_run server sh -c 'echo allowed'
holds "an allowed program runs, whatever link leads to it" out_is allowed
docker_run server /busybox-other sh -c 'echo other'
guards "another is refused" refused program /process/args/0 /busybox-other
mkdir -p "$E2E_SRV/programs" && cp "$image/bin/busybox" "$E2E_SRV/programs/busybox"
docker_run -v "$E2E_SRV/programs:/bin" server /bin/busybox sh -c 'echo covered'
guards "nor does a mount replace an allowed one" refused program /process/args/0 /bin/busybox

# --- what an image needs and does not get ---
own_rules ''
covers capabilities
docker_run --cap-add NET_ADMIN server /busybox-capable true
guards "a program that could not start is refused with the name of what it lacks" \
  refused capabilities /process/args/0 /busybox-capable
[ "$E2E_PROVE" = 1 ] || holds "which is said" err_has "has the file capability CAP_NET_ADMIN"
# What the refusal saves people from: the kernel's own answer is the same with the capability out of
# the bounding set, for root and with no_new_privs as well, and says nothing.
RUNTIME=plain docker_run --cap-drop NET_ADMIN server /busybox-capable true
holds "the kernel would not start it" err_has "operation not permitted"
RUNTIME=plain docker_run --cap-drop NET_ADMIN --security-opt no-new-privileges server /busybox-capable true
holds "nor with no_new_privs" err_has "operation not permitted"
docker_run -u 1000 server /busybox-meek true
holds "one that can do without starts" succeeded
[ "$E2E_PROVE" = 1 ] || holds "and the log says what it does without" log_has own \
  'any(.findings[]?; .rule == "no-new-privileges" and .path == "/process/args/0")'
own_rules '"capabilities": {"allow": ["NET_ADMIN"]}'
docker_run --cap-add NET_ADMIN server /busybox-capable true
holds "with the capability allowed it runs" succeeded

# --- lsm-label ---
# A kernel with AppArmor is in tests/vm. What is shown here: on a host that says that it has one (files
# that are mounted over /sys), what is asked of AppArmor is refused or named in the document that the
# runtime reads; runc itself fails where it is to apply a profile.
covers lsm-label
bundle=$(make_bundle labels '.process.apparmorProfile = "unconfined" | .process.args = ["true"]')
profile_is() { [ "$(jq -r .process.apparmorProfile "$bundle/config.json")" = "$1" ]; }
capture_own create --bundle "$bundle" labels
holds "without AppArmor a label is left alone" profile_is unconfined
discard labels
capture_own delete --force labels
fake=$E2E_WORK/fake-sys
mkdir -p "$fake/module/apparmor/parameters" "$fake/security/apparmor"
echo Y >"$fake/module/apparmor/parameters/enabled"
printf '%s\n' 'docker-default (enforce)' 'flatpak (unconfined)' >"$fake/security/apparmor/profiles"
cat >"$E2E_WORK/with-apparmor" <<SH
#!/bin/bash
# Runs a command on a host that says that it has AppArmor.
[ "\${1:-}" = --inside ] || exec unshare --mount --propagation private "\$0" --inside "\$@"
shift
mount -t tmpfs tmpfs /sys/module && cp -a $fake/module/. /sys/module &&
  mount -t tmpfs tmpfs /sys/kernel/security && cp -a $fake/security/. /sys/kernel/security &&
  exec "\$@"
SH
chmod 755 "$E2E_WORK/with-apparmor"
with_apparmor() { capture "$E2E_WORK/with-apparmor" "$OWN" --root "$STATE" "$@"; }
for profile in unconfined ' unconfined' flatpak missing; do
  jq --arg p "$profile" '.process.apparmorProfile = $p' "$bundle/config.json" >"$bundle/new" &&
    mv "$bundle/new" "$bundle/config.json"
  with_apparmor create --bundle "$bundle" labels
  guards "the profile '$profile' is refused" refused lsm-label /process/apparmorProfile "$profile"
  discard labels
done
own_rules '"lsm-label": {"unconfined": "fix"}'
for change in '.process.apparmorProfile = "unconfined"' 'del(.process.apparmorProfile)'; do
  jq "$change" "$bundle/config.json" >"$bundle/new" && mv "$bundle/new" "$bundle/config.json"
  with_apparmor create --bundle "$bundle" labels
  guards "$change becomes the engine's default profile" profile_is docker-default
  discard labels
  capture_own delete --force labels
done
