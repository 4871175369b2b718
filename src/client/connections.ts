import type { Clock } from '../platform/clock.ts';
import type { ClientSecurity, HandshakeFailure } from '../platform/socket-security.ts';
import type { Socket, Sockets } from '../platform/sockets.ts';
import { closeAfter } from './close-after.ts';
import { Feed } from './feed.ts';

// The nodes of a large fleet, or a page of answers.
const maxMessageBytes = 64 * 1024 * 1024;
const silenceMs = 10_000;

/** What is spoken with whom. */
export interface Securities {
  /** With whoever is at this endpoint, or publishes beside it. */
  securityOf(endpoint: string): ClientSecurity;
  /** Somebody has shown that he has this key. */
  proved(serverKey: Buffer): void;
}

/** The sockets of a client, kept open from one request to the next: making them costs more than the request. */
export class Connections implements AsyncDisposable {
  readonly #sockets: Sockets;
  readonly #clock: Clock;
  readonly #securities: Securities | undefined;
  readonly #idle = new Map<string, Socket>();
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
    const socket = this.#take(endpoint, () => refused.abort());
    const release = closeAfter(socket, waitMs, ended, this.#clock);
    try {
      // What a REQ puts on the wire: an empty frame, then the request.
      socket.send([Buffer.alloc(0), request]);
      for await (const frames of socket) {
        release();
        this.#silent.delete(endpoint);
        this.#failures.delete(endpoint);
        this.#giveBack(endpoint, socket);
        return frames[1] ?? Buffer.alloc(0);
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
    const open = [...this.#idle.values(), ...this.#feeds.values()];
    this.#idle.clear();
    this.#feeds.clear();
    await Promise.all(open.map((part) => part.close()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** `onRefused`: it knows us not, and waiting for its answer is no use. */
  #take(endpoint: string, onRefused: () => void): Socket {
    const idle = this.#idle.get(endpoint);
    this.#idle.delete(endpoint);
    return idle ?? this.#connect(endpoint, onRefused);
  }

  #connect(endpoint: string, onRefused: () => void): Socket {
    const securities = this.#securities;
    if (securities === undefined) return this.#sockets.connectDealer(endpoint, { maxMessageBytes });
    return this.#sockets.connectDealer(endpoint, {
      ...{ maxMessageBytes, security: securities.securityOf(endpoint) },
      onHandshakeDone: (serverKey) => securities.proved(serverKey),
      onHandshakeFailed: (failure) => {
        this.#failures.set(endpoint, failure);
        if (failure === 'refused') onRefused();
      },
    });
  }

  /** Of the manager that publishes there. */
  #frontendOf(publisher: string): string {
    for (const [frontend, known] of this.#publishers) if (known === publisher) return frontend;
    return publisher;
  }

  #giveBack(endpoint: string, socket: Socket): void {
    if (this.#isClosed || this.#idle.has(endpoint)) void socket.close();
    else this.#idle.set(endpoint, socket);
  }
}
