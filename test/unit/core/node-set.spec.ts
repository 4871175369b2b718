import { expect } from 'chai';
import fc from 'fast-check';
import { NodeSet } from '../../../src/core/node-set.ts';

const size = 70;
const all = Array.from({ length: size }, (_, place) => place);
const places = fc.uniqueArray(fc.nat({ max: size - 1 }));

function setOf(members: readonly number[]): NodeSet {
  const set = new NodeSet(size);
  for (const place of members) set.add(place);
  return set;
}

function members(set: NodeSet): number[] {
  return Array.from({ length: 2 * size }, (_, place) => place).filter((place) => set.has(place));
}

describe('a set of nodes', () => {
  it('is united, intersected and inverted as any other set, and never has a place beyond its size', () => {
    fc.assert(
      fc.property(places, places, (some, others) => {
        const [union, common, rest] = [setOf(some), setOf(some), setOf(some)];
        union.addAll(setOf(others));
        common.keepOnly(setOf(others));
        rest.invert();
        expect(members(union)).to.deep.equal(
          all.filter((each) => some.includes(each) || others.includes(each)),
        );
        expect(members(common)).to.deep.equal(
          all.filter((each) => some.includes(each) && others.includes(each)),
        );
        expect(members(rest)).to.deep.equal(all.filter((each) => !some.includes(each)));
      }),
    );
  });
});
