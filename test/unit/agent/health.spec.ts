import { expect } from 'chai';
import { HealthChecks } from '../../../src/agent/health.ts';
import { ServiceManagerError } from '../../../src/wire/errors.ts';
import type { Health } from '../../../src/wire/result.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { ScriptedProbe } from '../../fakes/scripted-probe.ts';
import { ScriptedProcesses } from '../../fakes/scripted-processes.ts';

class Bench {
  readonly clock = new ManualClock();
  readonly probe = new ScriptedProbe(this.clock);
  readonly processes = new ScriptedProcesses({}, this.clock);
  readonly stop = new AbortController();
  readonly checks: HealthChecks;

  constructor(
    programs: ReadonlyMap<string, readonly string[]> = new Map([['web', ['/usr/lib/check', '-q']]]),
  ) {
    const { clock, probe, processes } = this;
    this.checks = new HealthChecks({ clock, probe, processes, programs });
  }

  /** Lets time pass until the check is over, 10 ms at a time. */
  async check(check: string, withinMs = 60_000): Promise<Health> {
    const { clock, stop } = this;
    const limits = { endsMs: clock.now() + withinMs, signal: stop.signal };
    let isOver = false;
    const checking = this.checks.check(check, limits).finally(() => {
      isOver = true;
    });
    await clock.advanceAsync(0);
    while (!isOver) await clock.advanceAsync(10);
    return checking;
  }
}

describe('a health check', () => {
  it('of a port goes well at the first attempt that does', async () => {
    const bench = new Bench();
    bench.probe.set(80, 'listens');
    expect(await bench.check('tcp:80')).to.deep.equal({
      check: 'tcp:80',
      isHealthy: true,
      attempts: 1,
      detail: '127.0.0.1:80 takes connections',
    });
  });

  it('asks for the path that stands behind the port', async () => {
    const bench = new Bench();
    bench.probe.set(8080, 204);
    expect((await bench.check('http:8080/up/a?b=http:1/c')).isHealthy).to.equal(true);
    expect(bench.probe.attempts).to.deep.equal(['http 8080 /up/a?b=http:1/c']);
  });

  it('runs the program of the configuration, with its arguments and nothing of the request', async () => {
    const bench = new Bench();
    bench.processes.answer('/usr/lib/check -q', { stdout: 'all is well\nreally\n' });
    expect(await bench.check('exec:web')).to.deep.equal({
      check: 'exec:web',
      isHealthy: true,
      attempts: 1,
      detail: 'exit code 0: all is well',
    });
    expect(bench.processes.runs).to.deep.equal(['/usr/lib/check -q']);
  });

  it('is tried again with growing pauses, until the service has come', async () => {
    const bench = new Bench();
    bench.probe.set(80, 503);
    bench.clock.after(3_000, 'it comes', () => bench.probe.set(80, 200));
    const health = await bench.check('http:80/');
    expect(health).to.deep.equal({ check: 'http:80/', isHealthy: true, attempts: 7, detail: 'HTTP 200' });
    // 0, 100, 300, 700, 1,500, 2,500 and 3,500
    expect(bench.clock.now()).to.equal(3_500);
  });

  it('that never goes well ends with the time, and with what it met last', async () => {
    const bench = new Bench();
    bench.processes.answer('/usr/lib/check -q', { exitCode: 1, stderr: '\n  port is closed\n' });
    const health = await bench.check('exec:web', 2_000);
    expect(health).to.deep.include({ isHealthy: false, detail: 'exit code 1: port is closed' });
    expect(bench.clock.now()).to.equal(2_000);
  });

  for (const [check, detail] of [
    ['exec:web', 'no end within 5 s'],
    ['http:80/', 'no answer within 5 s'],
  ] as const) {
    it(`that hangs is ended after 5 s, and tried again: ${check}`, async () => {
      const bench = new Bench();
      bench.probe.set(80, 'hangs');
      bench.processes.hold('/usr/lib/check -q');
      const health = await bench.check(check, 6_000);
      expect(health).to.deep.include({ isHealthy: false, attempts: 2 });
      expect(health.detail).to.equal(detail.replace('5 s', '0.9 s'));
      expect(bench.clock.now()).to.equal(6_000);
    });
  }

  it('whose program cannot be started is not healthy, and says why', async () => {
    const bench = new Bench();
    bench.processes.answer('/usr/lib/check -q', () => {
      throw new ServiceManagerError('PROVIDER_FAILED', '/usr/lib/check could not be started: ENOENT');
    });
    expect(await bench.check('exec:web', 1_000)).to.deep.include({
      isHealthy: false,
      detail: '/usr/lib/check could not be started: ENOENT',
    });
  });

  it('is not begun when no time is left', async () => {
    const bench = new Bench();
    bench.probe.set(80, 'listens');
    expect(await bench.check('tcp:80', 0)).to.deep.equal({
      check: 'tcp:80',
      isHealthy: false,
      attempts: 0,
      detail: 'no time was left for it',
    });
    expect(bench.probe.attempts).to.deep.equal([]);
  });

  it('does not wait for a program that takes its time to end', async () => {
    const { clock, probe, stop } = new Bench();
    const programs = new Map([['web', ['/usr/lib/check']]]);
    const processes = { run: () => new Promise<never>(() => {}) };
    const checks = new HealthChecks({ clock, probe, processes, programs });
    let health: Health | undefined;
    const checking = checks.check('exec:web', { endsMs: 60_000, signal: stop.signal });
    void checking.then((result) => {
      health = result;
    });
    await clock.advanceAsync(1_000);
    expect(health).to.equal(undefined);
    stop.abort();
    await clock.advanceAsync(0);
    expect(health).to.deep.include({ isHealthy: false, detail: 'cancelled', attempts: 1 });
  });

  it('ends at once when nobody waits any more', async () => {
    const bench = new Bench();
    bench.probe.set(80, 'hangs');
    bench.clock.after(1_000, 'stop', () => bench.stop.abort());
    expect(await bench.check('http:80/')).to.deep.include({ isHealthy: false, detail: 'cancelled' });
    expect(bench.clock.now()).to.equal(1_000);
  });
});

