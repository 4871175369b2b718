import type { Socket, SocketOptions, Sockets, SubscriberSocket } from '../../src/platform/sockets.ts';
import { checkEndpoint, endpointUnusable } from '../../src/platform/zmq/endpoint.ts';
import {
  type BoundSocket,
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
import type { Parts } from './memory-socket.ts';

const defaultHighWaterMark = 100_000;
const firstFreePort = 49_152;

export interface MemorySocketsOptions {
  /**
   * True loses the message. A bound socket is named by its endpoint, the others are `dealer-1`, `push-1`, `subscriber-1`,
   * each kind counted from 1. Asked about what travels: without a peer's id in front, and not about subscriptions.
   */
  readonly drop?: IsLost;
}

/**
 * Sockets of one process, without a network. All that is sent has arrived before the event loop's next turn. Not here:
 * a largest message, lingering for a peer that is not there, and the loss of what is on its way when a connection breaks.
 */
export class MemorySockets implements Sockets {
  readonly #isLost: IsLost;
  readonly #bound = new Set<BoundSocket>();
  readonly #connecting = new Map<ConnectingSocket, Kind>();
  readonly #counts = { subscriber: 0, push: 0, dealer: 0 };
  #nextPort = firstFreePort;

  constructor({ drop = () => false }: MemorySocketsOptions = {}) {
    this.#isLost = drop;
  }

  async bindRouter(endpoint: string, options?: SocketOptions): Promise<Socket> {
    return this.#bind(RouterSocket, endpoint, options);
  }

  async bindPublisher(endpoint: string, options?: SocketOptions): Promise<Socket> {
    return this.#bind(PublisherSocket, endpoint, options);
  }

  async bindPull(endpoint: string, options?: SocketOptions): Promise<Socket> {
    return this.#bind(PullSocket, endpoint, options);
  }

  async bindReply(endpoint: string, options?: SocketOptions): Promise<Socket> {
    return this.#bind(ReplySocket, endpoint, options);
  }

  connectSubscriber(endpoint: string, options?: SocketOptions): SubscriberSocket {
    return this.#connect(MemorySubscriber, 'subscriber', endpoint, options);
  }

  connectPush(endpoint: string, options?: SocketOptions): Socket {
    return this.#connect(ConnectingSocket, 'push', endpoint, options);
  }

  connectDealer(endpoint: string, options?: SocketOptions): Socket {
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
    }
    return () => {
      for (const { client, server } of broken) {
        const kind = this.#connecting.get(client);
        if (kind !== undefined && this.#bound.has(server)) this.#link(client, kind, server);
      }
    };
  }

  /** Closes those still open. */
  async close(): Promise<void> {
    await Promise.all([...this.#connecting.keys(), ...this.#bound].map((socket) => socket.close()));
  }

  #bind(Pattern: new (parts: Parts) => BoundSocket, wanted: string, options?: SocketOptions): Socket {
    const endpoint = this.#withPort(checked('bind', wanted));
    if ([...this.#bound].some((other) => meets(other.endpoint, endpoint)))
      throw endpointUnusable('bind', wanted, new Error('Address already in use'));
    const onClosed = () => this.#bound.delete(socket);
    const socket = new Pattern({ name: endpoint, endpoint, limit: limitOf(options), onClosed });
    this.#bound.add(socket);
    for (const [client, kind] of this.#connecting) this.#link(client, kind, socket);
    return socket;
  }

  #connect<Pattern extends ConnectingSocket>(
    Pattern: new (parts: Parts) => Pattern,
    kind: Kind,
    endpoint: string,
    options?: SocketOptions,
  ): Pattern {
    checked('connect', endpoint);
    this.#counts[kind] += 1;
    const onClosed = () => this.#connecting.delete(socket);
    const name = `${kind}-${this.#counts[kind]}`;
    const socket = new Pattern({ name, endpoint, limit: limitOf(options), onClosed });
    this.#connecting.set(socket, kind);
    for (const server of this.#bound) this.#link(socket, kind, server);
    return socket;
  }

  #link(client: ConnectingSocket, kind: Kind, server: BoundSocket): void {
    if (!server.partners.includes(kind) || !meets(server.endpoint, withAddress(client.endpoint))) return;
    const link = new Link(client, server, this.#isLost);
    server.links.add(link);
    client.connected(link);
  }

  #withPort(endpoint: string): string {
    if (!/^tcp:.*:(\*|0+)$/.test(endpoint)) return endpoint;
    this.#nextPort += 1;
    return endpoint.replace(/(\*|0+)$/, String(this.#nextPort - 1));
  }
}

function checked(verb: 'bind' | 'connect', endpoint: string): string {
  try {
    checkEndpoint(verb, endpoint);
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
