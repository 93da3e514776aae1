# shellcheck shell=bash
# What BuildKit mounts into a step beside its root: sourced after lib.sh, with a policy that says how builds
# are judged. A cache keeps what is written to it, a context that is written to is a copy.

buildkit_mounts() {
  local context=$E2E_WORK/mounts build
  mkdir -p "$context"
  echo "of the context" >"$context/file"
  echo "of the caller" >"$E2E_WORK/secret"
  cat >"$context/Dockerfile" <<'DOCKERFILE'
FROM box AS first
RUN mkdir /made && echo "of the stage" >/made/file
RUN --mount=type=bind,target=/context cat /context/file >/made/context
RUN --mount=type=bind,target=/context,rw cp /context/file /context/copy && cp /context/copy /made/copy
# Another argument is another step, and not another cache, as --no-cache would have it.
ARG BUILD
RUN --mount=type=cache,target=/cache echo x >>/cache/x && cp /cache/x /made/cached
RUN --mount=type=secret,id=word cp /run/secrets/word /made/secret
RUN --mount=type=tmpfs,target=/scratch echo x >/scratch/x
FROM box
COPY --from=first /made /made
RUN --mount=type=bind,from=first,source=/made,target=/of-first cp /of-first/file /made/stage
CMD ["cat", "/made/context", "/made/copy", "/made/cached", "/made/secret", "/made/stage"]
DOCKERFILE
  # Docker 25 and earlier bind a directory below the copy, which a step that runs beside could exchange:
  # it stays read-only.
  if engine_is docker 26; then
    echo 'RUN --mount=type=cache,target=/cache,uid=1000,id=user : >/cache/of-a-user' >>"$context/Dockerfile"
  fi
  local said=$'of the context\nof the context\nx\n'
  for build in first second; do
    DOCKER_BUILDKIT=1 capture docker build --progress plain --network none --build-arg "BUILD=$build" \
      --secret "id=word,src=$E2E_WORK/secret" -t made "$context"
    holds "BuildKit's steps ($build build) write to caches and to copies of the context" succeeded
    docker_run --pull never made
    holds "… read what they bind, and find what the cache kept" out_is "${said}of the caller
of the stage"
    said+=$'x\n'
  done
  test ! -e "$context/copy" || record not-ok "a step wrote into the context itself"
  docker rmi made >/dev/null
  docker builder prune -af >/dev/null
}
