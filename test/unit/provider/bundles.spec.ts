import { expect } from 'chai';
import { Answers } from '../../../src/agent/answers.ts';
import { AliasedProvider } from '../../../src/provider/aliases.ts';
import { Bundles } from '../../../src/provider/bundles.ts';
import { message } from '../../../src/wire/codec.ts';
import { ServiceManagerError } from '../../../src/wire/errors.ts';
import { NodeName, states } from '../../../src/wire/fields.ts';
import { RequestBody } from '../../../src/wire/request.ts';
import { Answer, maxResultBytes } from '../../../src/wire/result.ts';
import { type BenchOptions, BundleBench, shown } from '../../fakes/bundle-bench.ts';
import { type ScriptedRun, type ScriptedService, serviceOf } from '../../fakes/scripted-host.ts';

const stopped = (script: Readonly<Record<string, ScriptedRun>> = {}): ScriptedService => ({
  state: 'stopped',
  script,
});
const running = (script: Readonly<Record<string, ScriptedRun>> = {}): ScriptedService => ({
  state: 'running',
  script,
});
const bench = (services: Readonly<Record<string, ScriptedService>>, options?: BenchOptions) =>
  new BundleBench(services, options);

describe('starting a bundle', () => {
  it('starts its members in order', async () => {
    const web = bench({ db: stopped(), app: stopped(), nginx: stopped() });
    const result = await web.run('start');
    expect(result).to.include({ exitCode: 0, timedOut: false, aborted: false, provider: 'bundle' });
    expect(shown(result)).to.deep.equal(['db ok', 'app ok', 'nginx ok']);
    expect(web.ran()).to.deep.equal(['db start', 'app start', 'nginx start']);
  });

  it('leaves alone what runs already', async () => {
    const web = bench({ db: running({ start: { exitCode: 1 } }), app: stopped() });
    const result = await web.run('start');
    expect(result.members?.[0]).to.include({
      service: 'db',
      action: 'start',
      outcome: 'ok',
      state: 'running',
    });
    expect(result.exitCode).to.equal(0);
    expect(web.ran()).to.deep.equal(['app start']);
  });

  it('that fails rolls back in reverse what it had started, and nothing else', async () => {
    const web = bench({
      db: running(),
      cache: stopped(),
      queue: { state: undefined },
      app: stopped(),
      nginx: stopped({ start: { exitCode: 7, stderr: 'port is taken\n' } }),
      mail: stopped(),
    });
    const result = await web.run('start');
    expect(web.ran()).to.deep.equal([
      'cache start',
      'queue start',
      'app start',
      'nginx start',
      'app stop',
      'cache stop',
    ]);
    expect(shown(result)).to.deep.equal([
      'db ok',
      'cache ok',
      'queue ok',
      'app ok',
      'nginx failed',
      'mail cancelled',
      'app stop ok (roll-back)',
      'cache stop ok (roll-back)',
    ]);
    expect(result).to.include({ exitCode: 7 });
    expect(result.stderr.text).to.equal('== nginx ==\nport is taken\n');
    expect([web.state('db'), web.state('cache'), web.state('app')]).to.deep.equal([
      'running',
      'stopped',
      'stopped',
    ]);
  });

  it('rolls back what failed, too, when it runs all the same', async () => {
    const web = bench({ db: stopped(), app: stopped({ start: { exitCode: 1, leaves: 'running' } }) });
    expect(shown(await web.run('start')).slice(2)).to.deep.equal([
      'app stop ok (roll-back)',
      'db stop ok (roll-back)',
    ]);
  });

  it('goes on with its roll-back when a member does not stop', async () => {
    const web = bench({
      db: stopped(),
      cache: stopped({ stop: { exitCode: 3 } }),
      app: stopped({ start: { exitCode: 7 } }),
    });
    const result = await web.run('start');
    expect(shown(result).slice(3)).to.deep.equal(['cache stop failed (roll-back)', 'db stop ok (roll-back)']);
    expect(result.exitCode).to.equal(7);
  });

  it('rolls back a member that the agent saw not to be what it should', async () => {
    const web = bench({ db: stopped(), app: stopped({ start: { isVerified: false } }), nginx: stopped() });
    const result = await web.run('start');
    expect(shown(result)).to.deep.equal([
      'db ok',
      'app unverified',
      'nginx cancelled',
      'app stop ok (roll-back)',
      'db stop ok (roll-back)',
    ]);
    expect(result.exitCode).to.equal(0);
    expect(result.verification).to.include({
      isVerified: false,
      reason: 'member app: its main process changed',
    });
  });

  it('is then as its members are after the roll-back', async () => {
    const db = stopped({ start: { says: 'unknown' }, stop: { says: 'stopped' } });
    const web = bench({ db, app: stopped({ start: { exitCode: 7, says: 'stopped' } }) });
    expect(await web.run('start')).to.include({ state: 'stopped', exitCode: 7 });
  });

  it('looks at its members with a time limit and a signal, and nothing else that is the action’s', async () => {
    const web = bench({ db: stopped() });
    const given = new Set<string>();
    const inspect = web.host.inspect.bind(web.host);
    web.host.inspect = (service, limits) => {
      for (const key of Object.keys(limits)) given.add(key);
      return inspect(service, limits);
    };
    const { signal } = new AbortController();
    const limits = { signal, conclude: signal, settleMs: 100, onOutput: () => {} };
    await web.run('start', limits);
    expect([...given]).to.have.members(['timeoutMs', 'signal']);
    given.clear();
    await web.bundles.inspect(serviceOf('bundle:web'), { timeoutMs: 1_000, ...limits });
    expect([...given]).to.have.members(['timeoutMs', 'signal']);
  });

  it('says nothing of a verification when all is as it should be', async () => {
    const web = bench({ db: stopped({ start: { isVerified: true } }) });
    expect(await web.run('start')).to.not.have.property('verification');
  });

  it('that cannot ask the service manager of the host for a member says so of that member', async () => {
    const throws = new ServiceManagerError('PROVIDER_FAILED', 'service could not be started: EAGAIN');
    const web = bench({ db: stopped(), app: stopped({ start: { throws } }) });
    const result = await web.run('start');
    expect(shown(result)).to.deep.equal(['db ok', 'app failed', 'db stop ok (roll-back)']);
    expect(result).to.include({ exitCode: 71 });
    expect(result.stderr.text).to.equal('== app ==\nservice could not be started: EAGAIN\n');
  });

  it('stops with the agent when that is stopped', async () => {
    const throws = new ServiceManagerError('INTERRUPTED', 'service goes on without us');
    const web = bench({ db: stopped(), app: stopped({ start: { throws } }) });
    expect(await web.run('start').catch((error: unknown) => error)).to.equal(throws);
    expect(web.ran()).to.deep.equal(['db start', 'app start']);
  });

  it('with stop_on_error = no tries all, and rolls nothing back', async () => {
    const web = bench({ db: stopped({ start: { exitCode: 5 } }), app: stopped() }, { stopOnError: false });
    const result = await web.run('start');
    expect(shown(result)).to.deep.equal(['db failed', 'app ok']);
    expect(result.exitCode).to.equal(5);
    expect(web.ran()).to.deep.equal(['db start', 'app start']);
  });
});

