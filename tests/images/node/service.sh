# shellcheck shell=bash disable=SC2034  # read by matrix.sh
# A program of the user's, on port 80: the image file has no list, the profile's holds.
IMAGE=node
PACKAGES="nodejs"
VOLUME=/data
CHANGES=('CMD ["node", "server.js"]' 'WORKDIR /usr/src/app')
CHECK=(node -e 'require("http").get("http://127.0.0.1/", r => process.exit(r.statusCode - 200))')

prepare() {
  install -D -m 644 "$SERVICE_DIR/server.js" "$1/usr/src/app/server.js"
  add_user "$1" node 1000 1000 /home/node
  own_directory "$1" /home/node 1000 755
  mkdir -p "$1$VOLUME"
}
request() { http_has "from node" GET 80 /; }
write_data() { http_has "" POST 80 / value; }
read_data() { http_has value GET 80 /; }
