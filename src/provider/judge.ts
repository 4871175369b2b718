import type { State } from '../wire/fields.ts';
import type { PidEvidence } from './main-pid.ts';
import type { StatusWords } from './status-words.ts';

/** What is known of a service when its script was asked for its status. */
export interface StatusEvidence {
  /** By the exit code alone. */
  readonly codeSays: State;
  readonly words: StatusWords;
  readonly pids: PidEvidence;
}

/**
 * The state of a service whose script may not be honest. The exit code of LSB 5.0 ("Init Script Actions") counts, until
 * something else clearly speaks against it:
 *
 * | code says       | words say            | main process         | state                  |
 * |-----------------|----------------------|----------------------|------------------------|
 * | running         | not running          | lives                | running                |
 * | running         | not running          | not known            | stopped                |
 * | running         |                      | named, does not live | failed                 |
 * | running         | nothing              | its pid file is left | failed                 |
 * | stopped, failed | running              | lives                | running                |
 * | stopped, failed | running              | not known            | unknown                |
 * | nothing         |                      | lives                | running                |
 * | nothing         | not running          | not known            | stopped                |
 * | nothing         | running              | not known            | unknown                |
 * | nothing         |                      | its pid file is left | failed                 |
 * | nothing         |                      | its pid file is gone | stopped                |
 * | else            |                      |                      | what the code says     |
 *
 * A code says nothing when the script shows its usage instead (it has no `status`), when it is none of LSB's, or when
 * the status was ended at its time limit. What a left or missing pid file means is LSB's, too ("Init Script Functions",
 * pidofproc), but only for a file that the script declares.
 */
export function judge({ codeSays, words, pids }: StatusEvidence): State {
  if (codeSays === 'not-found') return 'not-found';
  if (codeSays === 'unknown' || words === 'no-status') return withoutCode(words, pids);
  if (codeSays === 'running') return believedRunning(words, pids);
  if (words !== 'running') return codeSays;
  return pids.main === undefined ? 'unknown' : 'running';
}

function withoutCode(words: StatusWords, { main, declaredFile }: PidEvidence): State {
  if (main !== undefined) return 'running';
  if (words === 'not-running') return 'stopped';
  if (words === 'running' || declaredFile === undefined) return 'unknown';
  return declaredFile === 'stale' ? 'failed' : 'stopped';
}

function believedRunning(words: StatusWords, { main, isNamedOneGone, declaredFile }: PidEvidence): State {
  if (main !== undefined) return 'running';
  if (words === 'not-running') return 'stopped';
  const isLeft = words === undefined && declaredFile === 'stale';
  return isNamedOneGone || isLeft ? 'failed' : 'running';
}
