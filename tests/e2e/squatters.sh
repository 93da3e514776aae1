#!/bin/bash
# dockerd makes a missing source of a bind mount a directory of root, at any path that its users name, before the
# runtime can refuse the mount. Nothing that was refused is allowed by such a directory, the log goes on, and
# containers can be stopped. On copies of /usr and /etc that are gone afterwards.
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"

here=$E2E_WORK/squatters
mkdir -p "$here"
mount -t tmpfs -o mode=755 tmpfs "$here"
for name in usr etc; do
  mkdir -p "$here/$name"/{new,work}
  mount -t overlay -o "lowerdir=/$name,upperdir=$here/$name/new,workdir=$here/$name/work" overlay "/$name"
done
trap 'umount -l /etc /usr "$here"' EXIT
rm -rf /etc/runclad /usr/libexec/runclad

squat() {
  RUNTIME=own docker_run -v "$1:/x" box true
  holds "a container's user makes $1 a directory" test -d "$1"
}

# --- a policy of its own for a container on trial ---
mkdir -p "$E2E_SRV/secret"
touch "$E2E_SRV/secret/key"
jq --arg secret "$E2E_SRV/secret" '.rules["host-mounts"].deny = [$secret]' "$E2E_POLICIES/own/policy.json" >"$here/policy"
cp "$E2E_POLICIES/own/policy.json" "$here/before"
cp "$here/policy" "$E2E_POLICIES/own/policy.json"
capture docker create --name squatted --network none --runtime own -v "$E2E_SRV/secret:/x" box cat /x/key
for below in '' /policy.d/~learn.json; do
  squat "/run/runclad/learn/$(docker inspect -f '{{.Id}}' squatted)$below"
  capture docker start -a squatted
  guards "the host's policy applies to a container whose trial is a directory${below:+ with $below}" \
    refused host-mounts '/mounts/[0-9]+/source' "$E2E_SRV/secret"
done
docker_remove squatted
rm -rf /run/runclad/learn

# --- the log ---
rm -f "$E2E_POLICIES/own/audit.jsonl"
RUNTIME=own docker_run -v "$E2E_POLICIES/own/audit.jsonl/inside:/x" box true
RUNTIME=own docker_run --name unseen -v "$E2E_SRV/secret:/x" box true
guards "a refusal is logged where a directory was in the log's place" log_has own '.name == "unseen" and .outcome == "refused"'
cp "$here/before" "$E2E_POLICIES/own/policy.json"

# --- the lower runtime ---
squat /usr/libexec/runclad/runtime
if [ "$E2E_PROVE" = 0 ]; then
  capture "$E2E_PROGRAM" --version
  holds "a call that names no lower runtime finds runc" out_has "runc version"
  bundle=$(make_bundle squatted)
  capture_runtime create --bundle "$bundle" squatted
  capture "$E2E_PROGRAM" --root "$STATE" kill squatted KILL
  holds "and a container can be stopped" succeeded
  capture_runtime delete --force squatted
  # What the kubelet makes for the author of a pod whose hostPath has the type FileOrCreate.
  rm -rf /usr/libexec/runclad && mkdir -p /usr/libexec/runclad && touch /usr/libexec/runclad/runtime
  capture "$E2E_PROGRAM" --version
  holds "so it does where an empty file is in the link's place" out_has "runc version"
fi
rm -rf /usr/libexec/runclad

# --- the record of a container that waits for its start ---
if [ "$E2E_PROVE" = 0 ]; then
  bundle=$(make_bundle waiting '.process.args = ["true"]')
  capture_runtime create --bundle "$bundle" waiting
  records=/run/runclad/$(stat -c '%d-%i' "$STATE")
  mkdir -p "$records/pid-$(pid_of waiting)/inside" "$records/again.json/inside"
  capture_runtime start waiting
  holds "a container starts although its pid is a directory's name" succeeded
  capture_runtime delete --force waiting
  bundle=$(make_bundle again '.process.args = ["true"]')
  capture_runtime run --bundle "$bundle" again
  holds "and one is made although its record's name is" succeeded
  flock --no-fork "$records" sleep 60 &  # as any user can where dockerd made the directory
  locker=$!
  holds "the records are locked" eventually 5 not flock --nonblock "$records" true
  bundle=$(make_bundle locked '.process.args = ["true"]')
  CAPTURE_SECONDS=20 capture_runtime run --bundle "$bundle" locked
  holds "nor does it wait for who has them locked" succeeded
  kill "$locker"
fi

# --- every other name ---
if [ "$E2E_PROVE" = 0 ]; then
  mkdir -p /etc/runclad
  # The document asks for CAP_KILL, which no default allows, so that another policy in its place is seen.
  jq --arg log "file:$here/audit.jsonl" '.log.target = $log | .rules.capabilities.allow = ["CAP_KILL"]' \
    "$E2E_POLICIES/runclad/policy.json" >/etc/runclad/policy.json
  id=$(printf 'a%.0s' {1..64})  # as engines choose them
  bundle=$(make_bundle "$id")
  "${CC:-cc}" -O1 -static -o /usr/sbin/runc "$E2E_DIR/standin.c"
  export STANDIN=$here/ran
  capture python3 "$E2E_DIR/squatters.py" "$bundle" "$id" "$E2E_PROGRAM"
  printf '# %s\n' "${OUT//$'\n'/$'\n'# }"
  holds "no directory at a path that runclad reads loosens a container or keeps one from being stopped" succeeded
fi
