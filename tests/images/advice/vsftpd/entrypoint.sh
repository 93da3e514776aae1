#!/bin/sh
set -e
id user >/dev/null 2>&1 || useradd -M -d /home/user -s /bin/bash user
echo "user:secret" | chpasswd
mkdir -p /run/vsftpd/empty
exec vsftpd /etc/vsftpd.conf
