#!/bin/bash
# Creates containers by hand, with Docker and with podman while others swap what their mounts lead
# to, and counts who saw the host. None may.
#
#   tests/race/run.sh [--prove] [--creates N]    N: 200 when not given, about a minute
#
# --prove runs the attacks with plain runc in runclad's place, each until it succeeds once. The last
# long run is in RESULTS.md.
set -eu
directory=$(cd "$(dirname "$0")" && pwd)
prove=()
export RACE_CREATES=200
while [ $# -gt 0 ]; do
  case "$1" in
    --prove) prove=(--prove) ;;
    --creates) RACE_CREATES=${2:?}; shift ;;
    *) sed -n '5,8s/^# *//p' "$0" >&2; exit 2 ;;
  esac
  shift
done
exec "$directory/../e2e/run.sh" "${prove[@]}" "$directory/race.sh"
