import { Dealer, Subscriber } from 'zeromq';
import { stamp, templates } from './bare-frames.ts';

export interface BareEndpoints {
  readonly frontend: string;
  readonly backend: string;
  readonly sink: string;
  readonly publisher: string;
}

let count = 0;

function newId(prefix: string): string {
  count += 1;
  return prefix + count.toString(16).padStart(31, '0');
}

/** One request over connections of its own, as a client that keeps none needs them. Resolves with the last message. */
export async function askAnew({ frontend, publisher }: BareEndpoints): Promise<void> {
  const id = newId('a');
  const dealer = new Dealer({ linger: 0 });
  dealer.connect(frontend);
  await dealer.send(stamp(templates.request, id));
  await dealer.receive();
  dealer.close();
  const subscriber = new Subscriber({ linger: 0 });
  subscriber.connect(publisher);
  subscriber.subscribe(`end/${id}`, id);
  await subscriber.receive();
  await subscriber.receive();
  subscriber.close();
}

/** A client whose two connections stay open, and which has subscribed to all that it will ever get. */
export class KeptClient {
  readonly #dealer = new Dealer({ linger: 0 });
  readonly #subscriber = new Subscriber({ linger: 0 });

  constructor({ frontend, publisher }: BareEndpoints) {
    this.#dealer.connect(frontend);
    this.#subscriber.connect(publisher);
    this.#subscriber.subscribe('k', 'end/k');
  }

  async ask(): Promise<void> {
    await this.#dealer.send(stamp(templates.request, newId('k')));
    await this.#dealer.receive();
    await this.#subscriber.receive();
    await this.#subscriber.receive();
  }

  close(): void {
    this.#dealer.close();
    this.#subscriber.close();
  }
}
