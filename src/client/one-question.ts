import { handshakeFailures } from '../platform/socket-security.ts';
import { type ErrorCode, isErrorCode, ServiceManagerError } from '../wire/errors.ts';
import { Failure } from '../wire/reply.ts';
import type { Connections } from './connections.ts';

interface Decoder<Reply> {
  tryDecode(frame: Uint8Array): Reply | undefined;
}

export interface OneQuestion<Reply> {
  readonly frame: Buffer;
  readonly reply: Decoder<Reply>;
  readonly timeoutMs: number;
  /** What is said of a refusal. */
  readonly refusalText: (message: string, code: ErrorCode) => string;
}

/**
 * Asks this endpoint once, and no other one. Rejects with MANAGER_UNREACHABLE, the code of the refusal (REFUSED where it
 * gives none) or INVALID_REPLY.
 */
export async function askOnce<Reply>(
  endpoint: string,
  { frame, reply, timeoutMs, refusalText }: OneQuestion<Reply>,
  connections: Connections,
): Promise<Reply> {
  const answer = await connections.exchange(endpoint, frame, timeoutMs, undefined);
  if (answer === undefined) {
    const failure = connections.failureOf(endpoint);
    const silence = ` did not answer within ${timeoutMs / 1_000} s`;
    const why = failure === undefined ? silence : `: ${handshakeFailures[failure]}`;
    throw new ServiceManagerError('MANAGER_UNREACHABLE', endpoint + why);
  }
  const refusal = Failure.tryDecode(answer);
  if (refusal !== undefined) {
    const code = isErrorCode(refusal.code) ? refusal.code : 'REFUSED';
    throw new ServiceManagerError(code, `${endpoint} refused: ${refusalText(refusal.msg, code)}`);
  }
  const good = reply.tryDecode(answer);
  if (good !== undefined) return good;
  throw new ServiceManagerError('INVALID_REPLY', `${endpoint} sent no valid reply`);
}
