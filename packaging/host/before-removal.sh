# shellcheck shell=sh
# Sourced by the packages' scripts before they remove runclad: without it, engines could neither stop nor
# delete the containers that name it. RUNCLAD_REMOVE=force removes it all the same.

# Whether the first process of a record's container lives: the same pid, started at the same tick.
runclad_is_alive() {  # RECORD
  pid=$(sed -n 's/.*"pid": *\([0-9][0-9]*\).*/\1/p' "$1" | head -n 1)
  start=$(sed -n 's/.*"startTime": *\([0-9][0-9]*\).*/\1/p' "$1" | head -n 1)
  [ "${pid:-0}" -gt 0 ] &&
    [ "$(sed 's/.*) //' "/proc/$pid/stat" 2>/dev/null | cut -d ' ' -f 20)" = "$start" ]
}

runclad_refuse_while_containers_run() {
  alive=''
  for record in /run/runclad/*/*.json; do
    if [ -f "$record" ] && [ ! -h "$record" ] && runclad_is_alive "$record"; then
      id=${record##*/}
      alive="$alive ${id%.json}"
    fi
  done
  if [ -n "$alive" ] && [ "${RUNCLAD_REMOVE:-}" != force ]; then
    echo "runclad: these containers run through runclad, and no engine could stop them without it:$alive" >&2
    echo "runclad: stop them first, or set RUNCLAD_REMOVE=force in the environment" >&2
    return 1
  fi
}

# Files that still name the program; the engines report a missing runtime only when they next use it.
runclad_say_what_names_it() {
  for file in /etc/docker/daemon.json /etc/containerd/config.toml /etc/containerd/conf.d/*.toml \
    /etc/crio/crio.conf /etc/crio/crio.conf.d/* /etc/containers/containers.conf \
    /etc/containers/containers.conf.d/* /etc/systemd/system/docker.service.d/*; do
    if [ -f "$file" ] && grep -q '/sbin/runclad' "$file"; then
      echo "runclad: $file still names runclad; remove it there and reload the engine" >&2
    fi
  done
  stopped=$(grep -lE '"Runtime": *"runclad"' /var/lib/docker/containers/*/hostconfig.json 2>/dev/null | wc -l)
  if [ "$stopped" -gt 0 ]; then
    echo "runclad: $stopped of Docker's containers name the runtime \"runclad\" and will not start again" >&2
  fi
}
