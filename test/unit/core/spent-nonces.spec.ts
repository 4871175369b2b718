import { expect } from 'chai';
import fc from 'fast-check';
import { SpentNonces } from '../../../src/core/spent-nonces.ts';

describe('a nonce', () => {
  it('is fresh once, and spent from then on', () => {
    const nonces = new SpentNonces(10);
    expect([0, 1, 99].map((nowMs) => nonces.take('a', 100, nowMs))).to.deep.equal([true, false, false]);
  });

  it('is spent whatever time a copy of it names', () => {
    const nonces = new SpentNonces(10);
    nonces.take('a', 100, 0);
    expect(nonces.take('a', 5_000, 1)).to.equal(false);
  });

  it('has nothing to do with another one', () => {
    const nonces = new SpentNonces(10);
    nonces.take('a', 100, 0);
    expect(nonces.take('b', 100, 0)).to.equal(true);
  });

  it('is not taken when its time is over, and needs no room then', () => {
    const nonces = new SpentNonces(10);
    expect([nonces.take('a', 100, 100), nonces.take('a', 100, 101)]).to.deep.equal([false, false]);
    expect(nonces.size).to.equal(0);
  });

  it('is forgotten when its time is over', () => {
    const nonces = new SpentNonces(10);
    nonces.take('a', 100, 0);
    nonces.take('b', 300, 0);
    nonces.take('c', 200, 0);
    expect(nonces.take('d', 400, 200)).to.equal(true);
    expect(nonces.size).to.equal(2);
    expect(nonces.take('b', 300, 200)).to.equal(false);
  });
});

describe('with as many nonces as there may be', () => {
  it('no more are taken, and none that is good is forgotten', () => {
    const nonces = new SpentNonces(2);
    nonces.take('a', 100, 0);
    nonces.take('b', 200, 0);
    expect(nonces.take('c', 300, 50)).to.equal('full');
    expect([nonces.take('a', 100, 50), nonces.take('b', 200, 50)]).to.deep.equal([false, false]);
  });

  it('the next one is taken as soon as one is over', () => {
    const nonces = new SpentNonces(2);
    nonces.take('a', 100, 0);
    nonces.take('b', 200, 0);
    expect([99, 100, 101].map((nowMs) => nonces.take(`c${nowMs}`, 300, nowMs))).to.deep.equal([
      'full',
      true,
      'full',
    ]);
  });

  it('each is taken quickly, be they a hundred thousand that end one after the other', () => {
    const count = 100_000;
    const nonces = new SpentNonces(count);
    const startMs = performance.now();
    for (let number = 0; number < 2 * count; number += 1)
      expect(nonces.take(String(number), number + count, number)).to.equal(true);
    expect(performance.now() - startMs).to.be.below(5_000);
    expect(nonces.size).to.equal(count);
  });
});

describe('nonces in any history', () => {
  it('are fresh once each, within their time and their number', () => {
    const step = fc.record({
      nonce: fc.constantFrom(...'abcdefghij', '__proto__'),
      lifeMs: fc.oneof(fc.integer({ min: -10, max: 60 }), fc.constantFrom(0, 1, 1_000)),
      afterMs: fc.oneof(fc.constant(0), fc.nat(25)),
    });
    const seen = new Map<boolean | 'full', number>();
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80, size: 'max' }), fc.nat(7), (history, maxCount) => {
        const nonces = new SpentNonces(maxCount);
        const model = new Map<string, number>();
        let nowMs = 0;
        for (const { nonce, lifeMs, afterMs } of history) {
          nowMs += afterMs;
          for (const [known, untilMs] of model) if (untilMs <= nowMs) model.delete(known);
          const isSpent = model.has(nonce) || lifeMs <= 0;
          const expected = isSpent ? false : model.size >= maxCount ? 'full' : true;
          seen.set(expected, (seen.get(expected) ?? 0) + 1);
          expect(nonces.take(nonce, nowMs + lifeMs, nowMs)).to.equal(expected);
          if (expected === true) model.set(nonce, nowMs + lifeMs);
          expect(nonces.size).to.equal(model.size);
        }
      }),
      { numRuns: 1_000 },
    );
    for (const verdict of [true, false, 'full'] as const)
      expect(seen.get(verdict), String(verdict)).to.be.above(1_000);
  });
});
