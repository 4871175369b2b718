import * as zmq from 'zeromq';
import type { Frames, Socket, SocketOptions, Sockets, SubscriberSocket } from '../sockets.ts';
import { checkEndpoint, endpointUnusable } from './endpoint.ts';
import { SendQueue } from './send-queue.ts';
import { type SocketParts, ZmqSocket, ZmqSubscriber } from './socket.ts';

const defaultHighWaterMark = 100_000;
const defaultMaxMessageBytes = 16 * 1024 * 1024;
const defaultMaxSockets = 16_384;

/**
 * How connections come and go. TCP itself finds a dead peer, within 20 s also on a quiet connection, and cuts off one
 * that takes nothing for 15 s while its buffers are full.
 */
const connections = {
  handshakeInterval: 10_000,
  reconnectInterval: 100,
  reconnectMaxInterval: 2_000,
  // Else an attempt that began while the network was down goes on in ever longer pauses when it is up again.
  connectTimeout: 2_000,
  tcpKeepalive: 1,
  tcpKeepaliveIdle: 5,
  tcpKeepaliveInterval: 5,
  tcpKeepaliveCount: 3,
  tcpMaxRetransmitTimeout: 15_000,
  // When a manager comes back, its agents come all at once; with the default of 100 most would wait for TCP's next try.
  backlog: 4_096,
};
const heartbeats = { heartbeatInterval: 5_000, heartbeatTimeout: 15_000, heartbeatTimeToLive: 15_000 };

/** libzmq takes what these are sent at once, or drops it; a peer is never waited for. */
const neverWaits = { sendTimeout: 0 };

export interface ZmqSocketsOptions {
  /** Sockets open at a time. */
  readonly maxSockets?: number;
  /**
   * Finds also a peer that is stopped and not just unreachable, by ZMTP heartbeats. Only where every peer has libzmq
   * 4.2 or later: 4.0 and 4.1 take the PING for a message and don't answer, so they are cut off every 20 s.
   */
  readonly hasHeartbeats?: boolean;
}

type Wiring = Partial<Pick<SocketParts, 'receive' | 'outgoing' | 'isReply' | 'isBound' | 'addressed'>>;

/** The real sockets. `close` closes those still open. */
export class ZmqSockets implements Sockets {
  readonly #context: zmq.Context;
  readonly #connections: typeof connections;
  readonly #open = new Set<Socket>();

  constructor({ maxSockets = defaultMaxSockets, hasHeartbeats = false }: ZmqSocketsOptions = {}) {
    // Not blocky: a socket that nobody closed must not hold up the end of the program.
    this.#context = new zmq.Context({ blocky: false, maxSockets });
    this.#connections = hasHeartbeats ? { ...connections, ...heartbeats } : connections;
  }

