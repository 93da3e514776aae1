# shellcheck shell=bash disable=SC2034,SC2016  # read by advice.sh
# As internetsystemsconsortium/bind9 starts: as root, which gives itself up once it listens.
IMAGE=internetsystemsconsortium/bind9
PACKAGES="bind9"
VOLUME=/var/cache/bind
CHANGES=('CMD ["named", "-g", "-c", "/etc/bind/named.conf", "-u", "bind"]' 'VOLUME /var/cache/bind')

prepare() {
  add_user "$1" bind 53 53 /var/cache/bind
  own_directory "$1" /var/cache/bind 53 775
  own_directory "$1" /run/named 53 775
  cat >"$1/etc/bind/named.conf" <<'EOF'
options { directory "/var/cache/bind"; listen-on { any; }; recursion no; allow-query { any; }; };
zone "test" { type master; file "/etc/bind/test.zone"; };
EOF
  printf '$TTL 60\n@ SOA a.test. b.test. 1 60 60 60 60\n@ NS a.test.\na A 192.0.2.1\n' \
    >"$1/etc/bind/test.zone"
}
request() { resolves a.test 53; }
