import { expect } from 'chai';
import type { ActionLimits, Provider, ProviderResult } from '../../../src/provider/provider.ts';
import { VerifiedProvider } from '../../../src/provider/verified.ts';
import { ServiceManagerError } from '../../../src/wire/errors.ts';
import type { ActionName, ServiceName } from '../../../src/wire/fields.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { MemoryProcessTable } from '../../fakes/memory-process-table.ts';
import { actionOf, serviceOf } from '../../fakes/scripted-host.ts';
import { type Timeline, TimelineProvider } from '../../fakes/timeline-provider.ts';

interface Seen {
  readonly result: ProviderResult;
  readonly tookMs: number;
  readonly log: readonly string[];
}

class Bench {
  readonly clock = new ManualClock();
  readonly table = new MemoryProcessTable();

  verified(provider: Provider, settleMs = 2_000): VerifiedProvider {
    return new VerifiedProvider({ provider, settleMs, clock: this.clock, processTable: this.table });
  }

  /** Lets time pass until the action is over, 10 ms at a time. */
  async ends(run: Promise<ProviderResult>): Promise<ProviderResult> {
    let isOver = false;
    const over = run.finally(() => {
      isOver = true;
    });
    over.catch(() => {});
    await this.clock.advanceAsync(0);
    while (!isOver) await this.clock.advanceAsync(10);
    return over;
  }
}

async function act(action: string, timeline: Timeline, limits: Partial<ActionLimits> = {}): Promise<Seen> {
  const bench = new Bench();
  const provider = new TimelineProvider(timeline, bench.clock, bench.table);
  const given = { timeoutMs: 60_000, ...limits };
  const run = bench.verified(provider).run('nginx' as ServiceName, action as ActionName, given);
  const result = await bench.ends(run);
  return { result, tookMs: bench.clock.now(), log: provider.log };
}

async function verdictOf(action: string, timeline: Timeline, limits?: Partial<ActionLimits>) {
  const { result } = await act(action, timeline, limits);
  const { isVerified, reason } = result.verification ?? {};
  return reason === undefined ? isVerified : reason;
}

