#!/bin/sh
# deb: "remove", then "purge", which deletes the data. rpm, which has no purge: 0.
set -e
if [ "$1" = purge ]; then
	rm -rf /var/lib/tonprobe /etc/tonprobe/tonprobe.toml
	if [ -d /etc/tonprobe ]; then rmdir --ignore-fail-on-non-empty /etc/tonprobe; fi
	if getent passwd tonprobe | grep -q ':Tonprobe service:' && command -v userdel >/dev/null; then userdel tonprobe; fi
fi
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
	case "$1" in remove | 0) systemctl reset-failed tonprobe.service 2>/dev/null || true ;; esac
fi
