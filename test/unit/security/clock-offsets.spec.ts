import { expect } from 'chai';
import fc from 'fast-check';
import { ClockOffsets } from '../../../src/security/clock-offsets.ts';

const minute = 60_000;

/** A clock that is ahead by so much, whose messages take no time. */
function noteAhead(offsets: ClockOffsets, name: string, aheadMs: number, ...receivedAt: number[]) {
  return receivedAt.map((receivedAtMs) => offsets.note(name, receivedAtMs + aheadMs, receivedAtMs));
}

describe('the offset of the clock of a host', () => {
  it('is not known before anything was heard of it', () => {
    expect(new ClockOffsets(10).offsetOf('web1')).to.equal(undefined);
  });

  it('is that of the message that came quickest', () => {
    const offsets = new ClockOffsets(10);
    for (const wayMs of [300, 20, 150]) offsets.note('web1', 5_000, 4_000 + wayMs);
    expect(offsets.offsetOf('web1')).to.equal(980);
  });

  it('is that of the last five messages, so that a clock which was set is soon known', () => {
    const offsets = new ClockOffsets(10);
    noteAhead(offsets, 'web1', 9_000, 0);
    noteAhead(offsets, 'web1', 2, 1, 2, 3, 4);
    expect(offsets.offsetOf('web1')).to.equal(9_000);
    noteAhead(offsets, 'web1', 2, 5);
    expect(offsets.offsetOf('web1')).to.equal(2);
  });

  it('has nothing to do with that of another host', () => {
    const offsets = new ClockOffsets(10);
    noteAhead(offsets, 'web1', 7, 0);
    noteAhead(offsets, 'web2', -7, 0);
    expect([offsets.offsetOf('web1'), offsets.offsetOf('web2')]).to.deep.equal([7, -7]);
  });

  it('is not known any more when the host was forgotten', () => {
    const offsets = new ClockOffsets(10);
    noteAhead(offsets, 'web1', 7, 0);
    offsets.forget('web1');
    expect(offsets.offsetOf('web1')).to.equal(undefined);
  });
});

describe('a clock that is too far off', () => {
  it('is reported with its host and its offset', () => {
    expect(noteAhead(new ClockOffsets(10), 'web1', -45_000, minute)).to.deep.equal([
      'the clock of web1 is 45.0 s behind ours, and 30 s are allowed: check its time service',
    ]);
  });

  it('is not reported while one of its messages shows that it is right', () => {
    const offsets = new ClockOffsets(10);
    noteAhead(offsets, 'web1', 0, 0);
    expect(noteAhead(offsets, 'web1', -45_000, 1, 2, 3, 4)).to.deep.equal(Array(4).fill(undefined));
    expect(noteAhead(offsets, 'web1', -45_000, 5)[0]).to.include('45.0 s behind');
  });

  it('is reported once a minute', () => {
    const offsets = new ClockOffsets(10);
    const reports = noteAhead(offsets, 'web1', 31_000, 0, 1, minute - 1, minute, minute + 1, 2 * minute);
    expect(reports.map((report) => report !== undefined)).to.deep.equal([
      true,
      false,
      false,
      true,
      false,
      true,
    ]);
  });

  it('is reported for each host', () => {
    const offsets = new ClockOffsets(10);
    noteAhead(offsets, 'web1', 31_000, 0);
    expect(noteAhead(offsets, 'web2', 31_000, 0)[0]).to.include('web2');
  });

  it('is reported again when our own clock was set back meanwhile', () => {
    const offsets = new ClockOffsets(10);
    noteAhead(offsets, 'web1', 31_000, 3_600_000);
    expect(noteAhead(offsets, 'web1', 31_000, 1_000)[0]).to.include('web1');
  });

  it('is reported within a minute when it was forgotten and is back', () => {
    const offsets = new ClockOffsets(10);
    noteAhead(offsets, 'web1', 31_000, 0);
    offsets.forget('web1');
    expect(noteAhead(offsets, 'web1', 31_000, 1)[0]).to.include('web1');
  });
});

describe('with more hosts than there may be', () => {
  it('the one that was heard of longest ago is forgotten', () => {
    const offsets = new ClockOffsets(2);
    for (const [at, name] of ['web1', 'web2', 'web1', 'web3'].entries()) noteAhead(offsets, name, 5, at);
    expect(['web1', 'web2', 'web3'].map((name) => offsets.offsetOf(name))).to.deep.equal([5, undefined, 5]);
    expect(offsets.size).to.equal(2);
  });

  it('never more are known', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20)), fc.integer({ min: 1, max: 9 }), (numbers, maxNames) => {
        const offsets = new ClockOffsets(maxNames);
        for (const number of numbers) {
          noteAhead(offsets, `web${number}`, number, 0);
          expect(offsets.offsetOf(`web${number}`)).to.equal(number);
          expect(offsets.size).to.be.at.most(maxNames);
        }
      }),
    );
  });
});