describe('an action that says it went well', () => {
  it('is looked at before and after, until the service has been what it should be for long enough', async () => {
    const { result, tookMs, log } = await act('start', { before: 'stopped', after: [[0, 'running', 12]] });
    expect(result.verification).to.deep.equal({
      isVerified: true,
      before: 'stopped',
      after: 'running',
      pidAfter: 12,
      changes: 0,
      settleMs: 2_000,
    });
    expect(result.state).to.equal('running');
    expect(tookMs).to.equal(2_000);
    expect(log.slice(0, 3)).to.deep.equal(['look at 0', 'run at 0', 'look at 0']);
    expect(log.at(-1)).to.equal('look at 2000');
  });

  it('is looked at often at first, and then twice a second', async () => {
    const { log } = await act('start', { before: 'stopped', after: [[0, 'running', 12]] });
    const looks = log.slice(2).map((line) => Number(line.split(' ').at(-1)));
    expect(looks).to.deep.equal([0, 50, 150, 350, 750, 1_250, 1_750, 2_000]);
  });

  it('has not made a service run that stays dead: known after 4 s', async () => {
    const { result, tookMs } = await act('start', { before: 'stopped', after: [[0, 'stopped']] });
    expect(result.verification).to.deep.equal({
      isVerified: false,
      reason: 'the service is stopped',
      before: 'stopped',
      after: 'stopped',
      changes: 0,
      settleMs: 2_000,
    });
    expect(tookMs).to.equal(4_000);
  });

  it('has 4 s for that with the shortest settle time, too', async () => {
    const timeline: Timeline = { before: 'stopped', after: [[0, 'stopped']] };
    expect((await act('start', timeline, { settleMs: 100 })).tookMs).to.equal(4_000);
  });

  it('may take twice the settle time where that is longer', async () => {
    const timeline: Timeline = {
      before: 'stopped',
      after: [
        [0, 'stopped'],
        [11_000, 'running', 12],
      ],
    };
    expect(await verdictOf('start', timeline, { settleMs: 6_000 })).to.equal(true);
    expect(await verdictOf('start', timeline, { settleMs: 5_000 })).to.equal('the service is stopped');
  });

  it('is verified though the service came 3 s later, with the change counted', async () => {
    const after = [
      [0, 'stopped'],
      [3_000, 'running', 12],
    ] as const;
    const { result } = await act('start', { before: 'stopped', after });
    expect(result.verification).to.deep.include({ isVerified: true, changes: 1 });
  });

  it('is not verified when the service dies within the settle time: known when that has passed again', async () => {
    const after = [
      [0, 'running', 12],
      [1_000, 'failed'],
    ] as const;
    const { result, tookMs } = await act('start', { before: 'stopped', after });
    expect(result.verification).to.deep.include({
      isVerified: false,
      reason: 'the service was running, but now it is failed',
      after: 'failed',
      changes: 1,
    });
    expect(tookMs).to.be.within(3_000, 3_600);
  });

  it('is verified when a supervisor starts it again, once', async () => {
    const after = [
      [0, 'running', 12],
      [300, 'failed'],
      [800, 'running', 13],
    ] as const;
    const { result } = await act('start', { before: 'stopped', after });
    expect(result.verification).to.deep.include({ isVerified: true, pidAfter: 13, changes: 2 });
  });

  it('is verified when a daemon forks once more, from then on', async () => {
    const after = [
      [0, 'running', 12],
      [700, 'running', 13],
    ] as const;
    const { result, tookMs } = await act('start', { before: 'stopped', after });
    expect(result.verification).to.deep.include({ isVerified: true, pidAfter: 13, changes: 1 });
    expect(tookMs).to.be.at.least(2_700);
  });

  it('is not verified when its process is another one all the time: known at the second time', async () => {
    const after = Array.from({ length: 20 }, (_, turn) => [turn * 300, 'running', 20 + turn] as const);
    const { result, tookMs } = await act('start', { before: 'stopped', after });
    expect(result.verification).to.deep.include({
      isVerified: false,
      reason: 'the service does not stay running: 2 changes in 0.8 s',
      after: 'running',
    });
    expect(tookMs).to.equal(750);
  });

  it('does not count as a change that the main process was not known for a moment', async () => {
    const after = [
      [0, 'running'],
      [100, 'running', 12],
      [600, 'running'],
      [900, 'running', 12],
    ] as const;
    const { result } = await act('start', { before: 'stopped', after });
    expect(result.verification).to.deep.include({ isVerified: true, changes: 0 });
  });

  it('is not verified by a host that could not say before what it is, and cannot after: known at once', async () => {
    const { result, tookMs } = await act('start', { before: 'unknown', after: [[0, 'unknown']] });
    expect(result.verification).to.deep.include({
      isVerified: false,
      reason: 'the service cannot say whether it runs',
      after: 'unknown',
    });
    expect(tookMs).to.equal(0);
  });

  it('is waited for where the host could say what it was', async () => {
    const after = [
      [0, 'unknown'],
      [2_500, 'running', 12],
    ] as const;
    expect(await verdictOf('start', { before: 'stopped', after })).to.equal(true);
  });
});

