#!/bin/bash
# The Debian package and the rpm of a build: lintian and rpmlint find nothing, and both have the files of
# contents.txt and those of the source tree's folders, no more and no fewer.
#
#   tests/packaging/contents.sh [BUILD]   (default: build/release)
# shellcheck disable=SC2317  # functions that are called by name
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/packaging/lib.sh
. tests/packaging/lib.sh
build=$(realpath "${1:-build/release}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Where two package formats differ by their own rules, the names are made the same: compressed files, the
# name of the changelog, the folders of systemd and zsh, what each says of licenses.
same_names() {
  sed -e 's|^/lib/systemd/|/usr/lib/systemd/|; s|\.gz$||; s|/zsh/[a-z-]*/|/zsh/|; s|/doc/runclad/CHANGELOG.md$|/doc/runclad/changelog|' \
    -e '/changelog.Debian$/d; /\/licenses\/runclad\/LICENSE$/d; /\/doc\/runclad\/copyright$/d' \
    -e '/\/lintian\/overrides\/runclad$/d' | sort
}
expected() {
  cat tests/packaging/contents.txt
  find profiles/images profiles/schema profiles/shields -type f | sed 's|^profiles|/usr/share/runclad|'
  find packaging/doc -type f | sed 's|^packaging/doc|/usr/share/doc/runclad|'
  find packaging/selinux examples -type f | sed 's|^packaging/||; s|^|/usr/share/doc/runclad/|'
}
in_deb() { dpkg-deb --fsys-tarfile "$deb" | tar -t | sed 's|^\.||; /\/$/d'; }
in_rpm() { rpm -qp --qf '[%{FILEMODES:perms} %{FILENAMES}\n]' "$rpm" | sed -n 's/^-[^ ]* //p'; }
same_files() { diff <(expected | same_names) <("$1" | same_names); }
# Programs and example scripts are executable, everything is root's, and nobody else can write to it.
modes_of_deb() {
  ! dpkg-deb --fsys-tarfile "$deb" | tar -tv --numeric-owner |
    awk '$1 !~ /^(-rw-r--r--|-rwxr-xr-x|drwxr-xr-x)$/ || $2 != "0/0" ||
      ($1 ~ /^-rwx/ && $6 !~ /bin\/|examples.*[.]sh$/)' | grep .
}
modes_of_rpm() {
  ! rpm -qp --qf '[%{FILEMODES:perms} %{FILEUSERNAME}:%{FILEGROUPNAME} %{FILENAMES}\n]' "$rpm" |
    awk '$1 !~ /^(-rw-r--r--|-rwxr-xr-x|drwxr-xr-x|drwx--x--x|drwx------)$/ || $2 != "root:root" ||
      ($1 ~ /^-rwx/ && $3 !~ /bin\/|examples.*[.]sh$/)' | grep .
}
deb_names_what_it_is_made_of() {
  local source
  for source in glibc gcc- libcap-ng libmd libseccomp libyaml sqlite3 nlohmann-json3 spdlog; do
    dpkg-deb -f "$deb" Built-Using | grep -qE "(^|, )${source}[0-9]* \(= " || { echo "$source"; return 1; }
  done
}
deb_conffiles() {
  diff <(dpkg-deb --ctrl-tarfile "$deb" | tar -xO ./conffiles) \
    <(printf '/etc/logrotate.d/runclad\n/etc/runclad/policy.json\n')
}
rpm_conffiles() { diff <(rpm -qpc "$rpm") <(printf '/etc/logrotate.d/runclad\n/etc/runclad/policy.json\n'); }
rpm_needs_no_library() { ! rpm -qpR "$rpm" | grep -E '\.so|ld-linux'; }
rpm_is_clean() {
  rpmlint -c packaging/rpm/rpmlint.toml "$rpm" >"$work/rpmlint"
  cat "$work/rpmlint"
  grep -q ' 1 packages .* 0 errors, 0 warnings' "$work/rpmlint"
}
overrides_have_reasons() {
  awk '/^#/ {reason = 1; next} !reason {print; missing = 1} END {exit missing}' \
    packaging/debian/runclad.lintian-overrides
}

deb=$(packaging/deb.sh --build "$build" "$work")
is "packaging/deb.sh makes a package" test -f "$deb"
is "lintian finds neither an error nor a warning" \
  lintian --allow-root --fail-on error,warning "$deb"
is "each override has a reason" overrides_have_reasons
is "the Debian package has the listed files" same_files in_deb
is "the Debian package: owners and modes" modes_of_deb
is "the Debian package: files that an upgrade keeps" deb_conffiles
is "the Debian package names its static libraries" deb_names_what_it_is_made_of

rpm=$(packaging/rpm.sh --build "$build" "$work")
is "packaging/rpm.sh makes a package" test -f "$rpm"
is "rpmlint finds neither an error nor a warning" rpm_is_clean
is "the rpm has the listed files" same_files in_rpm
is "the rpm: owners and modes" modes_of_rpm
is "the rpm: files that an upgrade keeps" rpm_conffiles
is "the rpm needs no library" rpm_needs_no_library
finish
