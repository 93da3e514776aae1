#!/bin/bash
# What a hostile request, a hostile image or a neglected host can cost: CPU time and memory of one call,
# with a lower runtime that does nothing. CPU time, since the machine may be busy; memory is limited by
# RLIMIT_AS.
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"

HERE=$E2E_WORK/bounds
mkdir -p "$HERE/bundle/rootfs/tmp" "$HERE/root" "$HERE/policy"
printf '{"extends": "restricted", "log": {"target": "file:%s/audit.jsonl"}}\n' "$HERE" \
  >"$HERE/policy/policy.json"
without_missing_limits "$HERE/policy"
printf '#!/bin/sh\nexit 0\n' >"$HERE/ends"
chmod 755 "$HERE/ends"
(cd "$HERE/bundle" && "$E2E_PLAIN" spec && mv config.json "$HERE/spec.json")

# A document: `s` is what runc spec writes; the rest is Python.
document() {
  python3 - "$HERE" "$1" <<'PY'
import json, sys
here = sys.argv[1]
s = json.load(open(here + '/spec.json'))
s['process']['terminal'] = False
exec(sys.argv[2])
json.dump(s, open(here + '/bundle/config.json', 'w', encoding='utf-8'), ensure_ascii=False)
PY
}

# Runs the program under test under RLIMIT_AS; keeps STATUS, OUT, ERR and SPENT (ms of processor).
limited() {  # MIB ARGUMENT…
  rm -f "$HERE/log"
  python3 - "$HERE" "$@" <<'PY'
import os, resource, subprocess, sys
here, mib, arguments = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
limit = mib << 20
with open(here + '/out', 'wb') as out, open(here + '/err', 'wb') as err:
    ended = subprocess.run(arguments, stdin=subprocess.DEVNULL, stdout=out, stderr=err, timeout=120,
                           preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)))
used = resource.getrusage(resource.RUSAGE_CHILDREN)
open(here + '/spent', 'w').write('%d %d\n' % ((used.ru_utime + used.ru_stime) * 1000, ended.returncode))
PY
  read -r SPENT STATUS <"$HERE/spent"
  OUT=$(tr -d '\0' <"$HERE/out")
  ERR=$(tr -d '\0' <"$HERE/err")
  printf '%12s ms\n' "$SPENT"
}
create() {  # MIB ID
  limited "$1" "$E2E_PROGRAM" "--runclad-config=$HERE/policy" "--runclad-runtime=$HERE/ends" \
    --root "$HERE/root" --log "$HERE/log" --log-format json create --bundle "$HERE/bundle" "$2"
}
within_a_second() { [ "$SPENT" -lt 1000 ]; }
went_on() { [ "$STATUS" -eq 0 ] && within_a_second; }
# One sentence, in --log as well.
said() {
  [ "$STATUS" -eq 1 ] && within_a_second && grep -qF -- "$1" <<<"$ERR" &&
    jq -e --arg text "$1" 'select(.level == "error") | .msg | contains($text)' "$HERE/log" >/dev/null
}

# --- paths ----------------------------------------------------------------------------------------
too_long='is longer than the 4095 bytes that a path may have'
document "s['mounts'].append({'destination': '/a' * 20000, 'type': 'tmpfs', 'source': 'tmpfs'})"
create 64 path
holds "a destination of 20,000 components is refused" said "$too_long"
document "s['process']['args'] = ['/a' * 20000]"
create 64 path
holds "a program of 20,000 components is refused" said "$too_long"
document "s['process']['cwd'] = '/a' * 20000"
create 64 path
holds "a working directory of 20,000 components is refused" said "$too_long"
document "s['process']['env'] = ['PATH=' + '/a' * 20000 + ':/bin']"
create 64 path
holds "a directory of PATH with 20,000 components is skipped" went_on
document "s['mounts'] += [{'destination': '/a' * 500 + '/%d' % i, 'type': 'tmpfs', 'source': 'tmpfs'} for i in range(200)]"
create 300 deep
holds "200 mounts in a directory 500 deep" went_on

