#!/bin/bash
# exec gets no more than the container: engines build its process from their own state, before hardening.
# shellcheck disable=SC2016  # dollars are for the shell in the container
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"

STATUS_FIELDS='Cap|NoNew|Seccomp'
confined() {  # WHAT: of the status in OUT
  guards "$1: CapBnd" status_field CapBnd 0000000000000400
  guards "$1: NoNewPrivs" status_field NoNewPrivs 1
  holds "$1: Seccomp" status_field Seccomp 2
}

# --- docker exec ---
docker_start target
capture docker exec target grep -E "$STATUS_FIELDS" /proc/self/status
holds "docker exec runs" succeeded
guards "docker exec: CapEff" status_field CapEff 0000000000000400
confined "docker exec"
# (Where this machine itself lacks a capability, plain runc cannot do this at all.)
capture docker exec --privileged -u 1000 target grep -E "$STATUS_FIELDS" /proc/self/status
guards "docker exec --privileged -u: CapBnd" status_field CapBnd 0000000000000400
guards "docker exec --privileged -u: NoNewPrivs" status_field NoNewPrivs 1
guards "docker exec --privileged -u: Seccomp" status_field Seccomp 2
capture docker exec --privileged target grep -E "$STATUS_FIELDS" /proc/self/status
guards "docker exec --privileged: CapEff" status_field CapEff 0000000000000400
guards "docker exec --privileged: NoNewPrivs" status_field NoNewPrivs 1
capture docker exec -u 1000 target grep -E "$STATUS_FIELDS" /proc/self/status
holds "docker exec -u: no capability in effect" status_field CapEff 0000000000000000
confined "docker exec -u"
capture docker exec -u 1000 target setuid-probe
guards "docker exec -u: a set-user-ID program keeps the user" out_is 1000
capture docker exec --privileged -u 1000 target setuid-probe
guards "docker exec --privileged -u: likewise" out_is 1000
capture docker exec target sh -c 'echo x >/written'
guards "docker exec does not write to /" failed
capture docker exec target sh -c 'echo x >/tmp/written && cat /tmp/written'
holds "docker exec writes to /tmp" out_is x
capture docker exec -e A=b -w /home/app target sh -c 'pwd; echo $A'
holds "docker exec -e -w" out_is $'/home/app\nb'
capture docker exec -t target tty
holds "docker exec -t" out_has /dev/pts/
OUT=$(echo piped | timeout 120 docker exec -i target cat)
holds "docker exec -i passes stdin" out_is piped
capture docker exec target sh -c 'exit 9'
holds "docker exec: the exit status is passed on" status_is 9
capture docker exec target no-such-program
holds "docker exec: a missing program is exit status 126 or 127" grep -qE '12[67]' <<<"$STATUS"
capture docker exec -d target sh -c 'echo x >/tmp/detached'
holds "docker exec -d" eventually 5 docker exec target test -f /tmp/detached
docker_remove target

docker_start wide --cap-add SYS_ADMIN --security-opt seccomp=unconfined
capture docker exec --privileged -u 0 wide grep -E "$STATUS_FIELDS" /proc/self/status
guards "docker exec --privileged into a container that asked for more: CapBnd" \
  status_field CapBnd 0000000000000400
docker_remove wide

