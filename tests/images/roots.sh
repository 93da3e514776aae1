# shellcheck shell=bash
# Root filesystems of Debian's packages, kept between runs. Packages are unpacked, not installed: no
# maintainer script runs, no daemon starts, and the users and directories of an image are its
# service's own business (service.sh), as they are the official image's.

# What every image has: Debian without what only an installer needs.
BASE_PACKAGES="base-files base-passwd bash coreutils dash debianutils findutils grep gzip hostname
  libc-bin mawk ncurses-bin netbase procps sed tar util-linux"

# Directory of the root of these packages: root_of CACHE PACKAGE…
root_of() {
  local cache=$1
  shift
  printf '%s/%s\n' "$cache" "$(root_key "$@")"
}
# Whoever changes how a root is made gets new ones.
root_key() { { cat "${BASH_SOURCE[0]}" && printf '%s\n' "$@"; } | sha256sum | cut -c 1-16; }

# Makes the root unless it is there: make_root CACHE PACKAGE…
make_root() {
  local directory partial
  directory=$(root_of "$@")
  [ ! -e "$directory/versions" ] || return 0
  shift
  partial=$directory.partial
  rm -rf "$directory" "$partial"
  mkdir -p "$partial/debs/partial" "$partial/root" || return 1
  # shellcheck disable=SC2086  # a list of words
  download "$partial/debs" $BASE_PACKAGES "$@" && unpack "$partial/debs" "$partial/root" &&
    complete "$partial/root" || return 1
  local deb
  for deb in "$partial"/debs/*.deb; do
    # shellcheck disable=SC2016  # dpkg-deb's own variables
    dpkg-deb --show --showformat='${Package} ${Version}\n' "$deb"
  done >"$partial/versions"
  rm -rf "$partial/debs"
  mv "$partial" "$directory"
}

# The packages and all that they depend on, as if nothing were installed.
download() {  # DIRECTORY PACKAGE…
  local fetch=(apt-get install -y -q --download-only --no-install-recommends
    -o Dir::State::status=/dev/null -o Dir::Cache::archives="$1" -o Debug::NoLocking=1
    -o APT::Sandbox::User=root)
  shift
  "${fetch[@]}" "$@" || { apt-get update -q && "${fetch[@]}" "$@"; }
}

unpack() {  # DEBS ROOT
  local deb name
  for name in bin lib lib64 sbin; do
    mkdir -p "$2/usr/$name"
    ln -s "usr/$name" "$2/$name"
  done
  # Links are relative: what is unpacked through them stays in the root.
  mkdir -p "$2"/{run/lock,var}
  ln -s ../run "$2/var/run"
  ln -s ../run/lock "$2/var/lock"
  for deb in "$1"/*.deb; do
    # dpkg-deb -x would put a directory in the place of the link /bin.
    dpkg-deb --fsys-tarfile "$deb" | tar -x --keep-directory-symlink -C "$2" \
      --exclude='./usr/share/doc/*' --exclude='./usr/share/man/*' --exclude='./usr/share/info/*' \
      --exclude='./usr/share/locale/*' || return 1
  done
}

# What maintainer scripts of the base would have made.
complete() {  # ROOT
  cp "$1/usr/share/base-passwd/passwd.master" "$1/etc/passwd"
  cp "$1/usr/share/base-passwd/group.master" "$1/etc/group"
  cp "$1/usr/share/libc-bin/nsswitch.conf" "$1/etc/nsswitch.conf"
  mkdir -p "$1"/{dev,proc,sys,root,tmp,var/tmp,var/lib,var/log,var/cache}
  chmod 1777 "$1/tmp" "$1/var/tmp" "$1/run/lock"
  chmod 700 "$1/root"
  ln -sf dash "$1/bin/sh"
  ln -sf mawk "$1/usr/bin/awk"
  ldconfig -r "$1"
}
