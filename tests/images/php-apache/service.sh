# shellcheck shell=bash disable=SC2034  # read by matrix.sh
IMAGE=php:apache
PACKAGES="libapache2-mod-php8.2 busybox-static"
RUNS_AS=33
STOP_SECONDS=15
SPARED=CAP_KILL  # php needs it
CHANGES=('CMD ["apache2-foreground"]' 'WORKDIR /var/www/html')
STOP_SIGNAL=WINCH
CHECK=(busybox wget -q -O - http://127.0.0.1/)
CHECK_SAYS="answers 42"

prepare() {
  mkdir -p "$1/var/www/html" "$1/etc/apache2"
  cp "$SERVICE_DIR/apache2.conf" "$1/etc/apache2/apache2.conf"
  install -D -m 755 "$SERVICE_DIR/apache2-foreground" "$1/usr/local/bin/apache2-foreground"
  # shellcheck disable=SC2016  # PHP's own
  printf '<?php echo "answers ", 6 * 7;\n' >"$1/var/www/html/index.php"
}
request() { http_has "answers 42" GET 80 /index.php; }
