#!/bin/bash
# The upgrade of runclad below containers that the version before made, in every state of their lives.
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"

is_after() { cmp -s "$E2E_PROGRAM" "$E2E_PROGRAM.after"; }
holds "the version before runs first" not is_after

# --- made by the version before ---
created=$(make_bundle created)
capture_runtime create --bundle "$created" created
holds "it creates a container" succeeded
running=$(make_bundle running)
capture_runtime create --bundle "$running" running
capture_runtime start running
holds "it starts a container" state_is running running
docker_start kept --label which=kept
holds "it starts a container of Docker" succeeded
docker_start stopped
docker stop -t 1 stopped >/dev/null
holds "Docker stops one" test "$(docker inspect -f '{{.State.Status}}' stopped)" = exited
docker_start paused
docker pause paused >/dev/null
capture docker create --name made --network none --runtime runclad box sleep 600
holds "Docker makes one that was never started" succeeded
# Under a name that the version before keeps: both are its layers' only by what they were called at their first create.
NAME_FILE=$E2E_POLICIES/own/images/docker.io/team/app.json
mkdir -p "${NAME_FILE%/*}"
printf '{"log": {"target": "file:%s"}}\n' "$E2E_POLICIES/own/audit.jsonl" >"$E2E_POLICIES/own/policy.json"
printf '{"rules": {"capabilities": {"allow": ["CHOWN"]}}}\n' >"$NAME_FILE"
docker tag box team/app:1
tar -C "$E2E_WORK/rootfs" -c . | docker import -c 'ENV A=B' - newer >/dev/null
for name in named renamed; do
  capture docker run -d --name "$name" --network none --runtime own team/app:1 sleep 600
  holds "it starts $name under an image's name" succeeded
done
docker stop -t 1 named renamed >/dev/null
docker tag newer team/app:1  # a pull moves the name
capture docker start named
holds "it starts one again whose name has moved" succeeded
capture docker exec named grep CapBnd /proc/self/status
holds "with what the name may do" out_has 0000000000000001
docker stop -t 1 named >/dev/null
# What it logs of containers that are gone by the time of the upgrade.
capture docker run --rm --name gone --network none --runtime runclad -v /etc:/host box true
holds "it refuses a container" failed
gone=$(jq -r 'select(.outcome == "refused") | .container' "$E2E_POLICIES/runclad/audit.jsonl" | tail -n 1)
docker_start deleted
deleted=$(docker inspect -f '{{.Id}}' deleted)
docker_remove deleted
holds "it logs both" log_has runclad 'select(.outcome == "refused")'

# --- upgraded ---
cp "$E2E_PROGRAM.after" "$E2E_PROGRAM.new" && mv "$E2E_PROGRAM.new" "$E2E_PROGRAM"
holds "this version is in its place" is_after

capture_runtime start created
holds "a container that the version before created is verified and started" succeeded
holds "and runs" state_is created running
holds "with the capabilities that were decided" test "$(host_field created CapBnd)" = 0000000000000400
for id in created running; do
  capture_runtime exec "$id" sh -c 'grep CapBnd /proc/self/status'
  holds "exec into $id" succeeded
  holds "exec into $id is limited by the record" out_has 0000000000000400
  capture_runtime exec --cap CAP_SYS_ADMIN "$id" sh -c 'grep CapBnd /proc/self/status'
  holds "exec into $id with another capability gets none" not out_has 0000000000200400
  capture_runtime kill "$id" KILL
  holds "kill of $id" eventually 5 state_is "$id" stopped
  capture "${E2E_PROGRAM%/*}/runcladctl" why --root "$STATE" "$id"
  holds "runcladctl explains $id from its record" out_has "removed: CAP_AUDIT_WRITE CAP_KILL"
  capture_runtime delete "$id"
  holds "delete of $id" succeeded
done

capture docker exec --privileged kept grep -E 'CapBnd' /proc/self/status
holds "docker exec into a container of the version before" succeeded
holds "docker exec --privileged into it is limited by its record" out_has 0000000000000400
capture docker unpause paused
holds "a paused container is resumed" succeeded
capture docker exec paused true
holds "and takes an exec" succeeded
for name in stopped made; do
  capture docker start "$name"
  holds "docker start of $name" succeeded
  capture docker exec "$name" grep CapBnd /proc/self/status
  holds "$name is hardened" out_has 0000000000000400
done
capture docker restart -t 1 kept
holds "docker restart" succeeded
for name in kept stopped paused made; do
  capture docker stop -t 1 "$name"
  holds "docker stop of $name" succeeded
  capture docker rm "$name"
  holds "docker rm of $name" succeeded
done

# --- a name that the version before kept ---
for name in named renamed; do
  capture docker start "$name"
  holds "docker start of $name, whose image has another name by now" succeeded
  capture docker exec "$name" grep CapBnd /proc/self/status
  holds "$name may do what its first name allows" out_has 0000000000000001
  capture docker rm -f "$name"
  holds "docker rm -f of $name" succeeded
done
capture docker run --rm --network none --runtime own team/app:1 grep CapBnd /proc/self/status
holds "the image that has the name now may do it as well" out_has 0000000000000001

# --- its log ---
why() { capture "${E2E_PROGRAM%/*}/runcladctl" why --config "$E2E_POLICIES/runclad" "$1"; }
why "${gone:?}"
holds "runcladctl explains a refused container by its id, from the log" succeeded
holds "with the rule" out_has host-mounts
holds "and the path" out_has /etc
why "${deleted:?}"
holds "runcladctl explains a deleted container by its id, from the log" succeeded
holds "with what was taken" out_has CAP_KILL
