#!/bin/sh
# Prints COUNT times a million bytes, with a little pause after each.
# usage: COUNT PAUSE_SECONDS
count=0
while [ "$count" -lt "$1" ]; do
    head -c 1000000 /dev/zero
    sleep "$2"
    count=$((count + 1))
done
