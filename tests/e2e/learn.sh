#!/bin/bash
# runcladctl learn: a container on trial is judged by its own policy and nobody else is; what a
# service needs is found out, and nothing stays behind.
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"
CTL=${E2E_PROGRAM%/*}/runcladctl
TRIALS=/run/runclad/learn
# Topics before this one may have left grants in it.
printf '{"log": {"target": "file:%s"}}\n' "$E2E_POLICIES/own/audit.jsonl" >"$E2E_POLICIES/own/policy.json"

# --- a trial ---
# By hand what learn makes: grants for this container of this image.
make_trial() {  # ID CAPABILITY
  local directory=$TRIALS/$1
  mkdir -p "$directory/digests/sha256" "$directory/policy.d"
  cp "$E2E_POLICIES/own/policy.json" "$directory"
  cp "$E2E_POLICIES"/own/policy.d/*.json "$directory/policy.d"
  printf '{}\n' >"$directory/policy.d/~learn.json"
  printf '{"rules": {"capabilities": {"allow": ["%s"]}}}\n' "$2" \
    >"$directory/digests/sha256/$(docker image inspect -f '{{.Id}}' box | cut -d: -f2).json"
}
bounding_of() { awk '$1 == "CapBnd:" {print $2}' "/proc/$(docker inspect -f '{{.State.Pid}}' "$1")/status"; }
has_only_chown() { [ "$(bounding_of "$1")" = 0000000000000001 ]; }
mkdir -p "$TRIALS"
capture docker create --name on-trial --network none --runtime own box sleep 600
id=$OUT
make_trial "$id" CAP_CHOWN
docker start on-trial >/dev/null
guards "trial: the container has what its trial grants" has_only_chown on-trial
capture docker exec --privileged on-trial sh -c 'grep CapEff: /proc/self/status'
guards "trial: exec has no more" status_field CapEff 0000000000000001
RUNTIME=own docker_start beside
guards "trial: a container beside it has what the host grants" \
  test "$(bounding_of beside)" = 0000000000000400
docker_remove on-trial beside
rm -rf "${TRIALS:?}/$id"
# One that others could have made counts for nothing.
capture docker create --name on-trial --network none --runtime own box sleep 600
id=$OUT
make_trial "$id" CAP_CHOWN
chmod 777 "$TRIALS/$id"
capture docker start on-trial
guards "trial: one that others could have made stops the container" \
  err_has "could have been made by others than root"
docker_remove on-trial
rm -rf "${TRIALS:?}/$id"
# A client of containerd chooses its ids.
mkdir -p "$TRIALS/chosen"
printf '{"mode": "audit"}\n' >"$TRIALS/chosen/policy.json"
bundle=$(make_bundle chosen '.process.noNewPrivileges = false')
capture_runtime create --bundle "$bundle" chosen
guards "trial: an id that was chosen has none" \
  test "$(jq .process.noNewPrivileges "$bundle/config.json")" = true
capture_runtime delete --force chosen
rm -rf "${TRIALS:?}/chosen"

# --- learning ---
# A service with known needs: CHOWN for its data, NET_BIND_SERVICE for its port, a directory.
service=$(mktemp -d "$E2E_WORK/service.XXXXXX")
cp -a "$E2E_WORK/rootfs/." "$service"
mkdir -p "$service/var/lib/served" "$service/data"
cat >"$service/bin/service" <<'SH'
#!/bin/sh
set -e
chown app /data
date >>/var/lib/served/starts
exec httpd -f -p 80 -h /srv
SH
chmod 755 "$service/bin/service"
printf 'served\n' >"$service/srv/index.html"
tar -C "$service" -c . | docker import -c 'ENTRYPOINT ["tini", "--", "service"]' -c 'VOLUME /data' \
  -c 'HEALTHCHECK CMD wget -q -O - http://127.0.0.1/' - known-needs >/dev/null
LEARN=("$CTL" learn "--config=$E2E_POLICIES/own" --run-arg=--network=none)
LEARNED=$E2E_WORK/known-needs.json
# Of a trace, if this kernel has any. Tests that run beside this one have a learner of their own.
no_instance_is_left() {
  local status
  mkdir -p "$E2E_WORK/tracing"
  mount -t tracefs tracefs "$E2E_WORK/tracing" 2>/dev/null || return 0
  [ -z "$(find "$E2E_WORK/tracing/instances" -name "runclad-learn-$(stat -L -c %i /proc/self/ns/mnt)*")" ]
  status=$?
  umount "$E2E_WORK/tracing"
  return "$status"
}
nothing_is_left() {
  no_instance_is_left && [ -z "$(docker ps -aq --filter label=runclad.learn)" ] &&
    [ -z "$(docker volume ls -q --filter label=runclad.learn)" ] && [ -z "$(ls "$TRIALS")" ]
}
grants() { jq -cS '[.rules.capabilities.allow, .rules["read-only-rootfs"].writable]' "$LEARNED" 2>/dev/null; }
digest() { jq -r '.digests[0]' "$LEARNED" 2>/dev/null; }

CAPTURE_SECONDS=400 capture "${LEARN[@]}" --run-arg=--runtime=own --output "$LEARNED" known-needs
guards "learn: it ends" succeeded
guards "learn: the file has exactly what the service needs" \
  test "$(grants)" = '[["CAP_CHOWN","CAP_NET_BIND_SERVICE"],["/var/lib/served"]]'
guards "learn: and the digest of the image" \
  test "$(digest)" = "$(docker image inspect -f '{{.Id}}' known-needs)"
guards "learn: each with what happens without it" \
  grep -qE 'CAP_CHOWN +needed .*without it: first boot: exit 1: chown: /data: Operation not permitted' \
  <<<"$OUT"
if grep -q 'uses of capabilities are not known' <<<"$OUT"; then
  grep 'uses of capabilities are not known' <<<"$OUT" | sed 's/^ */# left out, for /' |
    tee -a "$E2E_WORK/left-out"
else
  guards "learn: and what was seen to use it first" \
    grep -qE 'CAP_CHOWN +needed +chown\(2\) by /bin/service, first boot' <<<"$OUT"
fi
holds "learn: nothing is left" nothing_is_left
mkdir -p "$E2E_WORK/learned/images/docker.io/library"
cp "$LEARNED" "$E2E_WORK/learned/images/docker.io/library" 2>/dev/null
capture "$CTL" policy lint "$E2E_WORK/learned"
has_no_fault() { [ -s "$LEARNED" ] && succeeded; }
guards "learn: the file has no fault" has_no_fault
rm -rf "$E2E_WORK/learned"

# Nothing is run for these.
printf '{"rules": {"capabilities": {"allow": ["CAP_KILL"]}}, "provenance": "another host"}\n' >"$E2E_WORK/other.json"
capture "$CTL" learn --merge "$LEARNED" "$E2E_WORK/other.json"
is_the_union() {
  [ "$(jq -c .rules.capabilities.allow <<<"$OUT")" = '["CAP_CHOWN","CAP_KILL","CAP_NET_BIND_SERVICE"]' ] &&
    grep -qE "CAP_KILL +$E2E_WORK/other.json" <<<"$ERR"
}
guards "learn: --merge is the union, with each line's origin" is_the_union
RUNTIME=own docker_start asking --cap-add SYS_TIME
docker_remove asking
capture "$CTL" learn --suggest --config "$E2E_POLICIES/own" box
suggests_time() { succeeded && out_has "containers in the log" && out_has CAP_SYS_TIME; }
guards "learn: --suggest says from the log what was asked for" suggests_time
capture "$CTL" learn --suggest --config "$E2E_POLICIES/own" never-run
holds "learn: --suggest has nothing for an image that is not in the log" failed

capture "${LEARN[@]}" --run-arg=--runtime=own --probe true known-needs
holds "learn: a probe that anything passes proves nothing" \
  err_has "also succeeds for a container that does nothing"
capture "${LEARN[@]}" --run-arg=--runtime=plain known-needs
holds "learn: a container that runclad did not make proves nothing" \
  err_has "was not made by runclad"
holds "learn: nothing is left after that" nothing_is_left

# In the forms of others, which plain runc runs.
compose_options() {  # FILE: what docker run calls the members of its service
  /usr/bin/python3 - "$1" <<'PY'
import sys, yaml
(service,) = yaml.safe_load(open(sys.argv[1]))["services"].values()
for member, option in (("cap_drop", "--cap-drop"), ("cap_add", "--cap-add"), ("security_opt", "--security-opt"),
                       ("tmpfs", "--tmpfs"), ("volumes", "--volume")):
    for value in service.get(member, []):
        print(f"{option}={value}")
if service["read_only"]:
    print("--read-only")
print(service["image"])
PY
}
# From the host: what docker exec starts is not seen, so that a seccomp profile may not let it through.
serves() {
  [ "$(nsenter -t "$(docker inspect -f '{{.State.Pid}}' served)" -n busybox wget -q -O - http://127.0.0.1/)" = served ]
} 2>/dev/null
serves_with() {  # OPTION… IMAGE
  docker run -d --name served --network none --runtime plain \
    --sysctl net.ipv4.ip_unprivileged_port_start=1024 "$@" >/dev/null && eventually 20 serves
  local status=$?
  OUT=$(docker logs served 2>&1)
  docker_remove -v served
  return "$status"
}
CAPTURE_SECONDS=400 capture "${LEARN[@]}" --run-arg=--runtime=own --boots 1 --as compose --output "$E2E_WORK/as.yaml" \
  known-needs
guards "learn: --as compose: it ends" succeeded
mapfile -t options < <(compose_options "$E2E_WORK/as.yaml" 2>/dev/null)
guards "learn: --as compose: the service serves with it" serves_with "${options[@]}"
guards "learn: --as compose: with the two capabilities alone" \
  test "$(grep -cF 'cap_add: ["CHOWN", "NET_BIND_SERVICE"]' "$E2E_WORK/as.yaml" 2>/dev/null)" = 1
CAPTURE_SECONDS=400 capture "${LEARN[@]}" --run-arg=--runtime=own --boots 1 --as seccomp --output "$E2E_WORK/as.json" \
  known-needs
if err_has 'system calls are not known'; then
  printf '# left out: %s\n' "$ERR" | tail -n 1 | tee -a "$E2E_WORK/left-out"
else
  guards "learn: --as seccomp: it ends" succeeded
  guards "learn: --as seccomp: the service serves with it" \
    serves_with --security-opt "seccomp=$E2E_WORK/as.json" known-needs
  lets_through() { jq -e --arg name "$1" '.syscalls[0].names | index($name)' "$E2E_WORK/as.json" >/dev/null; }
  guards "learn: --as seccomp: listen(2) is in it" lets_through listen
  holds "learn: --as seccomp: mount(2) is not" not lets_through mount
fi
holds "learn: nothing is left of these" nothing_is_left

# What users of Docker can do to the containers meanwhile is not a verdict: otherwise everything would be granted.
disturb() {  # FIRST LAST COMMAND…: does it to these, by their number, once each (to every STEPth)
  local first=$1 last=$2 number=0 seen=' ' id
  shift 2
  while [ "$number" -lt "$last" ]; do
    for id in $(docker ps -q --no-trunc --filter label=runclad.learn); do
      [[ $seen != *" $id "* ]] || continue
      seen+="$id "
      ((number += 1))
      [ "$number" -lt "$first" ] || (((number - first) % ${STEP:-1})) || "$@" "$id" >/dev/null 2>&1
    done
    sleep 0.05
  done
}
end_by_pid() { kill -9 "$(docker inspect -f '{{.State.Pid}}' "$1")"; }
enter() { docker exec "$1" true; }
while_disturbed() {  # FIRST LAST COMMAND… -- ARGUMENTS OF LEARN
  local command=()
  while [ "$1" != -- ]; do
    command+=("$1")
    shift
  done
  shift
  disturb "${command[@]}" &
  local disturber=$!
  CAPTURE_SECONDS=400 capture "${LEARN[@]}" --run-arg=--runtime=own "$@"
  kill "$disturber"
  wait "$disturber"
} 2>/dev/null
is_no_verdict() {  # WHAT
  failed && err_has "nothing can be proved, because of others than learn: three times, the container $1"
}
while_disturbed 1 99 docker kill -- known-needs
holds "learn: docker kill is not a verdict" is_no_verdict "was sent signal 9"
while_disturbed 1 99 end_by_pid -- known-needs
holds "learn: nor is a kill from the host" is_no_verdict "was ended by signal 9"
while_disturbed 1 99 docker pause -- known-needs
holds "learn: nor is a pause" is_no_verdict "was paused"
while_disturbed 1 99 docker restart --time 1 -- known-needs
holds "learn: nor is a restart" is_no_verdict "was"
while_disturbed 1 99 enter -- known-needs
holds "learn: nor is an exec by others" is_no_verdict "was entered by docker exec"
while_disturbed 1 99 docker rm -f -- known-needs
holds "learn: nor is a container that vanished" is_no_verdict "was"
# Docker keeps 256 events: what happened before them must not count as nothing.
stop_and_hide() {
  docker kill --signal STOP "$1"
  curl -s --unix-socket /run/docker.sock -X POST \
    "http://docker/images/known-needs/tag?repo=learn-flood&tag=1&number=[1-400]"
}
if [ "$E2E_PROVE" != 1 ]; then  # with plain runc, learn ends before the third container
  while_disturbed 3 99 stop_and_hide -- known-needs
  holds "learn: nor is a container that was stopped, which Docker has forgotten" is_no_verdict ""
  holds "learn: Docker did take these events" docker image inspect learn-flood:1
  docker rmi learn-flood:1 >/dev/null 2>&1
fi
holds "learn: nothing is left after these" nothing_is_left
rm -f "$LEARNED"
STEP=3 while_disturbed 5 11 docker kill -- --output "$LEARNED" known-needs
guards "learn: three containers killed on the way change nothing" \
  test "$(grants)" = '[["CAP_CHOWN","CAP_NET_BIND_SERVICE"],["/var/lib/served"]]'
guards "learn: and it says so" err_has "does not count: the container was sent signal 9"

# Ended by SIGTERM, and killed. What the killed one had asked dockerd for is made all the same, maybe after the next call.
removed_by_the_next_call() {
  "${LEARN[@]}" there-is-no-such-image >/dev/null 2>&1
  nothing_is_left
}
exists() { docker inspect "$1" >/dev/null 2>&1; }
removed_whatever_its_name() {
  "${LEARN[@]}" there-is-no-such-image >/dev/null 2>&1
  not exists theirs && [ -z "$(ls "$TRIALS")" ]
}
guard_of() { ps -o pid=,sid= --ppid "$1" | awk '$1 == $2 {print $1}'; }
can_trace() { grep -qw tracefs /proc/filesystems; }
for case in TERM KILL both; do
  "${LEARN[@]}" --run-arg=--runtime=own known-needs >"$E2E_WORK/out" 2>"$E2E_WORK/err" &
  learner=$!
  eventually 30 sh -c 'docker ps -q --filter label=runclad.learn | grep -q .'
  # Its guard has a session of its own.
  [ "$case" != both ] || kill -KILL "$(guard_of "$learner")"
  [ "$case" != KILL ] || not can_trace || eventually 30 not no_instance_is_left
  if [ "$case" = TERM ]; then kill -TERM "$learner"; else kill -KILL "$learner"; fi
  wait "$learner"
  if [ "$case" = TERM ]; then
    holds "learn: nothing is left after SIGTERM" nothing_is_left
  elif [ "$case" = KILL ]; then
    holds "learn: after SIGKILL, its guard removes what is traced at once" eventually 5 no_instance_is_left
    holds "learn: and everything else" eventually 60 nothing_is_left
  else
    # Whoever may use Docker can take the name away; an image can bring the label along.
    docker rename "$(docker ps -q --filter label=runclad.learn)" theirs
    docker run -d --name others --label runclad.learn --network none --runtime plain box sleep 600 >/dev/null
    # And have dockerd make a directory where trials are: a missing source of a bind mount.
    mkdir -p "$TRIALS/$(docker inspect -f '{{.Id}}' others)/policy.d"
    capture "$CTL" doctor --only policy/trials
    holds "learn: doctor reports what SIGKILL left without a guard" out_has "policy/trials: "
    holds "learn: the next call removes what SIGKILL left, whatever its name" eventually 60 removed_whatever_its_name
    holds "learn: and not what others gave its label or a directory" exists others
    docker_remove others
    capture "$CTL" doctor --only policy/trials
    holds "learn: doctor has nothing to report then" out_lacks "policy/trials: "
    holds "learn: the next call removes what SIGKILL left" eventually 60 removed_by_the_next_call
  fi
done 2>/dev/null
docker rmi known-needs >/dev/null
