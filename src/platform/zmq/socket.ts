import type * as zmq from 'zeromq';
import { sleep } from '../clock.ts';
import { nodeClock } from '../node/clock.ts';
import type { Frames, Socket, SubscriberSocket } from '../sockets.ts';
import type { SendQueue } from './send-queue.ts';

export interface SocketParts {
  readonly raw: zmq.Socket;
  readonly endpoint: string;
  readonly isBound: boolean;
  readonly lingerMs: number;
  /** Absent where the pattern only sends. */
  readonly receive?: () => Promise<Buffer[]>;
  /** Absent where the pattern only receives. */
  readonly outgoing?: SendQueue;
  /** One answer after each message received, as REP has it. */
  readonly isReply?: boolean;
  /** Puts in front of an answer what takes it to who asked. */
  readonly addressed?: (frames: Frames) => Frames;
  readonly onClosed: (socket: Socket) => void;
}

/** Our socket around one of zeromq.js. */
export class ZmqSocket implements Socket {
  protected isClosed = false;
  readonly #parts: SocketParts;
  #closing: Promise<void> | undefined;
  #owesAnswer = false;
  #refused = 0;
  #wake: () => void = () => {};

  constructor(parts: SocketParts) {
    this.#parts = parts;
  }

  get endpoint(): string {
    return this.#parts.endpoint;
  }

  get dropped(): number {
    return this.#refused + (this.#parts.outgoing?.dropped ?? 0);
  }

  send(frames: Frames): boolean {
    const { outgoing, isReply, addressed } = this.#parts;
    if (outgoing === undefined || this.#closing !== undefined || (isReply && !this.#owesAnswer)) {
      this.#refused += 1;
      return false;
    }
    this.#owesAnswer = false;
    this.#wake();
    return outgoing.send(addressed?.(frames) ?? frames);
  }

  // zeromq.js has an iterator too, but closing the socket at an unlucky moment makes it throw ENOTSOCK.
  [Symbol.asyncIterator](): AsyncIterator<Buffer[], undefined> {
    return { next: () => this.#next() };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #next(): Promise<IteratorResult<Buffer[], undefined>> {
    while (!this.isClosed) {
      // The next question waits for the answer to the last.
      if (this.#parts.isReply && this.#owesAnswer) await this.#untilWoken();
      const frames = await this.#receive();
      if (frames === undefined || this.isClosed) continue;
      this.#owesAnswer = true;
      return { value: frames, done: false };
    }
    return { value: undefined, done: true };
  }

  async #receive(): Promise<Buffer[] | undefined> {
    if (this.#parts.receive === undefined) return this.#untilWoken();
    try {
      return await this.#parts.receive();
    } catch (error) {
      // Closing wakes the loop with an error, which one depends on what it was doing.
      if (this.isClosed || isTransient(error)) return undefined;
      throw error;
    }
  }

  #untilWoken(): Promise<undefined> {
    return new Promise((resolve) => {
      this.#wake = () => resolve(undefined);
    });
  }

  async #close(): Promise<void> {
    const { raw, isBound, lingerMs, outgoing, onClosed } = this.#parts;
    const deadline = nodeClock.now() + lingerMs;
    if (outgoing !== undefined && lingerMs > 0) await handOver(outgoing, lingerMs);
    this.isClosed = true;
    outgoing?.discard();
    raw.linger = Math.max(0, Math.round(deadline - nodeClock.now()));
    // There is a port to give free, or something to hand over; else nothing is worth waiting for.
    if (isBound || lingerMs > 0) await closeAndWait(raw);
    else raw.close();
    this.#wake();
    onClosed(this);
  }
}

export class ZmqSubscriber extends ZmqSocket implements SubscriberSocket {
  readonly #raw: zmq.Subscriber;

  constructor(raw: zmq.Subscriber, parts: SocketParts) {
    super(parts);
    this.#raw = raw;
  }

  subscribe(prefix: string | Buffer): void {
    if (!this.isClosed) this.#raw.subscribe(prefix);
  }

  unsubscribe(prefix: string | Buffer): void {
    if (!this.isClosed) this.#raw.unsubscribe(prefix);
  }
}

async function handOver(outgoing: SendQueue, lingerMs: number): Promise<void> {
  const handedOver = new AbortController();
  await Promise.race([outgoing.idle(), sleep(nodeClock, lingerMs, handedOver.signal)]);
  handedOver.abort();
}

/**
 * zeromq closes in the background: it goes on sending for as long as it lingers and only then gives the port free. The
 * end of its event stream is the one sign that it is done.
 */
async function closeAndWait(raw: zmq.Socket): Promise<void> {
  let events: zmq.Observer;
  try {
    events = raw.events;
  } finally {
    raw.close();
  }
  for await (const event of events) if (event.type === 'end') return;
}

const transientCodes: ReadonlySet<unknown> = new Set(['EAGAIN', 'EINTR']);

function isTransient(error: unknown): boolean {
  return error instanceof Error && 'code' in error && transientCodes.has(error.code);
}
