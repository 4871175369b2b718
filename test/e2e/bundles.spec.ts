import { expect } from 'chai';
import { type RunningManager, runClient, startAgent, startManager } from './harness/fleet.ts';
import { isObject, type JsonObject } from './harness/management.ts';
import { cleanUp, runProgram } from './harness/processes.ts';
import { serviceProgram } from './harness/service-program.ts';
import { failing, scripted, slow, type TestService, wellBehaved } from './harness/services.ts';

/** `node0 ok` or `node0 failed`, and whether it was rolled back. */
function membersOf(result: JsonObject): string[] {
  const members = Array.isArray(result['members']) ? result['members'].filter(isObject) : [];
  return members.map(({ service, action, outcome, isRollback }) =>
    [service, action, outcome, ...(isRollback === true ? ['(roll-back)'] : [])].join(' '),
  );
}

/** What changed the service: how often it was looked at does not matter. */
async function changesOf(service: TestService): Promise<string[]> {
  return (await service.runs()).filter((action) => action !== 'status');
}

describe('a service bundle of real init scripts', function () {
  this.timeout(60_000);

  let manager: RunningManager;
  let db: TestService;
  let app: TestService;
  let nginx: TestService;
  let broken: TestService;

  beforeEach(async () => {
    [db, app, nginx, broken] = [wellBehaved(), wellBehaved(), wellBehaved(), failing(7)];
    const namesOf = (...services: readonly TestService[]) => services.map(({ name }) => name).join(', ');
    manager = await startManager();
    await startAgent({
      managers: [manager],
      nodeName: 'web1',
      sections: {
        'bundle:web': { services: namesOf(db, app, nginx) },
        'bundle:bad': { services: namesOf(db, app, broken, nginx) },
      },
    });
    await manager.waitForSubscribers(1);
  });
  afterEach(cleanUp);

  async function ask(action: string, service: string, code: number): Promise<JsonObject> {
    const run = await runClient(manager.request('web1', action, service, '-w', '20'), { deadlineMs: 30_000 });
    expect(run, `${run.stdout}\n${run.stderr}`).to.include({ code });
    const result = run.answers()[0]?.['result'];
    if (!isObject(result)) throw new Error(run.stdout);
    return result;
  }

  it('starts in order, is running, stops in reverse, is stopped', async () => {
    const all = [db, app, nginx];
    const started = await ask('start', 'bundle:web', 0);
    expect(membersOf(started)).to.deep.equal(all.map(({ name }) => `${name} start ok`));
    expect(started['stdout']).to.equal(all.map(({ name }) => `== ${name} ==\nStarting ${name}\n`).join(''));
    for (const service of all) {
      expect(service.daemonPid()).to.be.a('number');
      expect(await changesOf(service)).to.deep.equal(['start']);
    }
    expect(await ask('status', 'bundle:web', 0)).to.include({
      service: 'bundle:web',
      returncode: 0,
      state: 'running',
    });

    const stopped = await ask('stop', 'bundle:web', 0);
    expect(membersOf(stopped)).to.deep.equal(all.toReversed().map(({ name }) => `${name} stop ok`));
    for (const service of all) expect(service.daemonPid()).to.equal(undefined);
    expect(await ask('status', 'bundle:web', 2)).to.include({ returncode: 3, state: 'stopped' });
  });

  it('has the status of its worst member, and the table names that', async () => {
    await ask('start', 'bundle:web', 0);
    await runProgram('service', [app.name, 'stop']);
    expect(await ask('status', 'bundle:web', 2)).to.include({ returncode: 3, state: 'stopped' });
    const table = await runClient(manager.request('web1', 'status', 'bundle:web', '--format', 'table'));
    expect(table.stdout.split('\n')[1]).to.match(
      new RegExp(`^web1 +stopped +3 +\\d+ ms +${app.name} stopped$`),
    );
  });

  it('puts back what it had started when a member does not start, and leaves alone what ran before', async () => {
    await runProgram('service', [db.name, 'start']);
    const dbPid = db.daemonPid();
    const result = await ask('start', 'bundle:bad', 2);
    expect(result).to.include({ returncode: 7, stderr: `== ${broken.name} ==\nstart failed\n` });
    expect(membersOf(result)).to.deep.equal([
      `${db.name} start ok`,
      `${app.name} start ok`,
      `${broken.name} start failed`,
      `${nginx.name} start cancelled`,
      `${app.name} stop ok (roll-back)`,
    ]);
    expect([db.daemonPid(), app.daemonPid(), nginx.daemonPid()]).to.deep.equal([dbPid, undefined, undefined]);
    expect(dbPid).to.be.a('number');
    expect(await changesOf(db)).to.deep.equal(['start']);
    expect(await changesOf(app)).to.deep.equal(['start', 'stop']);
    expect(await changesOf(nginx)).to.deep.equal([]);
  });

  it('is unverified when a member says it was started and is dead, and puts back what it had started', async () => {
    const liar = scripted('[ "$1" != status ] || { echo "$name is stopped"; exit 3; }\necho "$1 done"');
    const services = [db.name, liar.name, nginx.name].join(', ');
    const sections = { 'bundle:lies': { services } };
    await startAgent({ managers: [manager], nodeName: 'web2', settings: { settle_time: 0.5 }, sections });
    await manager.waitForSubscribers(2);
    const asked = manager.request('web2', 'start', 'bundle:lies', '-w', '30');
    const run = await runClient(asked, { deadlineMs: 40_000 });
    expect(run, run.stderr).to.include({ code: 2 });
    const [{ result, msg } = {}] = run.answers();
    if (!isObject(result)) throw new Error(run.stdout);
    expect(membersOf(result)).to.deep.equal([
      `${db.name} start ok`,
      `${liar.name} start unverified`,
      `${nginx.name} start cancelled`,
      `${db.name} stop ok (roll-back)`,
    ]);
    expect(result).to.include({ returncode: 0, state: 'unknown' });
    expect(msg).to.include(`but member ${liar.name}: the service is stopped`);
    expect(db.daemonPid()).to.equal(undefined);
    expect(await changesOf(db)).to.deep.equal(['start', 'stop']);
    expect(await changesOf(liar)).to.deep.equal(['start']);
    expect(await changesOf(nginx)).to.deep.equal([]);
  });

  it('restarts every member: each has a new process', async () => {
    await ask('start', 'bundle:web', 0);
    const before = [db, app, nginx].map((service) => service.daemonPid());
    await ask('restart', 'bundle:web', 0);
    for (const [at, service] of [db, app, nginx].entries()) {
      expect(service.daemonPid()).to.be.a('number').and.not.equal(before[at]);
      expect(await changesOf(service)).to.deep.equal(['start', 'stop', 'start']);
    }
  });

  it('does not run at the same time as one of its members', async () => {
    const service = slow(400);
    const sections = { 'bundle:one': { services: service.name } };
    await startAgent({ managers: [manager], nodeName: 'web2', sections });
    await manager.waitForSubscribers(2);
    const names = ['bundle:one', service.name, 'bundle:one', service.name];
    const runs = await Promise.all(
      names.map((name) =>
        runClient(manager.request('web2', 'reload', name, '-w', '20'), { deadlineMs: 30_000 }),
      ),
    );
    for (const run of runs) expect(run, run.stderr).to.include({ code: 0 });
    const reloads = (await service.log()).filter((line) => line.endsWith('reload'));
    expect(reloads).to.deep.equal(names.flatMap(() => ['reload', 'done reload']));
  });

  it('that is not configured is not found', async () => {
    const result = await ask('start', 'bundle:wbe', 2);
    expect(result).to.include({
      returncode: 4,
      state: 'not-found',
      stderr: 'no service bundle of the name "wbe" is configured here (known: web, bad)\n',
    });
  });
});

