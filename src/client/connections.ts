import type { Clock } from '../platform/clock.ts';
import type { ClientSecurity, HandshakeFailure } from '../platform/socket-security.ts';
import type { ConnectingSocket, Sockets } from '../platform/sockets.ts';
import { nextKeyIn } from '../wire/reply.ts';
import { closeAfter } from './close-after.ts';
import { Feed } from './feed.ts';

// The nodes of a large fleet, or a page of answers.
const maxMessageBytes = 64 * 1024 * 1024;
const silenceMs = 10_000;

/** What is spoken with whom. Who knows one key and no other one has no use for the rest. */
export interface Securities {
  /** With whoever is at this endpoint, or publishes beside it. */
  securityOf(endpoint: string): ClientSecurity;
  /** Somebody has shown that he has this key. */
  proved?(serverKey: Buffer): void;
  /** Whoever is at this endpoint says that he will have this key. True when that was not known. */
  announced?(endpoint: string, nextKey: string): boolean;
}

/** One connection, and what becomes of it when the other end does not let us in (any more). */
interface Line {
  readonly socket: ConnectingSocket;
  onRefused: () => void;
}

/** The sockets of a client, kept open from one request to the next: making them costs more than the request. */
export class Connections implements AsyncDisposable {
  readonly #sockets: Sockets;
  readonly #clock: Clock;
  readonly #securities: Securities | undefined;
  readonly #idle = new Map<string, Line>();
  readonly #feeds = new Map<string, Feed>();
  /** Publisher of each frontend that was heard of. */
  readonly #publishers = new Map<string, string>();
  /** Frontends that did not answer, and until when the others are asked before them. */
  readonly #silent = new Map<string, number>();
  /** Why a frontend does not let us in, or is not who we know. */
  readonly #failures = new Map<string, HandshakeFailure>();
  #isClosed = false;

  /** `securities`: undefined without security. */
  constructor(sockets: Sockets, clock: Clock, securities?: Securities) {
    this.#sockets = sockets;
    this.#clock = clock;
    this.#securities = securities;
  }

  /**
   * Sends one message as a REQ does. Resolves with the reply frame, or undefined when none came in time. A socket on
   * which an answer is still to come is never used again: it would be taken for the answer to the next message.
   */
  async exchange(
    endpoint: string,
    request: Buffer,
    waitMs: number,
    signal: AbortSignal | undefined,
  ): Promise<Buffer | undefined> {
    const refused = new AbortController();
    const ended = signal === undefined ? refused.signal : AbortSignal.any([signal, refused.signal]);
    const line = this.#take(endpoint);
    // It knows us not, and waiting for its answer is no use.
    line.onRefused = () => refused.abort();
    const { socket } = line;
    const release = closeAfter(socket, waitMs, ended, this.#clock);
    try {
      // What a REQ puts on the wire: an empty frame, then the request.
      socket.send([Buffer.alloc(0), request]);
      for await (const frames of socket) {
        release();
        this.#silent.delete(endpoint);
        this.#giveBack(endpoint, line);
        const [, reply = Buffer.alloc(0)] = frames;
        this.#learn(endpoint, reply);
        return reply;
      }
      if (!signal?.aborted) this.#silent.set(endpoint, this.#clock.now() + silenceMs);
      return undefined;
    } catch (error) {
      await socket.close();
      throw error;
    } finally {
      release();
    }
  }

  /** Why whoever is at this endpoint did not let us in, or is not who we know; undefined where that is not why. */
  failureOf(endpoint: string): HandshakeFailure | undefined {
    return this.#failures.get(endpoint);
  }

  /** Those that did not answer a moment ago come last, so that not every question waits for them. */
  inOrder(endpoints: readonly string[]): string[] {
    const now = this.#clock.now();
    const isSilent = (endpoint: string): boolean => (this.#silent.get(endpoint) ?? now) > now;
    return [...endpoints.filter((one) => !isSilent(one)), ...endpoints.filter(isSilent)];
  }

  feed(publisher: string): Feed {
    const known = this.#feeds.get(publisher);
    if (known !== undefined) return known;
    const security = this.#securities?.securityOf(this.#frontendOf(publisher));
    const feed = new Feed(this.#sockets, publisher, security);
    this.#feeds.set(publisher, feed);
    return feed;
  }

  /** The publisher of a manager is on the host of its frontend, which an `ipc://` endpoint has in common with us. */
  publisherOf(frontend: string, port: number): string {
    const host = frontend.startsWith('ipc:')
      ? 'tcp://localhost'
      : frontend.slice(0, frontend.lastIndexOf(':'));
    const publisher = `${host}:${port}`;
    this.#publishers.set(frontend, publisher);
    return publisher;
  }

  /** Where the manager of this frontend published when it was last asked. */
  knownPublisher(frontend: string): string | undefined {
    return this.#publishers.get(frontend);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const idle = [...this.#idle.values()].map(({ socket }) => socket);
    const open = [...idle, ...this.#feeds.values()];
    this.#idle.clear();
    this.#feeds.clear();
    await Promise.all(open.map((part) => part.close()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #take(endpoint: string): Line {
    const idle = this.#idle.get(endpoint);
    this.#idle.delete(endpoint);
    if (idle === undefined) return this.#connect(endpoint);
    // It may have been in use while others learned a key.
    if (this.#securities !== undefined) idle.socket.rekey(this.#securities.securityOf(endpoint));
    return idle;
  }

  #connect(endpoint: string): Line {
    const securities = this.#securities;
    if (securities === undefined) {
      const socket = this.#sockets.connectDealer(endpoint, { maxMessageBytes });
      return { socket, onRefused: () => {} };
    }
    const socket = this.#sockets.connectDealer(endpoint, {
      ...{ maxMessageBytes, security: securities.securityOf(endpoint) },
      onHandshakeDone: (serverKey) => {
        this.#failures.delete(endpoint);
        securities.proved?.(serverKey);
      },
      onHandshakeFailed: (failure) => {
        this.#failures.set(endpoint, failure);
        if (failure === 'refused') line.onRefused();
      },
    });
    const line: Line = { socket, onRefused: () => {} };
    return line;
  }

  /** Whoever listens for long would not find the manager again when it has its next key. */
  #learn(endpoint: string, reply: Buffer): void {
    const securities = this.#securities;
    const nextKey = securities === undefined ? undefined : nextKeyIn(reply);
    if (nextKey === undefined || securities?.announced?.(endpoint, nextKey) !== true) return;
    for (const [frontend, { socket }] of this.#idle) socket.rekey(securities.securityOf(frontend));
    for (const [publisher, feed] of this.#feeds)
      feed.rekey(securities.securityOf(this.#frontendOf(publisher)));
  }

  /** Of the manager that publishes there. */
  #frontendOf(publisher: string): string {
    for (const [frontend, known] of this.#publishers) if (known === publisher) return frontend;
    return publisher;
  }

  #giveBack(endpoint: string, line: Line): void {
    if (this.#isClosed || this.#idle.has(endpoint)) {
      void line.socket.close();
      return;
    }
    this.#idle.set(endpoint, line);
    line.onRefused = () => {
      this.#idle.delete(endpoint);
      void line.socket.close();
    };
  }
}