describe('a bundle with stop_on_error = no', () => {
  it('keeps what it had started also when its time is over', async () => {
    const services = {
      db: stopped({ start: { tookMs: 500 } }),
      app: stopped({ start: { tookMs: 900 } }),
      nginx: stopped(),
    };
    const web = bench(services, { stopOnError: false });
    const result = await web.run('start', { timeoutMs: 1_000 });
    expect(shown(result)).to.deep.equal(['db ok', 'app failed', 'nginx cancelled']);
    expect([result.timedOut, web.state('db')]).to.deep.equal([true, 'running']);
  });

  it('does not start in a restart what it had no time to stop', async () => {
    const web = bench({ db: stopped(), app: running({ stop: { tookMs: 2_000 } }) }, { stopOnError: false });
    expect(shown(await web.run('restart', { timeoutMs: 1_000 }))).to.deep.equal([
      'db cancelled',
      'app failed',
    ]);
    expect(web.ran()).to.deep.equal(['app stop']);
  });
});

describe('stopping a bundle', () => {
  it('stops its members in reverse', async () => {
    const web = bench({ db: running(), app: running(), nginx: running() });
    expect(shown(await web.run('stop'))).to.deep.equal(['nginx ok', 'app ok', 'db ok']);
    expect(web.ran()).to.deep.equal(['nginx stop', 'app stop', 'db stop']);
  });

  it('goes on when one does not stop', async () => {
    const web = bench({ db: running(), app: running({ stop: { exitCode: 9 } }), nginx: running() });
    const result = await web.run('stop');
    expect(shown(result)).to.deep.equal(['nginx ok', 'app failed', 'db ok']);
    expect(result.exitCode).to.equal(9);
  });

  it('ends there only when stop_on_error = yes is written', async () => {
    const web = bench(
      { db: running(), app: running({ stop: { exitCode: 9 } }), nginx: running() },
      { stopOnError: true },
    );
    expect(shown(await web.run('stop'))).to.deep.equal(['nginx ok', 'app failed', 'db cancelled']);
    expect(web.state('db')).to.equal('running');
  });
});

