# shellcheck shell=bash disable=SC2034  # read by matrix.sh
IMAGE=nginx
PACKAGES="nginx-light busybox-static"
RUNS_AS=101
CHANGES=('CMD ["nginx", "-g", "daemon off;"]')
STOP_SIGNAL=QUIT
CHECK=(busybox wget -q -O - http://127.0.0.1/)
CHECK_SAYS="from the image"

prepare() {
  add_user "$1" nginx 101 101 /nonexistent
  cp "$SERVICE_DIR/nginx.conf" "$1/etc/nginx/nginx.conf"
  mkdir -p "$1/usr/share/nginx/html" "$1/var/cache/nginx"
  printf 'from the image\n' >"$1/usr/share/nginx/html/index.html"
  ln -sf /dev/stdout "$1/var/log/nginx/access.log"
  ln -sf /dev/stderr "$1/var/log/nginx/error.log"
}
# With a body that nginx keeps in a file of its cache.
request() {
  http_has "from the image" GET 80 / &&
    http_has "from the image" POST 80 /kept "$(printf '%032768d' 0)"
}
