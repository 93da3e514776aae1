#!/bin/bash
# runcladctl looks at running containers: what it prints is what the kernel enforces, whoever started them
# and however.
# shellcheck disable=SC2016  # dollars are for the shell in the container
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"

CONTROL=${E2E_PROGRAM%/*}/runcladctl
ctl() { capture "$CONTROL" "$@"; }
json_is() { jq -e "$1" <<<"$OUT" >/dev/null; }
# A field of the container's first process, as /proc has it.
kernel() { awk -v f="$2:" '$1 == f {print $2; exit}' "/proc/$(pid_of "$1")/status"; }
pid_of() { docker inspect -f '{{.State.Pid}}' "$1"; }
# What ps says of a container: of NAME JQ-EXPRESSION
of() { jq -r --arg name "$1" ".containers[] | select(.name == \$name) | $2" <<<"$OUT"; }

ESCAPE=$'/esc\e[31m'
docker_start hard
RUNTIME=baseline docker_start soft -v "$E2E_SRV:$ESCAPE" --memory 64m
RUNTIME=plain docker_start open --cap-add SYS_ADMIN --security-opt seccomp=unconfined
capture docker run -d --name host --network host --runtime plain -u 1000 box sleep 600
capture docker run -d --name web --network none --runtime plain box \
  sh -c 'nc -ll -p 8080 -e true & exec sleep 600'
mkdir -p "$E2E_WORK/by-hand/rootfs" && cp -a "$E2E_WORK/rootfs/." "$E2E_WORK/by-hand/rootfs"
(cd "$E2E_WORK/by-hand" && "$E2E_PLAIN" spec &&
  jq '.process.terminal = false | .process.args = ["sleep", "600"]' config.json >c && mv c config.json)
"$E2E_PLAIN" --root "$E2E_WORK/own-root" run -d --bundle "$E2E_WORK/by-hand" bundle-by-hand \
  </dev/null >/dev/null 2>&1

ctl ps --json --root "$E2E_WORK/own-root"
holds "ps lists the containers" succeeded
holds "of every engine and of plain runc" json_is '[.containers[].name] | contains(["hard", "soft", "open", "host", "web"])'
holds "and one of a runtime root that was named" json_is 'any(.containers[]; .id == "bundle-by-hand" and .runclad.state == "none")'
for name in hard soft open host web; do
  bounding=$(of "$name" '.capabilities.bounding | length')
  bits=$(kernel "$name" CapBnd | python3 -c 'print(bin(int(input(), 16)).count("1"))')
  holds "$name: the bounding set is the kernel's" test "$bounding" = "$bits"
  holds "$name: no_new_privs is the kernel's" \
    test "$(of "$name" '.noNewPrivileges')" = "$([ "$(kernel "$name" NoNewPrivs)" = 1 ] && echo true || echo false)"
  holds "$name: so is the seccomp mode" test "$(of "$name" '.seccomp.mode')" = "$(kernel "$name" Seccomp)"
  holds "$name: and the user" test "$(of "$name" '.user.hostUid')" = "$(kernel "$name" Uid)"
  holds "$name: the root filesystem" test "$(of "$name" '.rootWritable')" = \
    "$(awk '$5 == "/" {print ($6 ~ /(^|,)rw(,|$)/) ? "true" : "false"}' "/proc/$(pid_of "$name")/mountinfo" | tail -n 1)"
  holds "$name: every mount is there" test "$(of "$name" '.mounts | length')" = \
    "$(wc -l <"/proc/$(pid_of "$name")/mountinfo")"
  holds "$name: goes on as before" grep -q '^State:.S' "/proc/$(pid_of "$name")/status"
done
holds "host: what plain runc's lets through is read from the kernel" test "$(of host '.seccomp.source')" = kernel
guards "hard: its record and the kernel's count prove its filter" test "$(of hard '.seccomp.source')" = record
guards "hard: AF_ALG is not among it" test "$(of hard '.seccomp.risky | index("AF_ALG")')" = null
holds "open: everything is let through" test "$(of open '.seccomp.allowed')" = "$(of open '.seccomp.known')"
holds "host: shares the network namespace" test "$(of host '.namespaces.net.host')" = true
holds "hard: does not" test "$(of hard '.namespaces.net.host')" = false
holds "web: listens, where the host's netstat does not see it" \
  test "$(of web '[.listening[] | select(.port == 8080)] | length > 0')" = true
holds "host: a socket of another program is not counted as its own" test "$(of host '.listening | length')" = 0
holds "web: has two processes" test "$(of web '.processes | length')" = 2
guards "hard: came through runclad and is what was promised" \
  test "$(of hard '.runclad | .state + " " + .profile')" = "kept restricted"
holds "open: did not" test "$(of open '.runclad.state')" = none
if has_controller memory; then
  holds "soft: the memory limit" test "$(of soft '.limits.memory')" = 67108864
fi

# The same, read from the kernel; the record says what the kernel has.
of hard '.seccomp | [.allowed, .risky]' >"$E2E_WORK/by-record"
ctl ps --attach --json
holds "--attach: hard is read from the kernel" test "$(of hard '.seccomp.source')" = kernel
holds "--attach: and has the filter that the record said" \
  test "$(of hard '.seccomp | [.allowed, .risky]')" = "$(cat "$E2E_WORK/by-record")"
ctl can --no-attach hard syscall mount
holds "can --no-attach: what filters decide is unknown" status_is 2
holds "can --no-attach: and the document's filter is named" out_has "the filter in its document does not let it through"
ctl can --no-attach hard CAP_SYS_ADMIN
holds "can --no-attach: what does not depend on them is known" status_is 1

ctl ps
holds "ps: a line each" out_has "CONTAINER"
holds "ps: names what is shared with the host" grep -qE '^host .* net ' <<<"$OUT"
ctl ps --wide
holds "ps --wide: the image" out_has docker.io/library/box:latest
ctl ps soft
holds "ps soft: each mount" out_has "mount"
holds "ps soft: an escape sequence in a mount point is printed as text" out_lacks $'\e'
ctl ps --no-attach --json
holds "--no-attach: the document says what is let through" test "$(of hard '.seccomp.source')" = document
capture timeout 3 "$CONTROL" ps --watch 1
holds "--watch: prints again" test "$(grep -c CONTAINER <<<"$OUT")" -ge 2

# --- score ---
ctl score --json
exposure() { of "$1" .exposure; }
holds "score: the most exposed one comes first" json_is '[.containers[].exposure] | . == (sort | reverse)'
guards "score: restricted is less exposed than baseline" \
  json_is '[.containers[] | {(.name): .exposure}] | add | .hard < .soft'
holds "score: and each less than one without a filter and with CAP_SYS_ADMIN" \
  json_is '[.containers[] | {(.name): .exposure}] | add | .hard < .open and .soft < .open'
holds "score: every check of open is known" json_is \
  '[.containers[] | select(.name == "open") | .checks[] | select(.share == null and .id != "recorded")] | length <= 3'
holds "score: its shares add up" json_is \
  'all(.containers[]; (([.checks[].share // 0] | add) - .exposure | fabs) < 0.06)'
cp "$E2E_WORK/out" "$E2E_WORK/before.json"
ctl score --threshold 10
holds "score --threshold: none is above ten" status_is 0
ctl score --threshold 1 open
holds "score --threshold: open is above one" status_is 1
holds "score --threshold: which container and what limit is printed" out_has "above the limit of 1.0: open ("
holds "score: says what would lower it most" out_has "What would lower it most"
ctl score --explain seccomp
holds "score --explain: a page" out_has "Rule: seccomp"
ctl score --explain secomp
holds "score --explain: an unknown check is an error with a suggestion" err_has 'did you mean "seccomp"?'
printf '{"host-root": 0, "seccomp": 100}' >"$E2E_WORK/weights.json"
ctl score --json --weights "$E2E_WORK/weights.json"
holds "score --weights: a filter counts more" test \
  "$(jq -r '[.containers[] | select(.name == "open")][0].exposure > 7' <<<"$OUT")" = true
ctl score --json --bundle "$E2E_WORK/by-hand"
holds "score --bundle: by the document alone" json_is '.containers[0].exposure > 1'

# --- report ---
SCRIPT='<script>alert(1)</script>"<b>'
mkdir -p "$E2E_SRV/$SCRIPT"
docker_start marked -v "$E2E_SRV/$SCRIPT:/$SCRIPT" --label "x=$SCRIPT"
ctl report --html --output "$E2E_WORK/report.html"
holds "report --html: is written" succeeded
holds "report --html: only its owner can read it" test "$(stat -c %a "$E2E_WORK/report.html")" = 600
capture python3 "$E2E_DIR/../report/page.py" "$E2E_WORK/report.html" open web "sys_admin" "CIS Docker Benchmark"
holds "report --html: is a page that fetches and runs nothing" succeeded
worst=$(grep -o '<h2 id="worst"><a[^>]*>[^<]*' "$E2E_WORK/report.html" | sed 's/.*>//')
ctl report --json
holds "report: the most exposed one is the first" test "$(jq -r '.containers[0].name' <<<"$OUT")" = "$worst"
holds "report: markup in a mount point is text" test "$(of marked '[.mounts[].point | select(contains("script"))] | length')" = 1
holds "report: open has a capability beyond Docker's" test "$(of open '.controls["CIS 5.4"].result')" = fail
holds "report: and hard has not" test "$(of hard '.controls["CIS 5.4"].result')" = pass
holds "report: host shares the network" test "$(of host '.controls["CIS 5.10"].result')" = fail
guards "report: hard, which is root, meets the level baseline" test "$(of hard .podSecurity)" = baseline
holds "report: open meets none" test "$(of open .podSecurity)" = privileged
ctl report --sarif
holds "report --sarif: a result for open" json_is '[.runs[0].results[] | select(.ruleId == "CIS 5.4")] | length > 0'
ctl report --junit
holds "report --junit: is XML" python3 -c 'import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])' "$E2E_WORK/out"
printf '{"dockerbenchsecurity": "1.6.0", "tests": [{"id": "5", "results": [{"id": "5.4", "result": "WARN"}]}]}' \
  >"$E2E_WORK/bench.json"
ctl report --json --compare "$E2E_WORK/bench.json"
holds "report --compare: shows the other's result" json_is 'any(.controls[]; .id == "CIS 5.4" and .dockerBench == "WARN")'
ctl report --json --compare "$E2E_WORK/report.html"
holds "report --compare: another file is an error" err_has "docker-bench-security"
docker_remove marked

# --- drift ---
ctl drift web
holds "drift: nothing is changed at first" status_is 0
docker exec web sh -c 'echo x >/etc/new; echo root:x:0:0::/:/bin/sh >/etc/passwd; rm /etc/group
  chmod 600 /run/seed; cp /bin/probe /usr/bin/tool; chmod 4755 /usr/bin/tool; mkdir /srv/deep
  echo y >/srv/deep/file; rm -r /home/app; mkdir /home/app'
ctl drift --json web
holds "drift: something is" status_is 1
change_is() { json_is ".containers[0].changes | any(.[]; .path == \"$1\" and .kind == \"$2\")"; }
holds "drift: a set-user-ID program comes first" \
  json_is '.containers[0].changes[0] | .path == "/usr/bin/tool" and .setId and .program and .kind == "added"'
holds "drift: a new file" change_is /etc/new added
holds "drift: a changed one" change_is /etc/passwd changed
holds "drift: a removed one" change_is /etc/group removed
holds "drift: one of which only the mode changed" change_is /run/seed mode
holds "drift: a directory that replaces the image's" change_is /home/app replaced
holds "drift: and what is in a new one" change_is /srv/deep/file added
holds "drift: not the directories around them" \
  json_is '[.containers[0].changes[].path] | index("/etc") == null and index("/usr/bin") == null'
docker_start points -v points:/made/deep/point --tmpfs /other/point
ctl drift points
holds "drift: the points of its mounts and what leads to them are not changes" grep -q '^points: as its image' <<<"$OUT"
docker_remove points
docker volume rm points >/dev/null
ctl drift --all
holds "drift --all: hard equals its image" grep -q '^hard: as its image' <<<"$OUT"

# --- what changed since ---
nsenter -t "$(pid_of hard)" -m mount -o remount,bind,rw none / 2>/dev/null
ctl ps --json
guards "hard: a root that became writable is detected" test "$(of hard '.runclad.state')" = broken
strace -qq -o /dev/null -p "$(pid_of soft)" 2>/dev/null &
tracer=$!
eventually 5 sh -c "grep -q 'TracerPid:.[1-9]' /proc/$(pid_of soft)/status"
ctl ps --json
holds "soft: traced by another program, its filters are unknown" \
  test "$(of soft '.seccomp.unknown')" = "another program traces the task"
ctl score --json
holds "score --diff: nothing has changed between a file and itself" "$CONTROL" score --diff "$E2E_WORK/before.json" "$E2E_WORK/before.json"
cp "$E2E_WORK/out" "$E2E_WORK/after.json"
ctl score --diff "$E2E_WORK/before.json" "$E2E_WORK/after.json"
guards "score --diff: hard, whose root became writable" grep -q '^hard ' <<<"$OUT"
kill "$tracer"
wait "$tracer" 2>/dev/null

docker_remove hard soft open host web
"$E2E_PLAIN" --root "$E2E_WORK/own-root" delete -f bundle-by-hand
ctl ps --json
holds "ps: containers that have ended are gone" test "$(jq '[.containers[] | select(.name == "hard")] | length' <<<"$OUT")" = 0
