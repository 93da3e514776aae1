#!/bin/bash
# Five minutes with runclad, on Debian 12, as root, from a clone: builds it, and lets plain runc and
# runclad start the same hostile container, side by side. What is shown is what the kernel says
# inside the containers. Nothing is installed but packages that are missing, nothing is left running.
set -u
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=packaging/packages.sh
. packaging/packages.sh

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
  bold=$'\e[1m' dim=$'\e[2m' red=$'\e[31m' green=$'\e[32m' blue=$'\e[34m' plain=$'\e[0m'
else
  bold='' dim='' red='' green='' blue='' plain=''
fi
title() { printf '\n%s%s%s\n' "$bold$blue" "$*" "$plain"; }
text() { printf '%s%s%s\n' "$dim" "$*" "$plain"; }
stop() {
  printf '%squickstart: %s%s\n' "$red" "$*" "$plain" >&2
  exit 1
}

[ "$(id -u)" = 0 ] || stop "containers are started here: run it as root (sudo packaging/quickstart.sh)"
command -v apt-get >/dev/null || stop "this script is for Debian: apt-get is not there"

title "1. Build"
# shellcheck disable=SC2086  # lists of words
install_missing $PACKAGES_BUILD $PACKAGES_TRY || stop "the packages above are needed"
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
work=$(mktemp -d /run/runclad-quickstart.XXXXXX) || stop "/run is not writable"
clean_up() {
  local id
  for id in $(runc --root "$work/state" list -q 2>/dev/null); do
    runc --root "$work/state" delete --force "$id" 2>/dev/null
  done
  rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM
log=$work/build.log
text "cmake --preset release && cmake --build --preset release   (some minutes the first time)"
{ cmake --preset release -DRUNCLAD_TESTS=OFF && cmake --build --preset release -j "$(nproc)"; } \
  >"$log" 2>&1 || {
  tail -n 20 "$log" >&2
  stop "the build failed; the last lines are above"
}
runclad=$PWD/build/release/runclad
[ -x "$runclad" ] || stop "the build made no $runclad"
printf '%s, %s bytes, static\n' "$("$runclad" --runclad-version)" "$(stat -c %s "$runclad")"

# --- a root filesystem of one program, and a container that asks for everything ------------------

rootfs=$work/rootfs
mkdir -p "$rootfs"/{bin,dev,etc,host,proc,sys,tmp}
chmod 1777 "$rootfs/tmp"
cp "$(command -v busybox)" "$rootfs/bin/busybox"
for applet in $("$rootfs/bin/busybox" --list); do
  [ "$applet" = busybox ] || ln -s busybox "$rootfs/bin/$applet"
done
printf 'root:x:0:0:root:/:/bin/sh\nuser:x:1000:1000:user:/:/bin/sh\n' >"$rootfs/etc/passwd"

# Every capability that this machine can give, as a JSON array.
every_capability() {
  local names=(CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP
    LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE
    SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME
    SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG
    WAKE_ALARM BLOCK_SUSPEND AUDIT_READ)
  local bounding number separator=''
  bounding=$((16#$(awk '$1 == "CapBnd:" {print $2}' /proc/self/status)))
  for number in "${!names[@]}"; do
    if ((bounding >> number & 1)); then
      printf '%s"CAP_%s"' "$separator" "${names[number]}"
      separator=', '
    fi
  done
}
capabilities="[$(every_capability)]"

# bundle NAME SCRIPT NAMESPACES MOUNTS: a request for every capability, no no_new_privs, no seccomp
# filter and a writable root, with a script to run.
bundle() {
  rm -rf "${work:?}/$1"
  mkdir -p "$work/$1"
  cp -a "$rootfs" "$work/$1/rootfs"
  printf '%s\n' "$2" >"$work/$1/rootfs/request.sh"
  cat >"$work/$1/config.json" <<JSON
{
  "ociVersion": "1.0.2",
  "root": { "path": "rootfs", "readonly": false },
  "hostname": "hostile",
  "process": {
    "terminal": false, "cwd": "/", "args": ["sh", "/request.sh"], "env": ["PATH=/bin"],
    "user": { "uid": 0, "gid": 0 }, "noNewPrivileges": false,
    "capabilities": {
      "bounding": $capabilities,
      "effective": $capabilities,
      "permitted": $capabilities
    }
  },
  "mounts": [
    { "destination": "/proc", "type": "proc", "source": "proc" },
    { "destination": "/dev", "type": "tmpfs", "source": "tmpfs",
      "options": ["nosuid", "mode=755", "size=65536k"] }$4
  ],
  "linux": {
    "namespaces": [ { "type": "mount" }, { "type": "ipc" }, { "type": "uts" }$3 ],
    "maskedPaths": ["/proc/kcore", "/proc/keys"],
    "readonlyPaths": ["/proc/sys"]
  }
}
JSON
}
own_pid=', { "type": "pid" }' own_network=', { "type": "network" }'

printf '{"log": {"target": "file:%s/audit.jsonl"}}\n' "$work" >"$work/policy.json"
through_runc() { (cd "$work/$1" && timeout 30 runc --root "$work/state" run "quickstart-$1" </dev/null); }
through_runclad() {
  timeout 30 "$runclad" --runclad-config="$work" --root "$work/state" \
    run --bundle "$work/$1" "quickstart-$1" </dev/null
}

# --- 2. refused ------------------------------------------------------------------------------------

title "2. What has no safe form is refused"
text "One container each. Plain runc starts it, and the line is what it saw of the host;"
text "runclad names the rule, the place in the request, and the way out."

hostile() {  # WHAT SCRIPT NAMESPACES MOUNTS
  bundle refused "$2" "$3" "$4"
  printf '\n%s%s%s\n' "$bold" "$1" "$plain"
  local seen sentence
  seen=$(through_runc refused 2>&1) || stop "plain runc could not run the example \"$1\": $seen"
  printf '  runc     %s%s%s\n' "$red" "$seen" "$plain"
  if sentence=$(through_runclad refused 2>&1); then
    stop "runclad let the example \"$1\" through: $sentence"
  fi
  printf '  runclad  %s%s%s\n' "$green" "${sentence#runclad: }" "$plain"
}
# shellcheck disable=SC2016  # dollars are for the shell in the container
{
  hostile 'the root filesystem of the host, at /host' \
    'echo "reads $(wc -l </host/etc/shadow) lines of the password file /etc/shadow"' \
    "$own_pid$own_network" \
    ', { "destination": "/host", "type": "bind", "source": "/", "options": ["rbind", "ro"] }'
  ln -sfn / "$work/harmless-name"
  hostile 'the same, behind a harmless name (a symbolic link)' \
    'echo "reads $(wc -l </host/etc/shadow) lines of the password file /etc/shadow"' \
    "$own_pid$own_network" \
    ", { \"destination\": \"/host\", \"type\": \"bind\", \"source\": \"$work/harmless-name\",
      \"options\": [\"rbind\", \"ro\"] }"
  hostile 'the directory of the engines'\'' sockets, /run' \
    'echo "sees $(ls /host | wc -l) entries of the host'\''s /run"' \
    "$own_pid$own_network" \
    ', { "destination": "/host", "type": "bind", "source": "/run", "options": ["rbind"] }'
  hostile "the host's processes (pid namespace)" \
    'echo "sees $(ls /proc | grep -c ^[0-9]) processes, and may kill them"' "$own_network" ''
  hostile "the host's network" \
    'echo "has the host'\''s interfaces$(sed -n "s/:.*//p" /proc/net/dev | tr -d "\n")"' \
    "$own_pid" ''
}

# --- 3. rewritten ----------------------------------------------------------------------------------

title "3. What has a safe form is rewritten"
text "The same request for both: every capability, no no_new_privs, no seccomp filter, a writable"
text "root. The application runs; the answers are the kernel's."
# shellcheck disable=SC2016
bundle rewritten '
status() { grep "^$1:" /proc/self/status | tr -s "\t " " " | cut -d " " -f 2; }
try() { if "$@" >/dev/null 2>&1; then echo works; else echo refused; fi; }
echo "CapBnd|$(status CapBnd)"
echo "CapEff|$(status CapEff)"
echo "NoNewPrivs|$(status NoNewPrivs)"
echo "Seccomp (2: a filter)|$(status Seccomp)"
echo "/ in /proc/self/mountinfo|$(while read -r _ _ _ _ at options _; do
  if [ "$at" = / ]; then echo "${options%%,*}"; fi; done </proc/self/mountinfo)"
echo "write to /|$(try sh -c "echo x >/written")"
echo "write to /tmp|$(try sh -c "echo x >/tmp/written")"
echo "run a program brought to /tmp|$(cp /bin/busybox /tmp/true && try /tmp/true)"
echo "mount a filesystem|$(try mount -t tmpfs none /host)"
echo "change the host name|$(try hostname owned)"
echo "a new user namespace|$(try unshare -U true)"
echo "/proc/timer_list|$(head -c 1 /proc/timer_list 2>/dev/null | grep -q . && echo readable || echo empty)"
echo "a server on port 80|$(timeout -s KILL 1 httpd -f -p 80 2>/dev/null; [ $? = 137 ] && echo works || echo refused)"
' "$own_pid$own_network" ''
before=$(through_runc rewritten 2>&1) || stop "plain runc could not run the example: $before"
rm -f "$work"/rewritten/rootfs/{written,tmp/*}
after=$(through_runclad rewritten 2>&1) || stop "runclad could not run the example: $after"
printf '\n%s%-32s %-20s %s%s\n' "$bold" "" "plain runc" "through runclad" "$plain"
paste -d '|' <(printf '%s\n' "$before") <(printf '%s\n' "$after") |
  while IFS='|' read -r what was _ is; do
    colour=$green
    [ "$was" != "$is" ] || colour=$plain
    printf '%-32s %-20s %s%s%s\n' "$what" "$was" "$colour" "$is" "$plain"
  done

# --- 4. use it -------------------------------------------------------------------------------------

title "4. Register it in Docker"
text "Install it (programs below /usr/local, the files of images in /usr/share/runclad) and register it. With"
text "--dry-run, configure shows the change first; runcladctl unconfigure docker takes it back."
cat <<TEXT

  cmake --install $PWD/build/release
  runcladctl configure docker --default --dry-run
  runcladctl configure docker --default

  docker run --rm busybox grep -E 'Cap|NoNew|Seccomp' /proc/self/status
TEXT
printf '\n%sNothing of this is running any more.%s Without a file in /etc/runclad the compiled-in policy\n' \
  "$bold" "$plain"
printf '"restricted" applies; on a host in use begin with { "mode": "audit" } in /etc/runclad/policy.json.\n'
