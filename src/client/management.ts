import { handshakeFailures } from '../platform/socket-security.ts';
import { isErrorCode, ServiceManagerError } from '../wire/errors.ts';
import { ManagementReply, ManagementRequest } from '../wire/management.ts';
import { Failure } from '../wire/reply.ts';
import type { Connections } from './connections.ts';

export interface ManagementCommand {
  /** `manager.status` */
  readonly cmd: string;
  /** A message of wire/admin.ts. */
  readonly args?: unknown;
}

/**
 * Sends one command to the management socket of a daemon. Rejects with MANAGER_UNREACHABLE, the code of the daemon's
 * refusal (REFUSED where it gives none) or INVALID_REPLY.
 */
export async function askManagement(
  endpoint: string,
  command: ManagementCommand,
  timeoutMs: number,
  connections: Connections,
): Promise<ManagementReply> {
  const frame = ManagementRequest.encode(command);
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
    throw new ServiceManagerError(code, `${endpoint} refused: ${refusal.msg}`);
  }
  const answer = ManagementReply.tryDecode(reply);
  if (answer !== undefined) return answer;
  throw new ServiceManagerError('INVALID_REPLY', `${endpoint} sent no valid reply`);
}
