#!/bin/sh
# deb: "remove", then "purge", which deletes the database and the keys. rpm, which has no purge: 0.
set -e
if [ "$1" = purge ]; then
	# A folder that is a file system of its own cannot be removed, only its content.
	rm -rf /var/lib/tonprobe-collector || find /var/lib/tonprobe-collector -mindepth 1 -delete
	if getent passwd tonprobe-collector | grep -q ':Tonprobe collector:' && command -v userdel >/dev/null; then userdel tonprobe-collector; fi
fi
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload || true
	case "$1" in remove | 0) systemctl reset-failed tonprobe-collector.service 2>/dev/null || true ;; esac
fi
