#!/bin/bash
# What a process is started as and with: its user, labels, limits, precedence, environment, program.
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
guards "as somebody else, with no group of root's" out_is $'1234\n2345\nGroups:\t30 '
docker_run -u 77:88 box sh -c 'id -u; id -g'
holds "another user stays who it is" out_is $'77\n88'
docker_start as-other
capture docker exec -u 0 as-other sh -c 'id -u; id -g'
guards "docker exec -u 0 is the other one too" out_is $'1234\n2345'
capture docker exec -u 5:0 as-other sh -c 'id -u; id -g'
guards "docker exec -u 5:0 is not of root's group" out_is $'5\n2345'
docker_remove as-other
bundle=$(make_bundle exec-user '.process.user = {"uid": 1000, "gid": 1000}')
capture_own create --bundle "$bundle" exec-user
capture_own start exec-user
capture_own exec --user 1000:1000 --additional-gids 0 --additional-gids 15 exec-user \
  grep Groups: /proc/self/status
holds "exec --additional-gids runs" succeeded
guards "without the groups of root and those denied" not out_has 15
guards "with none at all, that is" out_is $'Groups:\t '
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
  'any(.findings[]; .rule == "user" and .action == "warned" and .path == "/process/user/uid")'
