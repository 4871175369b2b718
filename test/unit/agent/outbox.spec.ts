import { expect } from 'chai';
import fc from 'fast-check';
import { Outbox, type OutboxLimits, type OutgoingAnswer } from '../../../src/agent/outbox.ts';
import type { RequestId } from '../../../src/wire/fields.ts';

const limits: OutboxLimits = { firstPauseMs: 1_000, longestPauseMs: 30_000, maxBytes: 1_000 };
const idOf = (count: number) => count.toString(16).padStart(32, '0') as RequestId;
const id = idOf(1);

function answer(changes: Partial<OutgoingAnswer> = {}): OutgoingAnswer {
  return { id, manager: 'm1', payload: Buffer.from('ok'), ...changes };
}

/** When the answer is sent again, looked at every `stepMs` for ten minutes. */
function sendings(outbox: Outbox, stepMs = 10): number[] {
  const sent: number[] = [];
  for (let now = 0; now <= 600_000; now += stepMs) if (outbox.due(now).length > 0) sent.push(now);
  return sent;
}

describe('an answer in the outbox', () => {
  it('is sent again with pauses that double up to the longest, for ever', () => {
    const outbox = new Outbox(limits, () => 0.5);
    outbox.add(answer(), 0);
    expect(sendings(outbox).slice(0, 8)).to.deep.equal([
      1_000, 3_000, 7_000, 15_000, 31_000, 61_000, 91_000, 121_000,
    ]);
  });

  it('is sent again after a pause that is up to a quarter shorter or longer', () => {
    for (const [random, firstMs] of [
      [0, 750],
      [0.999, 1_250],
    ] as const) {
      const outbox = new Outbox(limits, () => random);
      outbox.add(answer(), 0);
      expect(sendings(outbox)[0]).to.equal(firstMs);
    }
  });

  it('is sent again to the manager that it is for, as it is', () => {
    const outbox = new Outbox(limits, () => 0.5);
    const one = answer({ manager: 'm2', payload: Buffer.from('{ "as": "it came" }') });
    outbox.add(one, 0);
    expect(outbox.due(1_000)).to.have.length(1);
    expect(outbox.due(5_000)[0]).to.include(one);
  });

  it('waits until its manager has it, whatever the other one says', () => {
    const outbox = new Outbox(limits, () => 0.5);
    outbox.add(answer(), 0);
    outbox.add(answer({ manager: 'm2' }), 0);
    expect(outbox.delivered(id, 'm1')).to.equal(true);
    expect([outbox.isWaiting(id, 'm1'), outbox.isWaiting(id, 'm2')]).to.deep.equal([false, true]);
    expect(outbox.due(1_000).map(({ manager }) => manager)).to.deep.equal(['m2']);
    expect(outbox.count).to.equal(1);
  });

  it('that is not there any more is not delivered twice', () => {
    const outbox = new Outbox(limits, () => 0.5);
    outbox.add(answer(), 0);
    expect([outbox.delivered(id, 'm1'), outbox.delivered(id, 'm1')]).to.deep.equal([true, false]);
    expect(outbox.delivered(idOf(2), 'm1')).to.equal(false);
    expect(sendings(outbox)).to.deep.equal([]);
  });

  it('that is added again takes the place of the first, and begins anew', () => {
    const outbox = new Outbox(limits, () => 0.5);
    outbox.add(answer(), 0);
    outbox.due(1_000);
    outbox.add(answer({ payload: Buffer.from('again') }), 2_000);
    expect(outbox.count).to.equal(1);
    expect(outbox.due(2_999)).to.deep.equal([]);
    expect(outbox.due(3_000).map(({ payload }) => String(payload))).to.deep.equal(['again']);
  });
});

describe('an outbox that holds too much', () => {
  const big = (count: number, bytes: number) => answer({ id: idOf(count), payload: Buffer.alloc(bytes) });

  it('gives up the oldest, and counts them', () => {
    const outbox = new Outbox(limits, () => 0.5);
    for (const count of [1, 2, 3]) outbox.add(big(count, 400), 0);
    expect([outbox.count, outbox.givenUp]).to.deep.equal([2, 1]);
    expect(outbox.due(1_000).map((waiting) => waiting.id)).to.deep.equal([idOf(2), idOf(3)]);
  });

  it('gives up none while it is just full', () => {
    const outbox = new Outbox(limits, () => 0.5);
    for (const count of [1, 2]) outbox.add(big(count, 500), 0);
    expect([outbox.count, outbox.givenUp]).to.deep.equal([2, 0]);
  });

  it('has room again for what was delivered', () => {
    const outbox = new Outbox(limits, () => 0.5);
    outbox.add(big(1, 600), 0);
    outbox.delivered(idOf(1), 'm1');
    outbox.add(big(2, 600), 0);
    outbox.add(big(2, 900), 0);
    expect([outbox.count, outbox.givenUp]).to.deep.equal([1, 0]);
  });

  it('is given up for the manager that takes up most of it, and for no other one', () => {
    const outbox = new Outbox(limits, () => 0.5);
    outbox.add({ ...big(1, 300), manager: 'm2' }, 0);
    for (let count = 10; count < 30; count += 1) outbox.add(big(count, 100), 0);
    outbox.add({ ...big(2, 100), manager: 'm2' }, 0);
    expect(outbox.givenUp).to.equal(14);
    expect([1, 2].map((number) => outbox.isWaiting(idOf(number), 'm2'))).to.deep.equal([true, true]);
    // Of those the latest remain.
    expect([23, 24, 29].map((number) => outbox.isWaiting(idOf(number), 'm1'))).to.deep.equal([
      ...[false, true, true],
    ]);
  });

  it('gives up even the only one when that is too large', () => {
    const outbox = new Outbox(limits, () => 0.5);
    outbox.add(big(1, 1_001), 0);
    expect([outbox.count, outbox.givenUp]).to.deep.equal([0, 1]);
    outbox.add(big(2, 10), 0);
    expect([outbox.count, outbox.givenUp]).to.deep.equal([1, 1]);
  });

  it('never holds more than its bound, and counts all that is given up', () => {
    const sizes = fc.array(fc.record({ bytes: fc.nat(1_200), isDelivered: fc.boolean() }), { maxLength: 60 });
    fc.assert(
      fc.property(sizes, (answers) => {
        const outbox = new Outbox(limits, () => 0.5);
        let delivered = 0;
        for (const [count, { bytes, isDelivered }] of answers.entries()) {
          outbox.add(big(count, bytes), 0);
          if (isDelivered && outbox.delivered(idOf(count), 'm1')) delivered += 1;
        }
        const held = outbox.due(10_000).reduce((sum, { payload }) => sum + payload.byteLength, 0);
        expect(held).to.be.at.most(limits.maxBytes);
        expect(outbox.count + outbox.givenUp + delivered).to.equal(answers.length);
      }),
    );
  });
});
