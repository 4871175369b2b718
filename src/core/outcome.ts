import { type ErrorCode, isErrorCode } from '../wire/errors.ts';
import type { Outcome } from '../wire/outcome.ts';
import { type ActionResult, type Answer, isServiceAnswer } from '../wire/result.ts';

export { type Outcome, outcomes } from '../wire/outcome.ts';

// Trouble with any other code, or none as from 2014 agents, is a failure.
const outcomeOfCode: { readonly [Code in ErrorCode]?: Outcome } = {
  FRAME_COUNT: 'refused',
  FRAME_TOO_LARGE: 'refused',
  NOT_JSON: 'refused',
  INVALID_MESSAGE: 'refused',
  UNKNOWN_TYPE: 'refused',
  UNKNOWN_COMMAND: 'refused',
  BODY_MISMATCH: 'refused',
  UNAUTHENTICATED: 'refused',
  NOT_PERMITTED: 'refused',
  POLICY_DENIED: 'refused',
  NOT_MEANT: 'refused',
  REPLAYED: 'refused',
  ACTION_NOT_ALLOWED: 'refused',
  TOPIC_AMBIGUOUS: 'refused',
  TOO_BUSY: 'refused',
  SHUTTING_DOWN: 'refused',
  NAME_CONFLICT: 'refused',
  JOURNAL_UNAVAILABLE: 'refused',
  STORE_UNUSABLE: 'refused',
  CANCELLED: 'cancelled',
  REFUSED: 'refused',
  REQUEST_EXPIRED: 'expired',
  INTERRUPTED: 'interrupted',
};

export function outcomeOfAnswer(answer: Answer): Outcome {
  if (isServiceAnswer(answer)) return outcomeOfResult(answer.result);
  return (isErrorCode(answer.code) ? outcomeOfCode[answer.code] : undefined) ?? 'failed';
}

/** Of an action that was carried out. */
export function outcomeOfResult(
  result: Pick<ActionResult, 'returncode' | 'timedOut' | 'verification' | 'health'>,
): Outcome {
  const { timedOut, returncode, verification, health } = result;
  if (timedOut === true || returncode !== 0) return 'failed';
  return verification?.isVerified === false || health?.isHealthy === false ? 'unverified' : 'ok';
}