describe('restarting a bundle', () => {
  it('stops in reverse, then starts in order, and says it of each member once', async () => {
    const noisy = { stop: { stdout: 'down\n', tookMs: 10 }, start: { stdout: 'up\n', tookMs: 20 } };
    const web = bench({ db: running(noisy), app: stopped() });
    const result = await web.run('restart');
    expect(web.ran()).to.deep.equal(['app stop', 'db stop', 'db start', 'app start']);
    expect(shown(result)).to.deep.equal(['db ok', 'app ok']);
    expect(result.members?.[0]).to.include({
      action: 'restart',
      stdout: 'down\nup\n',
      durationMs: 30,
      returncode: 0,
    });
    expect(result.stdout.text).to.equal('== db stop ==\ndown\n== db start ==\nup\n');
  });

  it('starts again all that it stopped when one of them does not stop, and leaves that and the rest', async () => {
    const web = bench({ db: running(), app: running({ stop: { exitCode: 9 } }), nginx: running() });
    const result = await web.run('restart');
    expect(web.ran()).to.deep.equal(['nginx stop', 'app stop', 'nginx start']);
    expect(shown(result)).to.deep.equal(['db cancelled', 'app failed', 'nginx ok']);
    expect(result.exitCode).to.equal(9);
  });

  it('starts also what says that it did not stop but does not run', async () => {
    const web = bench({ db: stopped({ stop: { exitCode: 1 } }) });
    const result = await web.run('restart');
    expect(web.ran()).to.deep.equal(['db stop', 'db start']);
    expect(shown(result)).to.deep.equal(['db failed']);
    expect(web.state('db')).to.equal('running');
  });

  it('rolls nothing back, and says what it left stopped', async () => {
    const web = bench({ db: running(), app: running({ start: { exitCode: 7 } }), nginx: running() });
    const result = await web.run('restart');
    expect(web.ran()).to.deep.equal(['nginx stop', 'app stop', 'db stop', 'db start', 'app start']);
    expect(shown(result)).to.deep.equal(['db ok', 'app failed', 'nginx failed']);
    expect(result.members?.[2]?.stderr).to.equal('[service-mgr: it was stopped, and not started again]\n');
  });

  it('with stop_on_error = no stops and starts whatever can be', async () => {
    const services = {
      db: running(),
      app: running({ start: { exitCode: 7 } }),
      nginx: running({ stop: { exitCode: 9 } }),
    };
    const web = bench(services, { stopOnError: false });
    const result = await web.run('restart');
    expect(web.ran()).to.deep.equal(['nginx stop', 'app stop', 'db stop', 'db start', 'app start']);
    expect(shown(result)).to.deep.equal(['db ok', 'app failed', 'nginx failed']);
    expect(result.exitCode).to.equal(7);
  });

  it('has its time limit again for starting: what was stopped must not stay so', async () => {
    const web = bench({ db: running(), app: running({ stop: { tookMs: 1_500 } }) });
    const result = await web.run('restart', { timeoutMs: 1_000 });
    expect(result.timedOut).to.equal(true);
    expect(web.ran()).to.deep.equal(['app stop']);
    expect(shown(result)).to.deep.equal(['db cancelled', 'app failed']);
    const slow = bench({
      db: running({ stop: { tookMs: 600 } }),
      app: running({ stop: { tookMs: 600 }, start: { tookMs: 900 } }),
    });
    expect((await slow.run('restart', { timeoutMs: 1_000 })).timedOut).to.equal(true);
    expect(slow.ran()).to.deep.equal(['app stop', 'db stop', 'app start']);
    expect(slow.state('app')).to.equal('running');
  });

  for (const action of ['try-restart', 'condrestart']) {
    it(`by ${action} is for the members that run`, async () => {
      const web = bench({ db: running(), app: stopped(), old: { state: 'failed' }, nginx: running() });
      const result = await web.run(action);
      expect(web.ran()).to.deep.equal(['nginx stop', 'db stop', 'db start', 'nginx start']);
      expect(shown(result)).to.deep.equal(['db ok', 'app ok', 'old ok', 'nginx ok']);
      expect(result.members?.map((member) => member.action)).to.deep.equal([action, action, action, action]);
      expect(result).to.include({ exitCode: 0, state: 'failed' });
    });
  }

  it('by try-restart touches nothing when it cannot be told whether a member runs', async () => {
    const web = bench({ db: running(), app: { state: undefined } });
    const result = await web.run('try-restart');
    expect(web.ran()).to.deep.equal([]);
    expect(shown(result)).to.deep.equal(['db cancelled', 'app failed']);
    expect(result.exitCode).to.equal(4);
    const going = bench({ db: running(), app: { state: undefined } }, { stopOnError: false });
    expect(shown(await going.run('try-restart'))).to.deep.equal(['db ok', 'app failed']);
    expect(going.ran()).to.deep.equal(['db stop', 'db start']);
  });
});

