#!/bin/sh
set -e
chown -R www-data:www-data /var/www/html /var/lib/nginx
exec supervisord -c /etc/supervisord.conf
