import { expect } from 'chai';
import fc from 'fast-check';
import { type Publication, Replay } from '../../../src/core/replay.ts';
import { message } from '../../../src/wire/codec.ts';
import { RequestId } from '../../../src/wire/fields.ts';

const ids = message('id', 64, RequestId);
const idOf = (number: number) => ids.parse(number.toString(16).padStart(32, '0'));
const [one, two, three] = [idOf(1), idOf(2), idOf(3)];
const minute = 60_000;

function publication(text: string, bytes = text.length): Publication {
  return { topic: text, payload: Buffer.alloc(bytes, text) };
}

const [first, second, third] = [publication('first'), publication('second'), publication('third')];

function replay(limits: { maxAgeMs?: number; maxBytes?: number } = {}) {
  return new Replay({ maxAgeMs: minute, maxBytes: 1_000, maxLossyBytes: 100, ...limits });
}

describe('what is published about a request', () => {
  it('waits for its first subscription, which gets it in order', () => {
    const kept = replay();
    kept.open(one, 0);
    expect([first, second, third].map((each) => kept.keep(one, each))).to.deep.equal([true, true, true]);
    expect(kept.subscribed(one)).to.deep.equal([first, second, third]);
    expect(kept.dropped).to.equal(0);
  });

  it('is not kept any more once somebody has subscribed', () => {
    const kept = replay();
    kept.open(one, 0);
    kept.keep(one, first);
    kept.subscribed(one);
    expect(kept.keep(one, second)).to.equal(false);
  });

  it('goes out live from the first subscription on, also when nothing was waiting for it', () => {
    const kept = replay();
    kept.open(one, 0);
    expect(kept.subscribed(one)).to.deep.equal([]);
    expect(kept.keep(one, first)).to.equal(false);
  });

  it('is kept when the request is opened once more', () => {
    const kept = replay();
    kept.open(one, 0);
    kept.keep(one, first);
    kept.open(one, 1);
    expect(kept.subscribed(one)).to.deep.equal([first]);
  });

  it('waits also when a later request has pushed out others', () => {
    const kept = replay({ maxBytes: 10 });
    kept.open(one, 0);
    kept.open(two, 0);
    kept.keep(two, publication('two', 8));
    kept.open(three, 0);
    kept.keep(three, publication('three', 8));
    expect(kept.keep(one, publication('one', 1)), 'one held nothing').to.equal(true);
  });

  it('waits only so far where it may be lost, and pushes out nothing else', () => {
    const kept = replay({ maxBytes: 200 });
    kept.open(one, 0);
    kept.open(two, 0);
    kept.keep(one, publication('answer', 90));
    const output = { ...publication('output', 60), isLossy: true };
    expect([1, 2, 3].map(() => kept.keep(two, output))).to.deep.equal([true, true, true]);
    kept.keep(two, publication('end', 40));
    expect(kept.dropped).to.equal(2);
    expect(kept.subscribed(one).map(({ topic }) => topic)).to.deep.equal(['answer']);
    expect(kept.subscribed(two).map(({ topic }) => topic)).to.deep.equal(['output', 'end']);
  });

  it('is not replayed to a second subscription', () => {
    const kept = replay();
    kept.open(one, 0);
    kept.keep(one, first);
    kept.subscribed(one);
    expect(kept.subscribed(one)).to.deep.equal([]);
  });

  it('goes out at once when the request was never opened here', () => {
    expect(replay().keep(one, first)).to.equal(false);
    expect(replay().subscribed(one)).to.deep.equal([]);
  });

  it('is not mixed up with another request', () => {
    const kept = replay();
    kept.open(one, 0);
    kept.open(two, 0);
    kept.keep(one, first);
    kept.keep(two, second);
    expect(kept.subscribed(two)).to.deep.equal([second]);
    expect(kept.subscribed(one)).to.deep.equal([first]);
  });
});

