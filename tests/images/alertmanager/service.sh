# shellcheck shell=bash disable=SC2034  # read by matrix.sh
IMAGE=prom/alertmanager
PACKAGES="prometheus-alertmanager busybox-static"
RUNS_AS=65534
STARTS_AS_ROOT=0
VOLUME=/alertmanager
CHANGES=('ENTRYPOINT ["prometheus-alertmanager"]' 'USER nobody' "VOLUME $VOLUME" "WORKDIR $VOLUME"
  'CMD ["--config.file=/etc/alertmanager.yml", "--storage.path=/alertmanager"]')
ARGUMENTS=(--config.file=/etc/alertmanager.yml --storage.path=/alertmanager
  --cluster.listen-address=)  # there is no network to gossip in
CHECK=(busybox wget -q -O - http://127.0.0.1:9093/-/healthy)
CHECK_SAYS=OK

prepare() {
  own_directory "$1" "$VOLUME" 65534 755
  printf '%s\n' 'route: {receiver: nobody}' 'receivers: [{name: nobody}]' \
    >"$1/etc/alertmanager.yml"
}
request() { http_has versionInfo GET 9093 /api/v2/status; }
write_data() {
  http_has silenceID POST 9093 /api/v2/silences '{"comment": "kept", "createdBy": "test",
    "startsAt": "2026-01-01T00:00:00Z", "endsAt": "2099-01-01T00:00:00Z",
    "matchers": [{"name": "a", "value": "b", "isRegex": false}]}' 'Content-Type: application/json'
}
read_data() { http_has '"comment":"kept"' GET 9093 /api/v2/silences; }
