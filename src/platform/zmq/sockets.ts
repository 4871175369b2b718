import * as zmq from 'zeromq';
import { Admission, type AdmissionOptions } from '../admission.ts';
import { nodeClock } from '../node/clock.ts';
import type { AdmissionRules, Decide } from '../socket-security.ts';
import type {
  BindOptions,
  BoundSocket,
  ConnectingSocket,
  ConnectOptions,
  Frames,
  Socket,
  SocketOptions,
  Sockets,
  SubscriberSocket,
} from '../sockets.ts';
import { Authenticator } from './authenticator.ts';
import { CurveBinding } from './curve-binding.ts';
import { CurveConnection } from './curve-connection.ts';
import { checkEndpoint, endpointUnusable } from './endpoint.ts';
import { bindPlain, connectPlain, type Line, type RawSocket } from './line.ts';
import { SendQueue } from './send-queue.ts';
import { type SocketParts, ZmqBoundSocket, ZmqConnectingSocket, ZmqSubscriber } from './socket.ts';
import { SubscriptionCounts } from './subscription-counts.ts';
import { ManyTopicsSubscriber, Topics } from './topics.ts';

const defaultHighWaterMark = 100_000;
const defaultMaxMessageBytes = 16 * 1024 * 1024;
const defaultMaxSockets = 16_384;
// Who doesn't even begin costs little, and after a restart thousands of agents stand in line for their handshake.
const defaultHandshakeIntervalMs = 5_000;
/** What zeromq holds for a server is lost when its key turns out to be another one; the rest waits in our own queue. */
const highestMarkOfConnection = 1_000;

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

export interface ZmqSocketsOptions extends Partial<AdmissionOptions> {
  /** Sockets of zeromq open at a time: one for each of ours, three for each with security. */
  readonly maxSockets?: number;
  /**
   * Finds also a peer that is stopped and not just unreachable, by ZMTP heartbeats. Only where every peer has libzmq
   * 4.2 or later: 4.0 and 4.1 take the PING for a message and don't answer, so they are cut off every 20 s.
   */
  readonly hasHeartbeats?: boolean;
  /** How long a peer of a socket with security may take to prove who it is. */
  readonly handshakeIntervalMs?: number;
}

/** The real sockets. `close` closes those still open. */
export class ZmqSockets implements Sockets {
  readonly #context: zmq.Context;
  readonly #connections: typeof connections;
  readonly #handshakeIntervalMs: number;
  readonly #admission: Admission;
  readonly #authenticator: Authenticator;
  readonly #open = new Set<Socket>();

  constructor(options: ZmqSocketsOptions = {}) {
    const { maxSockets = defaultMaxSockets, hasHeartbeats = false } = options;
    // Not blocky: a socket that nobody closed must not hold up the end of the program.
    this.#context = new zmq.Context({ blocky: false, maxSockets });
    this.#connections = hasHeartbeats ? { ...connections, ...heartbeats } : connections;
    this.#handshakeIntervalMs = options.handshakeIntervalMs ?? defaultHandshakeIntervalMs;
    this.#admission = new Admission({ clock: nodeClock, ...options });
    this.#authenticator = new Authenticator(this.#context, this.#admission);
  }

  authenticate(decide: Decide, rules?: AdmissionRules): void {
    this.#admission.authenticate(decide, rules);
  }

