#!/bin/bash
# runcladctl doctor with real engines: a host that is correct except for the known ways that are left open, and hosts
# with one fault each.
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"
# shellcheck source=tests/e2e/cri_engine.sh
. "$E2E_DIR/cri_engine.sh"
# shellcheck source=tests/readme_block.sh
. "$E2E_DIR/../readme_block.sh"

# shellcheck source=tests/e2e/doctor_host.sh
. "$E2E_DIR/doctor_host.sh"

doctor() { CAPTURE_SECONDS=600 capture "$CTL" doctor --json --program "$E2E_PROGRAM" --config "$E2E_POLICIES/own" "$@"; }
# The checks that found something, in their order. Debian 12's runc has known holes.
found() { jq -r '.checks[] | select(.findings != []) | .id' <<<"$OUT" | grep -vx runtime/known-holes | tr '\n' ' '; }
finds() {  # CHECKS
  [ "$(found)" = "$1 " ] && return
  jq -r '.checks[] | select(.findings != []) | "# \(.id): \(.findings[].finding)"' "$E2E_WORK/out"
  return 1
}
says() { jq -r ".checks[].findings[].finding" <<<"$OUT" | grep -qF -- "$1"; }
probes_hold() {  # CAPABILITIES ENGINES
  jq -e --argjson names "$1" --arg engines "$2" '([.probes[] | select(.capabilities == $names and .seccomp == 2) | .engine] |
    sort | join(",")) == $engines' "$E2E_WORK/out" >/dev/null
}
attacks_are_refused() { jq -e '[.probes[].attacks[].refused] | (all and length > 10)' "$E2E_WORK/out" >/dev/null; }

# --- the right host: Docker, podman and containerd's CRI plugin call runclad by default ---
right_host
# Containers that other topics left are made by other runtimes.
docker ps -aq | xargs -r docker rm -f >/dev/null
in_docker() { docker images -q | sort; docker ps -aq | sort; }
before=$(in_docker)
in_podman() { podman images -q | sort; podman ps -aq | sort; }
before_podman=$(in_podman)
doctor
open="roads/docker-runtimes roads/containerd-runtimes"
has_controller cpu || open+=" kernel/cgroup-controllers"
# Where cgroup v2 has no controllers, cgroup v1 has them, and it is not mounted here.
[ -z "$(unmounted_hierarchies)" ] || open+=" kernel/cgroup-hierarchies"
if engine_is docker 23 && jq -e 'any(.checks[]; .id == "roads/docker-shims" and .findings != [])' "$E2E_WORK/out" >/dev/null; then open=${open/ / roads/docker-shims }; fi
guards "on a correct host, doctor finds the ways that are left open and nothing else" finds "$open"
guards "each of them is runc" test "$(jq -r '.checks[].findings[] | select(.remedy | startswith("runcladctl close")) | .finding' \
  <<<"$OUT" | grep -c ' runc runs \| io.containerd.* runs ')" = "$(jq .roadsOpen <<<"$OUT")"
guards "they are warnings" test "$(jq -r '[.checks[] | select(.id != "runtime/known-holes") | .level] | unique | join(" ")' \
  <<<"$OUT")" = "fine warning"
guards "a probe container of each engine holds what the policy grants" probes_hold '["CAP_NET_BIND_SERVICE"]' containerd,docker,podman
guards "and every attack on each is refused" attacks_are_refused
holds "the probes leave nothing in Docker" test "$(in_docker)" = "$before"
holds "nor in podman" test "$(in_podman)" = "$before_podman"
holds "nor in containerd" not grep -q runclad-doctor <<<"$(ctr --address "$CRI_SOCKET" namespaces ls)"
holds "nor in /run" not compgen -G '/run/runclad-doctor.??????'
capture "$CTL" doctor --program "$E2E_PROGRAM" --config "$E2E_POLICIES/own" --only policy
holds "a category without findings is one line" grep -qE '^. policy +[0-9]+ checks$' <<<"$OUT"
CAPTURE_SECONDS=600 capture env PATH="${CTL%/*}:$PATH" bash -c "$(readme_block 'runcladctl doctor')"
holds "README's command has a line for each category" test "$(awk '/^[^ ]+ [a-z]+ +[0-9]+ checks/ {print $2}' <<<"$OUT" | tr '\n' ' ')" = \
  "roads policy log runtime kernel programs probe "
# An engine that has not removed the container before yet: its name is taken, once.
mkdir "$E2E_WORK/doctor/slow"
printf '#!/bin/bash\nif [[ " $* " = *" --privileged "* ]] && mkdir %s/seen 2>/dev/null; then echo "Conflict. The name is in use" >&2; exit 125; fi\nexec %s "$@"\n' \
  "$E2E_WORK/doctor/slow" "$(command -v docker)" >"$E2E_WORK/doctor/slow/docker"
chmod 755 "$E2E_WORK/doctor/slow/docker"
CAPTURE_SECONDS=600 capture env PATH="$E2E_WORK/doctor/slow:$PATH" "$CTL" doctor --json --program "$E2E_PROGRAM" \
  --config "$E2E_POLICIES/own" --only probe
guards "the first container with --privileged found its name taken" test -d "$E2E_WORK/doctor/slow/seen"
guards "and is tried once more" attacks_are_refused
capture "$CTL" doctor --only roads/dokcer-default
holds "a misspelt check is an error with a suggestion" err_has 'did you mean "roads/docker-default"?'

