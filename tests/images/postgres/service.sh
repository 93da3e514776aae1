# shellcheck shell=bash disable=SC2034  # read by matrix.sh
IMAGE=postgres
PACKAGES="postgresql-15 gosu"
RUNS_AS=999
VOLUME=/var/lib/postgresql/data
BOOT_SECONDS=120
CHANGES=('CMD ["postgres"]' "VOLUME $VOLUME" "ENV PGDATA=$VOLUME" 'ENV LANG=C.UTF-8'
  'ENV PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/lib/postgresql/15/bin')
STOP_SIGNAL=INT
CHECK=(pg_isready -U postgres -h 127.0.0.1)
CHECK_SAYS="accepting connections"

prepare() {
  sed -i '/^postgres:/d' "$1/etc/passwd" "$1/etc/group"
  add_user "$1" postgres 999 999 /var/lib/postgresql
  own_directory "$1" /var/lib/postgresql 999 1777
  own_directory "$1" "$VOLUME" 999 1777
  own_directory "$1" /run/postgresql 999 3777
}
sql() { inside psql -h 127.0.0.1 -U postgres -At -c "$1"; }
request() { [ "$(sql 'SELECT 41 + 1')" = 42 ]; }
write_data() { sql "CREATE TABLE kept AS SELECT 'value' AS what"; }
read_data() { [ "$(sql 'SELECT what FROM kept')" = value ]; }
