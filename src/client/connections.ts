import type { Clock } from '../platform/clock.ts';
import type { Socket, Sockets } from '../platform/sockets.ts';
import { closeAfter } from './close-after.ts';
import { Feed } from './feed.ts';

// The nodes of a large fleet, or a page of answers.
const maxMessageBytes = 64 * 1024 * 1024;
const silenceMs = 10_000;

/** The sockets of a client, kept open from one request to the next: making them costs more than the request. */
export class Connections implements AsyncDisposable {
  readonly #sockets: Sockets;
  readonly #clock: Clock;
  readonly #idle = new Map<string, Socket>();
  readonly #feeds = new Map<string, Feed>();
  /** Publisher of each frontend that was heard of. */
  readonly #publishers = new Map<string, string>();
  /** Frontends that did not answer, and until when the others are asked before them. */
  readonly #silent = new Map<string, number>();
  #isClosed = false;

  constructor(sockets: Sockets, clock: Clock) {
    this.#sockets = sockets;
    this.#clock = clock;
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
    const socket = this.#take(endpoint);
    const release = closeAfter(socket, waitMs, signal, this.#clock);
    try {
      // What a REQ puts on the wire: an empty frame, then the request.
      socket.send([Buffer.alloc(0), request]);
      for await (const frames of socket) {
        release();
        this.#silent.delete(endpoint);
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

  /** Those that did not answer a moment ago come last, so that not every question waits for them. */
  inOrder(endpoints: readonly string[]): string[] {
    const now = this.#clock.now();
    const isSilent = (endpoint: string): boolean => (this.#silent.get(endpoint) ?? now) > now;
    return [...endpoints.filter((one) => !isSilent(one)), ...endpoints.filter(isSilent)];
  }

  feed(publisher: string): Feed {
    const known = this.#feeds.get(publisher);
    if (known !== undefined) return known;
    const feed = new Feed(this.#sockets, publisher);
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

  #take(endpoint: string): Socket {
    const idle = this.#idle.get(endpoint);
    this.#idle.delete(endpoint);
    return idle ?? this.#sockets.connectDealer(endpoint, { maxMessageBytes });
  }

  #giveBack(endpoint: string, socket: Socket): void {
    if (this.#isClosed || this.#idle.has(endpoint)) void socket.close();
    else this.#idle.set(endpoint, socket);
  }
}
