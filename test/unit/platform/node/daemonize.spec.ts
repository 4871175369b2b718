import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { NodeLauncher, starterOf } from '../../../../src/platform/node/daemonize.ts';
import { isServiceManagerError } from '../../../../src/wire/errors.ts';
import { eventually } from '../../../fakes/eventually.ts';
import { isAlive, program } from '../../../fakes/proc-files.ts';

const tsx = ['--import', fileURLToPath(import.meta.resolve('tsx'))];

describe('NodeLauncher', function () {
  this.timeout(30_000);
  let folder: string;
  let file: string;
  let logFile: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'service-mgr-'));
    file = join(folder, 'said');
    logFile = join(folder, 'log', 'daemon.log');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const launch = (how: string) =>
    new NodeLauncher({ command: [process.execPath, ...tsx, program('is-launched.ts')] }).launch(
      [how, file],
      logFile,
    );
  const saidBy = () => JSON.parse(readFileSync(file, 'utf8'));

  it('resolves when the program is ready, and leaves it running in a session of its own', async () => {
    const launched = await launch('is-ready');
    if (!launched.isReady) throw new Error(launched.reason);
    try {
      await eventually(() => existsSync(file) && readFileSync(file, 'utf8') !== '', 'it was heard');
      expect(saidBy()).to.include({ isHeard: true, cwd: '/' });
      expect(saidBy().environment).to.not.have.any.keys('SERVICE_MGR_LAUNCHED', 'NODE_CHANNEL_FD');
      const [, , session] =
        readFileSync(`/proc/${launched.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
      expect(Number(session)).to.equal(launched.pid);
    } finally {
      process.kill(launched.pid, 'SIGKILL');
    }
  });

  it('says why and with which exit code the program did not start', async () => {
    expect(await launch('fails')).to.deep.equal({
      isReady: false,
      exitCode: 71,
      reason: 'the port is taken',
    });
  });

  it('leads to the log when the program ends without a word', async () => {
    expect(await launch('crashes')).to.deep.equal({
      ...{ isReady: false, exitCode: 1 },
      reason: `ended with exit code 1 before it was ready; see ${logFile}`,
    });
    expect(readFileSync(logFile, 'utf8')).to.include('a bug of ours');
    expect(await launch('kills-itself')).to.deep.equal({
      ...{ isReady: false, exitCode: 137 },
      reason: `ended by SIGKILL before it was ready; see ${logFile}`,
    });
    expect(await launch('ends')).to.deep.include({ isReady: false, exitCode: 1 });
  });

  it('starts nothing when the log cannot be written', async () => {
    writeFileSync(join(folder, 'log'), '');
    const error: unknown = await launch('is-ready').catch((thrown: unknown) => thrown);
    expect(isServiceManagerError(error) && error.code).to.equal('BAD_CONFIG');
    expect(existsSync(file)).to.equal(false);
  });

  it('leaves no daemon behind when it is killed while it waits', async () => {
    const line = [...tsx, program('launches.ts'), 'dawdles', file, logFile];
    const launcher = spawn(process.execPath, line, { stdio: 'inherit' });
    const said = () => (existsSync(file) ? readFileSync(file, 'utf8') : '');
    await eventually(() => /^\d+$/.test(said()), 'the daemon is on its way', 20_000);
    const pid = Number(said());
    launcher.kill('SIGKILL');
    await once(launcher, 'exit');
    try {
      await eventually(() => said().includes('"isHeard":false'), 'the daemon finds nobody to tell');
      await eventually(() => !isAlive(pid), 'the daemon has ended');
    } finally {
      if (isAlive(pid)) process.kill(pid, 'SIGKILL');
    }
  });
});

describe('a program that nobody launched', () => {
  it('has nobody to tell, and goes on', async () => {
    const starter = starterOf(process);
    expect(await starter.ready()).to.equal(true);
    expect(await starter.failed('no reason')).to.equal(false);
  });
});
