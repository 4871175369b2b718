import { Admission, type AdmissionOptions } from '../../src/platform/admission.ts';
import type { Cancel, Clock } from '../../src/platform/clock.ts';
import { nodeClock } from '../../src/platform/node/clock.ts';
import type {
  AdmissionRules,
  ClientSecurity,
  Decide,
  ServerSecurity,
} from '../../src/platform/socket-security.ts';
import type {
  BindOptions,
  ConnectOptions,
  SocketOptions,
  Sockets,
  SubscriberSocket,
} from '../../src/platform/sockets.ts';
import { checkSecurity } from '../../src/platform/zmq/curve.ts';
import { checkEndpoint, endpointUnusable } from '../../src/platform/zmq/endpoint.ts';
import {
  type BoundParts,
  type BoundSocket,
  type ConnectingParts,
  ConnectingSocket,
  type IsLost,
  type Kind,
  Link,
  MemorySubscriber,
  PublisherSocket,
  PullSocket,
  ReplySocket,
  RouterSocket,
} from './memory-patterns.ts';
import { refusalOf } from './memory-security.ts';

const defaultHighWaterMark = 100_000;
const firstFreePort = 49_152;
const retryMs = 100;

export interface MemorySocketsOptions extends Partial<AdmissionOptions> {
  /**
   * True loses the message. A bound socket is named by its endpoint, the others are `dealer-1`, `push-1`, `subscriber-1`,
   * each kind counted from 1. Asked about what travels: without a peer's id in front, and not about subscriptions.
   */
  readonly drop?: IsLost;
}

/**
 * Sockets of one process, without a network. All that is sent has arrived before the event loop's next turn. Not here:
 * a largest message, lingering for a peer that is not there, and the loss of what is on its way when a connection breaks.
 * Keys are only compared, and nobody has to prove that a key is his. Who is refused tries again every 100 ms of `clock`.
 */
export class MemorySockets implements Sockets {
  readonly #isLost: IsLost;
  readonly #bound = new Set<BoundSocket>();
  readonly #connecting = new Map<ConnectingSocket, Kind>();
  readonly #clock: Clock;
  readonly #admission: Admission;
  #cancelRetry: Cancel | undefined;
  // By the test, so that nobody but the test brings them together again.
  readonly #apart = new Set<ConnectingSocket>();
  readonly #counts = { subscriber: 0, push: 0, dealer: 0 };
  #nextPort = firstFreePort;

  constructor({ drop = () => false, clock = nodeClock, ...options }: MemorySocketsOptions = {}) {
    this.#isLost = drop;
    this.#clock = clock;
    this.#admission = new Admission({ clock, ...options });
  }

  authenticate(decide: Decide, rules?: AdmissionRules): void {
    this.#admission.authenticate(decide, rules);
  }

  /** Where several programs share these sockets, each has an admission of its own. */
  async bindRouter(endpoint: string, options?: BindOptions, admission?: Admission): Promise<BoundSocket> {
    return this.#bind(RouterSocket, endpoint, options, admission);
  }

  async bindPublisher(endpoint: string, options?: BindOptions, admission?: Admission): Promise<BoundSocket> {
    return this.#bind(PublisherSocket, endpoint, options, admission);
  }

  async bindPull(endpoint: string, options?: BindOptions, admission?: Admission): Promise<BoundSocket> {
    return this.#bind(PullSocket, endpoint, options, admission);
  }

  async bindReply(endpoint: string, options?: BindOptions, admission?: Admission): Promise<BoundSocket> {
    return this.#bind(ReplySocket, endpoint, options, admission);
  }

  connectSubscriber(endpoint: string, options?: ConnectOptions): SubscriberSocket {
    return this.#connect(MemorySubscriber, 'subscriber', endpoint, options);
  }

  connectPush(endpoint: string, options?: ConnectOptions): ConnectingSocket {
    return this.#connect(ConnectingSocket, 'push', endpoint, options);
  }

  connectDealer(endpoint: string, options?: ConnectOptions): ConnectingSocket {
    return this.#connect(ConnectingSocket, 'dealer', endpoint, options);
  }

