#!/bin/sh
# Prints and works until GO exists, then leaves DONE and ends.
# usage: PIDFILE GO DONE
echo $$ >"$1"
while [ ! -e "$2" ]; do
    echo working
    sleep 0.01
done
echo done >"$3"
