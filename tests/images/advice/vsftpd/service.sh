# shellcheck shell=bash disable=SC2034  # read by advice.sh
# As fauria/vsftpd starts: the entrypoint makes a user and sets a password.
IMAGE=fauria/vsftpd
PACKAGES="vsftpd passwd libpam-modules libpam-runtime"
VOLUME=/home/user
CHANGES=('VOLUME /home/user')

prepare() {
  cp "$SERVICE_DIR/vsftpd.conf" "$1/etc/vsftpd.conf"
  own_directory "$1" /home/user 1000 755
  for service in vsftpd chpasswd useradd other; do
    printf 'auth required pam_unix.so\naccount required pam_unix.so\nsession required pam_permit.so\npassword required pam_unix.so sha512\n' \
      >"$1/etc/pam.d/$service"
  done
  chroot "$1" pwconv
}
# It forgets what comes before it has asked for it.
request() {
  for line in 'USER user' 'PASS secret' PWD QUIT; do
    printf '%s\r\n' "$line"
    sleep 0.3
  done | converse 21 | tr -d '\r' | grep '^257 "/'
}
