import { expect } from 'chai';
import { type Reject, Rejects } from '../../../src/core/rejects.ts';

const minute = 60_000;
const reject: Reject = { door: 'frontend', peer: '00ab', code: 'NOT_JSON', reason: 'expected JSON' };

describe('what is turned away', () => {
  it('is counted, every time', () => {
    const rejects = new Rejects();
    for (let time = 0; time < 5; time += 1) rejects.add(reject, time);
    expect(rejects.count).to.equal(5);
  });

  it('is worth one line of the log, which says all about it', () => {
    expect(new Rejects().add(reject, 0)).to.deep.equal({ ...reject, heldBack: 0 });
  });

  it('is worth no second line within a minute', () => {
    const rejects = new Rejects();
    rejects.add(reject, 0);
    expect(rejects.add({ ...reject, reason: 'another text' }, minute - 1)).to.equal(undefined);
  });

  it('is worth another line after a minute, which says how many were held back', () => {
    const rejects = new Rejects();
    for (const now of [0, 1, 2]) rejects.add(reject, now);
    expect(rejects.add(reject, minute)).to.deep.equal({ ...reject, heldBack: 2 });
  });

  for (const other of [{ door: 'sink' }, { peer: '00ac' }, { code: 'FRAME_COUNT' }] as const) {
    it(`is worth a line of its own with ${JSON.stringify(other)}`, () => {
      const rejects = new Rejects();
      rejects.add(reject, 0);
      expect(rejects.add({ ...reject, ...other }, 1)).to.deep.equal({ ...reject, ...other, heldBack: 0 });
    });
  }

  it('by a flood of peers keeps memory bounded: the first is forgotten after ten thousand others', () => {
    const rejects = new Rejects();
    rejects.add(reject, 0);
    for (let peer = 0; peer < 9_999; peer += 1) rejects.add({ ...reject, peer: `x${peer}` }, 0);
    expect(rejects.add(reject, 1)).to.equal(undefined);
    rejects.add({ ...reject, peer: 'one more' }, 1);
    expect(rejects.add(reject, 1)).to.not.equal(undefined);
    expect(rejects.count).to.equal(10_003);
  });
});
