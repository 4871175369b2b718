import { connect } from 'node:net';
import { Dealer, Push, XSubscriber } from 'zeromq';
import { objectIn } from './fake-manager.ts';
import type { Message } from './junk.ts';
import type { JsonObject } from './management.ts';

const deadlineMs = 10_000;
const noLimits = { sendHighWaterMark: 0, receiveHighWaterMark: 0, receiveTimeout: deadlineMs };
const lasting = { linger: 1_000, sendHighWaterMark: 0 };

/** Sends all messages at once, and resolves with as many replies, in order. */
export async function exchange(endpoint: string, messages: readonly Message[]): Promise<JsonObject[]> {
  const socket = new Dealer({ linger: 0, ...noLimits });
  socket.connect(endpoint);
  try {
    const sending = sendAll(socket, messages);
    const replies: JsonObject[] = [];
    while (replies.length < messages.length) {
      const [delimiter, reply] = await socket.receive();
      if (delimiter?.length !== 0) throw new Error(`${endpoint}: a reply that no REQ would take`);
      replies.push(objectIn(reply));
    }
    await sending;
    return replies;
  } finally {
    socket.close();
  }
}

/** Sends messages to a socket that answers none of them, and does `then` before it goes away. */
export async function push(
  pattern: 'PUSH' | 'DEALER',
  endpoint: string,
  messages: readonly Message[],
  then: () => Promise<void>,
): Promise<void> {
  const socket = pattern === 'PUSH' ? new Push(lasting) : new Dealer(lasting);
  socket.connect(endpoint);
  try {
    await sendAll(socket, messages);
    await then();
  } finally {
    socket.close();
  }
}

/**
 * Sends a publishing socket what a SUB sends, subscriptions and their ends, and what it does not. `then` runs before the
 * peer goes away; `published` gives the next message whose first frame is the topic.
 */
export async function subscribeRaw(
  endpoint: string,
  messages: readonly Message[],
  then: (published: (topic: string) => Promise<Message>) => Promise<void>,
): Promise<void> {
  const socket = new XSubscriber({ linger: 1_000, ...noLimits });
  socket.connect(endpoint);
  try {
    await sendAll(socket, messages);
    await then(async (topic) => {
      for (;;) {
        const frames = await socket.receive();
        if (String(frames[0]) === topic) return frames;
      }
    });
  } finally {
    socket.close();
  }
}

/** Writes the bytes to a port and goes away when they are taken, or when the other side has hung up. */
export function pour(endpoint: string, bytes: Buffer): Promise<void> {
  const { hostname, port } = new URL(endpoint);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.end(bytes));
    socket.resume();
    socket.on('close', () => resolve());
    socket.on('error', (error) => {
      if (!('code' in error) || (error.code !== 'ECONNRESET' && error.code !== 'EPIPE')) reject(error);
    });
    // Who waits for the rest of a good beginning would keep the connection open for long.
    socket.on('finish', () => socket.destroySoon());
  });
}

const cutOffMs = 3_000;

/** Sends a message that is far too large, and resolves when the connection is cut for it. */
export async function untilCutOff(endpoint: string, message: Message): Promise<void> {
  // Now and then libzmq loses the connection, or the event about it, before anything is sent.
  for (let tries = 1; ; tries += 1) {
    try {
      return await cutOffOnce(endpoint, message);
    } catch (error) {
      if (tries === 5) throw error;
    }
  }
}

async function cutOffOnce(endpoint: string, message: Message): Promise<void> {
  const socket = new Dealer({ linger: 0, reconnectInterval: -1 });
  const { events } = socket;
  const timer = setTimeout(() => socket.close(), cutOffMs);
  try {
    const cut = (async () => {
      for await (const { type } of events) if (type === 'disconnect') return;
      throw new Error(`${endpoint}: not cut off within ${cutOffMs} ms`);
    })();
    // Awaited below, but it may fail first.
    cut.catch(() => {});
    socket.connect(endpoint);
    await socket.send([...message]);
    await cut;
  } finally {
    clearTimeout(timer);
    socket.close();
  }
}

async function sendAll(
  socket: { send(message: Buffer[]): Promise<void> },
  messages: readonly Message[],
): Promise<void> {
  for (const message of messages) await socket.send([...message]);
}