# --- status ---
capture docker run --rm --network none -v /:/host box true
capture docker run -d --name through --network none box sleep 600
capture "$CTL" status --json --program "$E2E_PROGRAM" --config "$E2E_POLICIES/own"
only() { doctor --only "$1"; }
status_says() { jq -e "$1" "$E2E_WORK/out" >/dev/null; }
holds "status" succeeded
guards "it says that the three engines are covered" status_says '[.engines[] | select(.covered) | .engine] | sort == ["containerd", "docker", "podman"]'
guards "it counts the container by its profile" status_says '.containers == {"restricted, enforce": 1}'
guards "it counts what was refused today" status_says '.today.outcomes.refused > 0 and (.today.refusals | last | contains("host-mounts"))'
guards "doctor's probes are counted apart" status_says '.today.probes > 10'
holds "and none is among the refusals" status_says '[.today.refusals[] | select(contains("probe"))] == []'
capture docker run --rm --network none --name runclad-doctor-probe --label doctor -v /:/host box true
capture "$CTL" status --json --program "$E2E_PROGRAM" --config "$E2E_POLICIES/own"
guards "a refused container with the probe's name is" status_says '.today.refusals | last == "runclad-doctor-probe: host-mounts"'
capture docker run --rm --network none --name last -v /etc:/host box true
only probe
capture "$CTL" why --last --config "$E2E_POLICIES/own"
guards "why --last is the last container that somebody asked for" out_has "named last"
capture "$CTL" why runclad-doctor-probe --config "$E2E_POLICIES/own"
guards "the log has the probes, and why finds them by their name" out_has runclad-doctor-probe
capture "$CTL" metrics --program "$E2E_PROGRAM" --config "$E2E_POLICIES/own" --state /var/lib/runclad
guards "metrics counts the probes apart" grep -qE '^runclad_probe_decisions_total [1-9][0-9]' <<<"$OUT"
docker_remove through

# --- one fault each ---
fault() {  # DESCRIPTION CHECK STATUS
  only "$2"
  holds "$1" finds "$2"
  holds "$1: the status is $3" status_is "$3"
}
jq '."default-runtime" = "runc"' "$E2E_WORK/daemon.right" >"$E2E_WORK/daemon.json"
reload
eventually 10 default_is runc
only roads/docker-default
holds "Docker's default is another runtime" finds roads/docker-default
holds "which is critical" status_is 2
capture docker run -d --name older --network none --runtime runc box sleep 600
cp "$E2E_WORK/daemon.right" "$E2E_WORK/daemon.json"
reload
eventually 10 default_is "$NAME"
fault "a container was made before" roads/containers 2
holds "by its name" says "the container older has the runtime runc and runs"
only roads/running
holds "and runclad has no record of it" finds roads/running
docker_remove older
kill -STOP "$E2E_DOCKERD_PID"
started=$SECONDS
doctor --only roads/engines-answer --timeout 2
kill -CONT "$E2E_DOCKERD_PID"
holds "an engine that hangs is found" finds roads/engines-answer
holds "as unknown" status_is 3
holds "in a bounded time" test $((SECONDS - started)) -lt 30
chmod 666 "$E2E_WORK/docker.sock"
only roads/open-sockets
holds "a socket that is open to everyone" finds roads/open-sockets
chmod 660 "$E2E_WORK/docker.sock"
printf '{"rules": {"capabilites": {}}}\n' >"$POLICY"
only policy
holds "a policy with a misspelt rule" says 'did you mean "capabilities"?'
holds "is critical" status_is 2
write_policy
rm -f "$LOG" && mkdir "$LOG"
only log/writable
holds "a log that cannot be written" finds log/writable
rmdir "$LOG"
printf '{"log": {"target": "journald"}}\n' >"$POLICY"
only log
holds "journald where there is none" finds log/journald
write_policy
# Configured is not effective: it answers as runclad does, and runs runc.
# shellcheck disable=SC2016  # for the program
printf '#!/bin/sh\ncase " $* " in *" --version "*) exec %s "$@" ;; esac\nexec %s "$@"\n' "$E2E_PROGRAM" "$E2E_PLAIN" >"$PROGRAM"
only roads/docker-default
holds "a program that only claims to be runclad is taken at its word" status_is 0
only probe
holds "and found by what a container of it has" grep -qF 'probe/confinement probe/attacks ' <<<"$(found)"
holds "by its capabilities" says "it holds CAP_CHOWN"
holds "and by what was not refused" says "docker run -v /:/host:ro was not refused"
holds "through each engine" test "$(jq '[.checks[].findings[] | select(.finding | contains("it holds")) | .subject] | length' <<<"$OUT")" = 3
holds "which is critical" status_is 2
install_program

# --- a user's program that has an engine's name: what it is, or its arguments name, is not root's to run or read ---
OWN=$(mktemp -d /tmp/runclad-doctor-XXXXXX)
chmod 755 "$OWN"
cp /bin/dash "$OWN/containerd"
printf 'touch %s/ran\n' "$OWN" >"$OWN/config"  # what it runs for `containerd config default`
chown -R nobody "$OWN"
setpriv --reuid=nobody --clear-groups "$OWN/containerd" -c 'sleep 600; :' >/dev/null 2>&1 </dev/null &
own_pid=$!
own_runs() { [ "$(readlink "/proc/$own_pid/exe")" = "$OWN/containerd" ]; }
holds "the program runs" eventually 10 own_runs
cd "$OWN" || exit 1
only roads
capture "$CTL" status --program "$E2E_PROGRAM" --config "$E2E_POLICIES/own"
holds "status has only root's engines" out_lacks "$OWN"
capture "$CTL" metrics --program "$E2E_PROGRAM" --config "$E2E_POLICIES/own"
holds "metrics counts" out_has runclad_roads_open
cd / || exit 1
holds "none of them runs a user's program as root" test ! -e "$OWN/ran"
kill "$own_pid"
rm -rf "$OWN"
