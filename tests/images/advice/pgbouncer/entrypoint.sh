#!/bin/sh
set -e
echo '"user" "md5x"' >/etc/pgbouncer/userlist.txt
cat >/etc/pgbouncer/pgbouncer.ini <<'EOF'
[databases]
* = host=127.0.0.1 port=5433
[pgbouncer]
listen_addr = 0.0.0.0
listen_port = 5432
auth_type = trust
auth_file = /etc/pgbouncer/userlist.txt
unix_socket_dir =
user = postgres
EOF
exec pgbouncer /etc/pgbouncer/pgbouncer.ini
