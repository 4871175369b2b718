import type { Clock } from '../platform/clock.ts';
import { handshakeFailures } from '../platform/socket-security.ts';
import type { Sockets } from '../platform/sockets.ts';
import { type JoinOrder, joinRequestOf } from '../security/join-request.ts';
import { curveBytes } from '../security/keys.ts';
import { isErrorCode, ServiceManagerError } from '../wire/errors.ts';
import { JoinReply, JoinRequest } from '../wire/join.ts';
import { Failure } from '../wire/reply.ts';
import { Connections } from './connections.ts';

export interface JoinDeps {
  readonly sockets: Sockets;
  readonly clock: Clock;
}

/**
 * Asks the manager at this join endpoint to be let in, or to take new keys in the place of old ones. Rejects with the code
 * of its refusal, MANAGER_UNREACHABLE or INVALID_REPLY.
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
  const reply = await connections.exchange(endpoint, frame, timeoutMs, undefined);
  if (reply === undefined) {
    const failure = connections.failureOf(endpoint);
    const why =
      failure === undefined
        ? ` did not answer within ${timeoutMs / 1_000} s`
        : `: ${handshakeFailures[failure]}`;
    throw new ServiceManagerError('MANAGER_UNREACHABLE', endpoint + why);
  }
  const refusal = Failure.tryDecode(reply);
  if (refusal !== undefined) {
    const code = isErrorCode(refusal.code) ? refusal.code : 'REFUSED';
    throw new ServiceManagerError(code, `${endpoint} refused: ${refusal.msg} (${code})`);
  }
  const accepted = JoinReply.tryDecode(reply);
  if (accepted !== undefined) return accepted;
  throw new ServiceManagerError('INVALID_REPLY', `${endpoint} sent no valid reply`);
}
