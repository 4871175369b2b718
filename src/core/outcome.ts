import { type ErrorCode, isErrorCode } from '../wire/errors.ts';
import { type Answer, isServiceAnswer } from '../wire/result.ts';

/** What can become of a request at one node. When the request is over, every aimed-at node stands in exactly one. */
export const outcomes = [
  'ok',
  'failed',
  /** The action said it went well, but the service is not what it should be. */
  'unverified',
  'refused',
  /** The request came after the time until which it is good. */
  'expired',
  /** The agent stopped while the action was running. */
  'interrupted',
  'cancelled',
  /** The window is over and the node still at work. */
  'running',
  'no-answer',
  /** Known, but not alive when asked. */
  'unreachable',
] as const;
export type Outcome = (typeof outcomes)[number];

// Trouble with any other code, or none as from 2014 agents, is a failure.
const outcomeOfCode: { readonly [Code in ErrorCode]?: Outcome } = {
  FRAME_COUNT: 'refused',
  FRAME_TOO_LARGE: 'refused',
  NOT_JSON: 'refused',
  INVALID_MESSAGE: 'refused',
  UNKNOWN_TYPE: 'refused',
  UNKNOWN_COMMAND: 'refused',
  BODY_MISMATCH: 'refused',
  ACTION_NOT_ALLOWED: 'refused',
  TOPIC_AMBIGUOUS: 'refused',
  TOO_BUSY: 'refused',
  SHUTTING_DOWN: 'refused',
  REFUSED: 'refused',
  REQUEST_EXPIRED: 'expired',
  INTERRUPTED: 'interrupted',
};

export function outcomeOfAnswer(answer: Answer): Outcome {
  if (isServiceAnswer(answer)) {
    const { timedOut, returncode } = answer.result;
    return timedOut !== true && returncode === 0 ? 'ok' : 'failed';
  }
  return (isErrorCode(answer.code) ? outcomeOfCode[answer.code] : undefined) ?? 'failed';
}
