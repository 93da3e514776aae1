#!/bin/bash
# A container's life under Docker: everyday use keeps working, with the same exit codes, signals and
# output.
# shellcheck disable=SC2016  # dollars are for the shell in the container
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"

# --- exit codes, output, stdin, terminals ---
docker_run box sh -c 'exit 42'
holds "the program's exit status is passed on" status_is 42
docker_run box true
holds "success prints nothing" out_is ""
holds "and nothing on stderr" err_is_empty
docker_run box sh -c 'echo to-stdout; echo to-stderr >&2'
holds "stdout and stderr stay apart" test "$OUT/$ERR" = to-stdout/to-stderr
docker_run box no-such-program
holds "a missing program: exit status 127" status_is 127
docker_run box /etc/passwd
holds "a program that is not executable: exit status 126" status_is 126
docker_run -w /home/app -e GREETING=hello box sh -c 'pwd; echo $GREETING'
holds "-w and -e" out_is $'/home/app\nhello'
OUT=$(echo piped | timeout 120 docker run --rm -i --network none --runtime runclad box cat)
holds "-i passes stdin" out_is piped
docker_run -t box sh -c 'test -t 1 && stty size'
holds "-t gives a terminal" succeeded
capture script -qec "docker run --rm -it --network none --runtime runclad box sh -c 'tty; id -u'" \
  /dev/null
holds "-it at a terminal" out_has /dev/pts/0
docker_run -u app box id -un
holds "-u by name" out_is app
docker_run --hostname given box hostname
holds "--hostname" out_is given
docker_run --entrypoint /bin/echo box word
holds "--entrypoint" out_is word
docker_run --init box sh -c 'exit 7'
holds "--init keeps the exit status" status_is 7
if needs_controller memory "docker run -m"; then
  docker_run -m 64m box cat "$(limit_file memory)"
  holds "-m" out_is 67108864
fi

# --- signals ---
docker_start sleeper
capture docker kill -s KILL sleeper
capture docker wait sleeper
holds "docker kill: exit status 137" out_is 137
docker_remove sleeper
capture docker run -d --name trapper --network none --runtime runclad box \
  sh -c 'trap "echo bye; exit 3" TERM; echo ready; while :; do sleep 0.1; done'
eventually 10 sh -c 'docker logs trapper | grep -q ready'
capture docker stop -t 20 trapper
holds "docker stop" succeeded
capture docker inspect -f '{{.State.ExitCode}}' trapper
holds "SIGTERM reaches the program, which ends as it likes" out_is 3
capture docker logs trapper
holds "docker logs has its last words" out_is $'ready\nbye'
capture docker start trapper
holds "docker start of a container that has ended" succeeded
capture docker kill -s TERM trapper
capture docker wait trapper
holds "and it ends again" out_is 3
docker_remove trapper

# --- a server that writes to /tmp and to a volume ---
capture docker run -d --name server --network none --runtime runclad -v served:/data box \
  sh -c 'echo page >/data/index.html; echo $$ >/tmp/server.pid; exec httpd -f -p 8080 -h /data'
holds "a server starts" succeeded
holds "and answers" eventually 10 docker exec server wget -qO /dev/null http://127.0.0.1:8080/
capture docker exec server wget -qO - http://127.0.0.1:8080/index.html
holds "with what it wrote to its volume" out_is page
capture docker exec server cat /tmp/server.pid
holds "and has its pid file in /tmp" out_is 1
capture docker top server -o pid,comm
holds "docker top" out_has httpd
if needs_controller pids "docker stats"; then
  capture docker stats --no-stream --format '{{.PIDs}}' server
  holds "docker stats" grep -qE '^[1-9]' <<<"$OUT"
fi
capture docker pause server
holds "docker pause" succeeded
capture docker inspect -f '{{.State.Status}}' server
holds "it is paused" out_is paused
capture docker unpause server
holds "docker unpause" succeeded
if needs_controller memory "docker update"; then
  capture docker update --memory 64m --memory-swap 64m server
  holds "docker update of a memory limit" succeeded
  capture docker exec server cat "$(limit_file memory)"
  holds "reaches the kernel" out_is 67108864
