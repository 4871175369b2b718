import { ServiceManagerError } from '../wire/errors.ts';
import { ManagementReply, ManagementRequest } from '../wire/management.ts';
import { Failure } from '../wire/reply.ts';
import type { Connections } from './connections.ts';

/**
 * Sends one command to the management socket of a daemon. Rejects with MANAGER_UNREACHABLE, REFUSED or INVALID_REPLY.
 */
export async function askManagement(
  endpoint: string,
  cmd: string,
  timeoutMs: number,
  connections: Connections,
): Promise<ManagementReply> {
  const reply = await connections.exchange(endpoint, ManagementRequest.encode({ cmd }), timeoutMs, undefined);
  if (reply === undefined) {
    throw new ServiceManagerError(
      'MANAGER_UNREACHABLE',
      `${endpoint} did not answer within ${timeoutMs / 1_000} s`,
    );
  }
  const refusal = Failure.tryDecode(reply);
  if (refusal !== undefined) throw new ServiceManagerError('REFUSED', `${endpoint} refused: ${refusal.msg}`);
  const answer = ManagementReply.tryDecode(reply);
  if (answer !== undefined) return answer;
  throw new ServiceManagerError('INVALID_REPLY', `${endpoint} sent no valid reply`);
}
