# shellcheck shell=bash disable=SC2034  # read by matrix.sh
IMAGE=rabbitmq
PACKAGES="rabbitmq-server gosu"
RUNS_AS=999
VOLUME=/var/lib/rabbitmq
BOOT_SECONDS=180
STOP_SECONDS=60
# Root cannot read the cookie that rabbitmqctl wants: eacces.
BLAMES='eacces|not permitted|denied|read-only file system'
OPTIONS=(--add-host image:127.0.0.1)  # there is no network that would know the name
CHANGES=('CMD ["rabbitmq-server"]' "VOLUME $VOLUME" "ENV HOME=$VOLUME" 'ENV LANG=C.UTF-8'
  'ENV RABBITMQ_LOGS=-' 'ENV RUNNING_UNDER_SYSTEMD=true'
  'ENV PATH=/usr/lib/rabbitmq/bin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin')
CHECK=(rabbitmq-diagnostics -q ping)
CHECK_SAYS="succeeded"

prepare() {
  add_user "$1" rabbitmq 999 999 /var/lib/rabbitmq
  local path
  for path in "$VOLUME" /etc/rabbitmq /etc/rabbitmq/conf.d /var/log/rabbitmq; do
    own_directory "$1" "$path" 999 1777
  done
  ln -sf "$VOLUME/.erlang.cookie" "$1/root/.erlang.cookie"
}
# The greeting of AMQP 0-9-1 names the product.
request() {
  local greeting
  greeting=$(printf 'AMQP\0\0\11\1' | converse 5672 1 2>/dev/null | tr -d '\0')
  [[ "$greeting" == *RabbitMQ* ]]
}
write_data() { inside rabbitmqctl add_vhost kept; }
read_data() { inside rabbitmqctl -q list_vhosts | grep -x kept; }
