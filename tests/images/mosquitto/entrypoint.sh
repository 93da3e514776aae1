#!/bin/sh
# As root: everything of its own becomes mosquitto's; the broker leaves root itself.
set -e
if [ "$(id -u)" = 0 ]; then chown -R mosquitto:mosquitto /mosquitto || true; fi
exec "$@"
