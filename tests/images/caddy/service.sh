# shellcheck shell=bash disable=SC2034  # read by matrix.sh
# The program has a file capability: without it in the bounding set it cannot even be executed.
IMAGE=caddy
PACKAGES="caddy libcap2-bin busybox-static"
VOLUME=/data
CHANGES=('CMD ["caddy", "run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"]'
  'ENV XDG_CONFIG_HOME=/config' 'ENV XDG_DATA_HOME=/data' 'VOLUME /config' 'VOLUME /data')
CHECK=(busybox wget -q -O - http://127.0.0.1/)
CHECK_SAYS="from the image"

prepare() {
  chroot "$1" setcap cap_net_bind_service=+ep /usr/bin/caddy
  mkdir -p "$1/config/caddy" "$1/data/caddy"
  printf '%s\n' ':80 {' '  root * /usr/share/caddy' '  file_server' '}' >"$1/etc/caddy/Caddyfile"
  printf 'from the image\n' >"$1/usr/share/caddy/index.html"
}
request() { http_has "from the image" GET 80 /; }
write_data() { inside touch /data/kept; }
read_data() { inside test -e /data/kept; }
