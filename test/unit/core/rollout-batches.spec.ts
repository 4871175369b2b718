import { expect } from 'chai';
import { batchSizes } from '../../../src/core/rollout-batches.ts';

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