# --- FACTS: `exec --process` with the daemon's own process block undid a create-only shim ---
bundle=$(make_bundle exec-target '
  .process.capabilities |= map_values(["CAP_CHOWN", "CAP_SYS_ADMIN", "CAP_NET_BIND_SERVICE"])')
jq '.process | .args = ["grep", "-E", "Cap|NoNew|Seccomp", "/proc/self/status"]
    | .capabilities |= map_values(["CAP_CHOWN", "CAP_SYS_ADMIN", "CAP_NET_RAW"])
    | .noNewPrivileges = false' "$bundle/config.json" >"$E2E_WORK/wide.process.json"
capture_runtime create --bundle "$bundle" exec-target
holds "create by hand" succeeded
exec_by_hand() {  # WHAT OPTION…
  local what=$1
  shift
  capture_runtime exec "$@"
  holds "$what runs" succeeded
  guards "$what: CapBnd" has_at_most_net_bind_service CapBnd
  guards "$what: NoNewPrivs" status_field NoNewPrivs 1
}
status_of=(grep -E "$STATUS_FIELDS" /proc/self/status)
exec_by_hand "exec --process into a created container" --process "$E2E_WORK/wide.process.json" \
  exec-target
exec_by_hand "exec --cap into a created container" --cap CAP_SYS_ADMIN exec-target "${status_of[@]}"
holds "the container is still created" test "$(state_of exec-target)" = created
capture_runtime start exec-target
holds "start" succeeded
holds "it runs" test "$(state_of exec-target)" = running
exec_by_hand "exec --process" --process "$E2E_WORK/wide.process.json" exec-target
exec_by_hand "exec -p=" "-p=$E2E_WORK/wide.process.json" exec-target
exec_by_hand "exec of a program" exec-target "${status_of[@]}"
exec_by_hand "exec --cap" --cap CAP_SYS_ADMIN --cap CAP_NET_RAW exec-target "${status_of[@]}"
exec_by_hand "exec -c" -c CAP_SYS_ADMIN exec-target "${status_of[@]}"
exec_by_hand "exec --no-new-privs=false" --no-new-privs=false exec-target "${status_of[@]}"
capture_runtime exec --user 1000 exec-target setuid-probe
guards "exec --user: a set-user-ID program keeps the user" out_is 1000
capture_runtime exec --cwd /home/app --env A=b exec-target sh -c 'pwd; echo $A'
holds "exec --cwd --env" out_is $'/home/app\nb'
capture_runtime exec exec-target sh -c 'exit 5'
holds "exec: the exit status is passed on" status_is 5
capture_runtime exec --detach --pid-file "$E2E_WORK/exec.pid" exec-target sleep 30
holds "exec --detach writes its pid file" grep -qE '^[0-9]+$' "$E2E_WORK/exec.pid"
guards "and is confined" grep -q 'NoNewPrivs:.1' "/proc/$(cat "$E2E_WORK/exec.pid")/status"
# Between the check and the runtime nobody may swap the file that says what runs.
holds "the caller's process.json is as it was" \
  grep -q CAP_SYS_ADMIN "$E2E_WORK/wide.process.json"

# --- a second create of a living id fails and changes nothing for it ---
other=$(make_bundle exec-target-second '.process.capabilities |= map_values([])')
capture_runtime create --bundle "$other" exec-target
holds "a second create of a living id fails" failed
exec_by_hand "exec after a second create" --process "$E2E_WORK/wide.process.json" exec-target
holds "the first container lives" test "$(state_of exec-target)" = running
discard exec-target
capture_runtime delete --force exec-target

# --- a container that runclad has not made: the host's policy ---
bundle=$(make_bundle older)
capture_plain create --bundle "$bundle" older
capture_plain start older
exec_by_hand "exec into a container older than runclad" --process "$E2E_WORK/wide.process.json" older
discard older

# --- process.json that two readers could read in two ways ---
bundle=$(make_bundle strict)
capture_runtime create --bundle "$bundle" strict
capture_runtime start strict
for twist in '"Capabilities": {"bounding": ["CAP_SYS_ADMIN"]}' '"noNewPrivileges": false' \
  '"NONEWPRIVILEGES": false'; do
  jq -c . "$E2E_WORK/wide.process.json" | sed "s/}\$/, $twist}/" >"$E2E_WORK/twist.json"
  capture_runtime exec --process "$E2E_WORK/twist.json" strict
  guards "exec --process with $twist a second time is refused" failed
done
capture_runtime kill strict KILL
eventually 5 state_is strict stopped
capture_runtime delete --force strict
holds "delete" test -z "$(state_of strict)"
