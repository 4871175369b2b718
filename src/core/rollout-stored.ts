import type { RolloutState, RolloutStop } from './rollout.ts';
import type { Now } from './roster.ts';

/** A `RolloutState` as it is stored, plain JSON: times are milliseconds since 1970. */
export interface StoredRollout {
  readonly batch: number;
  readonly endsWallMs?: number | undefined;
  readonly resumesWallMs?: number | undefined;
  readonly stop?: RolloutStop | undefined;
}

export function storedRolloutOf(state: RolloutState, now: Now): StoredRollout {
  const { batch, endsAtMs, resumesAtMs, stop } = state;
  const sinceMs = now.wallMs - now.ms;
  return { batch, endsWallMs: moved(endsAtMs, sinceMs), resumesWallMs: moved(resumesAtMs, sinceMs), stop };
}

export function rolloutStateOf(stored: StoredRollout, now: Now): RolloutState {
  const { batch, endsWallMs, resumesWallMs, stop } = stored;
  const sinceMs = now.ms - now.wallMs;
  return { batch, endsAtMs: moved(endsWallMs, sinceMs), resumesAtMs: moved(resumesWallMs, sinceMs), stop };
}

function moved(timeMs: number | undefined, byMs: number): number | undefined {
  return timeMs === undefined ? undefined : timeMs + byMs;
}
