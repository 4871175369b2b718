import { expect } from 'chai';
import fc from 'fast-check';
import { KeyRingHistory, names, people, roles, type Step } from './key-ring-history.ts';

const who = fc.constantFrom(...people);
const back = fc.nat(2);
const pick = fc.nat(20);
const nothing = fc.constant(undefined);

const join: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant('join' as const),
  who,
  as: fc.oneof(
    { weight: 12, arbitrary: fc.constant({}) },
    { weight: 1, arbitrary: fc.record({ name: fc.constantFrom(...names) }) },
    { weight: 1, arbitrary: fc.record({ role: fc.constantFrom(...roles) }) },
  ),
  address: fc.constantFrom('a', 'b', 'c', undefined),
  token: fc.oneof(
    { weight: 3, arbitrary: nothing },
    {
      weight: 2,
      arbitrary: fc.record({ back, isGood: fc.constantFrom(true, true, true, false) }),
    },
  ),
  replaces: fc.oneof(
    { weight: 3, arbitrary: nothing },
    { weight: 1, arbitrary: fc.record({ pick, isOwn: fc.constantFrom(true, true, true, false) }) },
  ),
});
const decision: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom(
    ...(['accept', 'accept', 'accept', 'reject', 'revoke', 'remove'] satisfies Array<Step['kind']>),
  ),
  pick,
});
const addToken: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant('add-token' as const),
  role: fc.constantFrom(...roles),
  name: fc.constantFrom(undefined, undefined, ...names),
  usesLeft: fc.integer({ min: 1, max: 3 }),
  lifeMs: fc.constantFrom(1, 30, 500),
});
const step = fc.oneof(
  { weight: 12, arbitrary: join },
  { weight: 8, arbitrary: decision },
  { weight: 4, arbitrary: addToken },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove-token' as const), back }) },
  { weight: 2, arbitrary: fc.constant<Step>({ kind: 'tick' }) },
  { weight: 2, arbitrary: fc.constant<Step>({ kind: 'restart' }) },
);
const afterMs = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(0, 1) },
  { weight: 1, arbitrary: fc.nat(120) },
);

describe('a key ring in random histories', function () {
  this.timeout(120_000);

  it('lets in who was let in, one for each name, within its bounds, and is the same after a restart', () => {
    const counts: Record<string, number> = {};
    const history = fc.array(fc.tuple(step, afterMs), { maxLength: 60, size: 'max' });
    fc.assert(
      fc.property(history, (steps) => {
        const ring = new KeyRingHistory(counts);
        for (const [each, laterMs] of steps) ring.happen(each, laterMs);
      }),
      { numRuns: 600 },
    );
    for (const what of [
      'let in',
      'retiring',
      'revoked',
      'rejected',
      'join TOO_BUSY',
      'join NAME_TAKEN',
      'join BAD_TOKEN',
      'join KEY_REFUSED',
      'accept NAME_TAKEN',
      'accept KEY_REFUSED',
      'revoke good',
      'reject good',
      'remove good',
      'add-token TOO_BUSY',
    ])
      expect(counts[what] ?? 0, `${what} in ${JSON.stringify(counts)}`).to.be.above(30);
  });
});