describe('what an action should make of a service', () => {
  const table: ReadonlyArray<[action: string, timeline: Timeline, verdict: unknown]> = [
    ['restart', { before: ['running', 11], after: [[0, 'running', 12]] }, true],
    [
      'restart',
      { before: ['running', 11], after: [[0, 'running', 11]] },
      'the main process is the same as before: 11',
    ],
    [
      'restart',
      {
        before: ['running', 11],
        after: [
          [0, 'running', 11],
          [1_000, 'running', 12],
        ],
      },
      true,
    ],
    ['restart', { before: ['running', 11], after: [[0, 'running']] }, true],
    ['restart', { before: 'stopped', after: [[0, 'running', 12]] }, true],
    ['restart', { before: 'unknown', after: [[0, 'running', 12]] }, true],
    ['reload', { before: ['running', 11], after: [[0, 'running', 11]] }, true],
    ['reload', { before: ['running', 11], after: [[0, 'failed']] }, 'the service is failed'],
    ['force-reload', { before: ['running', 11], after: [[0, 'running', 12]] }, true],
    ['stop', { before: ['running', 11], after: [[0, 'stopped']] }, true],
    ['stop', { before: ['running', 11], after: [[0, 'failed']] }, true],
    ['stop', { before: ['running', 11], after: [[0, 'not-found']] }, true],
    ['stop', { before: 'stopped', after: [[0, 'stopped']] }, true],
    ['stop', { before: ['running', 11], after: [[0, 'running', 11]] }, 'the service is running'],
    ['stop', { before: ['running', 11], after: [[0, 'stopped', 11]] }, 'the main process 11 lives on'],
    [
      'stop',
      {
        before: ['running', 11],
        after: [
          [0, 'stopped', 11],
          [1_000, 'stopped'],
        ],
      },
      true,
    ],
    ['stop', { before: ['running', 11], after: [[0, 'unknown']] }, true],
    ['stop', { before: 'unknown', after: [[0, 'unknown']] }, 'the service cannot say whether it runs'],
    [
      'stop',
      {
        before: ['running', 11],
        after: [
          [0, 'stopped'],
          [900, 'running', 12],
        ],
      },
      'the service was stopped, but now it is running',
    ],
    ['try-restart', { before: ['running', 11], after: [[0, 'running', 12]] }, true],
    [
      'try-restart',
      { before: ['running', 11], after: [[0, 'running', 11]] },
      'the main process is the same as before: 11',
    ],
    ['try-restart', { before: 'stopped', after: [[0, 'stopped']] }, true],
    ['try-restart', { before: 'stopped', after: [[0, 'running', 12]] }, 'the service is running'],
    [
      'condrestart',
      { before: 'unknown', after: [[0, 'running', 12]] },
      'the service could not say whether it was running before',
    ],
  ];
  for (const [action, timeline, verdict] of table) {
    const told = timeline.after.map(([, ...moment]) => moment.join(' ')).join(', then ');
    it(`${action}: ${timeline.before} -> ${told} is ${verdict === true ? 'verified' : `not: ${verdict}`}`, async () => {
      expect(await verdictOf(action, timeline)).to.equal(verdict);
    });
  }

  for (const action of ['start', 'restart']) {
    it(`${action}: to have done its work and ended is as good as to run`, async () => {
      const bench = new Bench();
      const inner = new TimelineProvider(
        { before: 'stopped', after: [[0, 'stopped']] },
        bench.clock,
        bench.table,
      );
      const provider: Provider = {
        run: () => inner.run(),
        inspect: async () => ({ ...(await inner.inspect()), hasDoneItsWork: true }),
      };
      const given = [serviceOf('backup'), actionOf(action), { timeoutMs: 60_000 }] as const;
      const { state, verification } = await bench.ends(bench.verified(provider).run(...given));
      expect(state).to.equal('stopped');
      expect(verification).to.include({ isVerified: true, after: 'stopped', changes: 0 });
    });
  }

  it('restart: a new process with the same id is another one', async () => {
    const bench = new Bench();
    const timeline: Timeline = { before: ['running', 11], after: [[0, 'running', 11]] };
    const inner = new TimelineProvider(timeline, bench.clock, bench.table);
    const provider: Provider = {
      run: async () => {
        bench.table.starts(11);
        return inner.run();
      },
      inspect: () => inner.inspect(),
    };
    const limits = { timeoutMs: 60_000 };
    const run = bench.verified(provider).run('nginx' as ServiceName, 'restart' as ActionName, limits);
    expect((await bench.ends(run)).verification).to.include({
      isVerified: true,
      pidBefore: 11,
      pidAfter: 11,
    });
  });

  for (const action of ['status', 'list', 'enable', 'disable', 'configtest']) {
    it(`is nothing after ${action}: nobody looks`, async () => {
      const { result, log } = await act(action, { before: 'stopped', after: [[0, 'stopped']] });
      expect(log).to.deep.equal(['run at 0']);
      expect(result).to.not.have.property('verification');
    });
  }

  it('is not looked at with a settle time of 0, of the request or of the agent', async () => {
    const timeline: Timeline = { before: 'stopped', after: [[0, 'stopped']] };
    expect((await act('start', timeline, { settleMs: 0 })).log).to.deep.equal(['run at 0']);
    const bench = new Bench();
    const provider = new TimelineProvider(timeline, bench.clock, bench.table);
    const limits = { timeoutMs: 60_000 };
    await bench.verified(provider, 0).run('nginx' as ServiceName, 'start' as ActionName, limits);
    expect(provider.log).to.deep.equal(['run at 0']);
  });
});

