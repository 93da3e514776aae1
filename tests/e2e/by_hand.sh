#!/bin/bash
# The calls that engines make, made by hand: every verb, every spelling, and documents that no
# engine writes.
# shellcheck disable=SC2016  # dollars are for jq
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"

# --- one life: create, state, start, kill, delete ---
bundle=$(make_bundle life)
capture_runtime create --bundle "$bundle" --pid-file "$E2E_WORK/life.pid" life
holds "create" succeeded
holds "create prints nothing" err_is_empty
holds "create writes the pid file" test "$(cat "$E2E_WORK/life.pid")" = "$(pid_of life)"
guards "the created process is confined before it starts: CapBnd" \
  test "$(host_field life CapBnd)" = 0000000000000400
guards "the created process is confined before it starts: NoNewPrivs" \
  test "$(host_field life NoNewPrivs)" = 1
guards "the created process is confined before it starts: Seccomp" \
  test "$(host_field life Seccomp)" = 2
capture_runtime start life
holds "start" succeeded
holds "it runs" state_is life running
guards "it is confined: CapBnd" test "$(host_field life CapBnd)" = 0000000000000400
guards "it is confined: CapPrm" test "$(host_field life CapPrm)" = 0000000000000400
capture_runtime kill life TERM
holds "kill" succeeded
capture_runtime kill life KILL
holds "kill -9 ends it" eventually 5 state_is life stopped
capture_runtime delete life
holds "delete" succeeded
holds "nothing is left of it" state_is life ""
capture_runtime create --bundle "$bundle" life
holds "the hardened document can be created again" succeeded
capture_runtime delete --force life
holds "delete --force of a created container" succeeded

# --- run, and each way to name the bundle ---
say=$(make_bundle say '.process.args = ["grep", "-E", "Cap|NoNew|Seccomp", "/proc/self/status"]')
spelled() {  # WHAT ARGUMENT…: run and its output is confined
  local what=$1
  shift
  cp "$say/config.json" "$E2E_WORK/say.json"
  capture "$E2E_RUNTIME" --root "$STATE" "$@"
  holds "$what runs" succeeded
  guards "$what: CapBnd" status_field CapBnd 0000000000000400
  guards "$what: NoNewPrivs" status_field NoNewPrivs 1
  cp "$E2E_WORK/say.json" "$say/config.json"
}
spelled "run --bundle DIR" run --bundle "$say" say
spelled "run -b DIR" run -b "$say" say
spelled "run -bundle=DIR" run "-bundle=$say" say
spelled "run --no-pivot --no-new-keyring" run --no-new-keyring --bundle "$say" say
spelled "run with a log named create" --log "$E2E_WORK/create" run --bundle "$say" say
cd "$say" || exit 1
spelled "run in the bundle" run say
cd "$E2E_WORK" || exit 1
ln -sfn "$say" "$E2E_WORK/bundle-link"
spelled "run of a bundle behind a link" run --bundle "$E2E_WORK/bundle-link" say
spelled "run with a relative bundle" run --bundle bundles/say say

# --- spellings that runc's versions read differently: refused or confined, never plain ---
contained() {  # WHAT ARGUMENT…
  local what=$1
  shift
  rm -rf "$E2E_WORK/other-state"
  capture "$E2E_RUNTIME" --root "$STATE" "$@"
  local wide=0 pid
  for pid in $(jq -r .init_process_pid "$STATE"/*/state.json "$E2E_WORK"/other-state/*/state.json 2>/dev/null); do
    grep -q 'NoNewPrivs:.1' "/proc/$pid/status" || wide=1
  done
  guards "$what is refused or confined" test "$wide" = 0
  local id
  for id in $("$E2E_PLAIN" --root "$STATE" list -q); do discard "$id"; done
  for id in $("$E2E_PLAIN" --root "$E2E_WORK/other-state" list -q 2>/dev/null); do
    "$E2E_PLAIN" --root "$E2E_WORK/other-state" delete --force "$id"
  done
}
make_bundle twin >/dev/null
twin=$E2E_WORK/bundles/twin
contained "create --bundle=… with an equals sign" create "--bundle=$twin" twin
contained "create twice the same flag" create --bundle "$say" --bundle "$twin" twin
contained "create with a log file named --bundle" --log --bundle create --bundle "$twin" twin
contained "create after a boolean with a value" --debug=false create --bundle "$twin" twin
contained "run --detach" run --detach --bundle "$twin" twin
contained "run -d" run -d -b "$twin" twin

# --- documents that two readers would read in two ways ---
twisted() {  # WHAT SED-SCRIPT: of the compact document
  make_bundle twist '.process.noNewPrivileges = true' >/dev/null
  jq -c . "$E2E_WORK/bundles/twist/config.json" | sed "$2" >"$E2E_WORK/twisted.json"
  cp "$E2E_WORK/twisted.json" "$E2E_WORK/bundles/twist/config.json"
  capture_runtime create --bundle "$E2E_WORK/bundles/twist" twist
  guards "$1 is refused" failed
  guards "$1: no container was created" state_is twist ""
  discard twist
}
twisted "a second noNewPrivileges in other letters" \
  's/"noNewPrivileges":true/"noNewPrivileges":true,"NoNewPrivileges":false/'