# --- lists ----------------------------------------------------------------------------------------
document "s['linux']['maskedPaths'] += ['/x/%d' % i for i in range(50000)]"
create 300 masked
holds "50,000 masked paths" went_on
document "s['process']['env'] += ['A%d=1' % i for i in range(400000)]"
create 300 env
holds "400,000 environment variables" went_on
document "s['linux']['resources']['devices'] += [{'allow': True, 'type': 'c', 'major': i, 'minor': 3, 'access': 'r'} for i in range(100000)]"
create 300 rules
holds "100,000 device rules" within_a_second
document "s['process']['capabilities']['bounding'] = ['CAP_X%d' % i for i in range(500000)]"
create 300 caps
holds "500,000 capabilities" within_a_second
document "s['annotations'] = {'run.oci.%d' % i: '' for i in range(200000)}"
create 400 annotations
holds "200,000 annotations are removed, or refused as too many" within_a_second
document "s['annotations'] = {'run.oci.' + '/~' * 3500000: ''}"
create 400 escapes
holds "an annotation whose name has 7,000,000 slashes and tildes" went_on
document "s['mounts'] += [{'destination': '/m/%d' % i, 'type': 'bind', 'source': '$E2E_SRV', 'options': ['rbind']} for i in range(50000)]"
create 200 binds
holds "50,000 binds" test "$STATUS" -eq 0 -a "$SPENT" -lt 2000
holds "all of them are rewritten" \
  test "$(jq '[.mounts[] | select(.options | index("nosuid"))] | length' "$HERE/bundle/config.json")" -ge 50000
holds "the log lists no more than 200 findings of a kind" \
  test "$(tail -n 1 "$HERE/audit.jsonl" | jq '.findings | length')" -lt 1000

# --- texts ----------------------------------------------------------------------------------------
# One line, whatever the document: another would push what was logged before out of the rotation.
line_is_small() {  # OUTCOME [LOG]
  local line
  line=$(tail -n +$((lines_before + 1)) "${2:-$HERE/audit.jsonl}")
  [ "$(wc -l <<<"$line")" -eq 1 ] && [ "${#line}" -lt 65536 ] &&
    jq -e --arg outcome "$1" '.outcome == $outcome and any(.. | strings; contains(" bytes left out) "))' \
      <<<"$line" >/dev/null
}
long_text() {  # WHAT PYTHON OUTCOME
  document "$2"
  lines_before=$(wc -l <"$HERE/audit.jsonl")
  create 400 text
  holds "$1: within a second" within_a_second
  holds "$1: the log line is short and says so" line_is_small "$3"
  holds "$1: the error message is short" test "$(stat -c %s "$HERE/err")" -lt 131072
}
long_text "an annotation of 7 MB" "s['annotations'] = {'run.oci.' + chr(0x202e) * 2400000: ''}" rewritten
holds "its record is short" test "$(stat -c %s "/run/runclad/$(stat -c %d-%i "$HERE/root")/text.json")" -lt 65536
long_text "a sysctl of 7 MB" "s['linux']['sysctl'] = {'net.' + 'A' * 7340032: '1'}" refused
long_text "a sysctl of 7 MB of DEL" "s['linux']['sysctl'] = {'net.' + chr(0x7f) * 7340032: '1'}" refused
long_text "an unknown member of 7 MB" "s['x' * 7000000] = 1" rewritten
long_text "an unknown capability of 1.3 MB" "[c.append('CAP_' + 'B' * 1300000) for c in s['process']['capabilities'].values()]" rewritten