describe('the status of a bundle', () => {
  it('is running, with 0, when all members run', async () => {
    const web = bench({ db: running({ status: { stdout: 'db runs\n' } }), app: running() });
    const result = await web.run('status');
    expect(result).to.include({ state: 'running', exitCode: 0 });
    expect(result.stdout.text).to.equal('== db ==\ndb runs\n');
    expect(web.ran()).to.deep.equal(['db status', 'app status']);
  });

  for (const [at, state] of (['not-found', 'failed', 'unknown', 'stopped', 'running'] as const).entries()) {
    it(`is ${state} when no member is worse`, async () => {
      const better = ['not-found', 'failed', 'unknown', 'stopped', 'running'].slice(at);
      for (const other of states.filter((each) => better.includes(each))) {
        for (const order of [
          [state, other],
          [other, state],
        ] as const) {
          const web = bench({ one: { state: order[0] }, other: { state: order[1] } });
          const codes: Readonly<Record<string, number>> = {
            'not-found': 1,
            failed: 1,
            unknown: 4,
            stopped: 3,
            running: 0,
          };
          expect(await web.run('status')).to.include({ state, exitCode: codes[state] });
        }
      }
    });
  }

  it('asks every member, whatever the others are, whatever stop_on_error says', async () => {
    const web = bench({ db: stopped(), app: running() }, { stopOnError: true });
    expect(shown(await web.run('status'))).to.deep.equal(['db failed', 'app ok']);
  });

  it('can be looked at without being asked for', async () => {
    const web = bench({ db: running(), app: stopped() });
    const look = (name: string) => web.bundles.inspect(serviceOf(name), { timeoutMs: 10 });
    expect(await look('bundle:web')).to.deep.equal({ state: 'stopped', mainPid: undefined });
    expect((await look('bundle:wbe')).state).to.equal('not-found');
    expect((await look('db')).state).to.equal('running');
    expect(web.ran()).to.deep.equal([]);
  });
});

describe('any other action on a bundle', () => {
  for (const action of ['reload', 'force-reload', 'enable', 'disable', 'configtest']) {
    it(`goes through the members in order: ${action}`, async () => {
      const web = bench({ db: running(), app: running({ [action]: { exitCode: 2 } }), nginx: running() });
      expect(shown(await web.run(action))).to.deep.equal(['db ok', 'app failed', 'nginx cancelled']);
      expect(web.ran()).to.deep.equal([`db ${action}`, `app ${action}`]);
    });
  }

  it('goes on with stop_on_error = no', async () => {
    const web = bench({ db: running({ reload: { exitCode: 2 } }), app: running() }, { stopOnError: false });
    expect(shown(await web.run('reload'))).to.deep.equal(['db failed', 'app ok']);
  });

  it('is left to the host when it is list, which is of all services', async () => {
    const web = bench({ db: running() });
    await web.run('list');
    expect(web.ran()).to.deep.equal(['bundle:web list']);
  });
});

describe('a bundle that is not configured', () => {
  it('is not found, and the known ones are named', async () => {
    const web = bench({ db: running() });
    const result = await web.run('start', {}, 'bundle:wbe');
    expect(result).to.include({ state: 'not-found', exitCode: 4, provider: 'bundle' });
    expect(result.stderr.text).to.equal(
      'no service bundle of the name "wbe" is configured here (known: web)\n',
    );
    expect(web.ran()).to.deep.equal([]);
  });

  it('is not found on a host that has none', async () => {
    const web = bench({ db: running() });
    web.bundles.replace(new Map());
    expect((await web.run('start')).stderr.text).to.match(/\(known: none\)\n$/);
  });

  it('does not keep services from being used', async () => {
    const web = bench({ db: stopped() });
    expect(await web.run('start', {}, 'db')).to.include({ exitCode: 0, provider: 'scripted' });
  });
});

