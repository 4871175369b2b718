// Molests a server until it is ended: "tcp" keeps 2,000 connections open that say nothing, "keys" makes handshakes with keys
// that the server doesn't know, as fast as one process can. Arguments: which, endpoint, the server's public keys as JSON.
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import * as zmq from 'zeromq';
import { ZmqSockets } from '../src/platform/zmq/sockets.ts';
import { clientOf, type HexKeys, newHexKeys } from './curve-keys.ts';

const [kind, endpoint = '', server = '[]'] = process.argv.slice(2);
const port = Number(endpoint.split(':').at(-1));
const strangers = 2_000;
const atOnce = 50;

function keepSilent(): void {
  const peer = connect(port, '127.0.0.1').resume();
  peer.on('error', () => {});
  peer.once('close', () => setTimeout(keepSilent, 10));
}

async function knock(sockets: ZmqSockets, servers: readonly HexKeys[]): Promise<void> {
  while (true) {
    await new Promise<void>((resolve) => {
      const dealer = sockets.connectDealer(endpoint, {
        security: clientOf(newHexKeys(), ...servers),
        onHandshakeFailed: () => dealer.close().then(resolve),
      });
    });
  }
}

process.stdout.write('ready\n');
if (kind === 'tcp') {
  for (let stranger = 0; stranger < strangers; stranger += 1) keepSilent();
} else {
  const sockets = new ZmqSockets({ maxSockets: zmq.context.maxSockets });
  const servers: HexKeys[] = JSON.parse(server);
  for (let stranger = 0; stranger < atOnce; stranger += 1) void knock(sockets, servers);
}
await sleep(2 ** 30);