# --- exec and update ------------------------------------------------------------------------------
# Of a container that runs, with the lower runtime that only ends.
living=$(make_bundle bounds)
capture_runtime create --bundle "$living" bounds
capture_runtime start bounds
holds "a container runs" succeeded
called() {  # MIB ARGUMENT…
  local mib=$1
  shift
  limited "$mib" "$E2E_PROGRAM" "--runclad-config=$HERE/policy" "--runclad-runtime=$HERE/ends" \
    --root "$STATE" --log "$HERE/log" --log-format json "$@"
}
process() {  # MIB PYTHON: what it changes in the process `p`
  python3 - "$living/config.json" "$HERE/process.json" "$2" <<'PY'
import json, sys
p = json.load(open(sys.argv[1]))['process']
exec(sys.argv[3])
json.dump(p, open(sys.argv[2], 'w'), separators=(',', ':'))
PY
  called "$1" exec --process "$HERE/process.json" bounds
}
process 300 "p['args'] = ['a'] * 1000000"
holds "exec: 1,000,000 arguments" went_on
process 300 "p['env'] = ['A=1'] * 1000000"
holds "exec: 1,000,000 environment variables" went_on
process 300 "p['user']['additionalGids'] = [4000000000] * 700000"
holds "exec: 700,000 groups" within_a_second
process 300 "p['rlimits'] = [{'type': 'RLIMIT_CORE', 'hard': 0, 'soft': 0}] * 150000"
holds "exec: 150,000 limits" within_a_second
process 300 "p['capabilities'] = {'bounding': ['CAP_KILL'] * 700000}"
holds "exec: 700,000 capabilities" within_a_second
process 64 "p['rlimits'] = [{'type': 'RLIMIT_CORE', 'hard': 0, 'soft': 0}] * 1000000"
holds "exec: a process of more than 8 MiB is refused" said '8388608 bytes'
resources() {  # MIB PYTHON: what it changes in the resources `r`
  python3 - "$HERE/resources.json" "$2" <<'PY'
import json, sys
r = {}
exec(sys.argv[2])
json.dump(r, open(sys.argv[1], 'w'), separators=(',', ':'))
PY
  called "$1" update --resources "$HERE/resources.json" bounds
}
resources 300 "r['unified'] = {'a%d' % i: '1' for i in range(500000)}"
holds "update: 500,000 members of unified" within_a_second
resources 300 "r.update({'x%d' % i: 1 for i in range(500000)})"
holds "update: 500,000 unknown members" within_a_second
resources 300 "r['hugepageLimits'] = [{'pageSize': '2MB', 'limit': 1}] * 200000"
holds "update: 200,000 huge page limits" within_a_second
# A container's log is the one that it was created with.
log=$E2E_POLICIES/runclad/audit.jsonl
lines_before=$(wc -l <"$log")
process 300 "p['capabilities'] = {'bounding': ['CAP_' + 'B' * 7000000]}"
holds "exec: the line of a capability of 7 MB is short and says so" line_is_small rewritten "$log"
resources 64 "r['x'] = 'a' * (9 << 20)"
holds "update: resources of more than 8 MiB are refused" said '8388608 bytes'
discard bounds

# --- the host -------------------------------------------------------------------------------------
mkdir -p "$E2E_SRV/shown" "$E2E_SRV/below"
mount -t tmpfs tmpfs "$E2E_SRV/shown"
mount -t tmpfs tmpfs "$E2E_SRV/below"
python3 - "$E2E_SRV/shown" "$E2E_SRV/below" <<'PY'
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
for i in range(20000):
    source, point = f'{sys.argv[1]}/{i}', f'{sys.argv[2]}/{i}'
    os.mkdir(source)
    os.mkdir(point)
    if libc.mount(source.encode(), point.encode(), b'', 4096, b'') != 0:  # MS_BIND
        raise OSError(ctypes.get_errno())
PY
document "s['mounts'].append({'destination': '/m', 'type': 'bind', 'source': '$E2E_SRV/below', 'options': ['rbind']})"
create 64 submounts
holds "a source with 20,000 mounts below it" went_on
umount -l "$E2E_SRV/below"
umount -l "$E2E_SRV/shown"
python3 - "$HERE" <<'PY'
import json, sys
here = sys.argv[1]
policy = json.load(open(here + '/policy/policy.json'))
policy['rules'] = {'host-mounts': {'deny': ['/srv/denied%d' % i for i in range(50000)]}}
json.dump(policy, open(here + '/policy/policy.json', 'w'))
PY
document "s['mounts'].append({'destination': '/m', 'type': 'bind', 'source': '$E2E_SRV', 'options': ['rbind']})"
create 300 denied
holds "50,000 denied paths" went_on
printf '{"extends": "restricted", "log": {"target": "file:%s/audit.jsonl"}}\n' "$HERE" \
  >"$HERE/policy/policy.json"

