#!/bin/bash
# As root: the directories become zookeeper's; as zookeeper: a configuration is written where there
# is none.
set -e
if [ "$1" = zkServer.sh ] && [ "$(id -u)" = 0 ]; then
  chown -R zookeeper /data /datalog /logs
  exec gosu zookeeper "$0" "$@"
fi
if [ ! -f /conf/zoo.cfg ]; then
  printf '%s\n' dataDir=/data dataLogDir=/datalog tickTime=2000 clientPort=2181 \
    admin.enableServer=false >/conf/zoo.cfg
fi
[ -f /data/myid ] || echo 1 >/data/myid
exec "$@"