fi
capture docker restart -t 5 server
holds "docker restart" succeeded
holds "it answers again" eventually 10 docker exec server wget -qO /dev/null http://127.0.0.1:8080/
capture docker exec server grep -E 'NoNew' /proc/1/status
guards "and is confined again" status_field NoNewPrivs 1
docker cp server:/data/index.html "$E2E_WORK/copied" >/dev/null
holds "docker cp" grep -qx page "$E2E_WORK/copied"
capture docker rm -f server
holds "docker rm -f" succeeded
# A part of a volume is mounted from a directory of dockerd's own, where it is bound to.
if engine_is docker 26; then
  docker_run -v served:/data box mkdir -p /data/part
  docker_run --mount type=volume,src=served,dst=/part,volume-subpath=part box sh -c 'echo part >/part/x && cat /part/x'
  holds "a part of a named volume can be written" out_is part
  docker_run -v served:/data box cat /data/part/x
  holds "… and is the volume's" out_is part
fi
docker volume rm served >/dev/null

# --- health checks: an exec every second ---
docker_start healthy --health-cmd 'test $(id -u) = 0' --health-interval 1s --health-retries 2
health_is() { [ "$(docker inspect -f '{{.State.Health.Status}}' "$1")" = "$2" ]; }
holds "a health check that passes" eventually 15 health_is healthy healthy
docker_remove healthy
docker_start confined --health-interval 1s --health-retries 1 \
  --health-cmd 'grep -E "CapBnd|NoNew" /proc/self/status'
eventually 15 health_is confined healthy
capture docker inspect -f '{{(index .State.Health.Log 0).Output}}' confined
guards "a health check runs with the container's capabilities" status_field CapBnd 0000000000000400
guards "and with no_new_privs" status_field NoNewPrivs 1
docker_remove confined
docker_start sick --health-cmd false --health-interval 1s --health-retries 1
holds "a health check that fails" eventually 15 health_is sick unhealthy
docker_remove sick

# --- restart policy: dockerd creates again, each time through the runtime ---
capture docker run -d --name again --network none --runtime runclad --restart on-failure:2 box \
  sh -c 'echo start; exit 1'
restarted_twice() { [ "$(docker inspect -f '{{.RestartCount}}{{.State.Running}}' again)" = 2false ]; }
holds "--restart on-failure:2" eventually 20 restarted_twice
docker_remove again

# --- docker build's RUN and commit: the classic builder uses the default runtime; commit any ---
docker_start committed
docker exec committed sh -c 'echo x >/tmp/x'
capture docker commit committed box-committed
holds "docker commit" succeeded
docker_remove committed
docker_run box-committed true
holds "a committed image runs" succeeded
docker rmi box-committed >/dev/null

# --- the record goes with the container ---
docker_start recorded
record=/run/runclad/$(stat -c %d-%i /run/docker/runtime-runc/moby)/$OUT.json
guards "a running container has a record" test -f "$record"
# What the packages ask before they remove runclad.
# shellcheck source=packaging/host/before-removal.sh
. "$E2E_DIR/../../packaging/host/before-removal.sh"
guards "which shows the packages that the container runs" grep -qxF "$OUT" <(runclad_running_containers)
id=$OUT
docker_remove recorded
holds "and no longer runs" not grep -qxF "$id" <(runclad_running_containers)
holds "which goes with it" test ! -e "$record"

# --- many at once ---
# Each says by its status which one it is, and by 40 more that it is confined: of 32 that end at once, dockerd loses
# a line of output now and then, never a status.
for n in $(seq 32); do
  # shellcheck disable=SC2016  # for the shell in the container
  docker run --rm --network none --runtime runclad box \
    sh -c 'grep -q "^CapBnd:.0000000000000400$" /proc/self/status && grep -q "^NoNewPrivs:.1$" /proc/self/status &&
      exit $(($1 + 40)); exit $1' sh "$n" >/dev/null 2>&1 &
  pids[n]=$!
done
right=0 confined=0
for n in $(seq 32); do
  wait "${pids[n]}"
  STATUS=$?
  [ $((STATUS % 40)) -ne "$n" ] || right=$((right + 1))
  [ "$STATUS" -ne $((n + 40)) ] || confined=$((confined + 1))
done
holds "32 containers at once: every exit status is its own" test "$right" = 32
guards "32 containers at once: all are confined" test "$confined" = 32

# --- an image without /tmp and /var: the runtime makes the mount points at the first start ---
tar -C "$E2E_WORK/rootfs" --exclude=./tmp --exclude=./var -c . | docker import -c 'CMD ["sh"]' - bare >/dev/null
capture docker run -d --name bare --network none --runtime runclad -u 1000 bare sleep 600
docker restart -t 0 bare >/dev/null 2>&1
capture docker exec bare sh -c 'mkdir -p /tmp/x /var/tmp/x && echo written'
# With plain runc, the image's root is not for this user to write to.
guards "a user can write to /tmp and /var/tmp after a restart, in an image without them" out_is written
docker_remove bare
docker image rm -f bare >/dev/null 2>&1
