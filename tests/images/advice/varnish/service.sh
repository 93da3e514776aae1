# shellcheck shell=bash disable=SC2034  # read by advice.sh
# As varnish starts: as a user, with a configuration that is compiled at each start.
IMAGE=varnish
PACKAGES="varnish gcc libc6-dev"
BOOT_SECONDS=90
CHANGES=('USER vcache' 'WORKDIR /etc/varnish' 'CMD ["varnishd", "-F", "-f", "/etc/varnish/default.vcl", "-a", "127.0.0.1:8080", "-T", "none", "-s", "malloc,16M"]')

prepare() {
  add_user "$1" vcache 1000 1000 /var/lib/varnish
  own_directory "$1" /var/lib/varnish 1000 755
  cat >"$1/etc/varnish/default.vcl" <<'EOF'
vcl 4.0;
backend default { .host = "127.0.0.1"; .port = "8081"; }
sub vcl_recv { return (synth(200, "hello")); }
EOF
}
request() { http_has hello GET 8080 /; }
