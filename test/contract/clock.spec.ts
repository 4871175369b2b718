import { expect } from 'chai';
import type { Clock } from '../../src/platform/clock.ts';
import { nodeClock } from '../../src/platform/node/clock.ts';
import { ManualClock } from '../fakes/manual-clock.ts';

interface Implementation {
  readonly name: string;
  open(): { readonly clock: Clock; pass(ms: number): Promise<void> };
}

const real: Implementation = {
  name: 'nodeClock',
  open: () => ({ clock: nodeClock, pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)) }),
};

const manual: Implementation = {
  name: 'ManualClock',
  open() {
    const clock = new ManualClock();
    return { clock, pass: (ms) => clock.advanceAsync(ms) };
  },
};

for (const implementation of [real, manual]) {
  describe(`Clock as ${implementation.name}`, () => {
    it('goes on, and never back', async () => {
      const { clock, pass } = implementation.open();
      const before = clock.now();
      await pass(10);
      expect(clock.now()).to.be.at.least(before + 9);
    });

    it('tells the time since 1970 apart from its own', async () => {
      const { clock, pass } = implementation.open();
      const before = clock.wallMs();
      await pass(10);
      expect(clock.wallMs()).to.be.at.least(before + 9);
      expect(clock.wallMs()).to.be.greaterThan(Date.UTC(2025, 0, 1));
      expect(clock.now()).to.be.lessThan(Date.UTC(2025, 0, 1));
    });

    it('runs a timer once, and not early by its own time', async () => {
      const { clock, pass } = implementation.open();
      const ranAt: number[] = [];
      const dueMs = clock.now() + 5.5;
      clock.after(5.5, 'test', () => ranAt.push(clock.now()));
      await pass(40);
      expect(ranAt).to.have.length(1);
      expect(ranAt[0]).to.be.at.least(dueMs);
    });

    it('runs timers in the order of their times', async () => {
      const { clock, pass } = implementation.open();
      const order: string[] = [];
      clock.after(20, 'second', () => order.push('second'));
      clock.after(1, 'first', () => order.push('first'));
      await pass(50);
      expect(order).to.deep.equal(['first', 'second']);
    });

    it('does not run a timer that was cancelled, also twice', async () => {
      const { clock, pass } = implementation.open();
      let runs = 0;
      const cancel = clock.after(5, 'test', () => {
        runs += 1;
      });
      cancel();
      cancel();
      await pass(20);
      expect(runs).to.equal(0);
    });

    it('does not run what is due in months at once', async () => {
      const { clock, pass } = implementation.open();
      let runs = 0;
      const cancel = clock.after(2 ** 31 + 5, 'test', () => {
        runs += 1;
      });
      await pass(20);
      cancel();
      expect(runs).to.equal(0);
    });
  });
}

describe('nodeClock', () => {
  it('runs no timer early, at whichever fraction of a millisecond it is set', async () => {
    const earlyByMs: number[] = [];
    const timers = Array.from({ length: 40 }, () => {
      const setMs = nodeClock.now();
      const ran = new Promise<void>((resolve) => {
        nodeClock.after(10, 'test', () => {
          if (nodeClock.now() < setMs + 10) earlyByMs.push(setMs + 10 - nodeClock.now());
          resolve();
        });
      });
      while (nodeClock.now() < setMs + 0.05);
      return ran;
    });
    await Promise.all(timers);
    expect(earlyByMs).to.deep.equal([]);
  });

  it('waits for what is due in months without waking up all the time', async () => {
    const warnings: Error[] = [];
    const keep = (warning: Error) => warnings.push(warning);
    process.on('warning', keep);
    const cancel = nodeClock.after(2 ** 31 + 5, 'test', () => {});
    await new Promise((resolve) => setTimeout(resolve, 10));
    cancel();
    process.off('warning', keep);
    expect(warnings).to.deep.equal([]);
  });
});

describe('ManualClock', () => {
  it('starts where it is told to, and stands still', () => {
    const clock = new ManualClock(500);
    expect(clock.now()).to.equal(500);
    expect(clock.now()).to.equal(500);
  });

  it('runs each timer at its own time, also those set on the way', () => {
    const clock = new ManualClock();
    const ranAt: [string, number][] = [];
    clock.after(30, 'late', () => ranAt.push(['late', clock.now()]));
    clock.after(10, 'early', () => {
      ranAt.push(['early', clock.now()]);
      clock.after(5, 'inner', () => ranAt.push(['inner', clock.now()]));
    });
    clock.advance(40);
    expect(ranAt).to.deep.equal([
      ['early', 10],
      ['inner', 15],
      ['late', 30],
    ]);
    expect(clock.now()).to.equal(40);
  });

  it('runs timers of the same time in the order in which they were set', () => {
    const clock = new ManualClock();
    const order: number[] = [];
    for (const number of [1, 2, 3]) clock.after(10, 'test', () => order.push(number));
    clock.advance(10);
    expect(order).to.deep.equal([1, 2, 3]);
  });

  it('lets promises and the event loop come to their turn between timers', async () => {
    const clock = new ManualClock();
    const order: string[] = [];
    clock.after(10, 'first', () => {
      setImmediate(() => clock.after(5, 'inner', () => order.push(`inner ${clock.now()}`)));
    });
    clock.after(30, 'second', () => order.push(`second ${clock.now()}`));
    await clock.advanceAsync(30);
    expect(order).to.deep.equal(['inner 15', 'second 30']);
  });

  it('names the timers that are left, the next one first', () => {
    const clock = new ManualClock();
    clock.after(30, 'later', () => {});
    clock.after(20, 'sooner', () => {});
    const cancel = clock.after(10, 'cancelled', () => {});
    cancel();
    expect(clock.pending).to.deep.equal(['sooner', 'later']);
  });

  it('keeps its own time when the host is given another', () => {
    const clock = new ManualClock();
    const before = clock.wallMs();
    clock.jumpWall(-3_600_000);
    clock.advance(10);
    expect(clock.now()).to.equal(10);
    expect(clock.wallMs()).to.equal(before - 3_600_000 + 10);
  });

  it('names a timer that never lets time pass instead of running for ever', () => {
    const clock = new ManualClock();
    const again = () => {
      clock.after(0, 'spinning', again);
    };
    again();
    expect(() => clock.advance(1)).to.throw('spinning');
  });
});
