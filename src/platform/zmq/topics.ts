import * as zmq from 'zeromq';
import { uninterrupted } from './interrupted.ts';

/** What a subscriber wants to hear, for each zeromq socket that it has one after the other. */
export class Topics {
  readonly #wanted = new Map<string, { readonly prefix: Buffer; times: number }>();
  #raw: zmq.Subscriber | undefined;

  use(raw: zmq.Subscriber): void {
    this.#raw = raw;
    for (const { prefix } of this.#wanted.values()) uninterrupted(() => raw.subscribe(prefix));
  }

  subscribe(wanted: string | Buffer): void {
    const prefix = Buffer.from(wanted);
    const entry = this.#wanted.get(prefix.toString('latin1'));
    if (entry !== undefined) {
      entry.times += 1;
      return;
    }
    this.#wanted.set(prefix.toString('latin1'), { prefix, times: 1 });
    uninterrupted(() => this.#openRaw?.subscribe(prefix));
  }

  unsubscribe(unwanted: string | Buffer): void {
    const prefix = Buffer.from(unwanted);
    const key = prefix.toString('latin1');
    const entry = this.#wanted.get(key);
    if (entry === undefined) return;
    entry.times -= 1;
    if (entry.times > 0) return;
    this.#wanted.delete(key);
    uninterrupted(() => this.#openRaw?.unsubscribe(prefix));
  }

  /** Between two sockets there is none to tell. */
  get #openRaw(): zmq.Subscriber | undefined {
    return this.#raw?.closed ? undefined : this.#raw;
  }
}

/** libzmq silently loses every topic after the first 1,000, as long as it waits for its connection, unless told otherwise. */
export class ManyTopicsSubscriber extends zmq.Subscriber {
  constructor(options: zmq.SocketOptions<zmq.Subscriber>) {
    super(options);
    const sendHighWaterMark = 23;
    this.setInt32Option(sendHighWaterMark, 0);
  }
}
