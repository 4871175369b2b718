import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { freeBsdFolder } from '../contract/service-hosts/freebsd.ts';
import { eventually } from '../fakes/eventually.ts';
import {
  type AgentOptions,
  type RunningAgent,
  type RunningManager,
  runClient,
  startAgent,
  startManager,
} from './harness/fleet.ts';
import { isObject, type JsonObject } from './harness/management.ts';
import { type Namespace, reap, startNamespace } from './harness/namespace.ts';
import { startSystemd } from './harness/namespaced-systemd.ts';
import { cleanUp } from './harness/processes.ts';
import { startSysvinit } from './harness/sysvinit.ts';

const daemon = '/usr/sbin/cron';

/** Of the host's own cron, on three hosts that this one is at the same time; each with its own processes and /run. */
describe('a fleet of sysvinit, systemd and FreeBSD', function () {
  this.timeout(60_000);
  let manager: RunningManager;
  let hosts: Readonly<Record<string, Namespace>>;
  const agents: Record<string, RunningAgent> = {};

  before(async () => {
    const [sysv, systemd, freebsd] = await Promise.all([startSysvinit(), startSystemd(), startFreeBsd()]);
    await Promise.all([sysv, systemd, freebsd].map(hideCronJobs));
    await sysv.install('cron', readFileSync('/etc/init.d/cron', 'utf8'));
    // systemd would start it again, faster than anybody can ask what became of it.
    await systemd.install('cron', unitOfCron().replace(/^Restart=.*$/m, ''));
    hosts = { sysv, systemd, freebsd };
    manager = await startManager();
    const program = join(freeBsdFolder({ cron: `command='${daemon} -f'` }), 'service');
    const settings: Readonly<Record<string, Partial<AgentOptions>>> = {
      sysv: { settings: { provider: 'service' } },
      systemd: {},
      freebsd: { settings: { provider: 'rc' }, serviceProgram: program },
    };
    for (const [nodeName, { within }] of Object.entries(hosts)) {
      const options = { managers: [manager], nodeName, within, ...settings[nodeName] };
      agents[nodeName] = await startAgent(options);
    }
    await manager.waitForSubscribers(3);
  });
  after(cleanUp);

  it('restarts one service on all of them with one command, each in its own way', async () => {
    await command('start');
    const before = await pids();
    const looks = ['--settle', '1', '-w', '20'];
    const run = await runClient(manager.request('any', 'restart', 'cron', ...looks));
    expect(run, run.stderr).to.include({ code: 0 });
    expect(byNode(run.answers(), 'provider')).to.deep.equal({
      freebsd: 'rc(8)',
      systemd: 'systemd',
      sysv: 'service(8)',
    });
    expect(byNode(run.answers(), 'returncode')).to.deep.equal({ freebsd: 0, systemd: 0, sysv: 0 });
    const after = await pids();
    for (const node of Object.keys(hosts)) expect(after[node], node).to.not.equal(before[node]);
    const verifications = byNode(run.answers(), 'verification');
    for (const node of Object.keys(hosts)) {
      const pids = { pidBefore: before[node], pidAfter: after[node] };
      expect(verifications[node], node).to.include({ isVerified: true, ...pids });
    }
    const running = { freebsd: 'running', systemd: 'running', sysv: 'running' };
    expect(byNode(run.answers(), 'state')).to.deep.equal(running);
    expect(await states()).to.deep.equal(running);
  });

  it('says of each host what is true there', async () => {
    await command('restart');
    await command('stop', 'sysv');
    await hosts['systemd']?.run('kill', '-KILL', String(await pidOn('systemd')));
    await eventually(async () => (await states())['systemd'] !== 'running', 'systemd has seen it');
    const run = await command('status');
    expect(byNode(run.answers(), 'state')).to.deep.equal({
      freebsd: 'running',
      systemd: 'failed',
      sysv: 'stopped',
    });
    // LSB says 3 for stopped, and systemctl for a unit that is not active; FreeBSD says 0, because it runs.
    expect(byNode(run.answers(), 'returncode')).to.deep.equal({ freebsd: 0, systemd: 3, sysv: 3 });
    expect(run.code).to.equal(2);
  });

  it('says of a service that none of them knows, that it does not exist', async () => {
    const run = await runClient(manager.request('any', 'status', 'nosuch'));
    expect(byNode(run.answers(), 'state')).to.deep.equal({
      freebsd: 'not-found',
      systemd: 'not-found',
      sysv: 'not-found',
    });
    expect(byNode(run.answers(), 'returncode')).to.deep.equal({ freebsd: 1, systemd: 4, sysv: 1 });
  });

  it('shows how each agent serves its host', async () => {
    const providers = Object.entries(agents).map(async ([node, agent]) => [
      node,
      (await agent.status())['provider'],
    ]);
    const shown = { freebsd: 'rc', systemd: 'systemd', sysv: 'service' };
    expect(Object.fromEntries(await Promise.all(providers))).to.deep.equal(shown);
    for (const [node, agent] of Object.entries(agents)) {
      expect(agent.events('provider.chosen'), node).to.have.nested.property(
        '[0].provider',
        shown[node as 'sysv'],
      );
    }
  });

  it('lists the services of all of them with one command', async () => {
    await command('restart');
    const run = await command('list');
    const lists = byNode(run.answers(), 'services');
    for (const node of Object.keys(hosts)) {
      expect(lists[node], node).to.deep.include({ service: 'cron', state: 'running' });
    }
  });

  function command(action: string, topic = 'any') {
    return runClient(manager.request(topic, action, 'cron'));
  }

  async function states(): Promise<Readonly<Record<string, unknown>>> {
    return byNode((await command('status')).answers(), 'state');
  }

  /** What the hosts themselves say. */
  async function pids(): Promise<Readonly<Record<string, number>>> {
    const found = Object.keys(hosts).map(async (node) => [node, await pidOn(node)] as const);
    return Object.fromEntries(await Promise.all(found));
  }

  async function pidOn(node: string): Promise<number> {
    let pid = 0;
    const isThere = async () => {
      const line = await hosts[node]?.run('pgrep', '--runstates', 'RSD', '-f', `^${daemon}`);
      pid = Number(line?.stdout);
      return pid > 0;
    };
    await eventually(isThere, `cron runs on ${node}`);
    return pid;
  }
});

function startFreeBsd(): Promise<Namespace> {
  return startNamespace('a FreeBSD fixture', `mount -t tmpfs tmpfs /run\n${reap}`, []);
}

/** The jobs of this host are not to be run by the tests. */
async function hideCronJobs(host: Namespace): Promise<void> {
  await host.run('mount', '--bind', '/dev/null', '/etc/crontab');
  for (const folder of ['/etc/cron.d', '/var/spool/cron'])
    await host.run('mount', '-t', 'tmpfs', 'tmpfs', folder);
  await host.run('mkdir', '/var/spool/cron/crontabs');
}

function unitOfCron(): string {
  return readFileSync('/lib/systemd/system/cron.service', 'utf8');
}

function byNode(answers: readonly JsonObject[], field: string): Readonly<Record<string, unknown>> {
  const results = answers.map((answer) => answer['result']).filter(isObject);
  return Object.fromEntries(results.map((result) => [result['node'], result[field]]));
}
