import type { Admission } from '../../src/platform/admission.ts';
import type { ClientSecurity, HandshakeFailure, ServerSecurity } from '../../src/platform/socket-security.ts';
import type * as platform from '../../src/platform/sockets.ts';
import type { Frames, SubscriberSocket } from '../../src/platform/sockets.ts';
import { checkSecurity, isSamePair } from '../../src/platform/zmq/curve.ts';
import { endpointUnusable } from '../../src/platform/zmq/endpoint.ts';
import { MemorySocket, type Message, type Parts, Pipe } from './memory-socket.ts';

export type Kind = 'subscriber' | 'push' | 'dealer';
export type IsLost = (from: string, to: string, frames: Frames) => boolean;

export class Link {
  readonly client: ConnectingSocket;
  readonly server: BoundSocket;
  readonly up: Pipe;
  readonly down: Pipe;

  constructor(client: ConnectingSocket, server: BoundSocket, isLost: IsLost) {
    this.client = client;
    this.server = server;
    this.up = new Pipe(
      server.limit,
      (frames) => isLost(client.name, server.name, frames),
      (message) => server.arriveFrom(this, message),
      () => client.flush(),
    );
    this.down = new Pipe(
      server.limit,
      (frames) => isLost(server.name, client.name, frames),
      (message) => client.arrive(message),
    );
  }
}

export interface BoundParts extends Parts {
  readonly security: ServerSecurity | undefined;
  readonly admission: Admission;
  readonly onRekeyed: () => void;
}

export abstract class BoundSocket extends MemorySocket implements platform.BoundSocket {
  readonly links = new Set<Link>();
  readonly admission: Admission;
  security: ServerSecurity | undefined;
  abstract readonly partners: readonly Kind[];
  readonly #onRekeyed: () => void;

  constructor(parts: BoundParts) {
    super(parts);
    this.security = parts.security;
    this.admission = parts.admission;
    this.#onRekeyed = parts.onRekeyed;
  }

  async rekey(security: ServerSecurity): Promise<void> {
    checkRekey('bind', this.endpoint, this.security, security);
    if (this.isClosed) return;
    for (const link of [...this.links]) {
      link.client.disconnected();
      this.leave(link);
    }
    this.security = security;
    this.#onRekeyed();
  }

  join(link: Link): void {
    this.links.add(link);
    this.#count(1);
  }

  arriveFrom(_link: Link, message: Message): void {
    this.arrive(message);
  }

  leave(link: Link): void {
    if (this.links.delete(link)) this.#count(-1);
  }

  protected override disconnect(): void {
    for (const link of this.links) link.client.disconnected();
    this.#count(-this.links.size);
    this.links.clear();
  }

  #count(change: number): void {
    if (this.security !== undefined) this.admission.count(this.security.domain, change);
  }
}

export class PullSocket extends BoundSocket {
  override readonly partners = ['push'] as const;
}

export class RouterSocket extends BoundSocket {
  override readonly partners = ['dealer'] as const;
  readonly #ids = new Map<Link, Buffer>();
  readonly #peers = new Map<string, Link>();

  override arriveFrom(link: Link, { frames, onTaken }: Message): void {
    const id = this.#ids.get(link) ?? this.#welcome(link);
    this.arrive({ frames: [id, ...frames], onTaken });
  }

  override leave(link: Link): void {
    super.leave(link);
    const id = this.#ids.get(link);
    if (id !== undefined) this.#peers.delete(id.toString('hex'));
  }

  // As with ZeroMQ, what nobody can get is dropped in silence.
  protected override transmit([id, ...frames]: Buffer[]): boolean {
    const link = this.#peers.get(id?.toString('hex') ?? '');
    if (link?.down.hasRoom) link.down.send(frames);
    return true;
  }

  #welcome(link: Link): Buffer {
    const id = Buffer.alloc(5);
    id.writeUInt32BE(this.#ids.size + 1, 1);
    this.#ids.set(link, id);
    this.#peers.set(id.toString('hex'), link);
    return id;
  }
}

export class ReplySocket extends BoundSocket {
  override readonly partners = ['dealer'] as const;
  #asking: { readonly link: Link; readonly envelope: Buffer[] } | undefined;

  override arriveFrom(link: Link, { frames, onTaken }: Message): void {
    const delimiter = frames.findIndex((frame) => frame.length === 0);
    if (delimiter < 0) {
      onTaken();
      return;
    }
    const envelope = frames.slice(0, delimiter + 1);
    this.arrive({
      frames: frames.slice(delimiter + 1),
      onTaken: () => {
        this.#asking = { link, envelope };
        onTaken();
      },
    });
  }

  protected override mayTake(): boolean {
    return this.#asking === undefined;
  }

  protected override transmit(frames: Buffer[]): boolean {
    if (this.#asking === undefined) return false;
    const { link, envelope } = this.#asking;
    this.#asking = undefined;
    if (link.down.hasRoom) link.down.send([...envelope, ...frames]);
    // Not at once: whoever answers twice in a row must not answer the next question with it.
    queueMicrotask(() => this.wake());
    return true;
  }
}

export class PublisherSocket extends BoundSocket {
  override readonly partners = ['subscriber'] as const;
  readonly #topics = new Map<Link, Buffer[]>();

