# shellcheck shell=bash disable=SC2034  # read by advice.sh
# As edoburu/pgbouncer starts: the entrypoint writes the configuration from variables.
IMAGE=edoburu/pgbouncer
PACKAGES="pgbouncer"
CHANGES=()

prepare() {
  add_user "$1" postgres 70 70 /var/lib/postgresql
  own_directory "$1" /etc/pgbouncer 70 750
}
# What it says to a client that asks for TLS.
request() { [ "$(printf '\0\0\0\010\004\322\026\057' | converse 5432 1 | head -c 1)" = N ]; }
