import type * as zmq from 'zeromq';
import type { Admission } from '../admission.ts';
import type { ServerSecurity } from '../socket-security.ts';
import type { Frames } from '../sockets.ts';
import type { Authenticator } from './authenticator.ts';
import { ConnectionCount } from './connection-count.ts';
import { checkSecurity, secureServer } from './curve.ts';
import { endpointUnusable } from './endpoint.ts';
import { untilUninterrupted } from './interrupted.ts';
import type { Line, RawSocket } from './line.ts';
import { watch } from './monitor.ts';
import { Replaceable } from './replaceable.ts';

export interface CurveBindingParts {
  readonly open: () => RawSocket;
  readonly endpoint: string;
  readonly lingerMs: number;
  /** Messages that may be taken over from a socket whose key is changed. */
  readonly highWaterMark: number;
  readonly admission: Admission;
  readonly authenticator: Authenticator;
}

interface Bound {
  readonly socket: RawSocket;
  readonly endpoint: string;
  /** The port is free again. */
  readonly unbound: Promise<void>;
  readonly ended: Promise<void>;
}

/** A bound socket that speaks CURVE, and can change its key. */
export class CurveBinding implements Line {
  readonly receive?: () => Promise<Buffer[]>;
  readonly send?: (frames: Frames) => Promise<void>;
  readonly #parts: CurveBindingParts;
  readonly #place = new Replaceable();
  #bound: Bound;
  #isLost = false;
  #isClosed = false;
  #turn: Promise<void> = Promise.resolve();

  /** Rejects with ENDPOINT_UNUSABLE. */
  static async bind(parts: CurveBindingParts, security: ServerSecurity): Promise<CurveBinding> {
    check(parts.endpoint, security);
    try {
      // First of all: libzmq admits everybody as long as nobody decides.
      await parts.authenticator.acquire();
      return new CurveBinding(parts, await bind(parts, parts.endpoint, security));
    } catch (error) {
      await parts.authenticator.release();
      throw error;
    }
  }

  private constructor(parts: CurveBindingParts, bound: Bound) {
    this.#parts = parts;
    this.#bound = bound;
    if (bound.socket.receive !== undefined) this.receive = this.#place.receive;
    if (bound.socket.send !== undefined) this.send = this.#place.send;
    this.#use(bound);
  }

  get endpoint(): string {
    return this.#bound.endpoint;
  }

  /** False when its address was lost while the key was changed. */
  get isBound(): boolean {
    return !this.#isLost;
  }

  /** Rejects with ENDPOINT_UNUSABLE; when somebody else took the address meanwhile, nothing is bound any more. */
  rekey(security: ServerSecurity): Promise<void> {
    const done = this.#turn.then(() => this.#rekey(security));
    this.#turn = done.catch(() => {});
    return done;
  }

  async close(lingerMs: number): Promise<void> {
    this.#isClosed = true;
    this.#place.end();
    await this.#turn;
    await end(this.#bound, lingerMs);
    await this.#parts.authenticator.release();
  }

  async #rekey(security: ServerSecurity): Promise<void> {
    if (this.#isClosed) return;
    const old = this.#bound;
    const { endpoint, unbound, socket } = old;
    check(endpoint, security);
    this.#isLost = true;
    this.#place.hold();
    // This ends the connections, too.
    socket.raw.linger = this.#parts.lingerMs;
    await untilUninterrupted(() => socket.raw.unbind(endpoint));
    await unbound;
    const next = await bind(this.#parts, endpoint, security);
    this.#isLost = false;
    await this.#place.remove(this.#parts.highWaterMark);
    this.#bound = next;
    this.#use(next);
    await end(old, this.#parts.lingerMs);
  }

  #use({ socket }: Bound): void {
    this.#place.put(socket);
    this.#place.setOpen(true);
  }
}

function check(endpoint: string, security: ServerSecurity): void {
  try {
    checkSecurity(security);
    // Within one process libzmq encrypts nothing and asks nobody.
    if (endpoint.startsWith('inproc:')) throw new RangeError('inproc knows no security');
  } catch (error) {
    throw endpointUnusable('bind', endpoint, error);
  }
}

async function bind(
  { open, admission }: CurveBindingParts,
  endpoint: string,
  security: ServerSecurity,
): Promise<Bound> {
  const socket = open();
  const count = new ConnectionCount(security.domain, admission);
  const { unbound, ended } = observe(socket.raw, count);
  try {
    secureServer(socket.raw, security);
    await untilUninterrupted(() => socket.raw.bind(endpoint));
  } catch (error) {
    socket.raw.close();
    throw endpointUnusable('bind', endpoint, error);
  }
  return { socket, endpoint: socket.raw.lastEndpoint ?? endpoint, unbound, ended };
}

function observe(raw: zmq.Socket, count: ConnectionCount) {
  let onUnbound = () => {};
  const unbound = new Promise<void>((resolve) => {
    onUnbound = resolve;
  });
  const ended = watch(raw, (event) => {
    if (event.type === 'close') onUnbound();
    else count.saw(event);
  }).finally(() => {
    onUnbound();
    count.ended();
  });
  return { unbound, ended };
}

async function end({ socket, ended }: Bound, lingerMs: number): Promise<void> {
  socket.raw.linger = lingerMs;
  socket.raw.close();
  await ended;
}
