import { expect } from 'chai';
import fc from 'fast-check';
import { aim } from '../../../src/core/aim.ts';
import { couldMean, type MeantOrder, targetMatcher } from '../../../src/core/target-match.ts';
import { formatTarget } from '../../../src/core/target-text.ts';
import { isServiceManagerError } from '../../../src/wire/errors.ts';
import { knownNodes, node } from './target-fleet.ts';
import { type Fleet, isReached, names, rosters, targets, term, topics } from './target-random.ts';

/** Each node is on its own name, as agents are. */
const fleets: fc.Arbitrary<Fleet> = fc
  .tuple(rosters, fc.boolean())
  .map(([sparse, isFull]) => ({ ...sparse, ...(isFull ? { web1: topics, db1: ['any', 'x,(y)'] } : {}) }))
  .map((fleet) => Object.fromEntries(Object.entries(fleet).map(([name, on]) => [name, [...on, name]])));

const oddTopics = ['Debian GNU/Linux', 'and', "it's", 'web*', 'x,(y)', "'any'", 'any or', ' any', 'not web1'];
const text = fc.oneof(
  { weight: 4, arbitrary: targets(term).map(formatTarget) },
  { weight: 2, arbitrary: fc.constantFrom('any', 'Linux', 'role:web', 'web1', 'role:none') },
  { weight: 2, arbitrary: fc.constantFrom(...oddTopics) },
);
const orders: fc.Arbitrary<MeantOrder> = fc.record(
  {
    topic: text,
    nodes: fc.uniqueArray(fc.constantFrom(...names).map(node), { minLength: 1 }),
    exclude: text,
  },
  { requiredKeys: ['topic'] },
);
const withOddTopics = fc.dictionary(fc.constantFrom(...names), fc.subarray(oddTopics));

function union(one: Fleet, other: Fleet): Fleet {
  return Object.fromEntries(
    Object.entries(one).map(([name, on]) => [name, [...new Set([...on, ...(other[name] ?? [])])]]),
  );
}

/** By name; undefined where it is refused. */
function aimed(order: MeantOrder, fleet: Fleet): readonly string[] | undefined {
  const known = knownNodes(fleet);
  try {
    const whom = aim(order, known);
    return whom.kind === 'nodes' ? whom.nodes : known.onTopic(whom.topic).map((member) => member.node);
  } catch (error) {
    if (!isServiceManagerError(error)) throw error;
    return undefined;
  }
}

function alone(name: string, fleet: Fleet) {
  return { name, topics: new Set(fleet[name]) };
}

describe('a node that is asked about alone', function () {
  this.timeout(60_000);

  it('can be meant by exactly the requests that are aimed at it in any roster', () => {
    const seen = { refused: 0, meant: 0, spared: 0 };
    fc.assert(
      fc.property(orders, fleets, withOddTopics, (order, plain, odd) => {
        const fleet = union(plain, odd);
        const whom = aimed(order, fleet);
        if (whom === undefined) seen.refused += 1;
        for (const name of whom === undefined ? [] : Object.keys(fleet)) {
          const isAimedAt = whom?.includes(name);
          seen[isAimedAt ? 'meant' : 'spared'] += 1;
          expect(couldMean(order, alone(name, fleet)), name).to.equal(isAimedAt);
        }
      }),
      { numRuns: 6_000 },
    );
    for (const [what, count] of Object.entries(seen)) expect(count, what).to.be.above(1_000);
  });

  it('is in a target as a look at each word says, whichever words are unknown', () => {
    let reached = 0;
    fc.assert(
      fc.property(targets(term), fleets, (target, fleet) => {
        for (const [name, on] of Object.entries(fleet)) {
          const isIn = isReached(target, name, on);
          if (isIn) reached += 1;
          expect(targetMatcher(formatTarget(target))(alone(name, fleet)), name).to.equal(isIn);
        }
      }),
      { numRuns: 2_000 },
    );
    expect(reached).to.be.above(1_000);
  });
});
