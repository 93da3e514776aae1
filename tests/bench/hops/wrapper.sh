#!/bin/bash
# A runtime wrapper as one would write it with bash and jq: the same kind of edit as wrapper.go's.
set -e
lower=${BENCH_LOWER_RUNTIME:-/usr/sbin/runc}
arguments=("$@")
while [ $# -gt 0 ]; do
  case "$1" in
    create) creates=1 ;;
    --bundle) bundle=$2 ;;
  esac
  shift
done
if [ -n "${creates:-}" ]; then
  jq -c '
    .process.noNewPrivileges = true
    | .process.capabilities |= map_values(map(select(. == "CAP_NET_BIND_SERVICE")))
    | .root.readonly = true
    | .mounts |= map(if .destination == "/dev" then . else
        .options = ((.options // []) + (["nosuid", "nodev", "noexec"] - (.options // []))) end)
    | .mounts += (["/run", "/tmp", "/var/tmp"] | map({destination: ., type: "tmpfs", source: "tmpfs",
        options: ["nosuid", "nodev", "noexec", "size=64m"]}))
    | .linux.resources.pids.limit = 2048' "$bundle/config.json" >"$bundle/config.new"
  mv "$bundle/config.new" "$bundle/config.json"
fi
exec "$lower" "${arguments[@]}"
