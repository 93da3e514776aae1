# shellcheck shell=bash disable=SC2034  # read by advice.sh
# As osixia/openldap starts: root prepares the directories, and slapd leaves it.
IMAGE=osixia/openldap
PACKAGES="slapd"
VOLUME="/var/lib/ldap /etc/ldap/slapd.d"
CHANGES=('VOLUME ["/var/lib/ldap", "/etc/ldap/slapd.d"]')

prepare() {
  add_user "$1" openldap 911 911 /var/lib/ldap
  mkdir -p "$1/var/lib/ldap" "$1/etc/ldap/slapd.d"
  cat >"$1/root/init.ldif" <<'EOF'
dn: cn=config
objectClass: olcGlobal
cn: config

dn: olcDatabase={-1}frontend,cn=config
objectClass: olcDatabaseConfig
objectClass: olcFrontendConfig
olcDatabase: {-1}frontend
EOF
  chroot "$1" slapadd -n 0 -F /etc/ldap/slapd.d -l /root/init.ldif
  chown -R 911:911 "$1/var/lib/ldap" "$1/etc/ldap/slapd.d"
}
# An anonymous bind succeeds.
request() {
  printf '\060\014\002\001\001\140\007\002\001\003\004\000\200\000' | converse 389 1 |
    od -An -tx1 | tr -d ' \n' | grep -q '0a0100'
}
