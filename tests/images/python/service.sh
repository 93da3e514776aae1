# shellcheck shell=bash disable=SC2034  # read by matrix.sh
# A program of the user's, on port 80: the image file has no list, the profile's holds.
IMAGE=python
PACKAGES="python3"
VOLUME=/data
CHANGES=('CMD ["python3", "server.py"]' 'WORKDIR /usr/src/app')
CHECK=(python3 -c
  'import urllib.request; print(urllib.request.urlopen("http://127.0.0.1/").read())')
CHECK_SAYS="from python"

prepare() {
  install -D -m 644 "$SERVICE_DIR/server.py" "$1/usr/src/app/server.py"
  mkdir -p "$1$VOLUME"
}
request() { http_has "from python" GET 80 /; }
write_data() { http_has "" POST 80 / value; }
read_data() { http_has value GET 80 /; }
