// Molests a secured manager while it is told to: "on" and "off", a line each on standard input. Argument: what, as JSON.
import { connect, type Socket as TcpSocket } from 'node:net';
import { createInterface } from 'node:readline';
import * as zmq from 'zeromq';
import type { ConnectingSocket } from '../src/platform/sockets.ts';
import { ZmqSockets } from '../src/platform/zmq/sockets.ts';
import { newCurveKeys } from '../src/security/keys.ts';
import { securityOf } from '../test/e2e/harness/secured-fleet.ts';
import type { FloodOrder } from './floods.ts';

const silent = 1_000;
const everyMs = 10;
const order: FloodOrder = JSON.parse(process.argv[2] ?? '{}');
const sockets = new ZmqSockets({ maxSockets: zmq.context.maxSockets });
let isOn = false;
let push: ConnectingSocket | undefined;
const open = new Set<TcpSocket>();

/** A connection of TCP that says nothing, renewed when it is cut off. */
function keepSilent(): void {
  const { hostname, port } = new URL(order.endpoint);
  const peer = connect(Number(port), hostname).resume();
  open.add(peer);
  peer.on('error', () => {});
  peer.once('close', () => {
    open.delete(peer);
    if (isOn) setTimeout(keepSilent, 10);
  });
}

/** A handshake with a key that nobody knows. */
function knock(): void {
  const security = securityOf(newCurveKeys(), order.manager);
  const dealer = sockets.connectDealer(order.endpoint, {
    security,
    onHandshakeFailed: () => void dealer.close(),
  });
}

/** Results in the name of another node, by an agent that is known. */
function lie(): void {
  if (order.kind !== 'forged results') return;
  push ??= sockets.connectPush(order.endpoint, { security: securityOf(order.own, order.manager) });
  for (let count = 0; count < 10; count += 1)
    push.send(order.frames.map((frame) => Buffer.from(frame, 'base64')));
}

function begin(): () => void {
  if (order.kind === 'silent connections') {
    for (let count = 0; count < silent; count += 1) keepSilent();
    return () => {
      for (const peer of open) peer.destroy();
    };
  }
  const timer = setInterval(order.kind === 'unknown keys' ? knock : lie, everyMs);
  return () => clearInterval(timer);
}

let end = (): void => {};
for await (const line of createInterface(process.stdin)) {
  isOn = line === 'on';
  end();
  end = isOn ? begin() : () => {};
  process.stdout.write(`${line}\n`);
}
process.exit();
