import { expect } from 'chai';
import { batchSizes, longestRolloutMs } from '../../../src/core/rollout-batches.ts';

describe('the sizes of the batches', () => {
  for (const [nodes, canary, batch, sizes] of [
    [6, 0, 2, [2, 2, 2]],
    [5, 0, 2, [2, 2, 1]],
    [5, 1, 2, [1, 2, 2]],
    [5, 3, 9, [3, 2]],
    [2, 5, 1, [2]],
    [1, 0, 4, [1]],
    [0, 3, 2, []],
  ] as const) {
    it(`are ${sizes.join(', ') || 'none'} for ${nodes} nodes, a canary of ${canary} and batches of ${batch}`, () => {
      expect(batchSizes(nodes, canary, batch)).to.deep.equal(sizes);
    });
  }
});

describe('the longest time of a rollout', () => {
  it('is the windows of all batches and the pauses between them', () => {
    expect(longestRolloutMs(3, { windowMs: 60_000, pauseMs: 5_000 })).to.equal(190_000);
    expect(longestRolloutMs(1, { windowMs: 60_000, pauseMs: 5_000 })).to.equal(60_000);
    expect(longestRolloutMs(0, { windowMs: 60_000, pauseMs: 5_000 })).to.equal(0);
  });
});
