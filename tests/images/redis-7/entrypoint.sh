#!/bin/sh
# As root: the data directory becomes redis's, then redis-server runs as redis.
set -e
if [ "$1" = redis-server ] && [ "$(id -u)" = 0 ]; then
  find . ! -user redis -exec chown redis {} +
  exec gosu redis "$0" "$@"
fi
umask 0077
exec "$@"
