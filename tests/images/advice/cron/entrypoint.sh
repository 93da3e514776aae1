#!/bin/sh
set -e
printf '%s www-data date >>/data/out\n' '* * * * *' @reboot >/etc/cron.d/job
chown www-data /data
exec cron -f
