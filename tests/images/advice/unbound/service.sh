# shellcheck shell=bash disable=SC2034  # read by advice.sh
# As mvance/unbound starts: configuration and a chroot below /opt, made at each start.
IMAGE=mvance/unbound
PACKAGES="unbound"
CHANGES=()

prepare() {
  add_user "$1" unbound 105 105 /var/lib/unbound
  mkdir -p "$1/opt/unbound/etc/unbound"
}
request() { resolves a.test 5353; }
