#!/usr/bin/python3
"""A v1 client: asks the manager for a request id, then prints what arrived within the wait window."""
import argparse
import json
import signal
import sys
import time
from urllib.parse import urlsplit

import zmq


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint", required=True, help="the manager's frontend")
    parser.add_argument("--topic", default="any")
    parser.add_argument("--cmd", default="status")
    parser.add_argument("--service", required=True)
    parser.add_argument("--wait", type=float, default=1.0, help="seconds to collect answers")
    parser.add_argument("--expect", type=int, help="stop when this many nodes have answered")
    parser.add_argument("--full-wait", action="store_true", help="wait to the end although all expected nodes answered")
    parser.add_argument("--repeat", type=int, default=0, help="so many requests in a row, and print only a summary")
    parser.add_argument("--timeout-ms", type=int, default=3000, help="how long to wait for the reply with the id")
    options = parser.parse_args()
    if options.repeat and options.expect is None:
        parser.error("--repeat needs --expect to know what was lost")
    return options


def ask(context, options):
    """Returns the reply to the request; raises zmq.Again when there was none in time."""
    with context.socket(zmq.REQ) as frontend:
        frontend.linger = 0
        frontend.rcvtimeo = options.timeout_ms
        frontend.connect(options.endpoint)
        frontend.send_json({"cmd": options.cmd, "topic": options.topic, "service": options.service})
        return frontend.recv_json()


def collect(context, reply, options):
    """Returns the answers in the order they came, the nodes that sent them, and when the last one came."""
    answers, nodes, last = [], set(), None
    with context.socket(zmq.SUB) as results:
        results.linger, results.rcvhwm = 0, 0
        results.connect(f"tcp://{urlsplit(options.endpoint).hostname}:{reply['port']}")
        results.subscribe(reply["uuid"])
        print(f"ready uuid={reply['uuid']} publisher={reply['port']}", file=sys.stderr, flush=True)
        ends = time.monotonic() + options.wait
        while (left := ends - time.monotonic()) > 0 and results.poll(max(1, round(left * 1000))):
            answer = json.loads(results.recv_multipart()[1])
            last = time.monotonic()
            answers.append(answer)
            nodes.add(answer["result"]["node"] if "result" in answer else answer.get("node"))
            if options.expect is not None and len(nodes) >= options.expect and not options.full_wait:
                break
    return answers, nodes, last


def request(context, options):
    began = time.monotonic()
    reply = ask(context, options)
    if "uuid" not in reply:
        print(json.dumps(reply))
        sys.exit(1)
    answers, nodes, last = collect(context, reply, options)
    return {"uuid": reply["uuid"], "answers": answers, "nodes": len(nodes), "duplicates": len(answers) - len(nodes),
            "last_ms": None if last is None else round((last - began) * 1000, 1),
            "elapsed_ms": round((time.monotonic() - began) * 1000, 1)}


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    options = parse_arguments()
    context = zmq.Context()
    try:
        runs = [request(context, options) for _ in range(max(1, options.repeat))]
    except zmq.Again:
        sys.exit(f"no reply from {options.endpoint} within {options.timeout_ms} ms")
    finally:
        context.destroy(linger=0)
    print(json.dumps(runs[0] if not options.repeat else {
        "requests": len(runs), "expected": options.expect * len(runs), "received": sum(run["nodes"] for run in runs),
        "lost": [options.expect - run["nodes"] for run in runs], "duplicates": sum(run["duplicates"] for run in runs),
        "elapsed_ms": round(sum(run["elapsed_ms"] for run in runs), 1)}))


main()
