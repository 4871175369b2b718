import { expect } from 'chai';
import { Progress } from '../../../src/core/progress.ts';

describe('Progress', () => {
  it('is made when something ticked since it was last asked for', () => {
    const progress = new Progress();
    expect(progress.take()).to.equal(false);
    progress.ticked();
    progress.ticked();
    expect([progress.take(), progress.take()]).to.deep.equal([true, false]);
  });

  it('is never made again once a socket is not served any more', () => {
    const progress = new Progress();
    progress.stoppedServing();
    progress.ticked();
    expect(progress.take()).to.equal(false);
  });
});
