#!/usr/bin/python3
"""A v1 manager: gives out request ids, dispatches at once, and publishes what comes back. It remembers nothing."""
import argparse
import json
import os
import signal
import sys
import time
import uuid
from collections import deque

import zmq


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("frontend", "backend", "sink", "mgmt"):
        parser.add_argument(f"--{name}", default="tcp://127.0.0.1:*")
    parser.add_argument("--publisher", default="tcp://127.0.0.1", help="where to publish results, on a random port")
    parser.add_argument("--dispatch-delay-ms", type=int, default=0, help="time between the reply and the dispatch")
    parser.add_argument("--topic-log", help="append a JSON line for each subscription seen and each dispatch made")
    return parser.parse_args()


class Manager:
    def __init__(self, context, options):
        self.options, self.agents, self.due, self.goes_on = options, 0, deque(), True
        self.topic_log = open(options.topic_log or os.devnull, "a", buffering=1, encoding="utf-8")
        kinds = {"frontend": zmq.ROUTER, "backend": zmq.XPUB, "sink": zmq.PULL, "mgmt": zmq.REP}
        self.sockets = {name: context.socket(kind) for name, kind in kinds.items()}
        self.publisher = context.socket(zmq.PUB)
        for opened in [*self.sockets.values(), self.publisher]:
            opened.sndhwm = opened.rcvhwm = 0
        # Every subscription and its end, not only the first and the last of a topic: so the agents can be counted.
        self.sockets["backend"].setsockopt(zmq.XPUB_VERBOSER, 1)
        self.endpoints = {}
        for name, opened in self.sockets.items():
            opened.bind(getattr(options, name))
            self.endpoints[f"{name}_endpoint"] = opened.last_endpoint.decode()
        self.port = self.publisher.bind_to_random_port(options.publisher)

    def log(self, event, topic, **more):
        self.topic_log.write(json.dumps({"event": event, "topic": os.fsdecode(topic), **more}) + "\n")

    def frontend(self, frames):
        client, empty, body = frames
        request = json.loads(body)
        reply = {"success": -1, "msg": "Missing or wrong field in the request"}
        if all(isinstance(request.get(name), str) for name in ("cmd", "topic", "service")):
            reply = {"uuid": uuid.uuid4().hex, "port": self.port}
            task = {name: request[name] for name in ("cmd", "topic", "service")} | {"uuid": reply["uuid"]}
            self.due.append((time.monotonic() + self.options.dispatch_delay_ms / 1000, task))
        self.sockets["frontend"].send_multipart([client, empty, json.dumps(reply).encode()])

    def backend(self, frames):
        subscribes, topic = frames[0][:1] == b"\x01", frames[0][1:]
        self.agents += (1 if subscribes else -1) if topic == b"any" else 0
        self.log("subscribe" if subscribes else "unsubscribe", topic)

    def sink(self, frames):
        self.publisher.send_multipart([json.loads(frames[0])["uuid"].encode(), frames[0]])

    def mgmt(self, frames):
        command = json.loads(frames[0]).get("cmd")
        status = {"status": "running", "uname": list(os.uname()), **self.endpoints, "result_publisher_port": self.port,
                  "counters": {"agents": self.agents}}
        replies = {"manager.status": {"success": 0, "msg": "Status", "result": status},
                   "manager.shutdown": {"success": 0, "msg": "Shutting down"}}
        self.goes_on = command != "manager.shutdown"
        self.sockets["mgmt"].send_json(replies.get(command, {"success": -1, "msg": "Unknown command"}))

    def serve(self):
        ports = [f"{name}={self.endpoints[f'{name}_endpoint'].rsplit(':', 1)[1]}" for name in self.sockets]
        print("ready", *ports, f"publisher={self.port}", flush=True)
        while self.goes_on:
            pause = max(0.0, self.due[0][0] - time.monotonic()) if self.due else 0.2
            readable, _, _ = zmq.select(list(self.sockets.values()), [], [], min(pause, 0.2))
            for name, opened in self.sockets.items():
                if opened in readable:
                    getattr(self, name)(opened.recv_multipart())
            while self.due and self.due[0][0] <= time.monotonic():
                task = self.due.popleft()[1]
                self.log("dispatch", task["topic"], uuid=task["uuid"])
                self.sockets["backend"].send_multipart([task["topic"].encode(), json.dumps(task).encode()])


signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
zmq_context = zmq.Context()
try:
    Manager(zmq_context, parse_arguments()).serve()
finally:
    zmq_context.destroy(linger=500)
