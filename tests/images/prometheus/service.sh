# shellcheck shell=bash disable=SC2034  # read by matrix.sh
IMAGE=prom/prometheus
PACKAGES="prometheus busybox-static"
RUNS_AS=65534
STARTS_AS_ROOT=0
VOLUME=/prometheus
CHANGES=('ENTRYPOINT ["prometheus"]' 'USER nobody' "VOLUME $VOLUME" "WORKDIR $VOLUME"
  'CMD ["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"]')
CHECK=(busybox wget -q -O - http://127.0.0.1:9090/-/healthy)
CHECK_SAYS=Healthy

prepare() {
  own_directory "$1" "$VOLUME" 65534 755
  printf '%s\n' 'global: {scrape_interval: 1s}' 'scrape_configs:' '- job_name: itself' \
    '  static_configs: [{targets: ["localhost:9090"]}]' >"$1/etc/prometheus/prometheus.yml"
}
request() { http_has Ready GET 9090 /-/ready; }
was_up_at() { http_has '"job":"itself"' GET 9090 "/api/v1/query?query=up&time=$1"; }
is_up_now() {
  SAMPLED=$(date +%s)
  was_up_at "$SAMPLED"
}
# A sample that the first life took.
write_data() { eventually 30 is_up_now; }
read_data() { was_up_at "$SAMPLED"; }
