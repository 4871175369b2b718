import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import {
  cleanEnvironment,
  NodeProcesses,
  type NodeProcessesOptions,
} from '../../src/platform/node/processes.ts';
import type { RunOptions } from '../../src/platform/processes.ts';
import { isServiceManagerError, type ServiceManagerError } from '../../src/wire/errors.ts';
import { eventually } from '../fakes/eventually.ts';
import { isAlive, openDescriptors, openSizes, program, sizeOf } from '../fakes/proc-files.ts';

const options: RunOptions = { timeoutMs: 20_000, killAfterMs: 200, outputLimitBytes: 1_000 };

async function failure(run: Promise<unknown>): Promise<ServiceManagerError> {
  const error = await run.catch((reason: unknown) => reason);
  if (isServiceManagerError(error)) return error;
  throw new Error('not an error of ours', { cause: error });
}

describe('NodeProcesses', function () {
  this.timeout(30_000);
  let dir: string;
  let scratchDir: string;
  let processes: NodeProcesses;
  let pidFile: string;
  const parents: ChildProcess[] = [];

  const pids = () =>
    existsSync(pidFile) ? readFileSync(pidFile, 'utf8').split(/\s/).filter(Boolean).map(Number) : [];
  const open = (changed: Partial<NodeProcessesOptions> = {}) => {
    processes.close();
    processes = new NodeProcesses({ scratchDir, ...changed });
    return processes;
  };
  const runProgram = (name: string, args: readonly string[], changed: Partial<RunOptions> = {}) =>
    processes.run('sh', [program(name), ...args], { ...options, ...changed });
  const runShell = (script: string, changed: Partial<RunOptions> = {}) =>
    processes.run('sh', ['-c', script], { ...options, ...changed });

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'service-mgr-'));
    scratchDir = join(dir, 'scratch');
    pidFile = join(dir, 'pids');
    processes = new NodeProcesses({ scratchDir });
  });

  afterEach(() => {
    processes.close();
    for (const parent of parents.splice(0)) parent.kill('SIGKILL');
    for (const pid of pids().filter(isAlive)) process.kill(pid, 'SIGKILL');
    rmSync(dir, { recursive: true });
  });

  describe('what an action leaves running', () => {
    let progress: string;

    /** Starts a small program around NodeProcesses, as a program that can be killed. */
    async function startParent(...command: string[]): Promise<ChildProcess & { said: string }> {
      const script = program('runs-one-program.ts');
      const child = spawn(process.execPath, ['--import', 'tsx', script, scratchDir, ...command], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const parent = Object.assign(child, { said: '' });
      parents.push(parent);
      child.stdout.on('data', (text) => {
        parent.said += text;
      });
      await eventually(() => parent.said.includes('started'), 'the parent runs its program', 20_000);
      return parent;
    }

    async function goesOn(): Promise<void> {
      const before = sizeOf(progress);
      await eventually(() => sizeOf(progress) > before + 20, 'the daemon goes on');
      expect(pids().map(isAlive)).to.deep.equal([true]);
    }

    beforeEach(() => {
      progress = join(dir, 'progress');
    });

    it('does not hold up the end, though it keeps the output open', async () => {
      const exit = await runProgram('leaves-a-writing-daemon.sh', [pidFile, progress]);
      expect(exit.exitCode).to.equal(0);
      expect(exit.timedOut).to.equal(false);
      expect(exit.stdout.text).to.match(/^starting\n/);
      await goesOn();
    });

    it('is not touched when its group outlives the leader', async () => {
      const exit = await runProgram('leaves-a-member.sh', [pidFile, '0'], { timeoutMs: 5_000 });
      expect(exit.timedOut).to.equal(false);
      expect(pids().map(isAlive)).to.deep.equal([true]);
    });

    it('is not touched when the timeout and the end are noticed together after a stall', async () => {
      const run = runProgram('leaves-a-member.sh', [pidFile, '0.1'], { timeoutMs: 400 });
      await new Promise(setImmediate);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_000);
      expect((await run).timedOut).to.equal(false);
      expect(pids().map(isAlive)).to.deep.equal([true]);
    });

    it('lives on after close', async () => {
      await runProgram('leaves-a-writing-daemon.sh', [pidFile, progress]);
      processes.close();
      await goesOn();
    });

    it('lives on after this program was killed', async () => {
      const parent = await startParent('sh', program('leaves-a-writing-daemon.sh'), pidFile, progress);
      await eventually(() => parent.said.includes('ended'), 'the action ends');
      parent.kill('SIGKILL');
      await once(parent, 'exit');
      await goesOn();
    });

    it('cannot fill the disk with what it prints, and is forgotten when it is quiet', async () => {
      open({ leftoverCheckMs: 10 });
      await runProgram('leaves-a-writing-daemon.sh', [pidFile, progress]);
      const sizes: number[] = [];
      await eventually(() => sizes.push(...openSizes(scratchDir)) > 0 && sizeOf(progress) > 80, 'it prints');
      expect(Math.max(...sizes)).to.be.within(1, 800);
      for (const pid of pids()) process.kill(pid, 'SIGKILL');
      await eventually(() => openSizes(scratchDir).length === 0, 'its output is closed');
    });

    it('goes on to its end when this program is killed in the middle of the action', async () => {
      const [go, done] = [join(dir, 'go'), join(dir, 'done')];
      const parent = await startParent('sh', program('works-a-while.sh'), pidFile, go, done);
      await eventually(() => pids().length === 1, 'the action works');
      parent.kill('SIGKILL');
      await once(parent, 'exit');
      writeFileSync(go, '');
      await eventually(() => existsSync(done), 'the action ends');
    });
  });

  describe('output', () => {
    it('is counted to the byte when 10 MB were printed', async () => {
      open({ cutBackIntervalMs: 60_000 });
      const { stdout, stderr } = await runShell('head -c 10000000 /dev/zero | tr "\\0" x; echo oops >&2');
      expect(stdout).to.deep.equal({ text: 'x'.repeat(1_000), cutBytes: 9_999_000 });
      expect(stderr).to.deep.equal({ text: 'oops\n', cutBytes: 0 });
    });

    it('of 100 MB neither fills the disk nor the memory', async () => {
      open({ cutBackIntervalMs: 10 });
      let largest = 0;
      const watch = setInterval(() => {
        largest = Math.max(largest, ...openSizes(scratchDir));
      }, 2);
      const { stdout } = await runProgram('prints-megabytes.sh', ['100', '0.005']);
      clearInterval(watch);
      expect(largest).to.be.within(100_000, 30_000_000);
      expect(stdout.text).to.equal('\0'.repeat(1_000));
      expect(stdout.cutBytes).to.be.within(90_000_000, 100_000_000 - 1_000);
    });

    it('that is no UTF-8 has its bad bytes replaced', async () => {
      const { stdout } = await runShell("printf 'caf\\303\\251 \\377 \\303'");
      expect(stdout.text).to.equal('café \ufffd \ufffd');
    });

    it('has no name in the scratch folder, which is made for its owner only', async () => {
      const run = runShell('sleep 0.1');
      await eventually(() => existsSync(scratchDir), 'the folder is there');
      expect(readdirSync(scratchDir)).to.deep.equal([]);
      expect(statSync(scratchDir).mode & 0o777).to.equal(0o700);
      await run;
    });
  });

  describe('the timeout', () => {
    it('kills what ignores TERM, and its children, after the grace', async () => {
      const exit = await runProgram('ignores-term.sh', [pidFile], { timeoutMs: 500, killAfterMs: 300 });
      expect(exit.timedOut).to.equal(true);
      expect(exit.exitCode).to.equal(-9);
      expect(exit.durationMs).to.be.at.least(800);
      expect(pids()).to.have.length(2);
      await eventually(() => !pids().some(isAlive), 'nothing is left');
    });

    it('kills the members of the group that outlive its leader', async () => {
      const exit = await runProgram('ends-at-term-but-its-member-does-not.sh', [pidFile], { timeoutMs: 500 });
      expect(exit.timedOut).to.equal(true);
      expect(exit.exitCode).to.equal(7);
      expect(pids()).to.have.length(2);
      await eventually(() => !pids().some(isAlive), 'nothing is left');
    });

    it('and an abort mean the same for the group', async () => {
      const controller = new AbortController();
      const { signal } = controller;
      const run = runProgram('ends-at-term-but-its-member-does-not.sh', [pidFile], { signal });
      await eventually(() => pids().length === 2, 'the program works');
      controller.abort();
      const exit = await run;
      expect(exit.aborted).to.equal(true);
      expect(exit.exitCode).to.equal(7);
      await eventually(() => !pids().some(isAlive), 'nothing is left');
    });

    it('and an abort before the start: nothing is started at all', async () => {
      const exit = await runShell('true', { signal: AbortSignal.abort() });
      expect(exit.aborted).to.equal(true);
      expect(existsSync(scratchDir)).to.equal(false);
    });

    it('waits no longer than the group lives', async () => {
      const exit = await processes.run('sleep', ['300'], { ...options, timeoutMs: 50, killAfterMs: 10_000 });
      expect(exit.exitCode).to.equal(-15);
      expect(exit.durationMs).to.be.lessThan(5_000);
    });
  });

  describe('a program', () => {
    it('leads its own session, without input, in the root folder', async () => {
      const script = 'cat; pwd; cut -d" " -f1,5,6 /proc/$$/stat';
      const { stdout } = await runShell(script);
      const [folder, ids = ''] = stdout.text.split('\n');
      expect(folder).to.equal('/');
      expect(new Set(ids.split(' ')).size).to.equal(1);
    });

    it('gets none of our environment but PATH, locale and terminal', async () => {
      const foreign = {
        SECRET_TOKEN: 'x',
        NODE_V8_COVERAGE: dir,
        LD_DEBUG_OUTPUT: 'x',
        LC_TIME: 'C',
        TERM: 'vt100',
      };
      const before = { ...process.env };
      Object.assign(process.env, foreign);
      try {
        const { stdout } = await open().run('env', [], { ...options, outputLimitBytes: 100_000 });
        const lines = stdout.text.trim().split('\n');
        const names = lines.map((line) => line.slice(0, line.indexOf('=')));
        expect(names.filter((name) => !/^(PATH|LANG|LC_[A-Z]+|TERM)$/.test(name))).to.deep.equal([]);
        expect(lines).to.include.members(['LC_TIME=C', 'TERM=vt100']);
        expect(lines.find((line) => line.startsWith('PATH='))).to.match(/[:=]\/usr\/sbin:.*\/sbin(:|$)/);
      } finally {
        for (const name of Object.keys(foreign)) {
          if (before[name] === undefined) delete process.env[name];
          else process.env[name] = before[name];
        }
      }
    });

    it('is looked for in the folders of the system, too, and never in a relative one', () => {
      const { PATH } = cleanEnvironment({ PATH: '/opt/sbin:.::bin:/usr/bin' });
      expect(PATH?.split(':')).to.deep.equal(
        '/opt/sbin /usr/bin /usr/local/sbin /usr/local/bin /usr/sbin /sbin /bin'.split(' '),
      );
    });

    it('gets its arguments as they are, without a shell', async () => {
      const { stdout } = await processes.run('printf', ['%s|', '$HOME', 'a b', '*', ';id'], options);
      expect(stdout.text).to.equal('$HOME|a b|*|;id|');
    });
  });

  describe('what cannot be started', () => {
    const cases: [string, string, readonly string[], string][] = [
      ['a program that does not exist', 'no-such-program', [], 'ENOENT'],
      ['a file that is not executable', '/etc/passwd', [], 'EACCES'],
      ['an argument that is too long', 'true', ['x'.repeat(4_000_000)], 'E2BIG'],
      ['an argument with a zero byte', 'true', ['a\0b'], 'ERR_INVALID_ARG_VALUE'],
    ];
    for (const [name, file, args, code] of cases) {
      it(`rejects with the reason as its cause: ${name}`, async () => {
        const before = openDescriptors();
        const error = await failure(processes.run(file, args, options));
        expect(error.code).to.equal('PROVIDER_FAILED');
        expect(error.message).to.include(file);
        expect(error.cause).to.have.property('code', code);
        expect(openDescriptors()).to.be.at.most(before);
      });
    }

    it('rejects when there is no place for the output', async () => {
      writeFileSync(scratchDir, 'a file, not a folder');
      const error = await failure(processes.run('true', [], options));
      expect(error.code).to.equal('PROVIDER_FAILED');
      expect(error.cause).to.have.property('code', 'ENOTDIR');
    });

    it('works again when the scratch folder was removed meanwhile', async () => {
      await runShell('true');
      rmSync(scratchDir, { recursive: true });
      expect((await runShell('echo here')).stdout.text).to.equal('here\n');
    });
  });

  describe('many at once', () => {
    it('are kept apart and leave no descriptor open', async () => {
      mkdirSync(scratchDir);
      const before = openDescriptors();
      const numbers = Array.from({ length: 50 }, (_, number) => number);
      const exits = await Promise.all(numbers.map((number) => runShell(`echo ${number}; exit ${number}`)));
      expect(exits.map((exit) => exit.stdout.text)).to.deep.equal(numbers.map((number) => `${number}\n`));
      expect(exits.map((exit) => exit.exitCode)).to.deep.equal(numbers);
      processes.close();
      expect(openDescriptors()).to.be.at.most(before);
    });

    it('keep no more files of ended actions open than allowed', async () => {
      open({ maxLeftovers: 6 });
      for (let count = 0; count < 10; count += 1) await runShell('true');
      expect(openSizes(scratchDir)).to.have.length(6);
    });
  });

  describe('close', () => {
    it('lets a running action go on and interrupts the wait for it', async () => {
      const [go, done] = [join(dir, 'go'), join(dir, 'done')];
      const error = failure(runProgram('works-a-while.sh', [pidFile, go, done]));
      await eventually(() => pids().length === 1, 'the action works');
      processes.close();
      expect((await error).code).to.equal('INTERRUPTED');
      expect(openSizes(scratchDir)).to.deep.equal([]);
      writeFileSync(go, '');
      await eventually(() => existsSync(done), 'the action ends');
    });

    it('interrupts also what was being started', async () => {
      const error = failure(runShell('sleep 0.1'));
      processes.close();
      expect((await error).code).to.equal('INTERRUPTED');
    });

    it('starts nothing any more', async () => {
      processes.close();
      const error = await failure(runShell('true'));
      expect(error.code).to.equal('SHUTTING_DOWN');
    });
  });
});
