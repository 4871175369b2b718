"""Prints the lines of each sd_notify(3) message that arrives at a socket, as one JSON array a line."""

import json
import socket
import sys

with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
    notify.bind(sys.argv[1])
    print("bound", flush=True)
    while True:
        lines = notify.recv(4096).decode().splitlines()
        # Sent behind each message: its sender waits until the descriptor that comes with it is closed.
        if lines != ["BARRIER=1"]:
            print(json.dumps(lines), flush=True)