describe('an action that says it failed', () => {
  it('is not verified, but the state that it left is read once', async () => {
    const timeline: Timeline = { before: 'stopped', after: [[0, 'running', 12]], exit: { exitCode: 1 } };
    const { result, tookMs } = await act('start', timeline);
    expect(result).to.include({ exitCode: 1, state: 'running' });
    expect(result).to.not.have.property('verification');
    expect(tookMs).to.equal(0);
  });

  it('is not asked again for a service that the host does not know', async () => {
    const bench = new Bench();
    const timeline: Timeline = { before: 'not-found', after: [[0, 'unknown']], exit: { exitCode: 1 } };
    const inner = new TimelineProvider(timeline, bench.clock, bench.table);
    const provider: Provider = {
      run: async () => ({ ...(await inner.run()), state: 'not-found' }),
      inspect: () => inner.inspect(),
    };
    const limits = { timeoutMs: 60_000 };
    const run = bench.verified(provider).run('nginx' as ServiceName, 'start' as ActionName, limits);
    expect((await bench.ends(run)).state).to.equal('not-found');
    expect(inner.log).to.deep.equal(['look at 0', 'run at 0']);
  });

  it('is left as it is when it has used up its time, or was cancelled', async () => {
    const timedOut = { exitCode: -15, timedOut: true };
    for (const [exit, actionMs] of [
      [timedOut, 1_000],
      [{ exitCode: 0, timedOut: true }, 1_000],
      [{ exitCode: -15, aborted: true }, 10],
    ] as const) {
      const timeline: Timeline = { before: 'stopped', after: [[0, 'running']], exit, actionMs };
      const { result, log } = await act('start', timeline, { timeoutMs: 1_000 });
      expect(result.state).to.equal('unknown');
      expect(result).to.not.have.property('verification');
      expect(log).to.deep.equal(['look at 0', 'run at 0']);
    }
  });
});

describe('the time limit of an action', () => {
  it('bounds the action and the looking together, and the result says so', async () => {
    const timeline: Timeline = { before: 'stopped', after: [[0, 'running', 12]], actionMs: 2_000 };
    const { result, tookMs } = await act('start', timeline, { timeoutMs: 3_000 });
    expect(result.verification).to.include({
      isVerified: false,
      after: 'running',
      reason: 'the time limit was over before the service had been running for 2 s',
    });
    expect(tookMs).to.equal(3_000);
  });

  it('also ends the waiting for a service that does not come', async () => {
    const timeline: Timeline = { before: 'stopped', after: [[0, 'stopped']] };
    const { result, tookMs } = await act('start', timeline, { timeoutMs: 1_000 });
    expect(result.verification?.reason).to.equal(
      'the time limit was over before the service had been running for 2 s: the service is stopped',
    );
    expect(tookMs).to.equal(1_000);
  });

  it('is not used up by a status that hangs', async () => {
    const bench = new Bench();
    const timeoutsMs: number[] = [];
    const timeline: Timeline = { before: 'stopped', after: [[0, 'running', 12]] };
    const inner = new TimelineProvider(timeline, bench.clock, bench.table);
    const provider: Provider = {
      run: () => inner.run(),
      inspect: (_service, { timeoutMs }) => {
        timeoutsMs.push(timeoutMs);
        return inner.inspect();
      },
    };
    const run = bench
      .verified(provider)
      .run('nginx' as ServiceName, 'start' as ActionName, { timeoutMs: 6_000 });
    await bench.ends(run);
    expect(timeoutsMs.slice(0, 2)).to.deep.equal([5_000, 5_000]);
    expect(timeoutsMs.at(-1)).to.equal(4_000);
  });
});

