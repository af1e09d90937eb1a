#!/bin/sh
# deb: "remove", then "purge", which deletes the database and the keys. rpm, which has no purge: 0.
set -e
if [ "$1" = purge ]; then
	rm -rf /var/lib/tonprobe-collector
	if getent passwd tonprobe-collector | grep -q ':Tonprobe collector:' && command -v userdel >/dev/null; then userdel tonprobe-collector; fi
fi
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
	case "$1" in remove | 0) systemctl reset-failed tonprobe-collector.service 2>/dev/null || true ;; esac
fi
