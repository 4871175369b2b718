import { expect } from 'chai';
import { AliasedProvider } from '../../../src/provider/aliases.ts';
import { Bundles } from '../../../src/provider/bundles.ts';
import type { ActionLimits, Inspection, ProviderResult } from '../../../src/provider/provider.ts';
import { VerifiedProvider } from '../../../src/provider/verified.ts';
import { shown } from '../../fakes/bundle-bench.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { MemoryProcessTable } from '../../fakes/memory-process-table.ts';
import { actionOf, ScriptedHost, type ScriptedRun, serviceOf } from '../../fakes/scripted-host.ts';

const stopped = (start: ScriptedRun = {}) => ({ state: 'stopped' as const, script: { start } });

/** As an agent has them: `bundle:web` of db, app and nginx, each of which is looked at for 2 s. */
class Bench {
  readonly clock = new ManualClock();
  readonly host: ScriptedHost;
  readonly #provider: Bundles;

  constructor(services: ConstructorParameters<typeof ScriptedHost>[1], stopOnError?: boolean) {
    const { clock } = this;
    this.host = new ScriptedHost(clock, services);
    const processTable = new MemoryProcessTable();
    const verified = new VerifiedProvider({ provider: this.host, clock, processTable, settleMs: 2_000 });
    const aliases = { aliases: new Map(), hasKnownAliases: true };
    const aliased = new AliasedProvider({ provider: verified, clock, ...aliases });
    const members = ['db', 'app', 'nginx'].map(serviceOf);
    const web = { services: members, stopOnError, timeoutMs: undefined, timeoutsMs: new Map() };
    const bundles = new Map([['web', web]]);
    this.#provider = new Bundles({ provider: aliased, clock, bundles, outputLimitBytes: 1_000 });
  }

  async run(
    action: string,
    service = 'bundle:web',
    timeoutMs = 60_000,
    more: Partial<ActionLimits> = {},
  ): Promise<ProviderResult> {
    let isOver = false;
    const limits = { ...more, timeoutMs };
    const run = this.#provider.run(serviceOf(service), actionOf(action), limits).finally(() => {
      isOver = true;
    });
    await this.clock.advanceAsync(0);
    while (!isOver) await this.clock.advanceAsync(10);
    return run;
  }

  inspect(service: string, limits: ActionLimits): Promise<Inspection> {
    return this.#provider.inspect(serviceOf(service), limits);
  }
}

describe('a bundle whose members are looked at', () => {
  it('has each of them settle before the next one has its turn', async () => {
    const bench = new Bench({ db: stopped(), app: stopped(), nginx: stopped() });
    const begunMs: number[] = [];
    bench.host.onRun = () => begunMs.push(bench.clock.now());
    const { members = [], verification, state, exitCode } = await bench.run('start');
    expect(members.map((member) => member.verification?.isVerified)).to.deep.equal([true, true, true]);
    expect({ verification, state, exitCode }).to.deep.equal({
      verification: undefined,
      state: 'running',
      exitCode: 0,
    });
    expect(begunMs).to.deep.equal([0, 2_000, 4_000]);
    expect(bench.clock.now()).to.equal(6_000);
  });

  it('is unverified when one says it was started and does not run, and puts back what it had started', async () => {
    const bench = new Bench({ db: stopped(), app: stopped({ leaves: 'stopped' }), nginx: stopped() });
    const result = await bench.run('start');
    expect(shown(result)).to.deep.equal([
      'db ok',
      'app unverified',
      'nginx cancelled',
      'db stop ok (roll-back)',
    ]);
    expect(bench.host.runs).to.deep.equal(['db start', 'app start', 'db stop']);
    expect(result.exitCode).to.equal(0);
    expect(result.verification).to.include({
      isVerified: false,
      reason: 'member app: the service is stopped',
    });
  });

  it('goes on past it with stop_on_error = no, and is unverified all the same', async () => {
    const services = { db: stopped(), app: stopped({ leaves: 'failed' }), nginx: stopped() };
    const result = await new Bench(services, false).run('start');
    expect(shown(result)).to.deep.equal(['db ok', 'app unverified', 'nginx ok']);
    expect(result.verification?.reason).to.equal('member app: the service is failed');
    expect(result.state).to.equal('failed');
  });

  it('has failed when another member failed, whoever is unverified', async () => {
    const services = { db: stopped({ leaves: 'stopped' }), app: stopped({ exitCode: 7 }), nginx: stopped() };
    const result = await new Bench(services, false).run('start');
    expect(shown(result)).to.deep.equal(['db unverified', 'app failed', 'nginx ok']);
    expect(result).to.include({ exitCode: 7 }).and.not.have.property('verification');
  });

  it('has its looks within its time limit, and says of whom it was over', async () => {
    const bench = new Bench({ db: stopped(), app: stopped(), nginx: stopped() });
    const result = await bench.run('start', 'bundle:web', 5_000);
    expect(shown(result).slice(0, 3)).to.deep.equal(['db ok', 'app ok', 'nginx unverified']);
    expect(result.verification?.reason).to.equal(
      'member nginx: the time limit was over before the service had been running for 2 s',
    );
    // Three roll-backs follow, which have that time for themselves.
    expect(bench.host.runs.slice(3)).to.deep.equal(['nginx stop', 'app stop', 'db stop']);
    expect(bench.clock.now()).to.be.within(5_000, 10_000);
  });
});

describe('a look at a service', () => {
  it('is given a time limit and a signal, and nothing else that is the action’s', async () => {
    const bench = new Bench({ db: stopped(), app: stopped(), crond: stopped() });
    const given = new Set<string>();
    const inspect = bench.host.inspect.bind(bench.host);
    bench.host.inspect = (service, limits) => {
      for (const key of Object.keys(limits)) given.add(key);
      return inspect(service, limits);
    };
    const { signal } = new AbortController();
    const more = { signal, conclude: signal, settleMs: 100, onOutput: () => {} };
    for (const service of ['bundle:web', 'cron']) await bench.run('start', service, 60_000, more);
    for (const service of ['bundle:web', 'cron']) await bench.inspect(service, { timeoutMs: 1_000, ...more });
    expect([...given]).to.have.members(['timeoutMs', 'signal']);
  });
});

describe('a service with another name that is looked at', () => {
  it('is not waited for under the name that the host does not know', async () => {
    const bench = new Bench({ crond: stopped() });
    const { ranAs, verification, state } = await bench.run('start', 'cron');
    expect({ ranAs, state, isVerified: verification?.isVerified }).to.deep.equal({
      ...{ ranAs: 'crond', state: 'running', isVerified: true },
    });
    expect(bench.clock.now()).to.equal(2_000);
    expect(bench.host.looks.filter((look) => look.startsWith('cron '))).to.have.lengthOf(1);
    expect(bench.host.runs).to.deep.equal(['cron start', 'crond start']);
  });

  it('has one time limit, its looks among it', async () => {
    const bench = new Bench({ crond: stopped() });
    bench.host.onRun = () => bench.clock.advance(400);
    const { verification } = await bench.run('start', 'cron', 1_000);
    expect(bench.host.limits).to.deep.equal(['cron start 1000', 'crond start 600']);
    expect(verification?.reason).to.match(/^the time limit was over/);
    expect(bench.clock.now()).to.equal(1_000);
  });
});
