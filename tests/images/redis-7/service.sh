# shellcheck shell=bash disable=SC2034  # read by matrix.sh
# As redis:7 and older start.
IMAGE=redis:7
PACKAGES="redis-server gosu"
RUNS_AS=999
VOLUME=/data
CHANGES=('CMD ["redis-server", "--appendonly", "yes"]' 'WORKDIR /data' 'VOLUME /data')
CHECK=(redis-cli ping)
CHECK_SAYS=PONG

prepare() {
  add_user "$1" redis 999 999 /data
  own_directory "$1" /data 999 755
}
say() { printf '%s\r\nQUIT\r\n' "$1" | converse 6379 | tr -d '\r'; }
request() { grep -qx +PONG < <(say PING); }
write_data() { grep -qx +OK < <(say "SET kept value"); }
read_data() { grep -qx value < <(say "GET kept"); }