# --- records --------------------------------------------------------------------------------------
document ''
create 64 first
records=/run/runclad/$(stat -c %d-%i "$HERE/root")
python3 - "$records" <<'PY'
import os, sys
old = 1700000000
for i in range(50000):
    path = f'{sys.argv[1]}/dead{i}.json'
    open(path, 'w').write('{')
    os.utime(path, (old, old))
    link = f'{sys.argv[1]}/pid-{100000 + i}'
    os.symlink(f'dead{i}', link)
    os.utime(link, (old, old), follow_symlinks=False)
future = 2 ** 31 - 1
os.utime(sys.argv[1] + '/swept', (future, future))
PY
remains() { find "$records" -name 'dead*' -o -name 'pid-*' | wc -l; }
before=$(remains)
document ''
create 64 second
holds "a create beside 50,000 dead records" went_on
after=$(remains)
holds "a create sweeps 64 of them, though the last sweep is dated in the future" \
  test "$((before - after))" -eq 64
find "$records" -mindepth 1 -delete

# --- roots that are gone ------------------------------------------------------------------------------
root_gone=$HERE/root-gone
mkdir "$root_gone"
gone=/run/runclad/$(stat -c %d-%i "$root_gone")
limited 64 "$E2E_PROGRAM" "--runclad-config=$HERE/policy" "--runclad-runtime=$HERE/ends" \
  --root "$root_gone" create --bundle "$HERE/bundle" first
python3 - "$gone" <<'PY'
import os, sys
for i in range(50000):
    open(f'{sys.argv[1]}/dead{i}.json', 'w').write('{')
    os.symlink(f'dead{i}', f'{sys.argv[1]}/pid-{100000000 + i}')
for name in os.listdir(sys.argv[1]):
    os.utime(f'{sys.argv[1]}/{name}', (1700000000, 1700000000), follow_symlinks=False)
PY
rmdir "$root_gone"
rm -f /run/runclad/swept
remains() { find "$gone" -mindepth 1 | wc -l; }
before=$(remains)
document ''
create 64 second
holds "a create beside 100,000 records of a removed state directory" went_on
holds "a create sweeps 64 of them" test "$((before - $(remains)))" -eq 64
find "$gone" -mindepth 1 ! -name root -delete
create 64 third
holds "the records' directory of a removed state directory is removed as well" test ! -e "$gone"

# --- what is kept of containers and images --------------------------------------------------------------
# The create of a container of Docker's, once more.
capture docker run -d --name kept --network none --runtime plain box sleep 600
id=$OUT
bundle=$(dirname "$(find /run -path "*/moby/$id/config.json" 2>/dev/null | head -n 1)")
printf '{"extends": "restricted", "log": {"target": "file:%s/audit.jsonl"},
  "rules": {"hidden-paths": {"programs": ["wget"]}, "cgroup-path": {"parents": ["%s"]}}}\n' \
  "$HERE" "$E2E_CGROUP" >"$HERE/policy/policy.json"
once_more() {
  rm -f "/var/lib/runclad/names/$id.json"
  rm -rf "$HERE/root/$id"
  limited "$1" "$E2E_PROGRAM" "--runclad-config=$HERE/policy" "--runclad-runtime=$HERE/ends" \
    --root "$HERE/root" --log "$HERE/log" --log-format json create --bundle "$bundle" "$id"
}
once_more 64
holds "a container's name and its image's hidden paths are kept" \
  test -e "/var/lib/runclad/names/$id.json" -a -n "$(ls /var/lib/runclad/hidden)"
python3 - <<'PY'
import os
names, hidden = '/var/lib/runclad/names', '/var/lib/runclad/hidden'
for name in os.listdir(hidden):
    os.unlink(f'{hidden}/{name}')
for i in range(100000):
    path = f'{names}/{i:064x}.json'
    with open(path, 'w') as file:
        file.write('{"container":"/var/lib/docker/containers/%064x","digest":"sha256:%064x",'
                   '"name":"docker.io/library/box:latest","tier":"tag"}' % (i, i))
    os.utime(path, (1700000000, 1700000000))
    path = f'{hidden}/{i:064x}-{i:016x}'
    open(path, 'w').write('x')
    os.utime(path, (1700000000 + i, 1700000000 + i))
