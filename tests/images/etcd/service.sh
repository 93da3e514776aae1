# shellcheck shell=bash disable=SC2034  # read by matrix.sh
IMAGE=quay.io/coreos/etcd:v3.4
PACKAGES="etcd-server etcd-client"
VOLUME=/etcd-data
CHANGES=('CMD ["etcd", "--data-dir=/etcd-data"]' "ENV ETCDCTL_API=3")
CHECK=(etcdctl endpoint health)
CHECK_SAYS="is healthy"
STOP_STATUS=0

prepare() { mkdir -p "$1$VOLUME"; }
request() { http_has '"health":"true"' GET 2379 /health; }
# Keys and values are in base64: kept, value
write_data() { http_has revision POST 2379 /v3/kv/put '{"key": "a2VwdA==", "value": "dmFsdWU="}'; }
read_data() { http_has 'dmFsdWU=' POST 2379 /v3/kv/range '{"key": "a2VwdA=="}'; }