  async bindRouter(endpoint: string, options: BindOptions = {}): Promise<BoundSocket> {
    const settings = { ...this.#settings(options), ...bothWays(options), ...neverWaits };
    const line = await this.#bind(endpoint, options, () => bothDirections(new zmq.Router({ ...settings })));
    return this.#keep(new ZmqBoundSocket(this.#parts(line, options)));
  }

  /**
   * Who doesn't keep up loses messages, uncounted. libzmq can tell of a full subscriber (noDrop), but then gives the
   * message to none of its topic: one frozen agent would silence all others, as was tried.
   */
  async bindPublisher(endpoint: string, options: BindOptions = {}): Promise<BoundSocket> {
    const settings = { ...this.#settings(options), ...bothWays(options), ...neverWaits };
    const line = await this.#bind(endpoint, options, () =>
      publisher(new zmq.XPublisher({ ...settings }), options),
    );
    return this.#keep(new ZmqBoundSocket(this.#parts(line, options)));
  }

  async bindPull(endpoint: string, options: BindOptions = {}): Promise<BoundSocket> {
    const settings = { ...this.#settings(options), receiveHighWaterMark: highWaterMark(options) };
    const line = await this.#bind(endpoint, options, () => receiver(new zmq.Pull({ ...settings })));
    return this.#keep(new ZmqBoundSocket(this.#parts(line, options)));
  }

  /**
   * To its peers a REP. It is a ROUTER, because a REP of libzmq loses a good question when a peer before it sent half a
   * one and left.
   */
  async bindReply(endpoint: string, options: BindOptions = {}): Promise<BoundSocket> {
    const settings = { ...this.#settings(options), ...bothWays(options), ...neverWaits };
    const line = await this.#bind(endpoint, options, () => bothDirections(new zmq.Router({ ...settings })));
    return this.#keep(
      new ZmqBoundSocket({ ...this.#parts(line, options), ...replying(line), isReply: true }),
    );
  }

  connectSubscriber(endpoint: string, options: ConnectOptions = {}): SubscriberSocket {
    const settings = { ...this.#settings(options), receiveHighWaterMark: highWaterMark(options) };
    const topics = new Topics();
    const line = this.#connect(endpoint, options, () => {
      const raw = new ManyTopicsSubscriber({ ...settings });
      topics.use(raw);
      return receiver(raw);
    });
    return this.#keep(new ZmqSubscriber(topics, this.#parts(line, options)));
  }

  connectPush(endpoint: string, options: ConnectOptions = {}): ConnectingSocket {
    const settings = { ...this.#settings(options), sendHighWaterMark: sendHighWaterMark(options) };
    const line = this.#connect(endpoint, options, () => sender(new zmq.Push({ ...settings })));
    return this.#keep(new ZmqConnectingSocket(this.#parts(line, options)));
  }

  connectDealer(endpoint: string, options: ConnectOptions = {}): ConnectingSocket {
    const sendMark = { sendHighWaterMark: sendHighWaterMark(options) };
    const settings = { ...this.#settings(options), ...bothWays(options), ...sendMark };
    const line = this.#connect(endpoint, options, () => bothDirections(new zmq.Dealer({ ...settings })));
    return this.#keep(new ZmqConnectingSocket(this.#parts(line, options)));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open].map((socket) => socket.close()));
  }

  /** Give zeromq.js a copy: it takes the context out, and a second socket made of the rest would be in another one. */
  #settings({ maxMessageBytes = defaultMaxMessageBytes, security }: BindOptions | ConnectOptions) {
    const handshake = security?.kind === 'server' ? { handshakeInterval: this.#handshakeIntervalMs } : {};
    // A socket that is never closed must not linger; the others are told when they are closed.
    const perMessage = { maxMessageSize: maxMessageBytes, linger: 0 };
    return { context: this.#context, ...this.#connections, ...handshake, ...perMessage };
  }

  #bind(endpoint: string, options: BindOptions, open: () => RawSocket): Promise<Line> {
    checkFirst('bind', endpoint);
    const { security, lingerMs = 0 } = options;
    if (security === undefined) return bindPlain(open(), endpoint);
    const mark = { highWaterMark: highWaterMark(options), lingerMs };
    const watchmen = { admission: this.#admission, authenticator: this.#authenticator };
    return CurveBinding.bind({ open, endpoint, ...mark, ...watchmen }, security);
  }

  #connect(endpoint: string, options: ConnectOptions, open: () => RawSocket): Line {
    checkFirst('connect', endpoint);
    const { security, lingerMs = 0, onHandshakeFailed, onHandshakeDone } = options;
    if (security === undefined) return connectPlain(open(), endpoint);
    const mark = { highWaterMark: highWaterMark(options), lingerMs };
    const told = { onHandshakeFailed, onHandshakeDone };
    return new CurveConnection({ open, endpoint, clock: nodeClock, ...mark, ...told }, security);
  }

  #parts(line: Line, options: SocketOptions): SocketParts {
    const { receive, send } = line;
    return {
      line,
      lingerMs: options.lingerMs ?? 0,
      ...(receive && { receive }),
      ...(send && { outgoing: new SendQueue(send, highWaterMark(options)) }),
      onClosed: (socket) => this.#open.delete(socket),
    };
  }

  #keep<Kept extends Socket>(socket: Kept): Kept {
    this.#open.add(socket);
    return socket;
  }
}

function checkFirst(verb: 'bind' | 'connect', endpoint: string): void {
  try {
    checkEndpoint(verb, endpoint);
  } catch (error) {
    throw endpointUnusable(verb, endpoint, error);
  }
}

function highWaterMark(options: SocketOptions): number {
  return options.highWaterMark ?? defaultHighWaterMark;
}

function sendHighWaterMark(options: ConnectOptions): number {
  const mark = highWaterMark(options);
  return options.security === undefined ? mark : Math.min(mark, highestMarkOfConnection);
}

function bothWays(options: SocketOptions) {
  return { sendHighWaterMark: highWaterMark(options), receiveHighWaterMark: highWaterMark(options) };
}

function receiver(raw: zmq.Socket & zmq.Readable): RawSocket {
  return { raw, receive: () => raw.receive() };
}

function sender(raw: zmq.Socket & zmq.Writable): RawSocket {
  // By its type zeromq might change the array; it doesn't.
  return { raw, send: (frames) => raw.send(frames as Buffer[]) };
}

function bothDirections(raw: zmq.Socket & zmq.Readable & zmq.Writable): RawSocket {
  return { ...receiver(raw), ...sender(raw) };
}

function publisher(raw: zmq.XPublisher, { security }: BindOptions): RawSocket {
  raw.verbosity = 'allSubsUnsubs';
  if (security === undefined) return bothDirections(raw);
  const counts = new SubscriptionCounts();
  const receive = async () => counts.saw(await raw.receive());
  return { ...sender(raw), receive, farewell: () => counts.ends() };
}

/** Takes the envelope off a question and puts it on its answer. What has none is nobody's question. */
function replying({ receive: receiveRaw }: Line) {
  let envelope: readonly Buffer[] = [];
  const receive = async (): Promise<Buffer[]> => {
    while (receiveRaw !== undefined) {
      const frames = await receiveRaw();
      const delimiter = frames.findIndex(({ length }) => length === 0);
      if (delimiter < 1) continue;
      envelope = frames.slice(0, delimiter + 1);
      return frames.slice(delimiter + 1);
    }
    throw new TypeError('a reply socket has to receive');
  };
  return { receive, addressed: (frames: Frames) => [...envelope, ...frames] };
}
