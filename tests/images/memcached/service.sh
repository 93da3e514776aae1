# shellcheck shell=bash disable=SC2034  # read by matrix.sh
IMAGE=memcached
PACKAGES="memcached busybox-static"
RUNS_AS=11211
STARTS_AS_ROOT=0
CHANGES=('CMD ["memcached"]' 'USER memcache')
CHECK=(sh -c 'printf "version\r\nquit\r\n" | busybox nc 127.0.0.1 11211')
CHECK_SAYS=VERSION

prepare() {
  add_user "$1" memcache 11211 11211 /nonexistent
}
request() {
  printf 'set kept 0 0 5\r\nvalue\r\nget kept\r\nquit\r\n' | converse 11211 | tr -d '\r' |
    grep -x value
}