  /**
   * Breaks the connections that are meant; what either side sends meanwhile waits or is lost, as its pattern has it. Call
   * what it returns to let them be made again, as ZeroMQ does by itself.
   */
  disconnect(isMeant: (client: string, server: string) => boolean): () => void {
    const broken = [...this.#bound]
      .flatMap((server) => [...server.links])
      .filter(({ client, server }) => isMeant(client.name, server.name));
    for (const link of broken) {
      link.client.disconnected();
      link.server.leave(link);
      this.#apart.add(link.client);
    }
    return () => {
      for (const { client, server } of broken) {
        this.#apart.delete(client);
        const kind = this.#connecting.get(client);
        if (kind !== undefined && this.#bound.has(server)) this.#link(client, kind, server);
      }
    };
  }

  /** Closes those still open. */
  async close(): Promise<void> {
    this.#cancelRetry?.();
    await Promise.all([...this.#connecting.keys(), ...this.#bound].map((socket) => socket.close()));
  }

  #bind(
    Pattern: new (parts: BoundParts) => BoundSocket,
    wanted: string,
    options?: BindOptions,
    admission = this.#admission,
  ): BoundSocket {
    const endpoint = this.#withPort(checked('bind', wanted, options?.security));
    if ([...this.#bound].some((other) => meets(other.endpoint, endpoint)))
      throw endpointUnusable('bind', wanted, new Error('Address already in use'));
    const onClosed = () => this.#bound.delete(socket);
    const parts = { name: endpoint, endpoint, limit: limitOf(options), onClosed, onRekeyed: this.#linkAll };
    const socket = new Pattern({ ...parts, security: options?.security, admission });
    this.#bound.add(socket);
    for (const [client, kind] of this.#connecting) this.#link(client, kind, socket);
    return socket;
  }

  #connect<Pattern extends ConnectingSocket>(
    Pattern: new (parts: ConnectingParts) => Pattern,
    kind: Kind,
    endpoint: string,
    options: ConnectOptions = {},
  ): Pattern {
    checked('connect', endpoint, options.security);
    this.#counts[kind] += 1;
    const onClosed = () => this.#connecting.delete(socket);
    const name = `${kind}-${this.#counts[kind]}`;
    const parts = { name, endpoint, limit: limitOf(options), onClosed, onRekeyed: this.#linkAll };
    const socket = new Pattern({ ...parts, options });
    this.#connecting.set(socket, kind);
    for (const server of this.#bound) this.#link(socket, kind, server);
    return socket;
  }

  readonly #linkAll = (): void => {
    for (const [client, kind] of this.#connecting) {
      if (client.isConnected || this.#apart.has(client)) continue;
      for (const server of this.#bound) this.#link(client, kind, server);
    }
  };

  #link(client: ConnectingSocket, kind: Kind, server: BoundSocket): void {
    if (!server.partners.includes(kind) || !meets(server.endpoint, withAddress(client.endpoint))) return;
    const failure = refusalOf(client, server);
    if (failure !== undefined) {
      client.handshakeFailed(failure);
      // As with libzmq, who knows nothing of security gives up.
      if (client.security !== undefined) this.#retryLater();
      return;
    }
    const link = new Link(client, server, this.#isLost);
    server.join(link);
    client.connected(link);
  }

  #retryLater(): void {
    this.#cancelRetry ??= this.#clock.after(retryMs, 'who was refused tries again', () => {
      this.#cancelRetry = undefined;
      this.#linkAll();
    });
  }

  #withPort(endpoint: string): string {
    if (!/^tcp:.*:(\*|0+)$/.test(endpoint)) return endpoint;
    this.#nextPort += 1;
    return endpoint.replace(/(\*|0+)$/, String(this.#nextPort - 1));
  }
}

function checked(
  verb: 'bind' | 'connect',
  endpoint: string,
  security: ServerSecurity | ClientSecurity | undefined,
): string {
  try {
    checkEndpoint(verb, endpoint);
    if (security !== undefined) checkSecurity(security);
    if (!/^(tcp|ipc|inproc):\/\/./.test(endpoint)) throw new RangeError('Invalid argument');
  } catch (error) {
    throw endpointUnusable(verb, endpoint, error);
  }
  return withAddress(endpoint);
}

function withAddress(endpoint: string): string {
  return endpoint.replace('//*:', '//0.0.0.0:').replace('//localhost:', '//127.0.0.1:');
}

/** Whether two addresses have one in common. */
function meets(one: string, other: string): boolean {
  if (one === other) return true;
  const isEveryHost = one.startsWith('tcp://0.0.0.0:') || other.startsWith('tcp://0.0.0.0:');
  return isEveryHost && portOf(one) === portOf(other);
}

function portOf(endpoint: string): string | undefined {
  return /^tcp:.*:(\d+)$/.exec(endpoint)?.[1];
}

function limitOf(options: SocketOptions | undefined): number {
  return options?.highWaterMark ?? defaultHighWaterMark;
}
