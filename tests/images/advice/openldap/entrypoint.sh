#!/bin/bash
set -e
ulimit -n 1024
chown -R openldap:openldap /var/lib/ldap /etc/ldap/slapd.d
mkdir -p /run/slapd
chown openldap:openldap /run/slapd
exec slapd -h "ldap:/// ldapi:///" -u openldap -g openldap -F /etc/ldap/slapd.d -d 256
