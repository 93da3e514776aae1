# shellcheck shell=bash disable=SC2034  # read by advice.sh
# A scheduler whose job runs as another user, each minute.
IMAGE="jobs"
PACKAGES="cron libpam-modules"
VOLUME=/data
BOOT_SECONDS=90
CHANGES=('VOLUME /data')

prepare() {
  mkdir -p "$1/data" "$1/var/spool/cron/crontabs"
  printf 'account required pam_permit.so\nsession required pam_permit.so\nauth required pam_permit.so\n' \
    | tee "$1/etc/pam.d/cron" >"$1/etc/pam.d/other"
}
# What was written since this container started.
request() { [ -n "$(find "/proc/$(container_pid)/root/data/out" -newer "/proc/$(container_pid)/stat")" ]; }