describe('looking', () => {
  for (const [which, what] of [
    ['signal', 'the request was cancelled'],
    ['conclude', 'the agent was stopped'],
  ] as const) {
    it(`ends at once, with what is known, when ${what}`, async () => {
      const bench = new Bench();
      const timeline: Timeline = { before: 'stopped', after: [[0, 'running', 12]] };
      const provider = new TimelineProvider(timeline, bench.clock, bench.table);
      const stop = new AbortController();
      const limits = { timeoutMs: 60_000, [which]: stop.signal };
      const run = bench.verified(provider).run('nginx' as ServiceName, 'start' as ActionName, limits);
      await bench.clock.advanceAsync(1_000);
      stop.abort();
      await bench.clock.advanceAsync(0);
      expect((await run).verification).to.include({
        isVerified: false,
        after: 'running',
        reason: `${what} before the service had been running for 2 s`,
      });
    });
  }

  it('does not wait for a status that hangs when nobody waits any more', async () => {
    const bench = new Bench();
    const timeline: Timeline = { before: 'stopped', after: [[0, 'running', 12]] };
    const inner = new TimelineProvider(timeline, bench.clock, bench.table);
    let looks = 0;
    const provider: Provider = {
      run: () => inner.run(),
      inspect: () => {
        looks += 1;
        return looks === 1 ? inner.inspect() : new Promise<never>(() => {});
      },
    };
    const stop = new AbortController();
    const limits = { timeoutMs: 60_000, conclude: stop.signal };
    const run = bench.verified(provider).run('nginx' as ServiceName, 'start' as ActionName, limits);
    await bench.clock.advanceAsync(1_000);
    stop.abort();
    const { state, verification } = await run;
    expect([state, verification?.after]).to.deep.equal(['unknown', 'unknown']);
    expect(verification?.reason).to.equal(
      'the agent was stopped before the service had been running for 2 s',
    );
  });

  it('does not wait for a status that does not even end at its time limit', async () => {
    const bench = new Bench();
    const timeline: Timeline = { before: 'stopped', after: [] };
    const inner = new TimelineProvider(timeline, bench.clock, bench.table);
    const provider: Provider = { run: () => inner.run(), inspect: () => new Promise<never>(() => {}) };
    const run = bench
      .verified(provider)
      .run('nginx' as ServiceName, 'start' as ActionName, { timeoutMs: 60_000 });
    expect((await bench.ends(run)).verification?.reason).to.equal('the service cannot say whether it runs');
    expect(bench.clock.now()).to.equal(14_000);
  });

  it('takes a host that cannot be asked for one that cannot say', async () => {
    const bench = new Bench();
    const timeline: Timeline = { before: 'stopped', after: [] };
    const inner = new TimelineProvider(timeline, bench.clock, bench.table);
    const trouble = new ServiceManagerError('PROVIDER_FAILED', 'service: ENOENT');
    const provider: Provider = { run: () => inner.run(), inspect: () => Promise.reject(trouble) };
    const limits = { timeoutMs: 60_000 };
    const run = bench.verified(provider).run('nginx' as ServiceName, 'start' as ActionName, limits);
    expect((await bench.ends(run)).verification?.reason).to.equal('the service cannot say whether it runs');
  });

  it('does not hide a bug', async () => {
    const bench = new Bench();
    const inner = new TimelineProvider({ before: 'stopped', after: [] }, bench.clock, bench.table);
    const bug = new TypeError('oops');
    const provider: Provider = { run: () => inner.run(), inspect: () => Promise.reject(bug) };
    const limits = { timeoutMs: 60_000 };
    const run = bench.verified(provider).run('nginx' as ServiceName, 'start' as ActionName, limits);
    expect(await run.catch((error: unknown) => error)).to.equal(bug);
  });
});
