#!/bin/bash
# As root: the data directory becomes postgres's; as postgres: a cluster is made where there is
# none, with a first start of its own.
set -Eeuo pipefail
if [ "$1" = postgres ]; then
  mkdir -p "$PGDATA"
  chmod 700 "$PGDATA" || true
  mkdir -p /var/run/postgresql || true
  chmod 3775 /var/run/postgresql || true
  if [ "$(id -u)" = 0 ]; then
    find "$PGDATA" ! -user postgres -exec chown postgres {} +
    find /var/run/postgresql ! -user postgres -exec chown postgres {} +
    exec gosu postgres "$0" "$@"
  fi
  if [ ! -s "$PGDATA/PG_VERSION" ]; then
    initdb --username=postgres --auth=trust --pgdata="$PGDATA"
    pg_ctl --pgdata="$PGDATA" -o "-c listen_addresses=''" --wait start
    psql -U postgres -c 'SELECT version()'
    pg_ctl --pgdata="$PGDATA" --mode=fast --wait stop
  fi
fi
exec "$@"
