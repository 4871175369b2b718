import type { ClientSecurity } from '../platform/socket-security.ts';
import type { Sockets, SubscriberSocket } from '../platform/sockets.ts';

export type FeedHandler = (payload: Buffer) => void;

/** One connection to a publisher, shared by all who listen to a topic of it. */
export class Feed {
  readonly #socket: SubscriberSocket;
  readonly #handlers = new Map<string, Set<FeedHandler>>();
  readonly #receiving: Promise<void>;

  constructor(sockets: Sockets, publisher: string, security: ClientSecurity | undefined) {
    this.#socket = sockets.connectSubscriber(publisher, security === undefined ? {} : { security });
    this.#receiving = this.#receive();
  }

  /** Call what it returns to listen no more. */
  listen(topic: string, handler: FeedHandler): () => void {
    const handlers = this.#handlers.get(topic) ?? new Set();
    this.#handlers.set(topic, handlers.add(handler));
    if (handlers.size === 1) this.#socket.subscribe(topic);
    return () => {
      if (!handlers.delete(handler) || handlers.size > 0) return;
      this.#handlers.delete(topic);
      this.#socket.unsubscribe(topic);
    };
  }

  /** The publisher is known by these keys from now on. */
  rekey(security: ClientSecurity): void {
    this.#socket.rekey(security);
  }

  async close(): Promise<void> {
    await this.#socket.close();
    await this.#receiving;
  }

  async #receive(): Promise<void> {
    for await (const [topic, payload = Buffer.alloc(0)] of this.#socket) {
      // ZeroMQ matches prefixes: a topic that only begins with ours is nobody's.
      for (const handle of this.#handlers.get(topic?.toString() ?? '') ?? []) handle(payload);
    }
  }
}
