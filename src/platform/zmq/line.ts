import type * as zmq from 'zeromq';
import type { Frames } from '../sockets.ts';
import { endpointUnusable } from './endpoint.ts';
import { uninterrupted, untilUninterrupted } from './interrupted.ts';
import { closeAndWait } from './monitor.ts';

/** A socket of zeromq.js, and what its pattern can do. */
export interface RawSocket {
  readonly raw: zmq.Socket;
  /** Absent where the pattern only sends. */
  readonly receive?: () => Promise<Buffer[]>;
  /** Absent where the pattern only receives. */
  readonly send?: (frames: Frames) => Promise<void>;
  /** What is received in the name of its peers when it is put away. */
  readonly farewell?: () => Buffer[][];
}

/** What our sockets talk through: one zeromq socket, or one after the other. */
export interface Line {
  readonly endpoint: string;
  readonly receive?: () => Promise<Buffer[]>;
  readonly send?: (frames: Frames) => Promise<void>;
  close(lingerMs: number): Promise<void>;
}

export async function bindPlain(socket: RawSocket, endpoint: string): Promise<Line> {
  try {
    await untilUninterrupted(() => socket.raw.bind(endpoint));
  } catch (error) {
    socket.raw.close();
    throw endpointUnusable('bind', endpoint, error);
  }
  return plainLine(socket, socket.raw.lastEndpoint ?? endpoint, true);
}

export function connectPlain(socket: RawSocket, endpoint: string): Line {
  try {
    uninterrupted(() => socket.raw.connect(endpoint));
  } catch (error) {
    socket.raw.close();
    throw endpointUnusable('connect', endpoint, error);
  }
  return plainLine(socket, endpoint, false);
}

function plainLine({ raw, receive, send }: RawSocket, endpoint: string, isBound: boolean): Line {
  return {
    endpoint,
    ...(receive && { receive }),
    ...(send && { send }),
    async close(lingerMs) {
      raw.linger = lingerMs;
      // There is a port to give free, or something to hand over; else nothing is worth waiting for.
      if (isBound || lingerMs > 0) await closeAndWait(raw);
      else raw.close();
    },
  };
}
