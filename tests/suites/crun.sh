# shellcheck shell=bash
# crun's tests (tests/test_*.py), with the container's init that they bring.

suite_runtime() { echo crun; }
suite_version() { printf 'crun %s' "$(dpkg-query -W -f='${Version}' crun)"; }
suite_source() { echo "$SUITES_SOURCES"/crun-*/; }
suite_files() { find "$(suite_source)tests" -name 'test_*.py' -printf '%f\n' | sed 's/\.py$//' | sort; }

# Every call of the suite has two flags with crun's own defaults, which runclad refuses in every mode
# (packaging/doc/enforcement.md): without them there is nothing to compare. Other values of them stay.
suite_filter() {
  cat <<'SH'
rest=()
while [ $# -gt 0 ]; do
  case "$1 ${2:-}" in
    "--cgroup-manager cgroupfs" | "--config config.json") shift 2 ;;
    *) rest+=("$1"); shift ;;
  esac
done
set -- "${rest[@]}"
SH
}

suite_prepare() {
  local source
  source=$(suite_source)
  [ -f "$source/tests/tests_utils.py" ] || { echo "no source of crun in $SUITES_SOURCES"; return 1; }
  cp -a "${source%/}/tests" "$SUITES_WORK/tests"
  # init.c asks configure for one thing only: whether there is a header, which Debian has.
  mkdir -p "$SUITES_WORK/include"
  printf '#define HAVE_SECCOMP 1\n#define HAVE_LINUX_IOPRIO_H 1\n' >"$SUITES_WORK/include/config.h"
  # Debian has no libmount for Python: as much of it as the tests of mounts use.
  cat >"$SUITES_WORK/tests/libmount.py" <<'PY'
class Mount:
    def __init__(self, line):
        fields, rest = (part.split() for part in line.split(" - "))
        self.target, self.vfs_options, self.fs_options = fields[4], fields[5], rest[2]


class Table:
    def __init__(self, path):
        self.mounts = [Mount(line) for line in open(path)]

    def find_target(self, target):
        return next(mount for mount in reversed(self.mounts) if mount.target == target)
PY
  # crun of Debian 12 starts nothing without a cgroup2 mount here.
  mountpoint -q /sys/fs/cgroup/unified && mount -t cgroup2 cgroup2 /sys/fs/cgroup
  gcc -static -O1 -I "$SUITES_WORK/include" -o "$SUITES_WORK/init" "$SUITES_WORK/tests/init.c"
}

suite_run() {  # RUNTIME FILE
  mkdir -p "$SUITES_WORK/cwd/$2"
  cd "$SUITES_WORK/cwd/$2" || return 1
  OCI_RUNTIME=$1 INIT=$SUITES_WORK/init timeout -k 10 600 python3 "$SUITES_WORK/tests/$2.py"
}
