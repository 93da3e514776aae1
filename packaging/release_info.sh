# shellcheck shell=bash
# shellcheck disable=SC2034,SC2016  # for those who source this; sed reads ${…} as text
# Sourced in the top directory by the scripts that package: what is packaged, in whose words.

RELEASE=$(sed -n 's/^project(runclad VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)$(
  sed -n 's/^set(RUNCLAD_VERSION ${PROJECT_VERSION}\(.*\))$/\1/p' CMakeLists.txt
)

if git rev-parse --git-dir >/dev/null 2>&1; then
  COMMIT=$(git rev-parse --short=12 HEAD)
  SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
else
  COMMIT=${RUNCLAD_COMMIT:-}
  SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(stat -c %Y CHANGELOG.md)}
fi
export SOURCE_DATE_EPOCH

# Debian and rpm sort "~" below everything: a candidate comes before its release.
package_version() { printf '%s\n' "${RELEASE/-/\~}"; }

# What git knows of, or without git everything but builds.
copy_sources() {  # DIRECTORY
  if git rev-parse --git-dir >/dev/null 2>&1; then
    git ls-files -z --cached --others --exclude-standard | tar --null -T - -c --ignore-failed-read
  else
    tar -c --exclude=./build .
  fi 2>/dev/null | tar -x -C "$1"
}

# Sets `build` (empty: none is given) and `output`, which exists then.
read_arguments() {  # [--build DIRECTORY] [OUTPUT]
  build=
  if [ "${1:-}" = --build ]; then
    build=$(realpath "$2")
    shift 2
  fi
  mkdir -p "${1:-build/packages}"
  output=$(realpath "${1:-build/packages}")
}

# A release build of the sources, in their folder `build`, whose bytes depend neither on the directory nor on the
# day.
compile() {  # SOURCES [CMAKE-ARGUMENT…]
  cmake -S "$1" -B "$1/build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DRUNCLAD_TESTS=OFF \
    -DRUNCLAD_COMMIT="$COMMIT" -DCMAKE_CXX_FLAGS="-ffile-prefix-map=$1=." "${@:2}" &&
    cmake --build "$1/build" -j "$(nproc)"
}
