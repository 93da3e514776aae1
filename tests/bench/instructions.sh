#!/bin/bash
# How many instructions the shim costs on an engine's own calls: a topic of tests/e2e/run.sh, which
# starts dockerd. Docker calls the runtime under valgrind, so the documents, the state on disk and
# the command lines are the real ones; counting stops where the shim becomes runc.
# Times depend on the machine, instruction counts do not.
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"

# Above an empty program linked the same way. Nearly all of it is what the loader in a static-pie
# program does: 5,000 addresses in tables and vtables are relocated. Linked -static it was 5,456.
PASS_THROUGH_LIMIT=54200
# Nearly a third is the 35 rules with one filter; a tenth each the strict parse, the record that exec,
# update and start are held to, the document, the log line, and the image with its policy's layers.
# The policy is in /etc/runclad; one that --runclad-config names elsewhere costs 600,000 more, since its place is judged.
CREATE_LIMIT=2172000
EXEC_LIMIT=566000
# Of the runtime's state and the record only what is needed is read; the rest is verification.
START_LIMIT=895000
# KiB, of which nearly all is the program itself: the pages around those that it touches are counted, too.
CREATE_PEAK_LIMIT=5750
# What a document may add to that: bytes for each of its own. 6 is what 4 MB cost.
PEAK_PER_BYTE=7
# A document of 4 MB has a hundred times the bytes of one of 40 KB.
LARGE_DOCUMENT_TIMES=110

mkdir -p "$E2E_WORK/cost"
# Instructions of a program up to its execve(2), or to its end. The C library reads each variable of
# the environment when it starts, so all have the same.
count() {  # NAME PROGRAM ARGUMENT…
  local file=$E2E_WORK/cost/$1
  shift
  env -i "PATH=$PATH" valgrind --tool=callgrind --dump-before=execve "--callgrind-out-file=$file" "$@" \
    >/dev/null 2>"$file.log" </dev/null
  counted "$file"
}
counted() {  # FILE
  if [ -f "$1.1" ]; then
    awk '$1 == "totals:" {print $2}' "$1.1"
  else
    awk '$1 == "totals:" {print $2}' "$1"
  fi
}
# at_most WHAT COUNT LIMIT
at_most() {
  printf '%12s instructions (at most %s): %s\n' "${2:-none}" "$3" "$1"
  holds "$1 costs at most $3 instructions" test "${2:-$(($3 + 1))}" -le "$3"
}

link=-static
if file_is_pie=$(readelf -h "$E2E_PROGRAM" | awk '$1 == "Type:" {print $2}') &&
  [ "$file_is_pie" = DYN ]; then
  link=-static-pie
fi
printf 'int main() {}\n' >"$E2E_WORK/cost/empty.cpp"
"${CXX:-c++}" -O2 "$link" -o "$E2E_WORK/cost/empty" "$E2E_WORK/cost/empty.cpp"
"${CC:-cc}" -O2 -static -o "$E2E_WORK/cost/peak" "$E2E_DIR/../bench/peak.c"
empty=$(count empty.out "$E2E_WORK/cost/empty")
printf '%12s instructions: an empty program (%s)\n' "$empty" "$link"

bundle=$(make_bundle cost)
capture_runtime create --bundle "$bundle" cost
for verb in state kill; do
  arguments=(--root "$STATE" "$verb" cost)
  [ "$verb" != kill ] || arguments+=(KILL)
  total=$(count "$verb.out" "$E2E_PROGRAM" "--runclad-config=$E2E_POLICIES/runclad" \
    "--runclad-runtime=$E2E_PLAIN" "${arguments[@]}")
  at_most "pass-through of $verb" "$((total - empty))" "$PASS_THROUGH_LIMIT"
done
capture_runtime delete --force cost
# With a lower runtime that needs next to no memory.
alone=("$E2E_PROGRAM" "--runclad-config=$E2E_POLICIES/runclad" "--runclad-runtime=$E2E_WORK/cost/empty"
  --root "$STATE" create --bundle)
# peak_at_most BUNDLE LIMIT WHAT
peak_at_most() {
  local peak
  capture "$E2E_WORK/cost/peak" "$E2E_WORK/cost/peak.create" "${alone[@]}" "$1" cost
  holds "a container is made while its memory is counted" succeeded
  peak=$(cat "$E2E_WORK/cost/peak.create")
  printf '%12s KiB (at most %s): %s\n' "${peak:-none}" "$2" "$3"
  holds "$3 is at most $2 KiB" test "${peak:-$(($2 + 1))}" -le "$2"
}
peak_at_most "$bundle" "$CREATE_PEAK_LIMIT" "the most memory of create"

