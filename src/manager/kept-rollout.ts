import type { RolloutPlan, RolloutProgress, RolloutState } from '../core/rollout.ts';
import { rolloutStateOf, type StoredRollout, storedRolloutOf } from '../core/rollout-stored.ts';
import type { Now } from '../core/roster.ts';
import type { RolloutInfo } from '../wire/query.ts';

// What is kept of a rollout in the store is two lines of JSON: how far it is, for us and for people, which is short, and
// what it is to do, which names every node. The first is read without the second, and the second is written once.

interface KeptProgress {
  readonly state: StoredRollout;
  readonly info: RolloutInfo;
}

/** The second line. */
export function keptPlan(plan: RolloutPlan): string {
  return JSON.stringify(plan);
}

/** Both lines; `plan` is what `keptPlan` wrote. */
export function keptRollout(plan: string, state: RolloutState, progress: RolloutProgress, now: Now): string {
  const kept: KeptProgress = { state: storedRolloutOf(state, now), info: rolloutInfoOf(progress, now) };
  return `${JSON.stringify(kept)}\n${plan}`;
}

/** What `keptRollout` wrote. */
export function readKeptRollout(text: string, now: Now): { plan: RolloutPlan; state: RolloutState } {
  const plan = JSON.parse(text.slice(endOfFirstLine(text))) as RolloutPlan;
  return { plan, state: rolloutStateOf(progressIn(text).state, now) };
}

/** How far it was when it was written. */
export function keptInfoOf(text: string): RolloutInfo {
  return progressIn(text).info;
}

function progressIn(text: string): KeptProgress {
  return JSON.parse(text.slice(0, endOfFirstLine(text))) as KeptProgress;
}

function endOfFirstLine(text: string): number {
  return text.indexOf('\n');
}

export function rolloutInfoOf(progress: RolloutProgress, now: Now): RolloutInfo {
  const { batch, batches, started, isPausing, untilMs, stop } = progress;
  const pauseUntilMs = isPausing && untilMs !== undefined ? now.wallMs + (untilMs - now.ms) : undefined;
  return {
    ...{ batch, batches, started },
    ...(pauseUntilMs === undefined ? {} : { pauseUntilMs: Math.round(pauseUntilMs) }),
    ...(stop === undefined ? {} : { stopped: stop.text }),
  };
}
