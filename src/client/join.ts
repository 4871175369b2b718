import type { Clock } from '../platform/clock.ts';
import type { Sockets } from '../platform/sockets.ts';
import { type JoinOrder, joinRequestOf } from '../security/join-request.ts';
import { curveBytes } from '../security/keys.ts';
import { JoinReply, JoinRequest } from '../wire/join.ts';
import { Connections } from './connections.ts';
import { askOnce } from './one-question.ts';

export interface JoinDeps {
  readonly sockets: Sockets;
  readonly clock: Clock;
}

/**
 * Asks the manager at this join endpoint to be let in, or to take new keys in the place of old ones. Rejects as
 * `askOnce` does.
 */
export async function join(
  endpoint: string,
  order: JoinOrder,
  timeoutMs: number,
  { sockets, clock }: JoinDeps,
): Promise<JoinReply> {
  const { publicKey, secretKey } = order.keys.curve;
  const own = { publicKey: curveBytes(publicKey), secretKey: curveBytes(secretKey) };
  const security = { kind: 'client', ...own, serverKeys: [curveBytes(order.manager)] } as const;
  await using connections = new Connections(sockets, clock, { securityOf: () => security });
  const frame = JoinRequest.encode(joinRequestOf(order));
  // The troubles of joining are looked up by their codes.
  const refusalText = (message: string, code: string): string => `${message} (${code})`;
  return await askOnce(endpoint, { frame, reply: JoinReply, timeoutMs, refusalText }, connections);
}
