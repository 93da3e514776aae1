# shellcheck shell=bash disable=SC2034  # read by matrix.sh
IMAGE=nginxinc/nginx-unprivileged
PACKAGES="nginx-light busybox-static"
RUNS_AS=101
STARTS_AS_ROOT=0
CHANGES=('CMD ["nginx", "-g", "daemon off;"]' 'USER 101')
STOP_SIGNAL=QUIT
CHECK=(busybox wget -q -O - http://127.0.0.1:8080/)
CHECK_SAYS="from the image"

prepare() {
  add_user "$1" nginx 101 101 /nonexistent
  sed -e '/^user /d' -e 's#^pid .*#pid /tmp/nginx.pid;#' -e 's#/var/cache/nginx/#/tmp/#' \
    -e 's#\(listen\|127.0.0.1:\)\( *\)80\b#\1\28080#' "$IMAGES_DIR/nginx/nginx.conf" \
    >"$1/etc/nginx/nginx.conf"
  mkdir -p "$1/usr/share/nginx/html"
  printf 'from the image\n' >"$1/usr/share/nginx/html/index.html"
  ln -sf /dev/stdout "$1/var/log/nginx/access.log"
  ln -sf /dev/stderr "$1/var/log/nginx/error.log"
}
request() {
  http_has "from the image" GET 8080 / &&
    http_has "from the image" POST 8080 /kept "$(printf '%032768d' 0)"
}
