import { expect } from 'chai';
import fc from 'fast-check';
import { Settling, type Sight } from '../../../src/provider/settling.ts';
import type { State } from '../../../src/wire/fields.ts';

interface Look {
  readonly atMs: number;
  readonly sight: Sight;
}

type Call = 'verified' | 'does not stay' | 'not there' | undefined;

const settleMs = 2_000;
const arrivalMs = 4_000;
const before: Sight = { state: 'stopped', main: undefined, isOldAlive: false };

const anyState = fc.constantFrom<State>('running', 'running', 'stopped', 'failed', 'not-found', 'unknown');
const anyPid = fc.constantFrom(undefined, 1, 1, 2, 3);
const anyPauses = fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 8 });
/** A service stays something for a few looks, and then becomes something else. */
const anyTimeline = fc
  .array(fc.tuple(anyState, anyPid, anyPauses), { minLength: 1, maxLength: 8 })
  .map((spans): Look[] => {
    let atMs = 0;
    return spans.flatMap(([state, pid, pauses]) =>
      pauses.map((pauseMs) => {
        atMs += pauseMs;
        const main = pid === undefined ? undefined : { pid, born: '', startedWallMs: undefined };
        return { atMs, sight: { state, main, isOldAlive: false } };
      }),
    );
  });

/** Word by word what the docstring says, over all looks from the first to the one in question. */
function naiveCall(looks: readonly Look[], wants: 'running' | 'stopped'): Call {
  const last = looks.at(-1);
  if (last === undefined) return undefined;
  const isWanted = ({ sight: { state } }: Look) =>
    wants === 'running' ? state === 'running' : state !== 'running' && state !== 'unknown';
  // Undefined until it is known for the first time.
  const mainAt = (index: number) =>
    looks.slice(0, index + 1).findLast(({ sight }) => sight.main !== undefined)?.sight.main?.pid;
  const isRelapse = (index: number) => {
    const [one, other] = [looks[index - 1], looks[index]];
    if (one === undefined || other === undefined || !isWanted(one)) return false;
    const known = mainAt(index - 1);
    return !isWanted(other) || (known !== undefined && known !== mainAt(index));
  };
  const relapses = [...looks.keys()].filter(isRelapse);
  if (relapses.length > 1) return 'does not stay';
  const lastRelapse = relapses.at(-1);
  if (isWanted(last)) {
    const lastUnwanted = looks.findLastIndex((look) => !isWanted(look));
    const since = looks[Math.max(lastUnwanted + 1, lastRelapse ?? 0)]?.atMs ?? 0;
    return last.atMs - since >= settleMs ? 'verified' : undefined;
  }
  const waitsUntilMs = lastRelapse === undefined ? arrivalMs : (looks[lastRelapse]?.atMs ?? 0) + settleMs;
  return last.atMs >= waitsUntilMs ? 'not there' : undefined;
}

function call(looks: readonly Look[], wants: 'running' | 'stopped'): { call: Call; after: number } {
  const expectation = { wants, isNewProcess: false };
  const settling = new Settling({ expectation, before, settleMs, arrivalMs, nowMs: 0 });
  for (const [index, { sight, atMs }] of looks.entries()) {
    const verdict = settling.see(sight, atMs);
    if (verdict === undefined) continue;
    const said = verdict.isVerified
      ? 'verified'
      : /does not stay/.test(verdict.reason ?? '')
        ? 'does not stay'
        : 'not there';
    return { call: said, after: index + 1 };
  }
  return { call: undefined, after: looks.length };
}

function naively(looks: readonly Look[], wants: 'running' | 'stopped'): { call: Call; after: number } {
  for (let count = 1; count <= looks.length; count += 1) {
    const said = naiveCall(looks.slice(0, count), wants);
    if (said !== undefined) return { call: said, after: count };
  }
  return { call: undefined, after: looks.length };
}

describe('the verdict on a service', () => {
  for (const wants of ['running', 'stopped'] as const) {
    it(`that should be ${wants} is for every timeline, and at the same look, what its definition says`, () => {
      const tally = new Map<Call, number>();
      fc.assert(
        fc.property(anyTimeline, (looks) => {
          const said = call(looks, wants);
          tally.set(said.call, (tally.get(said.call) ?? 0) + 1);
          expect(said).to.deep.equal(naively(looks, wants));
        }),
        { numRuns: 3_000 },
      );
      // A property that only ever meets one verdict would say nothing.
      for (const each of ['verified', 'does not stay', 'not there'] as const) {
        expect(tally.get(each) ?? 0, String(each)).to.be.above(10);
      }
    });
  }

  it('"verified" means that it was so at every look of the settle time, with one main process', () => {
    fc.assert(
      fc.property(anyTimeline, (looks) => {
        const said = call(looks, 'running');
        if (said.call !== 'verified') return;
        const seen = looks.slice(0, said.after);
        const endMs = seen.at(-1)?.atMs ?? 0;
        const first = seen.findLastIndex(({ atMs }) => atMs <= endMs - settleMs);
        const settled = seen.slice(first);
        expect(settled.every(({ sight }) => sight.state === 'running')).to.equal(true);
        const pids = settled.map(({ sight }) => sight.main?.pid).filter((pid) => pid !== undefined);
        expect(new Set(pids).size).to.be.at.most(1);
      }),
      { numRuns: 3_000 },
    );
  });
});
