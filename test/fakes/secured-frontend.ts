import { Admission } from '../../src/platform/admission.ts';
import type { Clock } from '../../src/platform/clock.ts';
import { serve } from '../../src/platform/serve.ts';
import type { ServerSecurity } from '../../src/platform/socket-security.ts';
import type { BoundSocket } from '../../src/platform/sockets.ts';
import { type CurveKeys, curveBytes, newCurveKeys } from '../../src/security/keys.ts';
import type { KnownManager } from '../../src/security/known-manager.ts';
import { withNextKey } from '../../src/wire/reply.ts';
import type { MemorySockets } from './memory-sockets.ts';

/** The frontend and the publisher of a manager with security, on the host of the client. */
export class SecuredFrontend {
  readonly name: string;
  readonly endpoint: string;
  readonly publisherPort: number;
  /** Frames that came. */
  readonly asked: string[] = [];
  /** Topics that were subscribed to (`+`) and no longer are (`-`). */
  readonly subscriptions: string[] = [];
  /** What it says to each message; undefined: nothing. */
  reply: object | undefined = { uuid: '0123456789abcdef0123456789abcdef', port: 5_750 };
  keys: CurveKeys = newCurveKeys();
  /** Told with each reply. */
  nextKeys: CurveKeys | undefined;
  /** Whether it lets anybody in. */
  isOpen = true;
  readonly #sockets: MemorySockets;
  readonly #admission: Admission;
  #frontend: BoundSocket | undefined;
  #publisher: BoundSocket | undefined;

  constructor(sockets: MemorySockets, clock: Clock, number = 1) {
    this.name = `m${number}`;
    this.endpoint = `tcp://localhost:${5_500 + number}`;
    this.publisherPort = 5_750 + number;
    this.#sockets = sockets;
    this.#admission = new Admission({ clock, refusalBurst: 1_000_000 });
    this.#admission.authenticate(() => this.isOpen);
  }

  async start(): Promise<this> {
    const [frontend, publisher] = [this.endpoint, `tcp://localhost:${this.publisherPort}`];
    this.#frontend = await this.#sockets.bindRouter(frontend, this.#secured(), this.#admission);
    this.#publisher = await this.#sockets.bindPublisher(publisher, this.#secured(), this.#admission);
    void serve(this.#frontend, (frames) => this.#answer(frames));
    void serve(this.#publisher, ([frame = Buffer.alloc(0)]) => {
      this.subscriptions.push(`${frame[0] === 1 ? '+' : '-'}${frame.subarray(1)}`);
    });
    return this;
  }

  get known(): KnownManager {
    const { name, endpoint: frontend } = this;
    return { name, key: this.keys.publicKey, endpoints: { join: 'tcp://localhost:5850', frontend } };
  }

  /** All connections end, as when it has another key or throws somebody out. */
  async reopen(keys = this.keys): Promise<void> {
    this.keys = keys;
    await this.#frontend?.rekey(this.#secured().security);
    await this.#publisher?.rekey(this.#secured().security);
  }

  publish(topic: string, text: string): void {
    this.#publisher?.send([Buffer.from(topic), Buffer.from(text)]);
  }

  #answer([peer = Buffer.alloc(0), delimiter = Buffer.alloc(0), frame]: Buffer[]): void {
    this.asked.push(`${frame}`);
    if (this.reply === undefined) return;
    const reply = withNextKey(this.reply, this.nextKeys?.publicKey);
    this.#frontend?.send([peer, delimiter, Buffer.from(JSON.stringify(reply))]);
  }

  #secured(): { readonly security: ServerSecurity } {
    const { publicKey, secretKey } = this.keys;
    const pair = { publicKey: curveBytes(publicKey), secretKey: curveBytes(secretKey) };
    return { security: { kind: 'server', domain: 'frontend', ...pair } };
  }
}
