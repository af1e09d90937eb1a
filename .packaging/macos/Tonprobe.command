#!/bin/sh
# Terminal runs this from a folder that the launcher has made for one start. Any web page can open a
# link, so its text comes from a file and is one argument, never a part of a command.
folder=$(dirname "$0")
program=$(cat "$folder/program")
link=$(cat "$folder/link")
rm -r "$folder"
export TONPROBE_WINDOW=1
if [ -n "$link" ]; then exec "$program" open "$link"; fi
exec "$program"