describe('the time of a bundle', () => {
  it('is one for all members', async () => {
    const web = bench({
      db: stopped({ start: { tookMs: 400 } }),
      app: stopped({ start: { tookMs: 300 } }),
      nginx: stopped(),
    });
    expect(await web.run('start', { timeoutMs: 1_000 })).to.include({ timedOut: false, durationMs: 700 });
    expect(web.host.limits).to.deep.equal(['db start 1000', 'app start 600', 'nginx start 300']);
  });

  it('that is over ends it: the rest does not begin, and the roll-back has the same time again', async () => {
    const web = bench({
      db: stopped(),
      app: stopped({ start: { tookMs: 2_000, leaves: 'running' } }),
      nginx: stopped(),
    });
    const result = await web.run('start', { timeoutMs: 1_000 });
    expect(result.timedOut).to.equal(true);
    expect(shown(result)).to.deep.equal([
      'db ok',
      'app failed',
      'nginx cancelled',
      'app stop ok (roll-back)',
      'db stop ok (roll-back)',
    ]);
    expect(web.host.limits.slice(2)).to.deep.equal(['app stop 1000', 'db stop 1000']);
  });

  it('that is over between two members ends it too', async () => {
    const web = bench({ db: running({ stop: { tookMs: 1_000 } }), app: running({ stop: { tookMs: 0 } }) });
    web.host.onRun = () => web.clock.advance(1_000);
    const result = await web.run('stop', { timeoutMs: 1_000 });
    expect(result).to.include({ timedOut: true, exitCode: 1 });
    expect(shown(result)).to.deep.equal(['app ok', 'db cancelled']);
  });

  it('may be less for each member, and other for one of them', async () => {
    const services = {
      db: stopped({ start: { tookMs: 400 } }),
      app: stopped({ start: { tookMs: 200 } }),
      nginx: stopped(),
    };
    const web = bench(services, { timeoutMs: 100, timeoutsMs: { db: 500 } });
    const result = await web.run('start', { timeoutMs: 1_000 });
    expect(web.host.limits.slice(0, 2)).to.deep.equal(['db start 500', 'app start 100']);
    expect(shown(result).slice(0, 3)).to.deep.equal(['db ok', 'app failed', 'nginx cancelled']);
    expect(result.members?.[1]).to.include({ timedOut: true });
    // It was not the time of the whole that was over.
    expect(result).to.include({ timedOut: false, exitCode: -15 });
  });

  it('of a member is never longer than what is left', async () => {
    const web = bench({ db: stopped({ start: { tookMs: 700 } }), app: stopped() }, { timeoutMs: 900 });
    await web.run('start', { timeoutMs: 1_000 });
    expect(web.host.limits).to.deep.equal(['db start 900', 'app start 300']);
  });

  it('is not used up by a look at a member: 5 s at most, and never more than it has', async () => {
    const web = bench({ db: running(), app: running() }, { timeoutsMs: { app: 700 } });
    await web.run('start');
    expect(web.host.looks).to.deep.equal(['db 5000', 'app 700']);
    web.host.looks.splice(0);
    await web.run('start', { timeoutMs: 300 });
    expect(web.host.looks).to.deep.equal(['db 300', 'app 300']);
  });

  it('that is over never reads as if it went well', async () => {
    const web = bench({ db: running({ stop: { tookMs: 500, exitCode: 0 } }) }, { timeoutMs: 100 });
    const { run } = web.host;
    web.host.run = async (...args) => ({ ...(await run.apply(web.host, args)), exitCode: 0 });
    expect(await web.run('stop')).to.include({ exitCode: 1 });
  });
});

