# shellcheck shell=bash disable=SC2034  # read by advice.sh
# A scheduler whose jobs run as another user: one each minute, and one at the start, which proves that it serves
# without a minute's wait. cron's child does the same for both.
IMAGE="jobs"
PACKAGES="cron libpam-modules"
VOLUME=/data
CHANGES=('VOLUME /data')

prepare() {
  mkdir -p "$1/data" "$1/var/spool/cron/crontabs"
  printf 'account required pam_permit.so\nsession required pam_permit.so\nauth required pam_permit.so\n' \
    | tee "$1/etc/pam.d/cron" >"$1/etc/pam.d/other"
}
# What the job has written since this container started, as its user.
request() {
  local start
  start=$(docker inspect -f '{{.State.StartedAt}}' "$NAME")
  [ -n "$(find "/proc/$(container_pid)/root/data/out" -newermt "$start" -user 33)" ]
}
