import fc from 'fast-check';
import { type Clones, TwoOfOneName } from './roster-clones.ts';
import { Fleet, names, topics, type What } from './roster-fleet.ts';

const plainKind = fc.constantFrom('beat' as const, 'connect' as const, 'disconnect' as const);
const what: fc.Arbitrary<What> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('hello' as const), topics: fc.subarray(topics) }),
  },
  { weight: 8, arbitrary: fc.record({ kind: plainKind }) },
  { weight: 5, arbitrary: fc.constant({ kind: 'tick' as const }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'restart' as const }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('stray' as const),
      message: fc.constantFrom('hello' as const, 'beat' as const, 'bye' as const),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('bye' as const, 'forget' as const) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'restore' as const }) },
);
const afterMs = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: 0, max: 1_000 }) },
  { weight: 3, arbitrary: fc.constantFrom(0, 1_999, 2_000, 5_000, 14_999, 15_000) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 40_000 }) },
);

const clones: fc.Arbitrary<Clones> = fc.record({
  laterMs: fc.integer({ min: 0, max: 10_000 }),
  tickMs: fc.constantFrom(100, 100, 700, 1_000),
  spreads: fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 1, maxLength: 12 }),
  stopsMs: fc.integer({ min: 10_000, max: 40_000 }),
  whoStops: fc.constantFrom(0 as const, 1 as const),
  saysBye: fc.boolean(),
  restoresMs: fc.integer({ min: 1_000, max: 200_000 }),
});

describe('a roster in random histories', function () {
  this.timeout(60_000);

  it('knows of each node what the rules say, and never takes a restart for a conflict', () => {
    const history = fc.array(fc.tuple(what, fc.constantFrom(...names), afterMs), {
      maxLength: 60,
      size: 'max',
    });
    fc.assert(
      fc.property(history, (steps) => {
        const fleet = new Fleet();
        for (const [each, name, laterMs] of steps) fleet.happen(each, name, laterMs);
      }),
      { numRuns: 3_000 },
    );
  });

  it('finds two agents on one name by their second beats, and lets one have it when the other is gone', () => {
    fc.assert(
      fc.property(clones, (plan) => new TwoOfOneName(plan).play()),
      { numRuns: 1_000 },
    );
  });
});
