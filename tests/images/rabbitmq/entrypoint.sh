#!/bin/bash
# As root: the data directory becomes rabbitmq's, then the broker runs as rabbitmq.
set -euo pipefail
if [[ $1 == rabbitmq* ]] && [ "$(id -u)" = 0 ]; then
  if [ "$1" = rabbitmq-server ]; then
    find /var/lib/rabbitmq ! -user rabbitmq -exec chown rabbitmq {} +
  fi
  exec gosu rabbitmq "$0" "$@"
fi
exec "$@"
