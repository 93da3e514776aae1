# shellcheck shell=bash disable=SC2034  # read by matrix.sh
IMAGE=mariadb
PACKAGES="mariadb-server gosu"
RUNS_AS=999
VOLUME=/var/lib/mysql
BOOT_SECONDS=180
STOP_SECONDS=60
CHANGES=('CMD ["mariadbd"]' "VOLUME $VOLUME")
CHECK=(mariadb-admin -h 127.0.0.1 -u root -psecret ping)
CHECK_SAYS=alive

prepare() {
  add_user "$1" mysql 999 999 /var/lib/mysql
  own_directory "$1" "$VOLUME" 999 755
  own_directory "$1" /run/mysqld 999 1777
  ln -sf mariadb.cnf "$1/etc/mysql/my.cnf"
}
sql() { inside mariadb -h 127.0.0.1 -u root -psecret -N -e "$1"; }
request() { [ "$(sql 'SELECT 41 + 1')" = 42 ]; }
write_data() { sql "CREATE TABLE mysql.kept AS SELECT 'value' AS what"; }
read_data() { [ "$(sql 'SELECT what FROM mysql.kept')" = value ]; }
