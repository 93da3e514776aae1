# shellcheck shell=bash disable=SC2034  # read by matrix.sh
IMAGE=php:fpm
PACKAGES="php8.2-fpm libfcgi-bin"
RUNS_AS=33
STOP_SECONDS=15
SPARED=CAP_NET_BIND_SERVICE  # php-apache needs it
CHANGES=('CMD ["php-fpm8.2", "-y", "/usr/local/etc/php-fpm.conf"]' 'WORKDIR /var/www/html')
STOP_SIGNAL=QUIT
CHECK=(env REQUEST_METHOD=GET SCRIPT_NAME=/ping SCRIPT_FILENAME=/ping
  cgi-fcgi -bind -connect 127.0.0.1:9000)
CHECK_SAYS=pong

prepare() {
  mkdir -p "$1/var/www/html" "$1/usr/local/etc"
  cp "$SERVICE_DIR/php-fpm.conf" "$1/usr/local/etc/php-fpm.conf"
  # shellcheck disable=SC2016  # PHP's own
  printf '<?php echo "uid ", trim(`id -u`), " answers ", 6 * 7;\n' >"$1/var/www/html/index.php"
}
# FastCGI's client is in the image, as people put it there for the health check.
request() {
  local answer
  answer=$(inside -e REQUEST_METHOD=GET -e SCRIPT_NAME=/index.php \
    -e SCRIPT_FILENAME=/var/www/html/index.php cgi-fcgi -bind -connect 127.0.0.1:9000)
  printf '%s\n' "$answer"
  [[ "$answer" == *"uid 33 answers 42"* ]]
}
