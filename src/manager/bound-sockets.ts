import type { Closing } from '../platform/closing.ts';
import type { Socket, Sockets } from '../platform/sockets.ts';
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
const maxSmallMessageBytes = 1024 * 1024;
const lingerMs = 1_000;

/** Binds the five sockets. Rejects with ENDPOINT_UNUSABLE. */
export async function bindSockets(
  sockets: Sockets,
  endpoints: ManagerEndpoints,
  closing: Closing,
): Promise<BoundSockets> {
  const small = { lingerMs, maxMessageBytes: maxSmallMessageBytes };
  return {
    // Closed in reverse order: the frontend stops taking first, the publisher hands over last.
    publisher: closing.add(await sockets.bindPublisher(endpoints.publisherEndpoint, small)),
    backend: closing.add(await sockets.bindPublisher(endpoints.backendEndpoint, small)),
    sink: closing.add(
      await sockets.bindPull(endpoints.sinkEndpoint, { lingerMs, maxMessageBytes: 4 * maxResultBytes }),
    ),
    management: closing.add(await sockets.bindReply(endpoints.mgmtEndpoint, small)),
    frontend: closing.add(await sockets.bindRouter(endpoints.frontendEndpoint, small)),
  };
}