future = 2 ** 31 - 1
os.utime(names + '/swept', (future, future))
PY
names_left() { find /var/lib/runclad/names -name '*.json' ! -name "$id.json" | wc -l; }
hidden_left() { find /var/lib/runclad/hidden -type f | wc -l; }
before=$(names_left)  # those of containers of other topics, too
once_more 64
holds "a create beside 100,000 names of containers that are gone, and 100,000 images" went_on
holds "a create sweeps 64 of the names" test "$((before - $(names_left)))" -eq 64
holds "and 64 of the files kept for images" test "$(hidden_left)" -eq $((100000 - 64 + 1))
docker_remove kept
rm -rf /var/lib/runclad
printf '{"extends": "restricted", "log": {"target": "file:%s/audit.jsonl"}}\n' "$HERE" \
  >"$HERE/policy/policy.json"

# --- a filter that grows when it is intersected ------------------------------------------------------
# Every name in 64 rules with conditions on all arguments, and in 64 that deny: for each name the
# conditions are multiplied by each other.
document "
import glob, random, re
draw = random.Random(1).getrandbits
header = sorted(glob.glob('/usr/include/*/asm/unistd_64.h'))[0]
names = re.findall(r'__NR_(\w+)', open(header).read())
s['linux']['seccomp'] = {'defaultAction': 'SCMP_ACT_ERRNO', 'architectures': ['SCMP_ARCH_X86_64'], 'syscalls':
  [{'names': names, 'action': 'SCMP_ACT_ALLOW', 'args': [{'index': a, 'value': draw(30), 'op': 'SCMP_CMP_NE'}
    for a in range(6)]} for i in range(64)] +
  [{'names': names, 'action': 'SCMP_ACT_KILL', 'args': [{'index': 0, 'value': 0x55555555,
    'valueTwo': draw(31) & 0x55555555, 'op': 'SCMP_CMP_MASKED_EQ'}]} for i in range(64)]}"
create 300 filter
holds "a filter whose conditions multiply is an error with a message" \
  said 'needs more than the 256 MiB of memory that runclad may use'

# --- no memory ------------------------------------------------------------------------------------
document "s['mounts'] += [{'destination': '/m/%d' % i, 'type': 'tmpfs', 'source': 'tmpfs', 'options': ['a'] * 500} for i in range(3000)]"
create 2000 full
holds "no more than 256 MiB are used" said 'needs more than the 256 MiB of memory that runclad may use'
sentences=0
# Where containerd reads it: another place would have to be judged first.
task=/run/containerd/io.containerd.runtime.v2.task/moby/none
mkdir -p "$task"
# From the least with which the kernel loads the program at all.
loads=6000
is_loaded() {
  (ulimit -v "$loads"; "$E2E_PROGRAM" state none) >/dev/null 2>&1
  [ $? -lt 126 ]  # else the shell or a signal ended it
}
until is_loaded || [ "$loads" -gt 20000 ]; do loads=$((loads + 250)); done
for kib in "$loads" $((loads + 500)) $((loads + 1000)) $((loads + 1500)) $((loads + 2000)); do
  document "s['process']['args'] += ['a'] * 200000"
  rm -f "$task/log"
  ulimit_error=$( (ulimit -v "$kib"; "$E2E_PROGRAM" "--runclad-runtime=$HERE/ends" \
    --root "$HERE/root" --log "$task/log" --log-format json create --bundle "$HERE/bundle" none) 2>&1 </dev/null)
  printf '# %s KiB: %.60s\n' "$kib" "$ulimit_error"
  if grep -q '^runclad: out of memory: ' <<<"$ulimit_error" &&
    jq -e '.msg | startswith("runclad: out of memory: ")' "$task/log" >/dev/null; then
    sentences=$((sentences + 1))
  fi
done
holds "where the kernel gives no memory, stderr and --log say so" test "$sentences" -eq 5
rm -rf "$HERE"
