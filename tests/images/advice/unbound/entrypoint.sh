#!/bin/bash
set -e
home=/opt/unbound/etc/unbound
cat >$home/unbound.conf <<EOF
server:
  interface: 127.0.0.1@5353
  username: "unbound"
  chroot: "$home"
  directory: "$home"
  do-daemonize: no
  use-syslog: no
  pidfile: ""
  local-data: "a.test. A 192.0.2.1"
EOF
mkdir -p $home/dev
cp -a /dev/random /dev/urandom /dev/null $home/dev/
mkdir -p $home/var
chmod 700 $home/var
chown unbound:unbound $home/var
exec unbound -d -c $home/unbound.conf
