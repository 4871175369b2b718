#!/usr/bin/python3
"""A v1 agent: runs what its manager sends, one at a time, whatever the topic frame says, and pushes the outcome."""
import argparse
import json
import os
import shlex
import signal
import subprocess
import sys
import time

import zmq


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manager", required=True, help="the manager's backend")
    parser.add_argument("--sink", required=True, help="the manager's sink")
    parser.add_argument("--mgmt", default="tcp://127.0.0.1:*", help="own management endpoint")
    parser.add_argument("--node", default=os.uname().nodename)
    parser.add_argument("--topic", action="append", default=[], help="a further topic; may be repeated")
    parser.add_argument("--command", default="service", help="program before the service and the action")
    parser.add_argument("--fake", action="store_true", help="run nothing and answer with exit code 0")
    parser.add_argument("--fake-delay-ms", type=int, default=0, help="block so long before a fake answer")
    parser.add_argument("--list-output", nargs="?", choices=["bare", "ended"], const="bare",
                        help="send the output as lists of lines, without or with their line ends")
    parser.add_argument("--log", help="append [topic, uuid, service] of each action to this file")
    return parser.parse_args()


def act(options, service, action):
    """Returns exit code, standard output and standard error."""
    if options.fake:
        time.sleep(options.fake_delay_ms / 1000)
        return 0, f"{service} is running\n", ""
    done = subprocess.run([*shlex.split(options.command), service, action], capture_output=True, errors="replace")
    return done.returncode, done.stdout, done.stderr


def handle(options, frames):
    """Returns the message for the sink."""
    task = json.loads(frames[1])
    if options.log:
        with open(options.log, "a", encoding="utf-8") as log:
            log.write(json.dumps([os.fsdecode(frames[0]), task["uuid"], task["service"]]) + "\n")
    try:
        code, *output = act(options, task["service"], task["cmd"])
    except OSError as error:
        return {"success": -1, "msg": f"Cannot execute: {error}", "node": options.node, "uuid": task["uuid"]}
    if options.list_output:
        output = [text.splitlines(keepends=options.list_output == "ended") for text in output]
    return {"msg": f"Executed service {task['cmd']} request", "uuid": task["uuid"],
            "result": {"node": options.node, "returncode": code, "service": task["service"], "stdout": output[0],
                       "stderr": output[1], "system": os.uname().sysname, "version": os.uname().version}}


def manage(options, request):
    """Returns the reply to a management request and whether the agent goes on."""
    if request.get("cmd") == "agent.shutdown":
        return {"success": 0, "msg": "Shutting down"}, False
    if request.get("cmd") != "agent.status":
        return {"success": -1, "msg": "Unknown command"}, True
    status = {"status": "running", "uname": list(os.uname()), "manager_endpoint": options.manager,
              "sink_endpoint": options.sink, "mgmt_endpoint": options.mgmt}
    return {"success": 0, "msg": "Status", "result": status}, True


def serve(context, options):
    tasks, sink, mgmt = context.socket(zmq.SUB), context.socket(zmq.PUSH), context.socket(zmq.REP)
    for topic in ["any", os.uname().sysname, options.node, *options.topic]:
        tasks.subscribe(topic)
    tasks.connect(options.manager)
    sink.connect(options.sink)
    mgmt.bind(options.mgmt)
    print(f"ready node={options.node} mgmt={mgmt.last_endpoint.decode().rsplit(':', 1)[1]}", flush=True)
    goes_on = True
    while goes_on:
        # A signal that comes just before the wait only takes effect after it: so never wait for long.
        readable, _, _ = zmq.select([tasks, mgmt], [], [], 0.2)
        if tasks in readable:
            sink.send_json(handle(options, tasks.recv_multipart()))
        if mgmt in readable:
            reply, goes_on = manage(options, mgmt.recv_json())
            mgmt.send_json(reply)


signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
zmq_context = zmq.Context()
try:
    serve(zmq_context, parse_arguments())
finally:
    zmq_context.destroy(linger=500)
