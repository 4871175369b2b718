import type { Closing } from '../platform/closing.ts';
import type { ServerSecurity } from '../platform/socket-security.ts';
import type { BindOptions, BoundSocket, Sockets } from '../platform/sockets.ts';
import type { Store } from '../store/store.ts';
import { isServiceManagerError } from '../wire/errors.ts';
import { maxResultBytes } from '../wire/result.ts';
import type { Door } from './doors.ts';

export interface ManagerEndpoints {
  readonly frontendEndpoint: string;
  readonly backendEndpoint: string;
  readonly sinkEndpoint: string;
  readonly mgmtEndpoint: string;
  readonly publisherEndpoint: string;
}

export interface BoundSockets {
  readonly frontend: BoundSocket;
  readonly backend: BoundSocket;
  readonly publisher: BoundSocket;
  readonly sink: BoundSocket;
  readonly management: BoundSocket;
  /** Where strangers ask to be let in, if they may. */
  readonly join: BoundSocket | undefined;
}

export interface BindDeps {
  readonly sockets: Sockets;
  readonly store: Store;
  /** Undefined: everybody who reaches an endpoint is a peer. */
  readonly securityOf: ((door: Door) => ServerSecurity) | undefined;
  readonly joinEndpoint: string | undefined;
}

// What is larger cuts the peer's connection; what is larger than its message may be, but not so large, gets an answer.
const maxSmallMessageBytes = 2 * 1024 * 1024;
const maxSinkBytes = 4 * maxResultBytes;
/** From strangers. */
const maxJoinBytes = 64 * 1024;
/** From who has nothing to say but a topic, whose every byte costs libzmq some thirty. */
const maxSubscriptionBytes = 2 * 1024;
const lingerMs = 1_000;

/** Binds the sockets. Rejects with ENDPOINT_UNUSABLE. */
export async function bindSockets(
  endpoints: ManagerEndpoints,
  { sockets, store, securityOf, joinEndpoint }: BindDeps,
  closing: Closing,
): Promise<BoundSockets> {
  const options = (door: Door, maxMessageBytes: number): BindOptions => ({
    ...{ lingerMs, maxMessageBytes },
    ...(securityOf === undefined ? {} : { security: securityOf(door) }),
  });
  const forPublisher = options('publisher', maxSubscriptionBytes);
  const { backendEndpoint, sinkEndpoint, mgmtEndpoint, frontendEndpoint } = endpoints;
  return {
    // Closed in reverse order: the frontend stops taking first, the publisher hands over last.
    publisher: closing.add(await bindPublisher(sockets, endpoints.publisherEndpoint, store, forPublisher)),
    backend: closing.add(
      await sockets.bindPublisher(backendEndpoint, options('backend', maxSubscriptionBytes)),
    ),
    sink: closing.add(await sockets.bindPull(sinkEndpoint, options('sink', maxSinkBytes))),
    management: closing.add(
      await sockets.bindReply(mgmtEndpoint, options('management', maxSmallMessageBytes)),
    ),
    join:
      joinEndpoint === undefined
        ? undefined
        : closing.add(await sockets.bindReply(joinEndpoint, options('join', maxJoinBytes))),
    frontend: closing.add(
      await sockets.bindRouter(frontendEndpoint, options('frontend', maxSmallMessageBytes)),
    ),
  };
}

/** By the names of their doors. */
export function socketsOfDoors(bound: BoundSockets): ReadonlyMap<Door, BoundSocket> {
  const named = Object.entries(bound) as [Door, BoundSocket | undefined][];
  return new Map(named.flatMap(([door, socket]) => (socket === undefined ? [] : [[door, socket]])));
}

/** The port of an endpoint that is bound; 0 where it is none of TCP. */
export function portOf({ endpoint }: Pick<BoundSocket, 'endpoint'>): number {
  return endpoint.startsWith('tcp:') ? Number(endpoint.slice(endpoint.lastIndexOf(':') + 1)) : 0;
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
  options: BindOptions,
): Promise<BoundSocket> {
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