describe('a service with other names', function () {
  this.timeout(60_000);

  let manager: RunningManager;

  beforeEach(async () => {
    manager = await startManager();
  });
  afterEach(cleanUp);

  const knowsOnly = (name: string) =>
    serviceProgram(`[ "$1" = ${name} ] || { echo "$1: unrecognized service" >&2; exit 1; }`);

  for (const asked of ['cron', 'crond']) {
    it(`is restarted on a mixed fleet by one command: ${asked}`, async () => {
      const [debian, rhel] = [knowsOnly('cron'), knowsOnly('crond')];
      await startAgent({ managers: [manager], nodeName: 'debian', serviceProgram: debian.file });
      await startAgent({ managers: [manager], nodeName: 'rhel', serviceProgram: rhel.file });
      await manager.waitForSubscribers(2);
      const run = await runClient(manager.request('any', 'restart', asked));
      expect(run, run.stderr).to.include({ code: 0 });
      const said = run
        .answers()
        .map(({ result }) => (isObject(result) ? [result['node'], result['service'], result['ranAs']] : []));
      const other = (name: string) => (name === asked ? undefined : name);
      expect(said).to.have.deep.members([
        ['debian', asked, other('cron')],
        ['rhel', asked, other('crond')],
      ]);
      expect(debian.runs().filter((line) => line === 'cron restart')).to.have.length(1);
      expect(rhel.runs().filter((line) => line === 'crond restart')).to.have.length(1);
    });
  }

  it('by the configuration is found under the name of a real init script, which runs once', async () => {
    const service = wellBehaved();
    const sections = { aliases: { mail: `no-such-service, ${service.name}` } };
    await startAgent({ managers: [manager], nodeName: 'web1', sections });
    await manager.waitForSubscribers(1);
    const run = await runClient(manager.request('web1', 'start', 'mail'));
    expect(run, run.stderr).to.include({ code: 0 });
    expect(run.answers()[0]?.['result']).to.include({ service: 'mail', ranAs: service.name, returncode: 0 });
    expect(await changesOf(service)).to.deep.equal(['start']);
    expect(service.daemonPid()).to.be.a('number');
  });

  it('is not found where builtin_aliases = no', async () => {
    const debian = knowsOnly('cron');
    const settings = { builtin_aliases: 'no' };
    await startAgent({ managers: [manager], nodeName: 'web1', serviceProgram: debian.file, settings });
    await manager.waitForSubscribers(1);
    const run = await runClient(manager.request('web1', 'restart', 'crond'));
    expect(run.answers()[0]?.['result']).to.include({ state: 'not-found', returncode: 1 });
    expect(debian.runs()).to.deep.equal(['crond restart']);
  });
});
