import { expect } from 'chai';
import fc from 'fast-check';
import { SequenceWindow, sequenceWindowSize as size } from '../../../src/security/sequence-window.ts';

function taken(...sequences: number[]): string[] {
  const window = new SequenceWindow();
  return sequences.map((sequence) => window.take(sequence));
}

describe('a window of sequence numbers', () => {
  it('takes each number once', () => {
    expect(taken(0, 1, 1, 0, 2)).to.deep.equal(['fresh', 'fresh', 'replay', 'replay', 'fresh']);
  });

  it('begins wherever the first message stands', () => {
    expect(taken(5_000_000, 5_000_001)).to.deep.equal(['fresh', 'fresh']);
  });

  it('takes numbers that were overtaken, as far back as it reaches', () => {
    expect(taken(size, 1, 1, 0)).to.deep.equal(['fresh', 'fresh', 'replay', 'old']);
  });

  it('tells a jump over more than it holds from a replay, and goes on from there', () => {
    expect(taken(10, 10 + size, 11 + 2 * size, 11 + 2 * size, 10)).to.deep.equal([
      'fresh',
      'fresh',
      'jump',
      'replay',
      'old',
    ]);
  });

  it('takes nothing twice that stands where a forgotten number stood', () => {
    expect(taken(3, 3 + size, 3 + size, 4)).to.deep.equal(['fresh', 'fresh', 'replay', 'fresh']);
  });

  it('takes none that is no number of a message', () => {
    expect(taken(-1, 0.5, Number.NaN, 2 ** 53, Number.POSITIVE_INFINITY)).to.deep.equal(Array(5).fill('old'));
  });

  it('is the same at the largest number there is', () => {
    const most = Number.MAX_SAFE_INTEGER;
    expect(taken(most, most, most - 1, most - 1)).to.deep.equal(['fresh', 'replay', 'fresh', 'replay']);
  });

  it('agrees with one that remembers everything', () => {
    const steps = fc.array(
      fc.oneof(fc.integer({ min: -5, max: 5 }), fc.integer({ min: -1_100, max: 1_100 })),
      {
        maxLength: 200,
      },
    );
    fc.assert(
      fc.property(fc.nat(10_000), steps, (start, changes) => {
        const window = new SequenceWindow();
        const seen = new Set<number>();
        let highest = -1;
        let sequence = start;
        for (const step of [0, ...changes]) {
          sequence = Math.max(0, sequence + step);
          const isFirst = highest < 0;
          const isJump = !isFirst && sequence - highest > size;
          const expected =
            sequence > highest
              ? isJump
                ? 'jump'
                : 'fresh'
              : highest - sequence >= size
                ? 'old'
                : seen.has(sequence)
                  ? 'replay'
                  : 'fresh';
          expect(window.take(sequence)).to.equal(expected);
          if (expected !== 'old') seen.add(sequence);
          highest = Math.max(highest, sequence);
        }
      }),
      { numRuns: 500 },
    );
  });
});
