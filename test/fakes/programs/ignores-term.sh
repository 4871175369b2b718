#!/bin/sh
# Does not end at TERM, nor does the process that it waits for.
# usage: PIDFILE     both process ids
trap '' TERM
sleep 300 &
echo "$$ $!" >"$1"
while :; do wait; done
