import { expect } from 'chai';
import { AliasedProvider, type Aliases } from '../../../src/provider/aliases.ts';
import { knownAliases } from '../../../src/provider/known-aliases.ts';
import { ServiceManagerError } from '../../../src/wire/errors.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { actionOf, ScriptedHost, type ScriptedService, serviceOf } from '../../fakes/scripted-host.ts';

const limits = { timeoutMs: 1_000 };

function bench(services: Readonly<Record<string, ScriptedService>>, changes: Partial<Aliases> = {}) {
  const host = new ScriptedHost(new ManualClock(), services);
  return { host, ...over(host, changes) };
}

function over(host: ScriptedHost, changes: Partial<Aliases> = {}, clock = new ManualClock()) {
  const provider = new AliasedProvider({
    ...{ provider: host, clock, aliases: new Map(), hasKnownAliases: true },
    ...changes,
  });
  return {
    provider,
    run: (command: string) => {
      const [service = '', action = ''] = command.split(' ');
      return provider.run(serviceOf(service), actionOf(action), limits);
    },
    namesOf: (service: string) => provider.namesOf(serviceOf(service)),
  };
}

const aliasesOf = (entries: Readonly<Record<string, readonly string[]>>) =>
  new Map(Object.entries(entries).map(([name, others]) => [name, others.map(serviceOf)]));

describe('a service under a name that the host knows', () => {
  it('is asked for under that name alone, and nothing is said of others', async () => {
    const { host, run } = bench({ cron: { state: 'stopped' }, crond: { state: 'stopped' } });
    expect(await run('cron start')).to.not.have.property('ranAs');
    expect(host.runs).to.deep.equal(['cron start']);
  });

  it('is not asked for again, whatever it answers', async () => {
    for (const trouble of [{ exitCode: 1 }, { exitCode: 4 }, { tookMs: 9_999 }, { exitCode: 127 }]) {
      const { host, run } = bench({
        cron: { state: 'stopped', script: { start: trouble } },
        crond: { state: 'stopped' },
      });
      expect((await run('cron start')).exitCode).to.not.equal(0);
      expect(host.runs).to.deep.equal(['cron start']);
    }
  });

  it('is not asked for again when it says that it went well', async () => {
    const { host, provider } = bench({ crond: { state: 'stopped' } });
    host.run = async (service, action, given) => {
      const result = await ScriptedHost.prototype.run.call(host, service, action, given);
      return { ...result, exitCode: 0 };
    };
    await provider.run(serviceOf('cron'), actionOf('start'), limits);
    expect(host.runs).to.deep.equal(['cron start']);
  });
});

