# shellcheck shell=bash disable=SC2034  # read by matrix.sh
IMAGE=eclipse-mosquitto
PACKAGES="mosquitto mosquitto-clients"
RUNS_AS=1883
VOLUME=/mosquitto/data
CHANGES=('CMD ["mosquitto", "-c", "/mosquitto/config/mosquitto.conf"]' "VOLUME $VOLUME")
CHECK=(mosquitto_sub -h 127.0.0.1 -t "\$SYS/broker/version" -C 1 -W 5)
CHECK_SAYS="mosquitto version"
BLAMES='not permitted|unable to open .*writing|error saving'

prepare() {
  add_user "$1" mosquitto 1883 1883 /var/empty
  local path
  for path in config data log; do own_directory "$1" "/mosquitto/$path" 1883 755; done
  printf '%s\n' 'listener 1883' 'allow_anonymous true' 'persistence true' \
    'persistence_location /mosquitto/data/' 'log_dest stderr' >"$1/mosquitto/config/mosquitto.conf"
}
request() {
  inside mosquitto_sub -h 127.0.0.1 -t "\$SYS/broker/version" -C 1 -W 5 | grep version
}
write_data() { inside mosquitto_pub -h 127.0.0.1 -t kept -r -q 1 -m value; }
read_data() { inside mosquitto_sub -h 127.0.0.1 -t kept -C 1 -W 5 | grep -x value; }
