#!/bin/bash
# What a create costs when 10, 1,000 and 100,000 images have files: a topic of tests/e2e/run.sh,
# which starts dockerd. Docker creates one container; the runtime that it calls stops there and lets
# the shim decide about that very bundle again and again, under one policy directory after the
# other, with a lower runtime that does nothing. Document, layers and the engine's state are the
# real ones and the same for all three. Instructions are held to a limit, times are only told.
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"

SIZES=(10 1000 100000)
LIMIT_PERCENT=2   # of instructions, between the cheapest and the dearest of them
ROUNDS=41         # of each, in turn, for the times

WORK=$E2E_WORK/image-files
mkdir -p "$WORK"

# many DIRECTORY COUNT: files of so many images
many() {
  [ "$2" -gt 0 ] || return 0
  mkdir -p "$1"
  yes '{"rules": {"capabilities": {"allow": ["CHOWN"]}}, "provenance": "tests/bench"}' |
    head -n "$2" | split -l 1 -d -a 5 --additional-suffix=.json - "$1/app-"
}

# A policy directory with SIZE image files: that of nginx, most of the others beside it, the rest in
# folders of three registries. /run is a tmpfs of this run; a page each makes 400 MB of the largest.
policy_directory() {  # SIZE
  local images=$WORK/$1/images each=$((($1 - 1) / 9)) folder
  printf '{"log": {"target": "file:%s/audit.jsonl"}, "rules": {"cgroup-path": {"parents": ["%s"]}}}\n' \
    "$WORK/$1" "$E2E_CGROUP" >"$WORK/$1/policy.json"
  for folder in docker.io/team quay.io/team quay.io/another registry.example.com:5000/group/team; do
    many "$images/$folder" "$each"
  done
  many "$images/docker.io/library" $(($1 - 1 - 4 * each))
  printf '{"rules": {"capabilities": {"allow": ["CHOWN", "NET_BIND_SERVICE"]}}}\n' \
    >"$images/docker.io/library/nginx.json"
}

for size in "${SIZES[@]}"; do
  mkdir -p "$WORK/$size"
  policy_directory "$size"
  holds "there are $size image files" \
    test "$(find "$WORK/$size/images" -name '*.json' | wc -l)" -eq "$size"
done

printf 'int main() {}\n' >"$WORK/nothing.cpp"
"${CXX:-c++}" -O2 -static -o "$WORK/nothing" "$WORK/nothing.cpp"

# As Docker calls it, with the container's layers mounted and its records on disk.
cat >"$WORK/runtime.sh" <<SH
#!/bin/bash
arguments=("\$@")
verb=
while [ \$# -gt 0 ]; do
  case "\$1" in
    create | start | exec | kill | delete | state) verb=\${verb:-\$1} ;;
    --bundle) bundle=\$2 ;;
  esac
  shift
done
as_asked_for() { cp -p "$WORK/asked-for.json" "\$bundle/config.json"; }
shim() {  # SIZE
  "\${counter[@]}" "$E2E_PROGRAM" --runclad-config="$WORK/\$1" --runclad-runtime="$WORK/nothing" \
    "\${arguments[@]}" >/dev/null 2>>"$WORK/errors" </dev/null
}
if [ "\$verb" = create ]; then
  cp -p "\$bundle/config.json" "$WORK/asked-for.json"
  counter=()
  shim ${SIZES[0]}  # the first one makes directories
  for ((round = 0; round < $ROUNDS; ++round)); do
    for size in ${SIZES[*]}; do
      as_asked_for
      before=\$EPOCHREALTIME
      shim "\$size"
      after=\$EPOCHREALTIME
      printf '%s\n' "\$((\${after/./} - \${before/./}))" >>"$WORK/\$size.times"
    done
  done
  for size in ${SIZES[*]}; do
    counter=(valgrind -q --tool=callgrind --dump-before=execve
      "--callgrind-out-file=$WORK/\$size.cost" --log-file=/dev/null)
    as_asked_for
    shim "\$size"
  done
  as_asked_for
fi
exec "$E2E_PROGRAM" --runclad-config="$WORK/${SIZES[-1]}" --runclad-runtime="$E2E_PLAIN" \
  "\${arguments[@]}"
SH
chmod 755 "$WORK/runtime.sh"

cp "$E2E_WORK/daemon.json" "$WORK/daemon.json.before"
jq --arg path "$WORK/runtime.sh" '.runtimes.own = {path: $path}' "$WORK/daemon.json.before" \
  >"$E2E_WORK/daemon.json"
kill -HUP "$E2E_DOCKERD_PID"
eventually 5 sh -c 'docker info --format "{{json .Runtimes}}" | grep -q image-files/runtime.sh'
docker tag box nginx:1.27
CAPTURE_SECONDS=120
capture docker run -d --name measured --network none --runtime own nginx:1.27 sleep 600
holds "a container of the image runs" succeeded
docker_remove measured
docker image rm nginx:1.27 >/dev/null
mv "$WORK/daemon.json.before" "$E2E_WORK/daemon.json"
kill -HUP "$E2E_DOCKERD_PID"

instructions() { awk '$1 == "totals:" {print $2}' "$WORK/$1.cost.1"; }
median() { sort -n "$WORK/$1.times" | sed -n "$((ROUNDS / 2 + 1))p"; }
decided_alike() {
  [ ! -s "$WORK/errors" ] && jq -es '
    length >= '"$ROUNDS"' and all(.[]; .outcome == "rewritten" and
      .imagePolicy.files == ["images/docker.io/library/nginx.json"])' \
    "$WORK/$1/audit.jsonl" >/dev/null
}
least=
most=0
for size in "${SIZES[@]}"; do
  holds "with $size image files each create was decided by the image's own" decided_alike "$size"
  count=$(instructions "$size")
  printf '%12s instructions, %s us (median of %s): create with %s image files\n' \
    "${count:-no}" "$(median "$size")" "$ROUNDS" "$size"
  [ -n "$count" ] || count=0
  if [ -z "$least" ] || [ "$count" -lt "$least" ]; then least=$count; fi
  if [ "$count" -gt "$most" ]; then most=$count; fi
done
holds "the number of image files changes the cost of a create by no more than $LIMIT_PERCENT %" \
  test "$least" -gt 0 -a $((most * 100)) -le $((least * (100 + LIMIT_PERCENT)))
rm -r "$WORK"
