# shellcheck shell=bash disable=SC2034  # read by advice.sh
# As syncthing/syncthing starts: root gives the data to a user and becomes that user.
IMAGE=syncthing/syncthing
PACKAGES="syncthing gosu"
VOLUME=/var/syncthing
CHANGES=('VOLUME /var/syncthing' 'CMD ["syncthing", "-home", "/var/syncthing/config", "-no-browser", "-gui-address", "127.0.0.1:8384"]')

prepare() { mkdir -p "$1/var/syncthing"; }
request() { http_has Syncthing GET 8384 /; }
