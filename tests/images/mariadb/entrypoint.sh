#!/bin/bash
# As root: the data directory becomes mysql's; as mysql: the system tables are made where there are
# none, and a first server without network gets the password.
set -eo pipefail
data=/var/lib/mysql
socket=/run/mysqld/mysqld.sock
if [ "$1" = mariadbd ]; then
  mkdir -p "$data"
  if [ "$(id -u)" = 0 ]; then
    find "$data" ! -user mysql \( -exec chown mysql: {} + -o -true \)
    find "${socket%/*}" -maxdepth 0 ! -user mysql \( -exec chown mysql: {} \; -o -true \)
    exec gosu mysql "$0" "$@"
  fi
  if [ ! -d "$data/mysql" ]; then
    mariadb-install-db --datadir="$data" --rpm --auth-root-authentication-method=normal \
      --skip-test-db
    "$@" --skip-networking --socket="$socket" &
    server=$!
    for _ in $(seq 1 120); do
      mariadb-admin --socket="$socket" -u root ping && break
      sleep 0.5
    done
    mariadb --socket="$socket" -u root -e "
      SET PASSWORD FOR root@localhost = PASSWORD('secret');
      SET PASSWORD FOR root@'127.0.0.1' = PASSWORD('secret');"
    kill "$server"
    wait "$server"
  fi
fi
exec "$@"
