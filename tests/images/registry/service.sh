# shellcheck shell=bash disable=SC2034  # read by matrix.sh
IMAGE=registry
PACKAGES="docker-registry busybox-static"
VOLUME=/var/lib/registry
CHANGES=('CMD ["/etc/docker/registry/config.yml"]' "VOLUME $VOLUME")
CHECK=(busybox wget -q -O - http://127.0.0.1:5000/v2/)
CHECK_SAYS="{}"
STOP_STATUS=2

BLOB=value
DIGEST=sha256:$(printf '%s' "$BLOB" | sha256sum | cut -d ' ' -f 1)

prepare() {
  install -D -m 644 "$SERVICE_DIR/config.yml" "$1/etc/docker/registry/config.yml"
  mkdir -p "$1$VOLUME"
}
request() { http_has "{}" GET 5000 /v2/; }
write_data() {
  local where
  where=$(http POST 5000 /v2/kept/blobs/uploads/ | tr -d '\r' |
    sed -n 's#^[Ll]ocation: \(http://[^/]*\)\?##p')
  http_has "$DIGEST" PUT 5000 "$where&digest=$DIGEST" "$BLOB" \
    "Content-Type: application/octet-stream"
}
read_data() { http_has "$BLOB" GET 5000 "/v2/kept/blobs/$DIGEST"; }
