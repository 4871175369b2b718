import type { Closing } from '../platform/closing.ts';
import type { Socket, SocketOptions, Sockets } from '../platform/sockets.ts';
import type { Store } from '../store/store.ts';
import { isServiceManagerError } from '../wire/errors.ts';
import { maxResultBytes } from '../wire/result.ts';

export interface ManagerEndpoints {
  readonly frontendEndpoint: string;
  readonly backendEndpoint: string;
  readonly sinkEndpoint: string;
  readonly mgmtEndpoint: string;
  readonly publisherEndpoint: string;
}

export interface BoundSockets {
  readonly frontend: Socket;
  readonly backend: Socket;
  readonly publisher: Socket;
  readonly sink: Socket;
  readonly management: Socket;
}

// What is larger cuts the peer's connection; what is larger than its message may be, but not so large, gets an answer.
const maxSmallMessageBytes = 2 * 1024 * 1024;
const lingerMs = 1_000;

/** Binds the five sockets. Rejects with ENDPOINT_UNUSABLE. */
export async function bindSockets(
  sockets: Sockets,
  endpoints: ManagerEndpoints,
  store: Store,
  closing: Closing,
): Promise<BoundSockets> {
  const small = { lingerMs, maxMessageBytes: maxSmallMessageBytes };
  return {
    // Closed in reverse order: the frontend stops taking first, the publisher hands over last.
    publisher: closing.add(await bindPublisher(sockets, endpoints.publisherEndpoint, store, small)),
    backend: closing.add(await sockets.bindPublisher(endpoints.backendEndpoint, small)),
    sink: closing.add(
      await sockets.bindPull(endpoints.sinkEndpoint, { lingerMs, maxMessageBytes: 4 * maxResultBytes }),
    ),
    management: closing.add(await sockets.bindReply(endpoints.mgmtEndpoint, small)),
    frontend: closing.add(await sockets.bindRouter(endpoints.frontendEndpoint, small)),
  };
}

const lastPublisher = 'publisher endpoint';

/**
 * Clients that wait for answers connect again by themselves, but to the port that they know: a port that was picked
 * freely is picked again after a restart, if it still is free.
 */
async function bindPublisher(
  sockets: Sockets,
  endpoint: string,
  store: Store,
  options: SocketOptions,
): Promise<Socket> {
  if (!endpoint.endsWith(':*')) return sockets.bindPublisher(endpoint, options);
  const last = store.getSetting(lastPublisher);
  const socket =
    (last === undefined ? undefined : await sockets.bindPublisher(last, options).catch(ignoreUnusable)) ??
    (await sockets.bindPublisher(endpoint, options));
  const port = socket.endpoint.slice(socket.endpoint.lastIndexOf(':') + 1);
  store.setSetting(lastPublisher, endpoint.replace(/\*$/, port));
  return socket;
}

function ignoreUnusable(error: unknown): undefined {
  if (!isServiceManagerError(error)) throw error;
  return undefined;
}
