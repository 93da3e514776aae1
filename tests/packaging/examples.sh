#!/bin/bash
# Each file in examples/ is valid for the program that reads it.
#
#   tests/packaging/examples.sh [BUILD]   (default: build/release)
#
# Debian 12 has no `dockerd --validate`, no containerd 2 and no compose: where this machine's engines lack them and
# there is a root of a newer suite (tests/engines/root.sh), its programs are asked; otherwise the file is
# only parsed, which the sentence says.
# shellcheck disable=SC2317  # functions that are called by name
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/packaging/lib.sh
. tests/packaging/lib.sh
# shellcheck source=tests/engines/ask.sh
. tests/engines/ask.sh
build=$(realpath "${1:-build/release}")
work=$(mktemp -d)
trap 'rm -rf "$work"; end_asking' EXIT
mkdir "$work/bin" && ln -s "$build/runcladctl" "$work/bin"
export PATH=$work/bin:$PATH
TESTED=()

# --- Docker ---
file=examples/docker/daemon.json
TESTED+=("$file")
names_runclad() { jq -e '.runtimes[."default-runtime"].path == "/usr/sbin/runclad"' "$file"; }
is "$file names runclad" names_runclad
if find_program trixie dockerd sh -c 'dockerd --help | grep -q -- --validate'; then
  is "dockerd takes $file" "${ASK[@]}" dockerd --validate --config-file "$(visible "$file")"
fi

# --- containerd ---
containerd_takes() {  # FILE CRI-PLUGIN
  local dump
  dump=$("${ASK[@]}" containerd --config "$(visible "$1")" config dump) || return
  python3 - "$2" 3<<<"$dump" <<'PY'
import sys, tomllib
with open(3, "rb") as dump:
    cri = tomllib.load(dump)["plugins"][sys.argv[1]]["containerd"]
default = cri["runtimes"][cri["default_runtime_name"]]
assert default["runtime_type"] == "io.containerd.runc.v2", default
assert default["options"]["BinaryName"] == "/usr/sbin/runclad", default
PY
}
parses() { python3 -c 'import sys, tomllib; tomllib.load(open(sys.argv[1], "rb"))' "$1"; }
for version in 2 3; do
  file=examples/containerd/config-v$version.toml
  TESTED+=("$file")
  plugin=io.containerd.grpc.v1.cri
  suite=trixie
  [ "$version" = 2 ] || { plugin=io.containerd.cri.v1.runtime suite=sid; }
  if find_program "$suite" containerd sh -c "containerd --config $file config dump | grep -q '^version = $version'"; then
    is "containerd reads runclad in $file" containerd_takes "$file" "$plugin"
  else
    is "$file parses (no containerd for it here)" parses "$file"
  fi
done

# --- compose ---
file=examples/compose/compose.yaml
TESTED+=("$file")
every_service_uses_runclad() {
  python3 - "$file" <<'PY'
import sys, yaml
services = yaml.safe_load(open(sys.argv[1]))["services"]
assert services and all(each["runtime"] == "runclad" for each in services.values()), services
PY
}
is "each service of $file runs through runclad" every_service_uses_runclad
if find_program trixie docker-compose docker-compose version; then
  is "compose takes $file" "${ASK[@]}" docker-compose --file "$(visible "$file")" config --quiet
fi

# --- policies ---
is "examples/policy-repository passes its own check" examples/policy-repository/check.sh
is_a_workflow() {
  python3 - <<'PY'
import yaml
jobs = yaml.safe_load(open("examples/policy-repository/.github/workflows/policy.yml"))["jobs"]
assert any("check.sh" in step.get("run", "") for step in jobs["check"]["steps"]), jobs
PY
}
is "its workflow runs the check" is_a_workflow
broken=$work/repository
cp -R examples/policy-repository "$broken"
sed -i 's/"CAP_CHOWN", //; s/pids-limit/pids-limits/' "$broken/policy.json"
is "and the check fails for a policy with a misspelt rule" bash -c '! "$@"' bash "$broken/check.sh"
mkdir -p "$work/gpu"
cp -R examples/gpu/policy.d "$work/gpu"
chmod -R go-w "$work/gpu"
is "examples/gpu has no faults" runcladctl policy lint "$work/gpu"
is "examples/gpu does what its cases say" runcladctl policy test --config "$work/gpu" examples/gpu/cases.json
is "and without it they fail" bash -c '! "$@"' bash \
  runcladctl policy test --config "$work/repository" examples/gpu/cases.json

# A file that is added needs a check here.
every_file_is_tested() {
  local each untested=0
  while IFS= read -r each; do
    case $each in
      *.md | examples/policy-repository/* | examples/gpu/*) ;;
      *) printf '%s\n' "${TESTED[@]}" | grep -qxF "$each" || { echo "$each"; untested=1; } ;;
    esac
  done < <(find examples -type f)
  return "$untested"
}
is "every example has a check" every_file_is_tested
finish
