import fc from 'fast-check';
import type { RolloutPlan } from '../../../src/core/rollout.ts';
import { message } from '../../../src/wire/codec.ts';
import { NodeName } from '../../../src/wire/fields.ts';
import type { Outcome } from '../../../src/wire/outcome.ts';
import type { AckPhase } from '../../../src/wire/presence.ts';
import { type Fleet, type Happening, RolloutHistory } from './rollout-history.ts';

const node = message('node', 300, NodeName).parse;
const maxNodes = 12;
const names = Array.from({ length: maxNodes }, (_, at) => node(`web${at + 1}`));

const trouble = fc.constantFrom<Outcome>(
  ...(['failed', 'unverified', 'refused', 'expired', 'interrupted', 'cancelled'] as const),
);
const outcome = fc.oneof(
  { weight: 14, arbitrary: fc.constant<Outcome>('ok') },
  { weight: 1, arbitrary: trouble },
);
const phase = fc.constantFrom<AckPhase>('queued', 'running');
const pick = fc.nat({ max: maxNodes - 1 });

function kindOf<Kind extends Happening['kind']>(kind: Kind): fc.Arbitrary<Kind> {
  return fc.constant(kind);
}

const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: kindOf('wait') }) },
  { weight: 70, arbitrary: fc.record({ kind: kindOf('answer'), pick, outcome }) },
  { weight: 12, arbitrary: fc.record({ kind: kindOf('ack'), pick, phase }) },
  { weight: 1, arbitrary: fc.record({ kind: kindOf('stray-answer'), pick, outcome }) },
  { weight: 1, arbitrary: fc.record({ kind: kindOf('stray-ack'), pick, phase }) },
  { weight: 4, arbitrary: fc.record({ kind: kindOf('lost'), pick }) },
  { weight: 8, arbitrary: fc.record({ kind: kindOf('back'), pick }) },
  { weight: 1, arbitrary: fc.record({ kind: kindOf('cancel') }) },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: kindOf('crash'),
      carriedOut: fc.nat({ max: 12 }),
      downMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 40_000 })),
    }),
  },
);
const afterMs = fc.oneof(
  { weight: 20, arbitrary: fc.integer({ min: 0, max: 300 }) },
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 4_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 20_000 }) },
);
/** Most of them are there, and most fleets are large enough for some batches. */
const fleet = fc
  .tuple(
    fc.oneof(
      { weight: 1, arbitrary: fc.nat({ max: maxNodes }) },
      { weight: 4, arbitrary: fc.integer({ min: 6, max: maxNodes }) },
    ),
    fc.array(fc.nat({ max: 60 }), { minLength: maxNodes, maxLength: maxNodes }),
  )
  .map(([count, draws]): Fleet[] =>
    names.slice(0, count).map((name, at) => {
      const draw = draws[at] ?? 0;
      return { node: name, isAlive: draw > 2, isRefused: draw === 3 };
    }),
  );
const limits = fc.record({
  batch: fc.integer({ min: 1, max: 5 }),
  canary: fc.constantFrom(0, 0, 0, 0, 1, 3),
  pauseMs: fc.constantFrom(0, 0, 500, 5_000),
  maxFail: fc.integer({ min: 0, max: 4 }),
  maxUnreachable: fc.constantFrom(undefined, 0, 1, 2, 4, 12),
  windowMs: fc.constantFrom(5_000, 20_000, 60_000),
});

/** In an order of their own: turned round from some point on. */
function planOf(nodes: readonly Fleet[], from: number, rest: Omit<RolloutPlan, 'nodes'>): RolloutPlan {
  const there = nodes.filter(({ isAlive, isRefused }) => isAlive && !isRefused);
  const ordered = [...there.slice(from), ...there.slice(0, from).reverse()];
  return { ...rest, nodes: ordered.map(({ node }) => node) };
}

describe('a rollout in five thousand random histories', function () {
  this.timeout(120_000);

  it('keeps every promise after everything that is carried out, whenever its manager dies', () => {
    const history = fc.array(fc.tuple(happening, afterMs), { maxLength: 80, size: 'max' });
    fc.assert(
      fc.property(fleet, pick, limits, history, (nodes, from, rest, steps) => {
        const played = new RolloutHistory(nodes, planOf(nodes, from, rest));
        for (const [what, laterMs] of steps) played.happen(what, laterMs);
        played.finish();
      }),
      { numRuns: 5_000 },
    );
  });
});
