import { expect } from 'chai';
import fc from 'fast-check';
import { chooseNodes } from '../../../src/core/choice.ts';
import type { NodeName } from '../../../src/wire/fields.ts';
import { node } from './target-fleet.ts';

const web = numbered('web', 20);
const seed = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const fleet = fc.uniqueArray(fc.stringMatching(/^[a-c0-9]{1,5}$/).map(node), { maxLength: 30 });

function numbered(prefix: string, count: number): NodeName[] {
  return Array.from({ length: count }, (_, index) => node(`${prefix}${index + 1}`));
}

/** How far counts are from the same share for each, as the statistic of Pearson's chi-squared test. */
function chiSquared(counts: Iterable<number>, expected: number): number {
  let sum = 0;
  for (const count of counts) sum += (count - expected) ** 2 / expected;
  return sum;
}

describe('a choice of nodes', () => {
  it('is the same for a seed, wherever and whenever it is made', () => {
    expect(chooseNodes(web, 5, 2014)).to.deep.equal(['web8', 'web20', 'web5', 'web10', 'web14']);
  });

  it('does not depend on the order of the nodes, nor on how often one is named', () => {
    const shuffled = fleet.chain((nodes) =>
      fc.tuple(
        fc.constant(nodes),
        fc.shuffledSubarray([...nodes, ...nodes], { minLength: nodes.length * 2 }),
      ),
    );
    fc.assert(
      fc.property(shuffled, seed, fc.nat({ max: 40 }), ([nodes, others], sown, count) => {
        expect(chooseNodes(others, count, sown)).to.deep.equal(chooseNodes(nodes, count, sown));
      }),
    );
  });

  it('has as many different nodes as asked for, or all that there are', () => {
    fc.assert(
      fc.property(fleet, seed, fc.nat({ max: 40 }), (nodes, sown, count) => {
        const chosen = chooseNodes(nodes, count, sown);
        expect(new Set(chosen).size).to.equal(Math.min(count, nodes.length));
        expect(nodes).to.include.members(chosen);
      }),
    );
  });

  it('keeps the earlier ones when it grows', () => {
    fc.assert(
      fc.property(fleet, seed, fc.nat({ max: 30 }), (nodes, sown, count) => {
        const more = chooseNodes(nodes, count + 1, sown);
        expect(more.slice(0, count)).to.deep.equal(chooseNodes(nodes, count, sown));
      }),
    );
  });

  it('stays but for one when a node joins', () => {
    fc.assert(
      fc.property(fleet, seed, fc.nat({ max: 30 }), (nodes, sown, count) => {
        const before = new Set<string>(chooseNodes(nodes, count, sown));
        const after = chooseNodes([...nodes, node('joined')], count, sown);
        expect(after.filter((name) => !before.has(name) && name !== 'joined')).to.deep.equal([]);
      }),
    );
  });

  // 4,000 choices of 5 out of 20. Of 100,000 honest lotteries one goes beyond a bound.
  for (const [what, nodes] of [
    ['numbered names', web],
    ['names with the number in front', web.map((_, index) => node(`${index + 1}.web.example.org`))],
    ['names of one letter', [...'abcdefghijklmnopqrst'].map(node)],
  ] as const) {
    it(`gives each of ${what} the same chance, and each pair of them`, () => {
      const single = new Map<string, number>(nodes.map((name) => [name, 0]));
      const firstPlace = new Map<string, number>(nodes.map((name) => [name, 0]));
      const pairs = new Map<string, number>();
      for (let sown = 0; sown < 4_000; sown += 1) {
        const chosen = chooseNodes(nodes, 5, sown);
        for (const [index, one] of chosen.entries()) {
          single.set(one, (single.get(one) ?? 0) + 1);
          if (index === 0) firstPlace.set(one, (firstPlace.get(one) ?? 0) + 1);
          for (const other of chosen.slice(index + 1)) {
            const pair = [one, other].sort().join();
            pairs.set(pair, (pairs.get(pair) ?? 0) + 1);
          }
        }
      }
      expect(pairs.size).to.equal(190);
      expect(chiSquared(single.values(), 1_000)).to.be.below(55);
      expect(chiSquared(firstPlace.values(), 200)).to.be.below(55);
      expect(chiSquared(pairs.values(), 4_000 / 19)).to.be.below(290);
    });
  }
});
