import type { RolloutPlan, RolloutProgress, RolloutState } from '../core/rollout.ts';
import { rolloutStateOf, type StoredRollout, storedRolloutOf } from '../core/rollout-stored.ts';
import type { Now } from '../core/roster.ts';
import type { RolloutInfo } from '../wire/query.ts';

/** What is kept of a rollout in the store, as JSON: what it is to do, and how far it is, for us and for people. */
interface KeptRollout {
  readonly plan: RolloutPlan;
  readonly state: StoredRollout;
  readonly info: RolloutInfo;
}

export function keptRollout(
  plan: RolloutPlan,
  state: RolloutState,
  progress: RolloutProgress,
  now: Now,
): string {
  const kept: KeptRollout = {
    plan,
    state: storedRolloutOf(state, now),
    info: rolloutInfoOf(progress, now),
  };
  return JSON.stringify(kept);
}

/** What `keptRollout` wrote. */
export function readKeptRollout(text: string, now: Now) {
  const { plan, state, info } = JSON.parse(text) as KeptRollout;
  return { plan, state: rolloutStateOf(state, now), info };
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