describe('what nobody subscribes to', () => {
  it('is given up when it is as old as may be, and counted', () => {
    const kept = replay();
    kept.open(one, 5);
    kept.keep(one, first);
    kept.keep(one, second);
    kept.expire(5 + minute - 1);
    expect(kept.dropped).to.equal(0);
    kept.expire(5 + minute);
    expect(kept.dropped).to.equal(2);
    expect(kept.subscribed(one)).to.deep.equal([]);
  });

  it('is given up by the age of its request, not by its own', () => {
    const kept = replay();
    kept.open(one, 0);
    kept.open(two, 10);
    kept.keep(one, first);
    kept.keep(two, second);
    kept.expire(minute);
    expect([kept.subscribed(one), kept.subscribed(two)]).to.deep.equal([[], [second]]);
  });

  it('is given up, oldest request first, when too much is waiting', () => {
    const kept = replay({ maxBytes: 100 });
    for (const id of [one, two, three]) kept.open(id, 0);
    kept.keep(two, publication('b', 50));
    kept.keep(one, publication('a', 50));
    expect(kept.dropped).to.equal(0);
    const last = publication('c', 1);
    kept.keep(three, last);
    expect(kept.dropped).to.equal(1);
    expect([one, two, three].map((id) => kept.subscribed(id).length)).to.deep.equal([0, 1, 1]);
  });

  it('is given up at once when it alone is too much', () => {
    const kept = replay({ maxBytes: 100 });
    kept.open(one, 0);
    expect(kept.keep(one, publication('a', 101))).to.equal(true);
    expect(kept.dropped).to.equal(1);
    expect(kept.subscribed(one)).to.deep.equal([]);
  });

  it('makes room for later requests', () => {
    const kept = replay({ maxBytes: 100 });
    kept.open(one, 0);
    kept.keep(one, publication('a', 100));
    kept.expire(minute);
    kept.open(two, minute);
    kept.keep(two, publication('b', 100));
    expect(kept.dropped).to.equal(1);
    expect(kept.subscribed(two)).to.have.length(1);
  });

  it('makes room also when it was fetched', () => {
    const kept = replay({ maxBytes: 100 });
    kept.open(one, 0);
    kept.keep(one, publication('a', 100));
    kept.subscribed(one);
    kept.open(two, 0);
    kept.keep(two, publication('b', 100));
    expect(kept.dropped).to.equal(0);
  });
});

describe('every publication', () => {
  const step = fc.oneof(
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('open' as const) }) },
    {
      weight: 6,
      arbitrary: fc.record({ kind: fc.constant('publish' as const), of: fc.nat(7), bytes: fc.nat(40) }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('subscribe' as const), of: fc.nat(7) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.nat(60) }) },
  );

  it('is sent exactly once and in order, or counted as dropped; age and size stay within bounds', () => {
    const limits = { maxAgeMs: 100, maxBytes: 100, maxLossyBytes: 100 };
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const kept = new Replay(limits);
        const openedAtMs: number[] = [];
        const published = new Map<number, Publication[]>();
        const sent = new Map<number, Publication[]>();
        const send = (of: number, publications: readonly Publication[]) =>
          sent.set(of, [...(sent.get(of) ?? []), ...publications]);
        let [now, count] = [0, 0];

        for (const each of steps) {
          if (each.kind === 'pass') {
            now += each.ms;
            kept.expire(now);
          } else if (each.kind === 'open') {
            kept.open(idOf(openedAtMs.length), now);
            openedAtMs.push(now);
          } else if (each.kind === 'publish') {
            const next = { topic: String(count++), payload: Buffer.alloc(each.bytes) };
            published.set(each.of, [...(published.get(each.of) ?? []), next]);
            if (!kept.keep(idOf(each.of), next)) send(each.of, [next]);
          } else {
            const replayed = kept.subscribed(idOf(each.of));
            send(each.of, replayed);
            if (replayed.length > 0) expect(now - (openedAtMs[each.of] ?? -1)).to.be.below(limits.maxAgeMs);
          }
        }

        // What is left waits: it is what the bounds are about.
        const waiting = [0, 1, 2, 3, 4, 5, 6, 7].flatMap((of) => {
          const replayed = kept.subscribed(idOf(of));
          send(of, replayed);
          return replayed;
        });
        const bytes = waiting.reduce((sum, { payload }) => sum + payload.byteLength, 0);
        expect(bytes).to.be.at.most(limits.maxBytes);

        let sentCount = 0;
        for (const [of, publications] of sent) {
          sentCount += publications.length;
          // A subsequence of what was published: nothing twice, nothing out of order.
          const order = publications.map((each) => (published.get(of) ?? []).indexOf(each));
          expect(order).to.deep.equal([...new Set(order)].sort((a, b) => a - b));
          expect(order).to.not.include(-1);
        }
        expect(sentCount + kept.dropped).to.equal(count);
      }),
      { numRuns: 1_000 },
    );
  });
});
