import type { ActionName, ServiceName, State } from '../wire/fields.ts';
import type { MemberResult } from '../wire/result.ts';

/** LSB 5.0, "Init Script Actions": of an action that failed for no reason of its own, and of a status not known. */
const notDoneCode = 1;
export const notKnownCode = 4;

export function isOk({ outcome }: MemberResult): boolean {
  return outcome === 'ok';
}

/** Of a member that did not have its turn. */
export function untried(service: ServiceName, action: ActionName): MemberResult {
  return without(service, action, { outcome: 'cancelled', returncode: notDoneCode, state: 'unknown' });
}

/** Of a member that is to be started, and runs. */
export function running(service: ServiceName, action: ActionName): MemberResult {
  return without(service, action, { outcome: 'ok', returncode: 0, state: 'running' });
}

/** Of a member that is to be restarted only if it runs. */
export function notRunning(service: ServiceName, action: ActionName, state: State): MemberResult {
  const isKnown = state === 'stopped' || state === 'failed';
  return isKnown
    ? without(service, action, { outcome: 'ok', returncode: 0, state })
    : without(service, action, { outcome: 'failed', returncode: notKnownCode, state });
}

/** A stop and the start after it as one thing. Without a stop the member was not touched. */
export function restarted(
  service: ServiceName,
  action: ActionName,
  stop: MemberResult | undefined,
  start: MemberResult | undefined,
): MemberResult {
  if (stop === undefined) return untried(service, action);
  if (start === undefined || start.outcome === 'cancelled') return notStartedAgain(stop, action);
  const { outcome, returncode, verification } = isOk(stop) ? start : stop;
  return {
    ...stop,
    ...start,
    ...{ action, outcome, returncode },
    ...(verification === undefined ? {} : { verification }),
    stdout: stop.stdout + start.stdout,
    stderr: stop.stderr + start.stderr,
    durationMs: stop.durationMs + start.durationMs,
  };
}

function notStartedAgain(stop: MemberResult, action: ActionName): MemberResult {
  if (!isOk(stop)) return { ...stop, action };
  const stderr = `${stop.stderr}[service-mgr: it was stopped, and not started again]\n`;
  return { ...stop, action, outcome: 'failed', returncode: notDoneCode, stderr };
}

function without(
  service: ServiceName,
  action: ActionName,
  said: Pick<MemberResult, 'outcome' | 'returncode' | 'state'>,
): MemberResult {
  return { service, action, ...said, stdout: '', stderr: '', durationMs: 0 };
}
