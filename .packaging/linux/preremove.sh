#!/bin/sh
# deb: "remove". rpm: 0 to remove. On an upgrade the service continues until postinstall.sh.
set -e
case "$1" in remove | 0) ;; *) exit 0 ;; esac
[ -d /run/systemd/system ] || exit 0
# The unit of "tonprobe service install" would refer to a program that does not exist.
if grep -qs '^ExecStart=/usr/bin/tonprobe ' /etc/systemd/system/tonprobe.service; then
	/usr/bin/tonprobe service uninstall --keep-data || true
fi
systemctl disable --now --quiet tonprobe.service || true
