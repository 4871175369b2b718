// Answers every question with itself; "memory" with its resident bytes, "rekey" with itself, then it goes on with the next
// of its keys. Arguments: its keys as JSON (none: no security), and the one public key that it lets in.
import { ZmqSockets } from '../src/platform/zmq/sockets.ts';
import { type HexKeys, serverOf } from './curve-keys.ts';

const keys: HexKeys[] = JSON.parse(process.argv[2] ?? '[]');
const known = process.argv[3];
const refused = new Map<string, number>();
const onRefused = ({ reason }: { readonly reason: string }) =>
  refused.set(reason, (refused.get(reason) ?? 0) + 1);
const sockets = new ZmqSockets();
sockets.authenticate(({ publicKey }) => publicKey.toString('hex') === known, { onRefused });
const [first] = keys;
const options = first === undefined ? {} : { security: serverOf(first) };
const router = await sockets.bindRouter('tcp://127.0.0.1:*', options);
process.stdout.write(`${router.endpoint}\n`);
for await (const [peer = Buffer.alloc(0), question = peer] of router) {
  const word = question.toString('latin1', 0, 10);
  const report = { residentBytes: process.memoryUsage.rss(), refused: Object.fromEntries(refused) };
  router.send([peer, word === 'memory' ? Buffer.from(JSON.stringify(report)) : question]);
  if (word !== 'rekey') continue;
  keys.push(...keys.splice(0, 1));
  const [next] = keys;
  if (next !== undefined) await router.rekey(serverOf(next));
}
