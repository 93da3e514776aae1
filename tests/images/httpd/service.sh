# shellcheck shell=bash disable=SC2034  # read by matrix.sh
IMAGE=httpd
PACKAGES="apache2-bin busybox-static"
RUNS_AS=33
CHANGES=('CMD ["httpd-foreground"]' 'WORKDIR /usr/local/apache2')
STOP_SIGNAL=WINCH
CHECK=(busybox wget -q -O - http://127.0.0.1/)
CHECK_SAYS="from the image"

prepare() {
  local prefix=$1/usr/local/apache2
  mkdir -p "$prefix"/{conf,htdocs,logs}
  ln -s /usr/lib/apache2/modules "$prefix/modules"
  cp "$SERVICE_DIR/httpd.conf" "$prefix/conf/httpd.conf"
  printf 'from the image\n' >"$prefix/htdocs/index.html"
  install -D -m 755 "$SERVICE_DIR/httpd-foreground" "$1/usr/local/bin/httpd-foreground"
}
request() { http_has "from the image" GET 80 /; }