# Memory and instructions grow with the document, and no faster.
large=$(make_bundle large)
for kilobytes in 40 400 4000; do
  jq -c --argjson count $((kilobytes * 10)) '.process.env += [range($count) | "PAD_\(1000000 + .)=" + "x" * 84]' \
    "$bundle/config.json" >"$large/config.json"
  cp "$large/config.json" "$E2E_WORK/cost/$kilobytes.json"
  size=$(stat -c %s "$large/config.json")
  peak_at_most "$large" $((CREATE_PEAK_LIMIT + size * PEAK_PER_BYTE / 1024)) \
    "the most memory of create with a document of $kilobytes KB"
done
large_count() {  # KILOBYTES
  cp "$E2E_WORK/cost/$1.json" "$large/config.json"
  count "large$1.out" "${alone[@]}" "$large" "large$1"
}
once=$(large_count 40)
at_most "create with a document of 4000 KB" "$(large_count 4000)" $((LARGE_DOCUMENT_TIMES * once))

# A name of twice as many escapes in the findings' paths costs no more than twice as much.
escapes() {  # COUNT
  jq --argjson count "$1" '.annotations = {("run.oci." + "/" * $count): "1"}' "$bundle/config.json" >"$escaped/config.json"
  count "escapes$1.out" "${alone[@]}" "$escaped" "escapes$1"
}
escaped=$(make_bundle escapes)
once=$(escapes 50000)
twice=$(escapes 100000)
at_most "create with an annotation whose name has 100,000 slashes" "$twice" "$((2 * once))"

# The same calls as Docker makes them, with the policy where a host has it: `own` becomes a runtime that counts.
mkdir -p "$E2E_WORK"/cost/etc{,-work}
mount -t overlay -o "lowerdir=/etc,upperdir=$E2E_WORK/cost/etc,workdir=$E2E_WORK/cost/etc-work" overlay /etc
trap 'umount --lazy /etc' EXIT
rm -rf /etc/runclad
mkdir /etc/runclad
cp -a "$E2E_POLICIES/runclad/." /etc/runclad
measured=$E2E_WORK/runtimes/measured.sh
cat >"$measured" <<SH
#!/bin/sh
for argument; do
  case "\$argument" in create | start | exec | kill | delete | state) verb=\$argument; break ;; esac
done
exec valgrind -q --tool=callgrind --dump-before=execve \\
  --callgrind-out-file="$E2E_WORK/cost/docker.\$verb" --log-file=/dev/null \\
  "$E2E_PROGRAM" --runclad-runtime="$E2E_PLAIN" "\$@"
SH
chmod 755 "$measured"
cp "$E2E_WORK/daemon.json" "$E2E_WORK/daemon.json.before"
jq --arg path "$measured" '.runtimes.own = {path: $path}' "$E2E_WORK/daemon.json.before" \
  >"$E2E_WORK/daemon.json"
kill -HUP "$E2E_DOCKERD_PID"
eventually 5 sh -c 'docker info --format "{{json .Runtimes}}" | grep -q measured.sh'
RUNTIME=own docker_start measured
holds "a container runs while its cost is counted" succeeded
size=$(stat -c %s /run/containerd/io.containerd.runtime.v2.task/moby/*/config.json | tail -n 1)
capture docker exec measured true
holds "exec runs while its cost is counted" succeeded
first_exec=$(counted "$E2E_WORK/cost/docker.exec")
capture docker exec measured true
docker_remove measured
printf '%12s bytes: the document that Docker wrote\n' "$size"
at_most "create of a Docker document" "$(counted "$E2E_WORK/cost/docker.create")" "$CREATE_LIMIT"
at_most "exec as Docker calls it" "$first_exec" "$EXEC_LIMIT"
# It is counted instead of logged, which must not cost more.
at_most "exec that repeats the one before" "$(counted "$E2E_WORK/cost/docker.exec")" "$first_exec"
at_most "start as Docker calls it" "$(counted "$E2E_WORK/cost/docker.start")" "$START_LIMIT"
printf '%12s instructions: delete\n' "$(counted "$E2E_WORK/cost/docker.delete")"
mv "$E2E_WORK/daemon.json.before" "$E2E_WORK/daemon.json"
kill -HUP "$E2E_DOCKERD_PID"
