import { expect } from 'chai';
import fc from 'fast-check';
import { TokenBuckets } from '../../../src/core/token-bucket.ts';

const limits = { perSecond: 2, burst: 3, maxKeys: 100 };

function taken(buckets: TokenBuckets, key: string, ...times: number[]): boolean[] {
  return times.map((nowMs) => buckets.take(key, nowMs));
}

describe('a bucket of tokens', () => {
  it('gives as many at once as fit into it', () => {
    expect(taken(new TokenBuckets(limits), 'a', 0, 0, 0, 0)).to.deep.equal([true, true, true, false]);
  });

  it('fills again as time passes, also for who asks in vain meanwhile', () => {
    const buckets = new TokenBuckets(limits);
    taken(buckets, 'a', 0, 0, 0);
    expect(taken(buckets, 'a', 100, 499, 500, 999, 1_000)).to.deep.equal([false, false, true, false, true]);
  });

  it('never holds more than the burst', () => {
    const buckets = new TokenBuckets(limits);
    buckets.take('a', 0);
    expect(taken(buckets, 'a', 9_000, 9_000, 9_000, 9_000)).to.deep.equal([true, true, true, false]);
  });

  it('of one key has nothing to do with that of another', () => {
    const buckets = new TokenBuckets(limits);
    taken(buckets, 'a', 0, 0, 0, 0);
    expect(buckets.take('b', 0)).to.equal(true);
  });
});

describe('other limits', () => {
  it('are those of the next token', () => {
    const buckets = new TokenBuckets(limits);
    taken(buckets, 'a', 0, 0, 0);
    buckets.reconfigure({ perSecond: 10, burst: 5, maxKeys: 100 });
    expect(taken(buckets, 'a', 0, 0, 0, 100, 100)).to.deep.equal([true, true, false, true, false]);
  });

  it('let no one wait for what a larger bucket was missing', () => {
    const buckets = new TokenBuckets({ ...limits, burst: 1_000 });
    for (let count = 0; count < 1_000; count += 1) buckets.take('a', 0);
    buckets.reconfigure(limits);
    expect(taken(buckets, 'a', 0, 500)).to.deep.equal([false, true]);
  });

  it('forget keys when there may be fewer of them', () => {
    const buckets = new TokenBuckets(limits);
    for (const key of 'abcd') buckets.take(key, 0);
    buckets.reconfigure({ ...limits, maxKeys: 2 });
    expect(buckets.size).to.equal(2);
  });
});

describe('with more keys than there may be', () => {
  it('the one that took a token longest ago is forgotten', () => {
    const buckets = new TokenBuckets({ perSecond: 0, burst: 1, maxKeys: 2 });
    for (const key of 'abc') buckets.take(key, 0);
    expect(buckets.size).to.equal(2);
    expect(['b', 'c', 'a'].map((key) => buckets.take(key, 0))).to.deep.equal([false, false, true]);
  });

  it('one that took another token is the youngest, one that asked in vain is not', () => {
    const buckets = new TokenBuckets({ perSecond: 0, burst: 2, maxKeys: 2 });
    for (const key of 'abbbac') buckets.take(key, 0);
    expect(taken(buckets, 'b', 0, 0, 0)).to.deep.equal([true, true, false]);
  });
});

describe('tokens in any history', () => {
  it('are as many as the burst and the time allow, and no fewer', () => {
    const step = fc.record({
      key: fc.constantFrom('a', 'b', '__proto__'),
      afterMs: fc.oneof(fc.constant(0), fc.nat(900)),
    });
    const history = fc.array(step, { maxLength: 120, size: 'max' });
    const rate = fc.record({ perSecond: fc.nat({ max: 20 }), burst: fc.integer({ min: 1, max: 10 }) });
    fc.assert(
      fc.property(history, rate, (steps, { perSecond, burst }) => {
        const buckets = new TokenBuckets({ perSecond, burst, maxKeys: 10 });
        const levels = new Map<string, { tokens: number; atMs: number }>();
        let nowMs = 0;
        for (const { key, afterMs } of steps) {
          nowMs += afterMs;
          const { tokens, atMs } = levels.get(key) ?? { tokens: burst, atMs: nowMs };
          // In thousandths, which are whole numbers.
          const level = Math.min(burst * 1_000, tokens * 1_000 + (nowMs - atMs) * perSecond) / 1_000;
          if (Math.abs(level - 1) > 1e-6) expect(buckets.take(key, nowMs)).to.equal(level >= 1);
          else if (!buckets.take(key, nowMs)) continue;
          levels.set(key, { tokens: level >= 1 - 1e-6 ? level - 1 : level, atMs: nowMs });
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
