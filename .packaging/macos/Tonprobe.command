#!/bin/sh
# Terminal runs this from a folder that the launcher has made for one start. Any web page can open a
# link, so its text comes from a file and is one argument, never a part of a command.
folder=$(dirname "$0")
# Somebody may open a copy of this file in another folder, such as Downloads: only the files of a start
# are removed, and the folder if it contains nothing else.
program=$(cat "$folder/program") && link=$(cat "$folder/link") || exit 1
rm -f "$folder/program" "$folder/link" "$folder/Tonprobe.command"
rmdir "$folder" 2>/dev/null
export TONPROBE_WINDOW=1
if [ -n "$link" ]; then exec "$program" open "$link"; fi
exec "$program"
