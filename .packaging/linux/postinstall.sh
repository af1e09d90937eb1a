#!/bin/sh
# deb: "configure" and the version that is replaced, "" if none. rpm: 1 to install, 2 to upgrade.
# Nothing is enabled or started; a service that runs is restarted with the new program.
set -e
case "$1" in configure | 1 | 2) ;; *) exit 0 ;; esac
if command -v systemd-sysusers >/dev/null; then systemd-sysusers tonprobe.conf; fi
if command -v systemd-tmpfiles >/dev/null; then systemd-tmpfiles --create tonprobe.conf; fi
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload || true
	if [ "$1" = 2 ] || [ -n "${2:-}" ]; then systemctl try-restart tonprobe.service || true; fi
fi