  addTopic(link: Link, topic: Buffer): void {
    const topics = this.#topics.get(link);
    if (topics === undefined) this.#topics.set(link, [topic]);
    else topics.push(topic);
    this.arrive({ frames: [Buffer.from([1, ...topic])], onTaken: () => {} });
  }

  removeTopic(link: Link, topic: Buffer): void {
    const topics = this.#topics.get(link) ?? [];
    const index = topics.findIndex((known) => known.equals(topic));
    if (index < 0) return;
    topics.splice(index, 1);
    this.arrive({ frames: [Buffer.from([0, ...topic])], onTaken: () => {} });
  }

  override leave(link: Link): void {
    super.leave(link);
    for (const topic of this.#topics.get(link) ?? [])
      this.arrive({ frames: [Buffer.from([0, ...topic])], onTaken: () => {} });
    this.#topics.delete(link);
  }

  protected override transmit(frames: Buffer[]): boolean {
    const subject = frames[0] ?? Buffer.alloc(0);
    for (const [link, topics] of this.#topics) {
      const isMeant = topics.some((topic) => subject.subarray(0, topic.length).equals(topic));
      if (isMeant && link.down.hasRoom) link.down.send(frames);
    }
    return true;
  }
}

export interface ConnectingParts extends Parts {
  readonly options: platform.ConnectOptions;
  readonly onRekeyed: () => void;
}

/** Keeps what it was given until there is somebody, and room, to give it to. */
export class ConnectingSocket extends MemorySocket implements platform.ConnectingSocket {
  security: ClientSecurity | undefined;
  protected link: Link | undefined;
  readonly #options: platform.ConnectOptions;
  readonly #onRekeyed: () => void;
  readonly #outbox: Buffer[][] = [];

  constructor(parts: ConnectingParts) {
    super(parts);
    this.#options = parts.options;
    this.security = parts.options.security;
    this.#onRekeyed = parts.onRekeyed;
  }

  get isConnected(): boolean {
    return this.link !== undefined;
  }

  rekey(security: ClientSecurity): void {
    const old = checkRekey('connect', this.endpoint, this.security, security);
    if (this.isClosed) return;
    this.security = security;
    const { link } = this;
    const serverKey = link?.server.security?.publicKey;
    const isServerKnown = security.serverKeys.some((key) => serverKey?.equals(key));
    if (link !== undefined && isServerKnown && isSamePair(old, security)) return;
    this.disconnected();
    link?.server.leave(link);
    this.#onRekeyed();
  }

  handshakeFailed(failure: HandshakeFailure): void {
    queueMicrotask(() => {
      if (!this.isClosed) this.#options.onHandshakeFailed?.(failure);
    });
  }

  connected(link: Link): void {
    this.link = link;
    const serverKey = link.server.security?.publicKey;
    if (serverKey !== undefined) queueMicrotask(() => this.#options.onHandshakeDone?.(serverKey));
    this.flush();
  }

  disconnected(): void {
    this.link = undefined;
  }

  flush(): void {
    while (this.link?.up.hasRoom) {
      const frames = this.#outbox.shift();
      if (frames === undefined) return;
      this.link.up.send(frames);
    }
  }

  protected override transmit(frames: Buffer[]): boolean {
    if (this.#outbox.length >= this.limit) return false;
    this.#outbox.push(frames);
    this.flush();
    return true;
  }

  protected override disconnect(): void {
    const { link } = this;
    if (link === undefined) return;
    for (const frames of this.#outbox.splice(0)) link.up.send(frames);
    queueMicrotask(() => link.server.leave(link));
  }
}

export class MemorySubscriber extends ConnectingSocket implements SubscriberSocket {
  readonly #topics = new Map<string, Buffer>();

  subscribe(prefix: string | Buffer): void {
    const topic = Buffer.from(prefix);
    const key = topic.toString('latin1');
    if (this.isClosed || this.#topics.has(key)) return;
    this.#topics.set(key, topic);
    this.#announce(topic);
  }

  unsubscribe(prefix: string | Buffer): void {
    const topic = Buffer.from(prefix);
    if (this.isClosed || !this.#topics.delete(topic.toString('latin1'))) return;
    const { link } = this;
    if (!(link?.server instanceof PublisherSocket)) return;
    const publisher = link.server;
    queueMicrotask(() => publisher.removeTopic(link, topic));
  }

  override connected(link: Link): void {
    super.connected(link);
    for (const topic of this.#topics.values()) this.#announce(topic);
  }

  protected override transmit(): boolean {
    return false;
  }

  #announce(topic: Buffer): void {
    const { link } = this;
    if (!(link?.server instanceof PublisherSocket)) return;
    const publisher = link.server;
    queueMicrotask(() => publisher.addTopic(link, topic));
  }
}

function checkRekey<Security extends ServerSecurity | ClientSecurity>(
  verb: 'bind' | 'connect',
  endpoint: string,
  old: Security | undefined,
  security: Security,
): Security {
  try {
    checkSecurity(security);
    if (old === undefined) throw new Error('it was opened without security');
    return old;
  } catch (error) {
    throw endpointUnusable(verb, endpoint, error);
  }
}