  bindRouter(endpoint: string, options: SocketOptions = {}): Promise<Socket> {
    const raw = new zmq.Router({ ...this.#settings(options), ...bothWays(options), ...neverWaits });
    return this.#bind(raw, endpoint, options, { ...receiving(raw), ...sending(raw, options) });
  }

  /**
   * Who doesn't keep up loses messages, uncounted. libzmq can tell of a full subscriber (noDrop), but then gives the
   * message to none of its topic: one frozen agent would silence all others, as was tried.
   */
  bindPublisher(endpoint: string, options: SocketOptions = {}): Promise<Socket> {
    const raw = new zmq.XPublisher({ ...this.#settings(options), ...bothWays(options), ...neverWaits });
    raw.verbosity = 'allSubsUnsubs';
    return this.#bind(raw, endpoint, options, { ...receiving(raw), ...sending(raw, options) });
  }

  bindPull(endpoint: string, options: SocketOptions = {}): Promise<Socket> {
    const raw = new zmq.Pull({ ...this.#settings(options), receiveHighWaterMark: highWaterMark(options) });
    return this.#bind(raw, endpoint, options, receiving(raw));
  }

  /**
   * To its peers a REP. It is a ROUTER, because a REP of libzmq loses a good question when a peer before it sent half a
   * one and left.
   */
  bindReply(endpoint: string, options: SocketOptions = {}): Promise<Socket> {
    const raw = new zmq.Router({ ...this.#settings(options), ...bothWays(options), ...neverWaits });
    return this.#bind(raw, endpoint, options, { ...replying(raw, options), isReply: true });
  }

  connectSubscriber(endpoint: string, options: SocketOptions = {}): SubscriberSocket {
    const raw = new ManyTopicsSubscriber({
      ...this.#settings(options),
      receiveHighWaterMark: highWaterMark(options),
    });
    connect(raw, endpoint);
    return this.#keep(new ZmqSubscriber(raw, this.#parts(raw, endpoint, options, receiving(raw))));
  }

  connectPush(endpoint: string, options: SocketOptions = {}): Socket {
    const raw = new zmq.Push({ ...this.#settings(options), sendHighWaterMark: highWaterMark(options) });
    connect(raw, endpoint);
    return this.#keep(new ZmqSocket(this.#parts(raw, endpoint, options, sending(raw, options))));
  }

  connectDealer(endpoint: string, options: SocketOptions = {}): Socket {
    const raw = new zmq.Dealer({ ...this.#settings(options), ...bothWays(options) });
    connect(raw, endpoint);
    const wiring = { ...receiving(raw), ...sending(raw, options) };
    return this.#keep(new ZmqSocket(this.#parts(raw, endpoint, options, wiring)));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open].map((socket) => socket.close()));
  }

  #settings({ maxMessageBytes = defaultMaxMessageBytes }: SocketOptions) {
    // A socket that is never closed must not linger; the others are told when they are closed.
    return { context: this.#context, ...this.#connections, maxMessageSize: maxMessageBytes, linger: 0 };
  }

  async #bind(raw: zmq.Socket, endpoint: string, options: SocketOptions, wiring: Wiring): Promise<Socket> {
    try {
      checkEndpoint('bind', endpoint);
      await raw.bind(endpoint);
    } catch (error) {
      raw.close();
      throw endpointUnusable('bind', endpoint, error);
    }
    return this.#keep(
      new ZmqSocket(this.#parts(raw, raw.lastEndpoint ?? endpoint, options, { ...wiring, isBound: true })),
    );
  }

  #parts(raw: zmq.Socket, endpoint: string, { lingerMs = 0 }: SocketOptions, wiring: Wiring): SocketParts {
    return {
      raw,
      endpoint,
      isBound: false,
      lingerMs,
      ...wiring,
      onClosed: (socket) => this.#open.delete(socket),
    };
  }

  #keep<Kept extends Socket>(socket: Kept): Kept {
    this.#open.add(socket);
    return socket;
  }
}

/** libzmq silently loses every topic after the first 1,000, as long as it waits for its connection, unless told otherwise. */
class ManyTopicsSubscriber extends zmq.Subscriber {
  constructor(options: zmq.SocketOptions<zmq.Subscriber>) {
    super(options);
    const sendHighWaterMark = 23;
    this.setInt32Option(sendHighWaterMark, 0);
  }
}

function connect(raw: zmq.Socket, endpoint: string): void {
  try {
    checkEndpoint('connect', endpoint);
    raw.connect(endpoint);
  } catch (error) {
    raw.close();
    throw endpointUnusable('connect', endpoint, error);
  }
}

function highWaterMark(options: SocketOptions): number {
  return options.highWaterMark ?? defaultHighWaterMark;
}

function bothWays(options: SocketOptions) {
  return { sendHighWaterMark: highWaterMark(options), receiveHighWaterMark: highWaterMark(options) };
}

function receiving(raw: zmq.Readable) {
  return { receive: () => raw.receive() };
}

function sending(raw: zmq.Writable, options: SocketOptions) {
  // By its type zeromq might change the array; it doesn't.
  return { outgoing: new SendQueue((frames) => raw.send(frames as Buffer[]), highWaterMark(options)) };
}

/** Takes the envelope off a question and puts it on its answer. What has none is nobody's question. */
function replying(raw: zmq.Router, options: SocketOptions) {
  let envelope: readonly Buffer[] = [];
  const receive = async (): Promise<Buffer[]> => {
    while (true) {
      const frames = await raw.receive();
      const delimiter = frames.findIndex(({ length }) => length === 0);
      if (delimiter < 1) continue;
      envelope = frames.slice(0, delimiter + 1);
      return frames.slice(delimiter + 1);
    }
  };
  return { ...sending(raw, options), receive, addressed: (frames: Frames) => [...envelope, ...frames] };
}
