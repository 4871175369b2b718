#!/bin/sh
# Ends at once and leaves a daemon of its own session, which keeps the output and prints on it without end.
# usage: PIDFILE PROGRESSFILE     the daemon's process id; a file that grows by one byte with each line printed
if [ "$3" != daemon ]; then
    echo starting
    setsid sh "$0" "$1" "$2" daemon &
    while [ ! -s "$2" ]; do sleep 0.01; done
    exit 0
fi
echo $$ >"$1"
while echo "the daemon is at work"; do
    printf . >>"$2"
    sleep 0.01
done