describe('a service under a name that the host does not know', () => {
  for (const [asked, known] of [
    ['cron', 'crond'],
    ['crond', 'cron'],
    ['ssh', 'sshd'],
    ['sshd', 'ssh'],
    ['apache2', 'httpd'],
    ['httpd', 'apache2'],
  ] as const) {
    it(`is found as ${known} when ${asked} was asked for`, async () => {
      const { host, run } = bench({ [known]: { state: 'running' } });
      expect(await run(`${asked} status`)).to.include({ ranAs: known, exitCode: 0, state: 'running' });
      expect(host.runs).to.deep.equal([`${asked} status`, `${known} status`]);
    });
  }

  it('is tried under one name after the other, and done under the first that is known', async () => {
    const { host, run } = bench(
      { c: { state: 'stopped' }, d: { state: 'stopped' } },
      { aliases: aliasesOf({ a: ['b', 'c', 'd'] }) },
    );
    expect((await run('a start')).ranAs).to.equal('c');
    expect(host.runs).to.deep.equal(['a start', 'b start', 'c start']);
    expect(host.services.get('d')?.state).to.equal('stopped');
  });

  it('is answered for as it was asked for when the host knows none', async () => {
    const { host, run } = bench({});
    const answer = await run('apache2 restart');
    expect(answer).to.include({ state: 'not-found', exitCode: 1 }).and.not.have.property('ranAs');
    expect(answer.stderr.text).to.equal('apache2: unrecognized service\n');
    expect(host.runs).to.deep.equal(['apache2 restart', 'httpd restart', 'apache24 restart']);
  });

  it('is answered for by the name that ran, also when that failed', async () => {
    const { run } = bench({
      crond: { state: 'stopped', script: { start: { exitCode: 7, stderr: 'no\n' } } },
    });
    expect(await run('cron start')).to.include({ ranAs: 'crond', exitCode: 7 });
  });

  it('has one time limit under all its names', async () => {
    const clock = new ManualClock();
    const host = new ScriptedHost(clock, { c: { state: 'stopped' } });
    host.onRun = () => clock.advance(400);
    const { run } = over(host, { aliases: aliasesOf({ a: ['b', 'c'] }) }, clock);
    expect(await run('a start')).to.include({ ranAs: 'c', durationMs: 1_200 });
    expect(host.limits).to.deep.equal(['a start 1000', 'b start 600', 'c start 200']);
  });

  it('is not tried again when the time is over', async () => {
    const clock = new ManualClock();
    const host = new ScriptedHost(clock, { crond: { state: 'stopped' } });
    host.onRun = () => clock.advance(1_000);
    expect(await over(host, {}, clock).run('cron start')).to.include({ state: 'not-found' });
    expect(host.runs).to.deep.equal(['cron start']);
  });

  it('is not tried again when it was cancelled', async () => {
    const { host, provider } = bench({ crond: { state: 'stopped' } });
    const cancel = new AbortController();
    host.onRun = () => cancel.abort();
    await provider.run(serviceOf('cron'), actionOf('start'), { ...limits, signal: cancel.signal });
    expect(host.runs).to.deep.equal(['cron start']);
  });

  it('is trouble where its other name cannot be asked for', async () => {
    const throws = new ServiceManagerError('PROVIDER_FAILED', 'no service(8)');
    const { run } = bench({ crond: { state: 'stopped', script: { start: { throws } } } });
    expect(await run('cron start').catch((error: unknown) => error)).to.equal(throws);
  });

  it('is looked at under the name that is known', async () => {
    const { provider } = bench({ crond: { state: 'failed' } });
    expect((await provider.inspect(serviceOf('cron'), limits)).state).to.equal('failed');
    expect((await provider.inspect(serviceOf('nginx'), limits)).state).to.equal('not-found');
  });
});

describe('the list of services', () => {
  it('is asked for once', async () => {
    const { host, run } = bench({});
    await run('cron list');
    expect(host.runs).to.deep.equal(['cron list']);
  });
});

describe('aliases of the configuration', () => {
  it('go before those that are known anyway', () => {
    const { namesOf } = bench({}, { aliases: aliasesOf({ cron: ['fcron'] }) });
    expect(namesOf('cron')).to.deep.equal(['cron', 'fcron', 'crond']);
  });

  it('go one way only: mysql never becomes postgresql', () => {
    const { namesOf } = bench({}, { aliases: aliasesOf({ database: ['postgresql', 'mariadb'] }) });
    expect(namesOf('database')).to.deep.equal(['database', 'postgresql', 'mariadb']);
    expect(namesOf('mariadb')).to.deep.equal(['mariadb']);
  });

  it('are all there is where the known ones are switched off', () => {
    const { namesOf } = bench({}, { hasKnownAliases: false, aliases: aliasesOf({ a: ['b'] }) });
    expect([namesOf('cron'), namesOf('a')]).to.deep.equal([['cron'], ['a', 'b']]);
  });

  it('may be replaced', async () => {
    const { provider, run } = bench({ c: { state: 'stopped' } }, { aliases: aliasesOf({ a: ['b'] }) });
    provider.replace({ aliases: aliasesOf({ a: ['c'] }), hasKnownAliases: false });
    expect((await run('a start')).ranAs).to.equal('c');
  });

  it('are not mixed up with what every object has', () => {
    expect(bench({}).namesOf('constructor')).to.deep.equal(['constructor']);
  });
});

describe('the aliases that are known', () => {
  it('are good service names, none of them in two groups', () => {
    const names = knownAliases.flat();
    expect(names.map(serviceOf)).to.deep.equal([...new Set(names)]);
  });

  it('stand for each other', () => {
    const { namesOf } = bench({});
    for (const group of knownAliases) {
      for (const name of group) expect(namesOf(name)).to.have.members([...group]);
    }
  });
});
