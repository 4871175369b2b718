import { expect } from 'chai';
import { rolloutStateOf, storedRolloutOf } from '../../../src/core/rollout-stored.ts';

const wallMs = 1_700_000_000_000;
const stop = { reason: 'canary', text: 'web1 of the canary is not ok' } as const;

describe('the state of a rollout as it is stored', () => {
  it('has the times of the wall', () => {
    const now = { ms: 1_000, wallMs };
    expect(storedRolloutOf({ batch: 1, endsAtMs: 61_000 }, now)).to.deep.include({
      endsWallMs: wallMs + 60_000,
    });
    expect(storedRolloutOf({ batch: 1, resumesAtMs: 900 }, now)).to.deep.include({
      resumesWallMs: wallMs - 100,
    });
  });

  for (const state of [
    { batch: 1, endsAtMs: 61_000, resumesAtMs: undefined, stop: undefined },
    { batch: 2, endsAtMs: undefined, resumesAtMs: 9_000, stop },
  ]) {
    it(`is plain JSON, and the same again in a later run of the manager, here in batch ${state.batch}`, () => {
      const stored = JSON.stringify(storedRolloutOf(state, { ms: 1_000, wallMs }));
      // 3 s later by the clock on the wall, and the other one begins anew.
      const again = rolloutStateOf(JSON.parse(stored), { ms: 500, wallMs: wallMs + 3_000 });
      const moved = (timeMs: number | undefined) => (timeMs === undefined ? undefined : timeMs - 3_500);
      const times = { endsAtMs: moved(state.endsAtMs), resumesAtMs: moved(state.resumesAtMs) };
      expect(again).to.deep.equal({ ...state, ...times });
    });
  }
});
