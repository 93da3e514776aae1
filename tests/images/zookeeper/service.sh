# shellcheck shell=bash disable=SC2034  # read by matrix.sh
IMAGE=zookeeper
PACKAGES="zookeeper gosu"
RUNS_AS=1000
VOLUME="/data /datalog"
BOOT_SECONDS=120
STOP_STATUS=143
CHANGES=('CMD ["zkServer.sh", "start-foreground"]' 'VOLUME /data' 'VOLUME /datalog' 'VOLUME /logs'
  'ENV PATH=/usr/share/zookeeper/bin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin')
CHECK=(bash -c 'exec 3<>/dev/tcp/127.0.0.1/2181 && printf srvr >&3 && cat <&3')
CHECK_SAYS="Mode: standalone"

prepare() {
  add_user "$1" zookeeper 1000 1000 /home/zookeeper
  local path
  for path in /conf /data /datalog /logs; do own_directory "$1" "$path" 1000 755; done
  rm "$1/usr/share/zookeeper/bin/zkEnv.sh"
  printf '%s\n' ZOOMAIN=org.apache.zookeeper.server.quorum.QuorumPeerMain ZOOCFGDIR=/conf \
    ZOOCFG=/conf/zoo.cfg ZOO_LOG_DIR=/logs JAVA=/usr/lib/jvm/java-17-openjdk-amd64/bin/java \
    CLASSPATH=/conf:/usr/share/java/zookeeper.jar >"$1/usr/share/zookeeper/bin/zkEnv.sh"
}
request() { printf srvr | converse 2181 | grep "Mode: standalone"; }
client() { inside zkCli.sh -server 127.0.0.1:2181 "$@" 2>&1; }
write_data() { client create /kept value | grep "Created /kept"; }
read_data() { client get /kept | grep -x value; }
