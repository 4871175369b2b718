import type * as zmq from 'zeromq';
import { type Clock, sleep } from '../clock.ts';
import type { ClientSecurity, HandshakeFailure } from '../socket-security.ts';
import type { Frames } from '../sockets.ts';
import { checkSecurity, isSamePair, secureClient } from './curve.ts';
import { endpointUnusable } from './endpoint.ts';
import { uninterrupted } from './interrupted.ts';
import type { Line, RawSocket } from './line.ts';
import { watch } from './monitor.ts';
import { Replaceable } from './replaceable.ts';

export interface CurveConnectionParts {
  readonly open: () => RawSocket;
  readonly endpoint: string;
  readonly lingerMs: number;
  /** Messages that may be taken over from a connection that is given up. */
  readonly highWaterMark: number;
  readonly clock: Clock;
  readonly onHandshakeFailed?: ((failure: HandshakeFailure) => void) | undefined;
  readonly onHandshakeDone?: ((serverKey: Buffer) => void) | undefined;
}

interface Connected {
  readonly socket: RawSocket;
  readonly ended: Promise<void>;
}

const shortestPauseMs = 100;
const longestPauseMs = 5_000;

/**
 * A connecting socket that speaks CURVE. After a handshake that failed it begins anew, with the next key of the server if
 * it knows several: libzmq by itself either gives up for good or tries the same ten times a second. What is to be sent
 * waits until the server has proved who it is, so that nothing is lost with a connection that never was one.
 */
export class CurveConnection implements Line {
  readonly endpoint: string;
  readonly receive?: () => Promise<Buffer[]>;
  readonly send?: (frames: Frames) => Promise<void>;
  readonly #parts: CurveConnectionParts;
  readonly #place = new Replaceable();
  #security: ClientSecurity;
  #keyIndex = 0;
  #failures = 0;
  #connected: Connected | undefined;
  #pause = new AbortController();
  #isClosed = false;

  /** Throws ENDPOINT_UNUSABLE. */
  constructor(parts: CurveConnectionParts, security: ClientSecurity) {
    this.#parts = parts;
    this.endpoint = parts.endpoint;
    this.#security = checked(parts.endpoint, security);
    const { socket } = this.#connect();
    if (socket.receive !== undefined) this.receive = this.#place.receive;
    if (socket.send !== undefined) this.send = this.#place.send;
  }

  rekey(security: ClientSecurity): void {
    const old = this.#security;
    const key = this.#serverKey;
    this.#security = checked(this.endpoint, security);
    const index = security.serverKeys.findIndex((known) => key.equals(known));
    this.#keyIndex = Math.max(0, index);
    if (index >= 0 && isSamePair(old, security)) return;
    this.#failures = 0;
    if (this.#connected === undefined) this.#pause.abort();
    else this.#beginAnew(this.#connected, 0, this.#parts.lingerMs);
  }

  async close(lingerMs: number): Promise<void> {
    this.#isClosed = true;
    this.#pause.abort();
    this.#place.end();
    const connected = this.#connected;
    if (connected === undefined) return;
    connected.socket.raw.linger = lingerMs;
    connected.socket.raw.close();
    if (lingerMs > 0) await connected.ended;
  }

  get #serverKey(): Buffer {
    const { serverKeys } = this.#security;
    return serverKeys[this.#keyIndex % serverKeys.length] ?? Buffer.alloc(0);
  }

  #connect(): Connected {
    const socket = this.#parts.open();
    try {
      secureClient(socket.raw, this.#security, this.#serverKey);
      const ended = watch(socket.raw, (event) => this.#saw(socket, event));
      uninterrupted(() => socket.raw.connect(this.endpoint));
      const connected = { socket, ended };
      this.#connected = connected;
      this.#place.put(socket);
      return connected;
    } catch (error) {
      socket.raw.close();
      throw endpointUnusable('connect', this.endpoint, error);
    }
  }

  #saw(socket: RawSocket, event: zmq.Event): void {
    const connected = this.#connected;
    if (connected?.socket !== socket || this.#isClosed) return;
    if (event.type === 'handshake') this.#done();
    else if (event.type === 'disconnect') this.#place.setOpen(false);
    else if (event.type.startsWith('handshake:error:')) this.#failed(connected, handshakeFailure(event));
  }

  #done(): void {
    this.#failures = 0;
    this.#place.setOpen(true);
    this.#parts.onHandshakeDone?.(this.#serverKey);
  }

  #failed(connected: Connected, failure: HandshakeFailure): void {
    // A server that refuses has shown that it has this key.
    if (failure !== 'refused') this.#keyIndex += 1;
    this.#failures += 1;
    this.#beginAnew(connected, this.#pauseMs(failure), 0);
    this.#parts.onHandshakeFailed?.(failure);
  }

  /** None before a key that was not tried in this round. */
  #pauseMs(failure: HandshakeFailure): number {
    const { length } = this.#security.serverKeys;
    if (failure !== 'refused' && this.#failures % length !== 0) return 0;
    const doublings = Math.min(10, Math.ceil(this.#failures / length) - 1);
    const pauseMs = Math.min(longestPauseMs, shortestPauseMs * 2 ** doublings);
    // Not all the agents of a fleet in the same moment.
    return pauseMs * (0.5 + Math.random() / 2);
  }

  async #beginAnew({ socket }: Connected, pauseMs: number, lingerMs: number): Promise<void> {
    this.#connected = undefined;
    this.#pause = new AbortController();
    const { signal } = this.#pause;
    await this.#place.remove(this.#parts.highWaterMark);
    socket.raw.linger = lingerMs;
    socket.raw.close();
    await sleep(this.#parts.clock, pauseMs, signal);
    if (!this.#isClosed) this.#connect();
  }
}

function checked(endpoint: string, security: ClientSecurity): ClientSecurity {
  try {
    checkSecurity(security);
  } catch (error) {
    throw endpointUnusable('connect', endpoint, error);
  }
  return security;
}

function handshakeFailure(event: zmq.Event): HandshakeFailure {
  if (event.type === 'handshake:error:auth') return 'refused';
  if (event.type !== 'handshake:error:protocol') return 'cut off';
  return event.error.code === 'ERR_ZMTP_MECHANISM_MISMATCH' ? 'mechanism' : 'protocol';
}
