import { connect, type Socket } from 'node:net';
import { nodeClock } from '../../../src/platform/node/clock.ts';
import type { ClientSecurity } from '../../../src/platform/socket-security.ts';
import { isObject, type JsonObject } from '../harness/management.ts';
import { onCleanUp } from '../harness/processes.ts';
import { attackerSockets } from './attacker.ts';

const deadlineMs = 30_000;

/** A connection of TCP, on which nothing is said. */
export function opened(endpoint: string): Promise<Socket> {
  const { hostname, port } = new URL(endpoint);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => resolve(socket));
    onCleanUp(async () => {
      socket.destroy();
    });
    socket.on('error', reject);
    socket.resume();
  });
}

/** One that says a byte of a good beginning now and then, and never comes to its end. */
export async function dripping(endpoint: string): Promise<Socket> {
  const socket = await opened(endpoint);
  const timer = setInterval(
    () => socket.write(greeting.subarray(socket.bytesWritten, socket.bytesWritten + 1)),
    200,
  );
  socket.on('close', () => clearInterval(timer));
  return socket;
}

/** Resolves when the other side has hung up. */
export function ended(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = nodeClock.after(deadlineMs, 'hang-up', () =>
      reject(new Error(`not cut off within ${deadlineMs} ms`)),
    );
    socket.removeAllListeners('error');
    socket.on('error', () => {});
    socket.on('close', () => {
      cancel();
      resolve();
    });
    if (socket.destroyed) socket.emit('close', false);
  });
}

/** All of them, so many at a time. */
export async function inTurns<Each, Fate>(
  all: readonly Each[],
  atATime: number,
  run: (each: Each) => Promise<Fate>,
): Promise<Fate[]> {
  const fates: Fate[] = [];
  for (let from = 0; from < all.length; from += atATime)
    fates.push(...(await Promise.all(all.slice(from, from + atATime).map(run))));
  return fates;
}

/** Sends a message that is far too large. Resolves when the connection is cut for it. */
export async function cutOff(
  kind: 'dealer' | 'push',
  endpoint: string,
  security: ClientSecurity,
  message: Buffer,
): Promise<void> {
  const sockets = attackerSockets();
  try {
    await new Promise<void>((resolve, reject) => {
      let isIn = false;
      const connect = kind === 'push' ? 'connectPush' : 'connectDealer';
      const socket = sockets[connect](endpoint, {
        security,
        maxMessageBytes: 2 * message.length,
        onHandshakeDone: () => {
          // Who was cut off is connected again, or cut off before it is through.
          if (isIn) return resolve();
          isIn = true;
          socket.send([Buffer.alloc(0), message]);
        },
        onHandshakeFailed: (failure) => {
          if (isIn) resolve();
          else reject(new Error(`${endpoint}: ${failure}`));
        },
      });
      nodeClock.after(deadlineMs, 'cut-off', () => reject(new Error(`${endpoint}: not cut off`)));
    });
  } finally {
    await sockets.close();
  }
}

/** Sends all of it at once, and resolves with as many replies. */
export async function exchange(
  endpoint: string,
  security: ClientSecurity,
  frames: readonly Buffer[],
): Promise<JsonObject[]> {
  const sockets = attackerSockets();
  try {
    const dealer = sockets.connectDealer(endpoint, { security });
    for (const frame of frames) dealer.send([Buffer.alloc(0), frame]);
    const replies: JsonObject[] = [];
    for await (const [, frame] of dealer) {
      const reply: unknown = JSON.parse(String(frame));
      replies.push(isObject(reply) ? reply : {});
      if (replies.length === frames.length) break;
    }
    return replies;
  } finally {
    await sockets.close();
  }
}

/** How often there is each of them. */
export function tally(all: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const each of all) counts[each] = (counts[each] ?? 0) + 1;
  return counts;
}

// What a ZMTP 3.1 client with CURVE says first.
const greeting = Buffer.concat([
  Buffer.from('ff00000000000000017f', 'hex'),
  Buffer.from([3, 1]),
  Buffer.from('CURVE'.padEnd(20, '\0')),
  Buffer.alloc(32),
]);
