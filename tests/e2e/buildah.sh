#!/bin/bash
# Builds by podman build and buildah: each RUN step is a container in one of buildah's bundles.
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"

LIMITS=(--ulimit nofile=1024:2048 --ulimit nproc=1000:2000)
CONTEXT=$E2E_SRV/context
mkdir -p "$CONTEXT"
tar -C "$E2E_WORK/rootfs" -c . | podman import -q -c 'CMD ["sh"]' - box >/dev/null
echo "of the caller" >"$E2E_WORK/word"

policy() {  # MEMBER…; buildah gives a step the cgroup parent itself
  printf '{%s"log": {"target": "file:%s"}, "rules": {"cgroup-path": {"action": "warn"}}}\n' "$1" \
    "$E2E_POLICIES/own/audit.jsonl" >"$E2E_POLICIES/own/policy.json"
}
build() {  # BUILDER OPTION…; fifteen steps take their time where the machine is busy
  local builder=$1 program=$E2E_WORK/runtimes/own/runclad
  shift
  local call=(buildah bud --runtime "$program")
  [ "$builder" = buildah ] || call=(podman --cgroup-manager cgroupfs --runtime "$program" build)
  CAPTURE_SECONDS=300 capture "${call[@]}" --network none "${LIMITS[@]}" --isolation oci --no-cache \
    --cgroup-parent "$E2E_CGROUP/step" \
    -t made "$@" "$CONTEXT"
}
made() {  # what the image says, under the policy of every container
  capture podman --cgroup-manager cgroupfs --events-backend file --runtime "$E2E_WORK/runtimes/runclad/runclad" \
    run --rm --network none --cgroup-parent "$E2E_CGROUP" "${LIMITS[@]}" made
}

for builder in podman buildah; do
  cat >"$CONTEXT/Dockerfile" <<'DOCKERFILE'
FROM localhost/box
RUN printf '#!/bin/sh\necho built\n' >/usr/bin/made && chmod 755 /usr/bin/made
RUN made >/built && chown app /built && mkdir -m 700 /home/other && chown app:app /home/other
CMD ["cat", "/built"]
DOCKERFILE
  policy ''
  build "$builder"
  covers read-only-rootfs
  guards "a step of $builder is refused under restricted" failed
  guards "by the rule that prevents every build" err_has \
    "runclad: refused by read-only-rootfs: /root/readonly false"
  guards "and the error names the setting" err_has '"builds": "build" in policy.json'
  policy '"builds": "build", '
  build "$builder"
  holds "under the policy's profile for builds, steps of $builder write, run and own files" succeeded
  made
  holds "and the image works" out_is built
  podman rmi -f made >/dev/null

  echo "of the context" >"$CONTEXT/file"
  cat >"$CONTEXT/Dockerfile" <<'DOCKERFILE'
FROM localhost/box AS first
RUN mkdir /made && grep -E 'CapBnd|NoNewPrivs|Seccomp:' /proc/self/status >/made/status
RUN --mount=type=bind,target=/context cat /context/file >/made/context
RUN --mount=type=cache,target=/cache echo x >>/cache/x && cp /cache/x /made/cached
RUN --mount=type=secret,id=word cp /run/secrets/word /made/secret
RUN --mount=type=tmpfs,target=/scratch echo x >/scratch/x
RUN test -e /run/.containerenv && cat /etc/hostname
USER app
RUN setuid-probe >/tmp/euid
FROM localhost/box
COPY --from=first /made /made
COPY --from=first /tmp/euid /made/euid
RUN --mount=type=bind,from=first,source=/made,target=/of-first cp /of-first/context /made/stage
CMD ["cat", "/made/status", "/made/context", "/made/cached", "/made/secret", "/made/stage", "/made/euid"]
DOCKERFILE
  build "$builder" --cap-add SYS_ADMIN --secret "id=word,src=$E2E_WORK/word"
  holds "steps of $builder read contexts, stages and secrets, and write to caches" succeeded
  made
  holds "… and find the right content" test "$(grep -vE ':|^[0-9]+$' <<<"$OUT" | sort -u)" = "of the caller
of the context
x"
  covers capabilities
  guards "a step of $builder has baseline's capabilities" status_field CapBnd 00000000800405fb
  covers no-new-privileges
  guards "and no_new_privs" status_field NoNewPrivs 1
  guards "so that a set-user-ID program gains nothing" test "$(tail -n 1 <<<"$OUT")" = 1000
  holds "and a filter" status_field Seccomp 2
  podman rmi -f made >/dev/null

  python3 "$E2E_DIR/ssh_agent.py" "$E2E_WORK/agent.sock" &
  agent=$!
  eventually 10 test -S "$E2E_WORK/agent.sock"
  # shellcheck disable=SC2016  # the dollar is for the step
  printf '%s\n' 'FROM localhost/box' 'RUN --mount=type=ssh probe agent "$SSH_AUTH_SOCK" >/keys' \
    'CMD ["cat", "/keys"]' >"$CONTEXT/Dockerfile"
  build "$builder" --ssh "default=$E2E_WORK/agent.sock"
  holds "a step of $builder asks the caller's SSH agent" succeeded
  made
  holds "… which answers" out_is 0
  podman rmi -f made >/dev/null
  printf 'FROM localhost/box\nRUN probe agent /agent\n' >"$CONTEXT/Dockerfile"
  build "$builder" -v "$E2E_WORK/agent.sock:/agent"
  covers host-mounts
  guards "a socket that is named as a volume is refused to $builder" refused host-mounts '/mounts/[0-9]+/source' ''
  kill "$agent" && wait "$agent" 2>/dev/null
  rm "$E2E_WORK/agent.sock"

  printf 'FROM localhost/box\nRUN cat /host/etc/shadow >/shadow\n' >"$CONTEXT/Dockerfile"
  covers host-mounts
  for source in / /etc; do
    build "$builder" -v "$source:/host:ro"
    guards "$builder -v $source:/host is refused" refused host-mounts '/mounts/[0-9]+/source' ''
  done

  printf 'FROM localhost/box\nRUN true\n' >"$CONTEXT/Dockerfile"
  printf '{"builds": "build", "log": {"target": "file:%s"}}\n' "$E2E_POLICIES/own/audit.jsonl" \
    >"$E2E_POLICIES/own/policy.json"
  build "$builder" --cgroup-parent /
  covers cgroup-path
  guards "$builder --cgroup-parent / is refused" refused cgroup-path /linux/cgroupsPath ''
  podman rmi -f made >/dev/null 2>&1
done
podman rmi -af >/dev/null 2>&1
rm -rf "$CONTEXT"
