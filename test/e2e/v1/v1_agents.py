#!/usr/bin/python3
"""Many simulated v1 agents in one process, each with sockets and a node name of its own; they run nothing."""
import argparse
import json
import os
import resource
import select
import signal
import sys
import time
from collections import deque

import zmq


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manager", required=True, help="the manager's backend")
    parser.add_argument("--sink", required=True, help="the manager's sink")
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--prefix", default="sim", help="node names are this and a number of four digits")
    parser.add_argument("--topic", action="append", default=[], help="a further topic of every agent; may be repeated")
    parser.add_argument("--delay-ms", type=int, default=0, help="time between a request and its answer")
    parser.add_argument("--log", help="append [node, topic, uuid, service] of each action to this file")
    return parser.parse_args()


def make_room(context, count):
    """Each agent has two sockets, and each socket two file descriptors: its mailbox and its connection."""
    context.set(zmq.MAX_SOCKETS, max(1023, 2 * count + 16))
    needed = 4 * count + 128
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, max(needed, hard)))


class Agent:
    def __init__(self, context, node, options):
        self.node = node
        self.tasks, self.sink = context.socket(zmq.SUB), context.socket(zmq.PUSH)
        for topic in ["any", os.uname().sysname, node, *options.topic]:
            self.tasks.subscribe(topic)
        self.tasks.connect(options.manager)
        self.sink.connect(options.sink)

    def requests(self):
        """All that wait. Reading to the end also makes libzmq re-arm the descriptor that epoll watches."""
        try:
            while True:
                topic, body = self.tasks.recv_multipart(zmq.NOBLOCK)
                yield topic, json.loads(body)
        except zmq.Again:
            return

    def answer(self, task):
        result = {"node": self.node, "returncode": 0, "service": task["service"], "stdout": f"{task['service']} is running\n",
                  "stderr": "", "system": os.uname().sysname, "version": os.uname().version}
        self.sink.send_json({"msg": f"Executed service {task['cmd']} request", "result": result, "uuid": task["uuid"]})


def serve(context, options):
    agents = [Agent(context, f"{options.prefix}{number:04}", options) for number in range(1, options.count + 1)]
    log = open(options.log, "a", encoding="utf-8", buffering=1) if options.log else None
    waiting = select.epoll()
    by_descriptor = {agent.tasks.fd: agent for agent in agents}
    for descriptor in by_descriptor:
        waiting.register(descriptor, select.EPOLLIN)
    due = deque()  # (moment, agent, task), in order because the delay is the same for all
    print(f"ready count={options.count}", flush=True)
    while True:
        pause = max(0.0, due[0][0] - time.monotonic()) if due else 0.2
        for descriptor, _ in waiting.poll(min(pause, 0.2), 256):
            agent = by_descriptor[descriptor]
            for topic, task in agent.requests():
                if log:
                    log.write(json.dumps([agent.node, os.fsdecode(topic), task["uuid"], task["service"]]) + "\n")
                due.append((time.monotonic() + options.delay_ms / 1000, agent, task))
        while due and due[0][0] <= time.monotonic():
            _, agent, task = due.popleft()
            agent.answer(task)


signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
arguments = parse_arguments()
zmq_context = zmq.Context()
try:
    make_room(zmq_context, arguments.count)
    serve(zmq_context, arguments)
finally:
    zmq_context.destroy(linger=500)