twisted "a second noNewPrivileges" \
  's/"noNewPrivileges":true/"noNewPrivileges":true,"noNewPrivileges":false/'
twisted "a second noNewPrivileges, escaped" \
  's/"noNewPrivileges":true/"noNewPrivileges":true,"noNewPrivi\\u006ceges":false/'
twisted "a process with U+017F for s" 's/^{/{"proce\\u017fs":{"noNewPrivileges":false},/'
twisted "a document with something behind it" 's/$/ {"process":null}/'

make_bundle linked >/dev/null
mv "$E2E_WORK/bundles/linked/config.json" "$E2E_WORK/elsewhere.json"
ln -s "$E2E_WORK/elsewhere.json" "$E2E_WORK/bundles/linked/config.json"
capture_runtime create --bundle "$E2E_WORK/bundles/linked" linked
guards "a config.json that is a link is refused" failed
discard linked
make_bundle fifo >/dev/null
rm "$E2E_WORK/bundles/fifo/config.json"
mkfifo "$E2E_WORK/bundles/fifo/config.json"
CAPTURE_SECONDS=5 capture_runtime create --bundle "$E2E_WORK/bundles/fifo" fifo
guards "a config.json that is a pipe does not block" not status_is 124

# --- run: nothing is compared between create and start, so the sources are held in place ---
mkdir -p "$E2E_SRV/stranger/data/below" "$E2E_SRV/stranger/overlay"
chown 1000 "$E2E_SRV/stranger"
echo judged >"$E2E_SRV/stranger/data/x"
mount -t tmpfs -o mode=755 tmpfs "$E2E_SRV/stranger/data/below"
echo below >"$E2E_SRV/stranger/data/below/x"
make_bundle held '.process.args = ["sh", "-c", "cat /a/x /a/below/x /b/x"]
  | .mounts += [{destination: "/a", type: "bind", source: "'"$E2E_SRV"'/stranger/data", options: ["rbind", "rslave"]},
      {destination: "/b", type: "overlay", source: "overlay",
       options: ["lowerdir='"$E2E_SRV/stranger/data:$E2E_SRV"'/stranger/overlay"]}]' >/dev/null
capture_runtime run --bundle "$E2E_WORK/bundles/held" held
holds "run with sources that others may replace mounts what was judged" \
  test "$(paste -sd ' ' <<<"$OUT")" = "judged below judged"
holds "run leaves no mount on the host" \
  test "$(grep -c ' /run/runclad' /proc/self/mountinfo)" = 0
holds "run does not change the document's sources" \
  jq -e 'any(.mounts[]; .source == "'"$E2E_SRV"'/stranger/data")' "$E2E_WORK/bundles/held/config.json"
capture_runtime run --detach --bundle "$E2E_WORK/bundles/held" held
holds "run --detach of the same bundle" succeeded
discard held
umount "$E2E_SRV/stranger/data/below"

# --- directories in which a container that mounts /srv could write ---
# The state of a container that never was, with a hook that the runtime would run as root.
FORGED=$E2E_SRV/forged
make_bundle forged '.hooks = {poststop: [{path: "/bin/touch", args: ["touch", "'"$E2E_SRV"'/hook-ran"]}]}' >/dev/null
capture "$E2E_PLAIN" --root "$FORGED" create --bundle "$E2E_WORK/bundles/forged" forged
holds "a state directory is forged" test -e "$FORGED/forged/state.json"
pid=$(jq .init_process_pid "$FORGED/forged/state.json")
capture "$E2E_RUNTIME" --root "$FORGED" state forged
holds "state only prints it" succeeded
capture "$E2E_RUNTIME" --root "$FORGED" kill forged KILL
guards "kill sends no signal to a process that a forged state names" kill -0 "$pid"
capture "$E2E_RUNTIME" --root "$FORGED" delete --force forged
guards "delete runs no hook of a forged state" test ! -e "$E2E_SRV/hook-ran"
guards "and says why" err_has "the runtime's state directory $FORGED (--root) could be changed by a container that mounts"
in_a_mountable() {  # WHAT SENTENCE ARGUMENT…
  local what=$1 sentence=$2
  shift 2
  make_bundle mountable >/dev/null
  capture "$E2E_RUNTIME" "$@" mountable
  guards "create with $what is refused" err_has "$sentence"
  [ ! -d "$E2E_SRV/state" ] || "$E2E_PLAIN" --root "$E2E_SRV/state" delete --force mountable 2>/dev/null
  discard mountable
}
in_a_mountable "--root below /srv" "refused: the runtime's state directory $E2E_SRV/state (--root)" \
  --root "$E2E_SRV/state" create --bundle "$E2E_WORK/bundles/mountable"
guards "and the directory is not created" test ! -e "$E2E_SRV/state"
in_a_mountable "--log below /srv" "refused: the directory $E2E_SRV of --log" \
  --root "$STATE" --log "$E2E_SRV/log" create --bundle "$E2E_WORK/bundles/mountable"
