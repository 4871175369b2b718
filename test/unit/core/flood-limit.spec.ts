import { expect } from 'chai';
import { FloodLimit } from '../../../src/core/flood-limit.ts';

describe('a limit of floods', () => {
  it('lets 500 through at once, and then one a second', () => {
    const limit = new FloodLimit();
    const passed = (times: number, nowMs: number) =>
      Array.from({ length: times }, () => limit.pass('refused', nowMs)).filter((said) => said !== undefined);
    expect(passed(600, 0)).to.have.length(500);
    expect(passed(10, 999)).to.have.length(0);
    expect(passed(10, 1_000)).to.have.length(1);
    expect(passed(10, 4_000)).to.have.length(3);
  });

  it('says how many were left out with the next one, once', () => {
    const limit = new FloodLimit();
    for (let count = 0; count < 507; count += 1) limit.pass('refused', 0);
    expect([limit.pass('refused', 1_000), limit.pass('refused', 2_000)]).to.deep.equal([7, 0]);
  });

  it('keeps one kind apart from the others', () => {
    const limit = new FloodLimit();
    for (let count = 0; count < 507; count += 1) limit.pass('refused', 0);
    expect([limit.pass('cancelled', 0), limit.pass('refused', 0)]).to.deep.equal([0, undefined]);
  });
});
