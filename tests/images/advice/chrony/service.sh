# shellcheck shell=bash disable=SC2034  # read by advice.sh
# As cturra/ntp starts: the entrypoint writes the configuration at each start.
IMAGE=cturra/ntp
PACKAGES="chrony"
CHANGES=()

prepare() {
  add_user "$1" _chrony 123 123 /var/lib/chrony
  own_directory "$1" /var/lib/chrony 123 750
  own_directory "$1" /var/log/chrony 123 750
  mkdir -p "$1/etc/chrony"
}
request() { tells_time 123; }