in_a_mountable "--pid-file below /srv" "refused: the directory $E2E_SRV of --pid-file" \
  --root "$STATE" create --bundle "$E2E_WORK/bundles/mountable" --pid-file "$E2E_SRV/pid"
make_bundle mountable >/dev/null
cp -a "$E2E_WORK/bundles/mountable" "$E2E_SRV/bundle"
in_a_mountable "a bundle below /srv" "refused: the bundle $E2E_SRV/bundle could be changed by" \
  --root "$STATE" create --bundle "$E2E_SRV/bundle"
ln -s "$E2E_WORK/link-target" "$E2E_SRV/log-link"
capture "$E2E_RUNTIME" --root "$STATE" --log "$E2E_SRV/log-link" create --bundle /nowhere mountable
guards "an error is not written through a link" test ! -e "$E2E_WORK/link-target"
"$E2E_PLAIN" --root "$FORGED" delete --force forged
rm -rf "$FORGED" "$E2E_SRV/bundle" "$E2E_SRV/log-link" "$E2E_SRV/hook-ran" "$E2E_SRV/log" "$E2E_SRV/pid"
printf '{"log": {"target": "file:%s"}, "rules": {"host-mounts": {"deny": ["%s"]}}}\n' \
  "$E2E_POLICIES/own/audit.jsonl" "$E2E_SRV/kept" >"$E2E_POLICIES/own/policy.json"
mkdir "$E2E_SRV/kept"
make_bundle kept >/dev/null
capture "$E2E_WORK/runtimes/own/runclad" --root "$E2E_SRV/kept" create --bundle "$E2E_WORK/bundles/kept" kept
holds "a state directory that the policy keeps from containers is accepted" succeeded
capture "$E2E_WORK/runtimes/own/runclad" --root "$E2E_SRV/kept" delete --force kept
holds "and its containers can be deleted" succeeded
rm -rf "$E2E_SRV/kept"

# --- roads to / that engines do not offer ---
road() {  # WHAT VALUE JQ-FILTER
  make_bundle road "$3" >/dev/null
  capture_runtime create --bundle "$E2E_WORK/bundles/road" road
  guards "$1 is refused" refused '[a-z-]+' '/[^ ]*' "$2"
  guards "$1: no container was created" state_is road ""
  discard road
}
road "a bind of / without a type" '"/"' \
  '.mounts += [{destination: "/host", source: "/", options: ["rbind"]}]'
road "a bind of / by type alone, as older runtimes take it" '"/"' \
  '.mounts += [{destination: "/host", type: "bind", source: "/", options: ["bind", "ro"]}]'
road "a bind of / by a relative path" '../../../../' \
  '.mounts += [{destination: "/host", type: "none", source: "../../../../../../../..", options: ["bind"]}]'
ln -sfn / "$E2E_WORK/bundles/outside"
road "a bind of a link below the bundle" '../outside' \
  '.mounts += [{destination: "/host", type: "bind", source: "../outside", options: ["bind"]}]'
road "an overlay whose lower directory is the host's" lowerdir=/etc \
  '.mounts += [{destination: "/host", type: "overlay", source: "overlay", options: ["lowerdir=/etc:/boot"]}]'
road "the pid namespace left out" pid '.linux.namespaces |= map(select(.type != "pid"))'
road "the network namespace by the host's path" '/proc/self/ns/net' \
  '.linux.namespaces |= map(if .type == "network" then .path = "/proc/self/ns/net" else . end)'
road "the mount namespace left out" mount \
  '.linux.namespaces |= map(select(.type != "mount")) | .linux.maskedPaths = [] | .linux.readonlyPaths = []'
# Plain runc has mounted everything into ours.
if mountpoint -q "$E2E_WORK/bundles/road/rootfs"; then umount -R "$E2E_WORK/bundles/road/rootfs"; fi

# --- start holds the created container against what was promised ---
bundle=$(make_bundle promised)
cp "$bundle/config.json" "$E2E_WORK/unhardened.json"
capture_runtime create --bundle "$bundle" promised
discard promised
cp "$E2E_WORK/unhardened.json" "$bundle/config.json"
capture_plain create --bundle "$bundle" promised
holds "the created container is replaced by a plain one" state_is promised created
capture_runtime start promised
guards "start refuses it" failed
guards "and none of its programs runs" not state_is promised running
discard promised
capture_runtime delete --force promised

# exec without --process reads the bundle's document again: it may have been put back.
bundle=$(make_bundle restored)
cp "$bundle/config.json" "$E2E_WORK/unhardened.json"
capture_runtime create --bundle "$bundle" restored
capture_runtime start restored
jq '.process.noNewPrivileges = false | .process.capabilities |= map_values(["CAP_CHOWN"])' \
  "$E2E_WORK/unhardened.json" >"$bundle/config.json"
capture_runtime exec restored grep -E 'Cap|NoNew|Seccomp' /proc/self/status
guards "exec after the bundle's document was put back: NoNewPrivs" status_field NoNewPrivs 1
guards "exec after the bundle's document was put back: CapEff" has_at_most_net_bind_service CapEff
capture_runtime delete --force restored
