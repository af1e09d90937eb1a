#!/bin/sh
# deb: "remove", then "purge", which deletes the data. rpm, which has no purge: 0.
set -e
if [ "$1" = purge ]; then
	# A folder that is a file system of its own cannot be removed, only its content.
	rm -rf /var/lib/tonprobe || find /var/lib/tonprobe -mindepth 1 -delete
	rm -f /etc/tonprobe/tonprobe.toml
	if [ -d /etc/tonprobe ]; then rmdir --ignore-fail-on-non-empty /etc/tonprobe; fi
	if getent passwd tonprobe | grep -q ':Tonprobe service:' && command -v userdel >/dev/null; then userdel tonprobe; fi
fi
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload || true
	case "$1" in remove | 0) systemctl reset-failed tonprobe.service 2>/dev/null || true ;; esac
fi