describe('cancelling an action on a bundle', () => {
  function cancelledAt(command: string, action: string) {
    const web = bench({ db: stopped(), app: stopped(), nginx: stopped() });
    const cancel = new AbortController();
    web.host.onRun = (begun) => {
      if (begun === command) cancel.abort();
    };
    return { web, result: web.run(action, { signal: cancel.signal }) };
  }

  it('ends the member that runs, keeps the others from beginning, and rolls nothing back', async () => {
    const { web, result } = cancelledAt('app start', 'start');
    expect(await result).to.include({ aborted: true });
    expect(shown(await result)).to.deep.equal(['db ok', 'app cancelled', 'nginx cancelled']);
    expect(web.ran()).to.deep.equal(['db start', 'app start']);
  });

  it('ends a restart, too', async () => {
    const { web, result } = cancelledAt('app stop', 'restart');
    expect(await result).to.include({ aborted: true });
    expect(web.ran()).to.deep.equal(['nginx stop', 'app stop']);
  });

  it('before it begins keeps everything from running', async () => {
    const web = bench({ db: stopped() });
    const result = await web.run('start', { signal: AbortSignal.abort() });
    expect(result.aborted).to.equal(true);
    expect(web.ran()).to.deep.equal([]);
  });

  it('when it is done already changes nothing', async () => {
    const web = bench({ db: running() });
    const cancel = new AbortController();
    const { run } = web.host;
    web.host.run = async (...args) => {
      const result = await run.apply(web.host, args);
      cancel.abort();
      return result;
    };
    expect(await web.run('stop', { signal: cancel.signal })).to.include({ aborted: false, exitCode: 0 });
  });
});

describe('what a bundle touches', () => {
  it('is itself, its members, and every name that these may have', () => {
    const web = bench({ db: running(), cron: running() });
    const aliased = new AliasedProvider({
      provider: web.host,
      clock: web.clock,
      aliases: new Map(),
      hasKnownAliases: true,
    });
    const services = ['db', 'cron'].map(serviceOf);
    const bundle = { services, stopOnError: undefined, timeoutMs: undefined, timeoutsMs: new Map() };
    const bundles = new Bundles({
      ...{
        provider: aliased,
        clock: web.clock,
        bundles: new Map([['web', bundle]]),
        outputLimitBytes: 1_000,
      },
    });
    expect(bundles.namesOf(serviceOf('bundle:web'))).to.deep.equal(['bundle:web', 'db', 'cron', 'crond']);
    expect(bundles.namesOf(serviceOf('bundle:none'))).to.deep.equal(['bundle:none']);
    expect(bundles.namesOf(serviceOf('ssh'))).to.deep.equal(['ssh', 'sshd']);
    expect(web.bundles.namesOf(serviceOf('ssh'))).to.deep.equal(['ssh']);
  });

  it('is told of each member under the name that ran', async () => {
    const web = bench({ crond: stopped() });
    const aliased = new AliasedProvider({
      provider: web.host,
      clock: web.clock,
      aliases: new Map(),
      hasKnownAliases: true,
    });
    const bundle = {
      services: [serviceOf('cron')],
      stopOnError: undefined,
      timeoutMs: undefined,
      timeoutsMs: new Map(),
    };
    const bundles = new Bundles({
      ...{
        provider: aliased,
        clock: web.clock,
        bundles: new Map([['web', bundle]]),
        outputLimitBytes: 1_000,
      },
    });
    const result = await bundles.run(serviceOf('bundle:web'), 'start' as never, { timeoutMs: 1_000 });
    expect(result.members?.[0]).to.include({ service: 'cron', ranAs: 'crond' });
  });
});

describe('the largest answer of a bundle', () => {
  it('fits its frame: 100 members that say as much as they can, in bytes that take the most room, all rolled back', async () => {
    const outputLimitBytes = 262_144;
    const text = '\u0001'.repeat(outputLimitBytes);
    const loud = { exitCode: 0, stdout: text, stderr: text, isVerified: true };
    const name = (at: number) => `app${String(at).padStart(252, '0')}`;
    const services = Object.fromEntries(
      Array.from({ length: 100 }, (_, at) => [
        name(at),
        stopped({ start: { ...loud, exitCode: at === 99 ? 1 : 0, leaves: 'running' }, stop: loud }),
      ]),
    );
    const web = bench(services, { outputLimitBytes });
    const result = await web.run('start');
    expect(result.members).to.have.length(200);
    const node = message('node', 300, NodeName).parse('web1');
    const host = {
      hostname: 'web1',
      system: 'Linux',
      release: '6',
      version: '#1',
      machine: 'x86_64',
      osRelease: {},
    };
    const body = RequestBody.parse({ id: 'a'.repeat(32), cmd: 'start', topic: 'any', service: 'bundle:web' });
    const frame = Answer.encode(new Answers(node, host).done(body, result, 1_000));
    expect(frame.length).to.be.within(maxResultBytes / 2, maxResultBytes);
    expect(Answer.decode(frame)).to.have.nested.property('result.members').with.length(200);
  });
});
