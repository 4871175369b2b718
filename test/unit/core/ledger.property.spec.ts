import fc from 'fast-check';
import { message } from '../../../src/wire/codec.ts';
import { NodeName, RequestId } from '../../../src/wire/fields.ts';
import type { Outcome } from '../../../src/wire/outcome.ts';
import type { AckPhase } from '../../../src/wire/presence.ts';
import { type Happening, History, pauses } from './ledger-history.ts';

const node = message('node', 300, NodeName).parse;
const id = message('id', 64, RequestId).parse('0123456789abcdef0123456789abcdef');
const aimedNames = ['web1', 'web2', 'web3', 'db1', 'db2'].map(node);
const otherNames = ['mail1', 'dns1'].map(node);
const allNames = [...aimedNames, ...otherNames];

const answerOutcome = fc.constantFrom<Outcome>('ok', 'failed', 'refused', 'interrupted', 'cancelled');
const phase = fc.constantFrom<AckPhase>('queued', 'running');
const anyName = fc.constantFrom(...allNames);
const presence = fc.constantFrom('lost' as const, 'back' as const);
const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 8, arbitrary: fc.constant({ kind: 'tick' as const }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('ack' as const), node: anyName, phase }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('result' as const),
      node: anyName,
      isV1: fc.integer({ min: 0, max: 9 }).map((draw) => draw === 0),
      outcome: answerOutcome,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('result' as const),
      node: fc.constantFrom(...otherNames, undefined),
      isV1: fc.constant(true),
      outcome: answerOutcome,
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: presence, node: anyName }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'cancel' as const }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const), knowsAim: fc.boolean() }) },
);
const afterMs = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 200 }) },
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 4_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 100_000 }) },
);
const aim = fc
  .record({
    nodes: fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 5 })), { maxLength: aimedNames.length }),
    anonymous: fc.constantFrom(0, 0, 1, 2),
    withheld: fc.constantFrom(0, 0, 3),
    windowMs: fc.integer({ min: 0, max: 60_000 }),
  })
  .map(({ nodes, windowMs, ...counts }) => ({
    ...counts,
    id,
    nodes: nodes.map(([isAlive, draw], at) => ({
      node: aimedNames[at] ?? node('never'),
      isAlive,
      isRefused: draw === 0,
    })),
    endsAtMs: windowMs,
  }));
const jitter = fc
  .integer({ min: 0, max: 996 })
  .map(
    (seed) => (name: NodeName, asked: number) => ((seed + name.charCodeAt(2) * 31 + asked * 389) % 997) / 997,
  );

describe('a ledger in ten thousand random histories', function () {
  this.timeout(60_000);

  it('keeps every rule after every step, whatever happens in whichever order', () => {
    const history = fc.array(fc.tuple(happening, afterMs), { maxLength: 40, size: 'max' });
    fc.assert(
      fc.property(aim, jitter, history, (aimed, spread, steps) => {
        const played = new History(aimed, { ...pauses, jitter: spread }, 0);
        for (const [what, laterMs] of steps) played.happen(what, laterMs);
        played.finish();
      }),
      { numRuns: 10_000 },
    );
  });
});
