#!/bin/sh
# Ends with code 7 at TERM, and leaves a process in its group that ignores TERM.
# usage: PIDFILE     both process ids
trap '' TERM
sleep 300 &
trap 'exit 7' TERM
echo "$$ $!" >"$1"
while :; do wait; done
