# shellcheck shell=bash disable=SC2034  # read by advice.sh
# As jgeusebroek/privatebin starts: a supervisor with php-fpm and nginx.
IMAGE=jgeusebroek/privatebin
PACKAGES="supervisor nginx php8.2-fpm"
CHANGES=()

prepare() {
  mkdir -p "$1/var/www/html" "$1/run/php" "$1/var/lib/nginx" "$1/var/log/nginx"
  echo '<?php echo "user " . posix_getuid();' >"$1/var/www/html/index.php"
  cp "$SERVICE_DIR/supervisord.conf" "$1/etc/supervisord.conf"
  cp "$SERVICE_DIR/nginx.conf" "$1/etc/nginx/nginx.conf"
  cp "$1/usr/lib/php/8.2/php.ini-production" "$1/etc/php/8.2/fpm/php.ini" 2>/dev/null
  mkdir -p "$1/etc/php/8.2/fpm/conf.d"
  echo 'extension=posix.so' >"$1/etc/php/8.2/fpm/conf.d/20-posix.ini"
}
request() { http_has 'user 33' GET 80 /index.php; }
