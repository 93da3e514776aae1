#!/bin/bash
# The images that profiles/images has files for, as services that run: each is built from Debian's
# packages with the official image's users, layout and entrypoint, started under `restricted` and
# its image file, asked, checked from inside, stopped, and started again on the same data; then
# every capability and every writable directory of its file is taken away in turn, and it must fail.
#
# Then services with the habits of other public images, which have no file, are brought to serve by
# what `runcladctl why` says (advice.sh).
#
#   tests/images/run.sh [--prove] [--quick] [--learn] [SERVICE…]     a service is a directory here, or advice/…
#
# --learn: `runcladctl learn` finds each image file by itself (learn.sh), and none is taken from profiles/images.
# --quick: three fast services, and one by advice. --prove: plain runc in runclad's place (see tests/e2e/run.sh).
# Root filesystems are kept in RUNCLAD_IMAGES_CACHE (default: /var/cache/runclad-images).
set -u
export IMAGES_DIR
IMAGES_DIR=$(cd "$(dirname "$0")" && pwd)
QUICK="memcached nginx redis advice/pgbouncer"

# shellcheck source=tests/images/roots.sh
. "$IMAGES_DIR/roots.sh"

die() {
  printf 'images: %s\n' "$1" >&2
  printf '0 passed, 1 failed\n'
  exit 1
}

[ "$(id -u)" = 0 ] || die "images are built and started here: run it as root"
# Before PATH is narrowed: these come with Debian, or with dpkg.
for needed in apt-get dpkg-deb jq nsenter busybox; do
  command -v "$needed" >/dev/null || die "$needed is not installed"
done

prove=
learn=
services=()
while [ $# -gt 0 ]; do
  case "$1" in
    --prove) prove=--prove ;;
    --learn) learn=1 ;;
    --quick) read -ra services <<<"$QUICK" ;;
    -*) die "there is no option $1" ;;
    *) services+=("$1") ;;
  esac
  shift
done
if [ ${#services[@]} -eq 0 ]; then
  for file in "$IMAGES_DIR"/{*,advice/*}/service.sh; do
    file=${file#"$IMAGES_DIR/"}
    services+=("${file%/service.sh}")
  done
fi

# Of those by advice, no minimum is known.
if [ -n "$learn" ]; then
  for index in "${!services[@]}"; do
    [[ "${services[index]}" != advice/* ]] || unset "services[index]"
  done
fi

export IMAGES_CACHE=${RUNCLAD_IMAGES_CACHE:-/var/cache/runclad-images}
mkdir -p "$IMAGES_CACHE" || die "$IMAGES_CACHE cannot be made"
chmod 700 "$IMAGES_CACHE"  # it holds programs with the set-user-ID bit
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for service in "${services[@]}"; do
  [ -f "$IMAGES_DIR/$service/service.sh" ] || die "there is no service $service"
  # shellcheck source=tests/images/nginx/service.sh disable=SC2153
  packages=$(. "$IMAGES_DIR/$service/service.sh" && printf '%s' "$PACKAGES")
  # shellcheck disable=SC2086  # a list of words
  make_root "$IMAGES_CACHE" $packages >"$log" 2>&1 </dev/null || {
    tail -n 5 "$log" >&2
    die "the root filesystem of $service could not be made"
  }
  # shellcheck disable=SC2086  # a list of words
  touch "$(root_of "$IMAGES_CACHE" $packages)"
done
# Those that nothing has used for a month.
find "$IMAGES_CACHE" -mindepth 1 -maxdepth 1 -mtime +30 -exec rm -rf {} +
printf 'root filesystems: %s s\n' "$SECONDS"

rm -f "$log"

export IMAGES_SERVICES='' ADVICE_SERVICES=''
for service in "${services[@]}"; do
  case "$service" in
    advice/*) ADVICE_SERVICES+=" ${service#advice/}" ;;
    *) IMAGES_SERVICES+=" $service" ;;
  esac
done
topics=()
if [ -n "$learn" ]; then
  topics=("$IMAGES_DIR/learn.sh")
elif [ -n "$IMAGES_SERVICES" ]; then
  topics+=("$IMAGES_DIR/matrix.sh")
fi
[ -z "$ADVICE_SERVICES" ] || topics+=("$IMAGES_DIR/advice.sh")
# shellcheck disable=SC2086  # an option or nothing
exec "$IMAGES_DIR/../e2e/run.sh" $prove "${topics[@]}"
