#!/bin/sh
# deb: "remove". rpm: 0 to remove. On an upgrade the service continues until postinstall.sh.
set -e
case "$1" in remove | 0) ;; *) exit 0 ;; esac
[ -d /run/systemd/system ] || exit 0
systemctl disable --now --quiet tonprobe-collector.service || true
