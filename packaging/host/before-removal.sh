# shellcheck shell=sh
# Sourced by the packages' scripts before they remove runclad: without it, engines could neither stop nor
# delete the containers that name it. RUNCLAD_REMOVE=force removes it all the same.

# The ids of the recorded containers whose first process lives: runclad keeps a link from its pid to the id,
# and the record has the tick at which it started.
runclad_running_containers() {
  for link in /run/runclad/*/pid-*; do
    id=$(readlink "$link") || continue
    start=$(sed 's/.*) //' "/proc/${link##*/pid-}/stat" 2>/dev/null | cut -d ' ' -f 20)
    if [ -n "$start" ] && grep -qE "\"startTime\": *${start}[,}]" "${link%/*}/$id.json"; then echo "$id"; fi
  done
}

runclad_refuse_while_containers_run() {
  running=$(runclad_running_containers)
  if [ -n "$running" ] && [ "${RUNCLAD_REMOVE:-}" != force ]; then
    echo "runclad: no engine could stop these running containers without it: $running" >&2
    echo "runclad: stop them first, or set RUNCLAD_REMOVE=force in the environment" >&2
    return 1
  fi
}

# The runtimes in whose place runclad stands: their names would lead nowhere.
runclad_refuse_while_closed() {
  if [ "${RUNCLAD_REMOVE:-}" = force ]; then runcladctl open >&2 || :; fi
  for link in /usr/libexec/runclad/.*.from; do
    if [ -L "$link" ]; then
      echo "runclad: $(readlink "$link") leads to it: put the runtime back with runcladctl open" >&2
      return 1
    fi
  done
}

# Files that still name the program; the engines report a missing runtime only when they next use it. And those that
# keep its name for a runtime that stays, as `runcladctl unconfigure` leaves them while containers name it.
runclad_say_what_names_it() {
  docker_keeps=
  for file in /etc/docker/daemon.json /etc/containerd/config.toml /etc/containerd/conf.d/*.toml \
    /etc/crio/crio.conf /etc/crio/crio.conf.d/* /etc/containers/containers.conf \
    /etc/containers/containers.conf.d/* /etc/systemd/system/docker.service.d/*; do
    [ -f "$file" ] || continue
    if grep -q '/sbin/runclad' "$file"; then
      echo "runclad: $file still names runclad; remove it there and reload the engine (before a removal, runcladctl unconfigure does both)" >&2
    elif sed 's/#.*//' "$file" | grep -qw runclad; then
      echo "runclad: $file still has the runtime \"runclad\", which leads to runc, for containers that name it; remove it when they are gone" >&2
      [ "$file" != /etc/docker/daemon.json ] || docker_keeps=1
    fi
  done
  stopped=$(grep -lE '"Runtime": *"runclad"' /var/lib/docker/containers/*/hostconfig.json 2>/dev/null | wc -l)
  if [ "$stopped" -gt 0 ] && [ -n "$docker_keeps" ]; then
    echo "runclad: $stopped of Docker's containers name it, and start with runc" >&2
  elif [ "$stopped" -gt 0 ]; then
    echo "runclad: $stopped of Docker's containers name the runtime \"runclad\" and will not start again" >&2
  fi
}
