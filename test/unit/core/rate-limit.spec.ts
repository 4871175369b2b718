import { expect } from 'chai';
import fc from 'fast-check';
import { RateLimit } from '../../../src/core/rate-limit.ts';

const minute = 60_000;

describe('the first event of a key', () => {
  it('passes, with nothing held back before it', () => {
    expect(new RateLimit(minute, 10).pass('a', 0)).to.equal(0);
  });

  it('passes whatever other keys do', () => {
    const limit = new RateLimit(minute, 10);
    limit.pass('a', 0);
    expect(limit.pass('b', 0)).to.equal(0);
  });
});

describe('further events of a key', () => {
  it('are held back until the interval is over', () => {
    const limit = new RateLimit(minute, 10);
    limit.pass('a', 5);
    expect([6, 5 + minute - 1].map((now) => limit.pass('a', now))).to.deep.equal([undefined, undefined]);
  });

  it('pass one per interval, each with the number that was held back since the last', () => {
    const limit = new RateLimit(minute, 10);
    limit.pass('a', 0);
    limit.pass('a', 1);
    limit.pass('a', 2);
    expect(limit.pass('a', minute)).to.equal(2);
    expect(limit.pass('a', minute + 1)).to.equal(undefined);
    expect(limit.pass('a', 2 * minute)).to.equal(1);
    expect(limit.pass('a', 9 * minute)).to.equal(0);
  });

  it('are held back by the time of the last that passed, not of the last that came', () => {
    const limit = new RateLimit(minute, 10);
    limit.pass('a', 0);
    limit.pass('a', minute - 1);
    expect(limit.pass('a', minute)).to.equal(1);
  });
});

describe('with more keys than may be known', () => {
  it('the one that passed longest ago is forgotten, and passes again', () => {
    const limit = new RateLimit(minute, 2);
    for (const key of ['a', 'b', 'c']) limit.pass(key, 0);
    expect(['c', 'b', 'a'].map((key) => limit.pass(key, 1))).to.deep.equal([undefined, undefined, 0]);
  });

  it('one that passed again is the youngest', () => {
    const limit = new RateLimit(minute, 2);
    limit.pass('a', 0);
    limit.pass('b', 1);
    limit.pass('a', minute);
    limit.pass('c', minute);
    expect([limit.pass('a', minute + 1), limit.pass('b', minute + 1)]).to.deep.equal([undefined, 0]);
  });

  it('there are exactly as many as may be', () => {
    const limit = new RateLimit(minute, 2);
    limit.pass('a', 0);
    limit.pass('b', 0);
    expect(['a', 'b'].map((key) => limit.pass(key, 1))).to.deep.equal([undefined, undefined]);
  });
});

describe('every event', () => {
  it('passes or is counted with a later one, and no two of a key pass within an interval', () => {
    const events = fc.array(
      fc.record({ key: fc.constantFrom('a', 'b', 'c', '__proto__'), afterMs: fc.nat(70) }),
    );
    fc.assert(
      fc.property(events, (history) => {
        const limit = new RateLimit(100, 10);
        const passedAt = new Map<string, number>();
        const held = new Map<string, number>();
        let now = 0;
        for (const { key, afterMs } of history) {
          now += afterMs;
          const heldBack = limit.pass(key, now);
          const lastMs = passedAt.get(key);
          const isDue = lastMs === undefined || now - lastMs >= 100;
          expect(heldBack).to.equal(isDue ? (held.get(key) ?? 0) : undefined);
          held.set(key, isDue ? 0 : (held.get(key) ?? 0) + 1);
          if (isDue) passedAt.set(key, now);
        }
      }),
    );
  });
});
