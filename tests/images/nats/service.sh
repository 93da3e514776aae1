# shellcheck shell=bash disable=SC2034  # read by matrix.sh
IMAGE=nats
PACKAGES="nats-server busybox-static"
VOLUME=/data
CHANGES=('ENTRYPOINT ["nats-server"]' 'CMD ["--config", "/etc/nats/nats-server.conf"]')
CHECK=(busybox wget -q -O - http://127.0.0.1:8222/healthz)
CHECK_SAYS=ok
STOP_STATUS=1

prepare() {
  mkdir -p "$1/etc/nats" "$1$VOLUME"
  printf 'http: 8222\njetstream { store_dir: /data }\n' >"$1/etc/nats/nats-server.conf"
}
# The server never closes.
nats() { printf 'CONNECT {"verbose":false}\r\n%b' "$1" | converse 4222 1 | tr -d '\r'; }
request() { nats 'PING\r\n' | grep -x PONG; }
STREAM='{"name":"kept","subjects":["kept"],"storage":"file"}'
write_data() {
  nats "SUB answer 1\r\nPUB \$JS.API.STREAM.CREATE.kept answer ${#STREAM}\r\n$STREAM\r\n" |
    grep created
}
# shellcheck disable=SC2016  # the subject's own dollar
read_data() { nats 'SUB answer 1\r\nPUB $JS.API.STREAM.NAMES answer 0\r\n\r\n' | grep '"kept"'; }
