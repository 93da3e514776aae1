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
