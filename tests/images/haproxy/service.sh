# shellcheck shell=bash disable=SC2034  # read by matrix.sh
IMAGE=haproxy
PACKAGES="haproxy busybox-static"
RUNS_AS=99
STARTS_AS_ROOT=0
CHANGES=('CMD ["haproxy", "-f", "/usr/local/etc/haproxy/haproxy.cfg"]' 'USER haproxy'
  'WORKDIR /var/lib/haproxy')
STOP_SIGNAL=USR1
CHECK=(busybox wget -q -O - http://127.0.0.1:8080/)
CHECK_SAYS="from the back end"
STOP_STATUS=0

prepare() {
  sed -i '/^haproxy:/d' "$1/etc/passwd" "$1/etc/group"
  add_user "$1" haproxy 99 99 /var/lib/haproxy
  own_directory "$1" /var/lib/haproxy 99 755
  install -D -m 644 "$SERVICE_DIR/haproxy.cfg" "$1/usr/local/etc/haproxy/haproxy.cfg"
}
request() { http_has "from the back end" GET 8080 /; }
