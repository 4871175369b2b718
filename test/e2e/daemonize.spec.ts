import { chownSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { eventually } from '../fakes/eventually.ts';
import { built } from './harness/daemon.ts';
import { askManagement, type JsonObject } from './harness/management.ts';
import { endpoint, freePorts } from './harness/ports.ts';
import { cleanUp, onCleanUp, runProgram } from './harness/processes.ts';
import { temporaryFolder } from './harness/temporary-folder.ts';

interface Detached {
  readonly name: string;
  readonly folder: string;
  readonly configFile: string;
  readonly pidFile: string;
  readonly logFile: string;
  readonly mgmtEndpoint: string;
  readonly status: string;
  run(...args: readonly string[]): ReturnType<typeof runProgram>;
  /** As `service-mgrd -d ... start`. */
  start(): ReturnType<typeof runProgram>;
  pid(): number | undefined;
  log(): string;
}

async function detached(name: 'service-mgrd' | 'service-mgr-agentd'): Promise<Detached> {
  const folder = temporaryFolder();
  const [frontend, backend, sink, publisher, mgmt = ''] = (await freePorts(5)).map(endpoint);
  const settings =
    name === 'service-mgrd'
      ? [
          `frontend_endpoint = ${frontend}`,
          `backend_endpoint = ${backend}`,
          `publisher_endpoint = ${publisher}`,
        ]
      : [`manager_endpoint = ${backend}`, 'node_name = web1'];
  const file = (what: string) => join(folder, what);
  const common = [`sink_endpoint = ${sink}`, `mgmt_endpoint = ${mgmt}`, `state_dir = ${file('state')}`];
  writeFileSync(file('daemon.conf'), `${['[Default]', ...settings, ...common].join('\n')}\n`);
  const [configFile, pidFile, logFile] = [
    file('daemon.conf'),
    file('run/daemon.pid'),
    file('log/daemon.log'),
  ];
  const pid = () => (existsSync(pidFile) ? Number(readFileSync(pidFile, 'utf8')) : undefined);
  const run = (...args: readonly string[]) =>
    runProgram(process.execPath, [built(name), ...args], { label: name, cwd: folder, deadlineMs: 20_000 });
  onCleanUp(() => {
    const left = pid();
    if (left !== undefined && isOurs(left, name)) process.kill(left, 'SIGKILL');
  });
  return {
    ...{ name, folder, configFile, pidFile, logFile, mgmtEndpoint: mgmt, run, pid },
    status: name === 'service-mgrd' ? 'manager.status' : 'agent.status',
    // Relative: the daemon works in another folder than its admin.
    start: () => run('-d', '-f', 'daemon.conf', '-p', 'run/daemon.pid', '-o', 'log/daemon.log', 'start'),
    log: () => readFileSync(logFile, 'utf8'),
  };
}

function isOurs(pid: number, name: string): boolean {
  return existsSync(`/proc/${pid}`) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(name);
}

const statusOf = async ({ mgmtEndpoint, status }: Detached) =>
  (await askManagement(mgmtEndpoint, status))['result'] as JsonObject;

describe('a daemon in the background', function () {
  this.timeout(60_000);
  afterEach(cleanUp);

  for (const name of ['service-mgrd', 'service-mgr-agentd'] as const) {
    it(`${name} -d returns when the sockets are bound, and ${name} stop ends it`, async () => {
      const daemon = await detached(name);
      expect(await daemon.start()).to.include({ code: 0, stdout: '', stderr: '' });
      expect(await statusOf(daemon)).to.include({ status: 'running' });
      const pid = daemon.pid() ?? 0;
      expect(isOurs(pid, name)).to.equal(true);
      expect((await daemon.run('-e', daemon.mgmtEndpoint, 'stop')).code).to.equal(0);
      await eventually(() => !existsSync(`/proc/${pid}`), 'it has ended');
      expect(daemon.pid()).to.equal(undefined);
    });
  }

  it('is not there when an endpoint is taken, which is said with the exit code of the foreground', async () => {
    const daemon = await detached('service-mgrd');
    const blocker = createServer().listen(Number(daemon.mgmtEndpoint.split(':').at(-1)), '127.0.0.1');
    onCleanUp(() => void blocker.close());
    const refused = await daemon.start();
    expect(refused.code).to.equal(71);
    expect(refused.stderr).to.match(/^service-mgrd: cannot bind tcp:\/\/127\.0\.0\.1:\d+: .*\n$/);
    expect(daemon.log()).to.include('"event":"daemon.not_started"');
    expect(daemon.pid()).to.equal(undefined);
  });

  it('is not there when its configuration is bad', async () => {
    const daemon = await detached('service-mgr-agentd');
    writeFileSync(daemon.configFile, '[Default]\nnode_name = web1\n');
    const refused = await daemon.start();
    expect(refused.code).to.equal(78);
    expect(refused.stderr).to.include('daemon.conf: [Default] mgmt_endpoint is missing');
  });

  it('is there once, however many start it at the same moment', async () => {
    const daemon = await detached('service-mgrd');
    const starts = await Promise.all(Array.from({ length: 4 }, () => daemon.start()));
    expect(starts.map(({ code }) => code).toSorted()).to.deep.equal([0, 75, 75, 75]);
    const again = await daemon.start();
    expect(again.code).to.equal(75);
    expect(again.stderr).to.equal(
      `service-mgrd: already running with pid ${daemon.pid()} (${daemon.pidFile})\n`,
    );
    expect(await statusOf(daemon)).to.include({ status: 'running' });
  });

  it('starts again after it was killed', async () => {
    const daemon = await detached('service-mgr-agentd');
    await daemon.start();
    const killed = daemon.pid() ?? 0;
    process.kill(killed, 'SIGKILL');
    await eventually(() => !existsSync(`/proc/${killed}`), 'it is gone');
    expect(daemon.pid()).to.equal(killed);
    expect((await daemon.start()).code).to.equal(0);
    expect(daemon.pid()).to.not.equal(killed);
    expect(await statusOf(daemon)).to.include({ status: 'running' });
  });

  it('takes over new topics and a new log level at a hangup, and nothing of a bad file', async () => {
    const daemon = await detached('service-mgr-agentd');
    await daemon.start();
    const text = readFileSync(daemon.configFile, 'utf8');
    const hangUp = async (more: string, event: string) => {
      const earlier = daemon.log().length;
      writeFileSync(daemon.configFile, text + more);
      process.kill(daemon.pid() ?? 0, 'SIGHUP');
      await eventually(() => daemon.log().slice(earlier).includes(`"event":"${event}"`), event);
      return daemon.log().slice(earlier);
    };
    await hangUp('roles = cache\n', 'config.reloaded');
    expect((await statusOf(daemon))['topics']).to.include('role:cache');
    const refused = await hangUp('roles = other\naction_timeout = soon\n', 'config.refused');
    expect(refused).to.include('daemon.conf:8: key action_timeout');
    expect((await statusOf(daemon))['topics'])
      .to.include('role:cache')
      .and.not.include('role:other');
    const waiting = await hangUp('action_timeout = 5\nlog_level = warn\n', 'config.needs_restart');
    expect(waiting).to.include('"keys":["action_timeout"]').and.not.include('"level":"info"');
    expect((await statusOf(daemon))['topics']).to.not.include('role:cache');
  });

  it('writes a new log at a hangup, after the old one was moved away', async () => {
    const daemon = await detached('service-mgrd');
    await daemon.start();
    renameSync(daemon.logFile, `${daemon.logFile}.1`);
    process.kill(daemon.pid() ?? 0, 'SIGHUP');
    await eventually(() => existsSync(daemon.logFile) && daemon.log() !== '', 'there is a new log');
    expect(daemon.log()).to.not.include('manager.started');
    expect(readFileSync(`${daemon.logFile}.1`, 'utf8')).to.include('manager.started');
  });

  it('does not work with the lock of another user', async () => {
    const daemon = await detached('service-mgrd');
    const pidFile = join(daemon.folder, 'other.pid');
    writeFileSync(`${pidFile}.lock`, '');
    chownSync(`${pidFile}.lock`, 65_534, 65_534);
    const refused = await daemon.run('-f', 'daemon.conf', '-p', pidFile, 'start');
    expect(refused.code).to.equal(78);
    expect(refused.stderr).to.equal(
      `service-mgrd: ${pidFile}.lock cannot be locked: it belongs to another user\n`,
    );
  });
});
