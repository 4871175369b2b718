import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { expect } from 'chai';
import { NodePidFiles } from '../../../../src/platform/node/pid-file.ts';
import { lockFile } from '../../../../src/store/process-lock.ts';
import { program } from '../../../fakes/proc-files.ts';

describe('NodePidFiles', function () {
  this.timeout(30_000);
  let folder: string;
  let path: string;
  const pidFiles = new NodePidFiles(lockFile);
  const children = new Set<ChildProcessByStdio<null, Readable, null>>();

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'service-mgr-'));
    path = join(folder, 'daemon.pid');
  });

  afterEach(async () => {
    for (const child of children) {
      if (child.kill('SIGKILL')) await once(child, 'exit');
    }
    children.clear();
    rmSync(folder, { recursive: true });
  });

  /** Another process that wants the pid file, and what it says. */
  async function another() {
    const line = ['--import', 'tsx', program('holds-a-pid-file.ts'), path];
    const child = spawn(process.execPath, line, { stdio: ['ignore', 'pipe', 'inherit'] });
    children.add(child);
    const [said] = await once(child.stdout, 'data');
    return { child, pid: child.pid ?? 0, said: String(said).trim() };
  }

  async function end(child: ChildProcessByStdio<null, Readable, null>, signal: NodeJS.Signals) {
    children.delete(child);
    child.kill(signal);
    await once(child, 'exit');
  }

  const messageOf = async () => {
    const error: unknown = await pidFiles.take(path).catch((thrown: unknown) => thrown);
    return error instanceof Error ? error.message : undefined;
  };

  it('writes the pid, in folders that it makes, and takes it away at the end', async () => {
    path = join(folder, 'run', 'service-mgr', 'daemon.pid');
    const held = await pidFiles.take(path);
    expect(readFileSync(path, 'utf8')).to.equal(`${process.pid}\n`);
    held.close();
    held.close();
    expect(readdirSync(join(folder, 'run', 'service-mgr'))).to.deep.equal(['daemon.pid.lock']);
  });

  it('names the process that holds it', async () => {
    const { pid, said } = await another();
    expect(said).to.equal('held');
    expect(await messageOf()).to.equal(`already running with pid ${pid} (${path})`);
    expect(readFileSync(path, 'utf8')).to.equal(`${pid}\n`);
  });

  it('is free again when its process has ended or was killed', async () => {
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      const { child } = await another();
      await end(child, signal);
      expect(existsSync(path)).to.equal(signal === 'SIGKILL');
      const held = await pidFiles.take(path);
      expect(readFileSync(path, 'utf8')).to.equal(`${process.pid}\n`);
      held.close();
    }
  });

  it('goes to one of several processes that start at the same moment', async () => {
    const said = (await Promise.all(Array.from({ length: 5 }, another))).map((one) => one.said);
    expect(said.filter((line) => line === 'held')).to.have.length(1);
    expect(said.filter((line) => line.startsWith('already running'))).to.have.length(4);
  });

  it('does not believe a number that belongs to another living process', async () => {
    for (const left of [`${process.ppid}\n`, '1\n', '', 'nonsense', '-1\n']) {
      writeFileSync(path, left);
      const held = await pidFiles.take(path);
      expect(readFileSync(path, 'utf8')).to.equal(`${process.pid}\n`);
      held.close();
    }
  });

  it('leaves a file alone that names somebody else by now', async () => {
    const held = await pidFiles.take(path);
    writeFileSync(path, '1\n');
    held.close();
    expect(readFileSync(path, 'utf8')).to.equal('1\n');
  });

  it('follows no link to a file elsewhere', async () => {
    const precious = join(folder, 'precious');
    writeFileSync(precious, 'data');
    symlinkSync(precious, path);
    const held = await pidFiles.take(path);
    held.close();
    expect(readFileSync(precious, 'utf8')).to.equal('data');

    rmSync(`${path}.lock`);
    symlinkSync(join(folder, 'made'), `${path}.lock`);
    expect(await messageOf()).to.equal(`${path}.lock cannot be locked: expected a file`);
    expect(existsSync(join(folder, 'made'))).to.equal(false);
  });

  it('says why where it cannot be written', async () => {
    path = join(folder, 'file', 'daemon.pid');
    writeFileSync(join(folder, 'file'), '');
    expect(await messageOf()).to.match(/the pid file .*file\/daemon.pid cannot be written: EEXIST/);

    path = join(folder, 'daemon.pid');
    mkdirSync(path);
    expect(await messageOf()).to.match(/the pid file .*daemon.pid cannot be written: /);
    rmSync(path, { recursive: true });
    (await pidFiles.take(path)).close();
  });
});
