import { sleep } from '../clock.ts';
import { nodeClock } from '../node/clock.ts';
import type { ClientSecurity, ServerSecurity } from '../socket-security.ts';
import type { BoundSocket, ConnectingSocket, Frames, Socket, SubscriberSocket } from '../sockets.ts';
import { CurveBinding } from './curve-binding.ts';
import { CurveConnection } from './curve-connection.ts';
import { endpointUnusable } from './endpoint.ts';
import { isInterrupted } from './interrupted.ts';
import type { Line } from './line.ts';
import type { SendQueue } from './send-queue.ts';
import type { Topics } from './topics.ts';

export interface SocketParts {
  readonly line: Line;
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

/** Our socket around those of zeromq.js. */
class ZmqSocket implements Socket {
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
    return this.#parts.line.endpoint;
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
    const { line, lingerMs, outgoing, onClosed } = this.#parts;
    const deadline = nodeClock.now() + lingerMs;
    if (outgoing !== undefined && lingerMs > 0) await handOver(outgoing, lingerMs);
    this.isClosed = true;
    outgoing?.discard();
    await line.close(Math.max(0, Math.round(deadline - nodeClock.now())));
    this.#wake();
    onClosed(this);
  }
}

export class ZmqBoundSocket extends ZmqSocket implements BoundSocket {
  readonly #line: Line;

  constructor(parts: SocketParts) {
    super(parts);
    this.#line = parts.line;
  }

  async rekey(security: ServerSecurity): Promise<void> {
    if (!(this.#line instanceof CurveBinding)) throw endpointUnusable('bind', this.endpoint, noSecurity());
    try {
      await this.#line.rekey(security);
    } catch (error) {
      if (!this.#line.isBound) await this.close();
      throw error;
    }
  }
}

export class ZmqConnectingSocket extends ZmqSocket implements ConnectingSocket {
  readonly #line: Line;

  constructor(parts: SocketParts) {
    super(parts);
    this.#line = parts.line;
  }

  rekey(security: ClientSecurity): void {
    if (!(this.#line instanceof CurveConnection))
      throw endpointUnusable('connect', this.endpoint, noSecurity());
    if (!this.isClosed) this.#line.rekey(security);
  }
}

export class ZmqSubscriber extends ZmqConnectingSocket implements SubscriberSocket {
  readonly #topics: Topics;

  constructor(topics: Topics, parts: SocketParts) {
    super(parts);
    this.#topics = topics;
  }

  subscribe(prefix: string | Buffer): void {
    if (!this.isClosed) this.#topics.subscribe(prefix);
  }

  unsubscribe(prefix: string | Buffer): void {
    if (!this.isClosed) this.#topics.unsubscribe(prefix);
  }
}

function noSecurity(): Error {
  return new Error('it was opened without security, so there is no key to change');
}

async function handOver(outgoing: SendQueue, lingerMs: number): Promise<void> {
  const handedOver = new AbortController();
  await Promise.race([outgoing.idle(), sleep(nodeClock, lingerMs, handedOver.signal)]);
  handedOver.abort();
}

function isTransient(error: unknown): boolean {
  return isInterrupted(error) || (error instanceof Error && 'code' in error && error.code === 'EAGAIN');
}