describe('a health check that this node cannot do', () => {
  for (const [check, reason] of [
    ['exec:db', 'health check "db" is not in the configuration of this node, expected one of web, mail'],
    [
      'exec:constructor',
      'health check "constructor" is not in the configuration of this node, expected one of web, mail',
    ],
    ['tcp:0', 'health check "tcp:0" names no port from 1 to 65535'],
    ['tcp:65536', 'health check "tcp:65536" names no port from 1 to 65535'],
    ['http:99999/', 'health check "http:99999/" names no port from 1 to 65535'],
  ] as const) {
    it(`is refused: ${check}`, () => {
      const programs = new Map([
        ['web', ['/bin/true']],
        ['mail', ['/bin/true']],
      ]);
      expect(new Bench(programs).checks.refusal(check)).to.equal(reason);
    });
  }

  it('is refused where there is none at all', () => {
    expect(new Bench(new Map()).checks.refusal('exec:web')).to.equal(
      'health check "web" is not in the configuration of this node, and this node has none',
    );
  });

  it('says so where its program was taken out of the configuration while the action ran', async () => {
    const bench = new Bench();
    bench.checks.replace(new Map());
    expect(await bench.check('exec:web')).to.deep.equal({
      ...{ check: 'exec:web', isHealthy: false, attempts: 0 },
      detail: 'health check "web" is not in the configuration of this node, and this node has none',
    });
  });

  it('is none of these', () => {
    for (const check of ['exec:web', 'tcp:1', 'tcp:65535', 'http:080/', 'http:80/a'])
      expect(new Bench().checks.refusal(check)).to.equal(undefined);
  });
});
