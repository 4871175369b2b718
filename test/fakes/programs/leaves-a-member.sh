#!/bin/sh
# Ends after a while and leaves a silent process in its own process group.
# usage: PIDFILE SECONDS
sleep 300 &
echo $! >"$1"
sleep "$2"
