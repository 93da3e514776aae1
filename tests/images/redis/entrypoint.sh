#!/bin/sh
# As root: the data directory becomes redis's, then root and every capability are left for good –
# unless root could not leave, then redis runs as it is.
set -e
may() { setpriv --dump | grep '^Capability bounding set' | grep -qw "$1"; }
export AS_REDIS="setpriv --reuid redis --regid redis --clear-groups"

if [ "$1" = redis-server ] && [ "$(id -u)" = 0 ] && may setuid && may setgid; then
  find . -exec sh -c 'for file; do
      $AS_REDIS test -r "$file" -a -w "$file" && continue
      chown redis "$file" && chmod u+rw "$file" || echo "kept as it is: $file"
    done' sh {} + || true
  # shellcheck disable=SC2086  # a list of words
  exec $AS_REDIS --nnp --inh-caps=-all --ambient-caps=-all --bounding-set=-all "$0" "$@"
fi
umask 0077
exec "$@"
