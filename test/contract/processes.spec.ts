import { getEventListeners } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { nodeClock } from '../../src/platform/node/clock.ts';
import { NodeProcesses } from '../../src/platform/node/processes.ts';
import type { Processes, RunOptions } from '../../src/platform/processes.ts';
import { isServiceManagerError } from '../../src/wire/errors.ts';
import { ManualClock } from '../fakes/manual-clock.ts';
import { ScriptedProcesses } from '../fakes/scripted-processes.ts';

const options: RunOptions = { timeoutMs: 10_000, killAfterMs: 200, outputLimitBytes: 1_000 };

const prints = 'echo out; echo err >&2; exit 3';
const printsTooMuch = 'printf 0123456789abcdef';
const printsWideCharacters = 'printf "\\303\\251\\303\\251\\303\\251"';
const takesLong = 'sleep 300';

interface Implementation {
  readonly name: string;
  open(): { readonly processes: Processes; close(): void };
}

const real: Implementation = {
  name: 'NodeProcesses',
  open() {
    const scratchDir = mkdtempSync(join(tmpdir(), 'service-mgr-'));
    const processes = new NodeProcesses({ scratchDir });
    return {
      processes,
      close() {
        processes.close();
        rmSync(scratchDir, { recursive: true });
      },
    };
  },
};

const scripted: Implementation = {
  name: 'ScriptedProcesses',
  open() {
    const processes = new ScriptedProcesses(
      {
        [`sh -c ${prints}`]: { exitCode: 3, stdout: 'out\n', stderr: 'err\n' },
        [`sh -c ${printsTooMuch}`]: { stdout: '0123456789abcdef' },
        [`sh -c ${printsWideCharacters}`]: { stdout: 'ééé' },
        'sh -c kill -9 $$': { exitCode: -9 },
      },
      nodeClock,
    );
    processes.hold(`sh -c ${takesLong}`);
    return { processes, close() {} };
  },
};

function errorOf(run: Promise<unknown>): Promise<unknown> {
  return run.catch((error: unknown) => error);
}

for (const implementation of [real, scripted]) {
  describe(`Processes as ${implementation.name}`, () => {
    let opened: ReturnType<Implementation['open']>;
    const run = (script: string, changed: Partial<RunOptions> = {}) =>
      opened.processes.run('sh', ['-c', script], { ...options, ...changed });

    beforeEach(() => {
      opened = implementation.open();
    });

    afterEach(() => opened.close());

    it('hands over the exit code and both outputs', async () => {
      const exit = await run(prints);
      expect(exit.exitCode).to.equal(3);
      expect(exit.timedOut).to.equal(false);
      expect(exit.stdout).to.deep.equal({ text: 'out\n', cutBytes: 0 });
      expect(exit.stderr).to.deep.equal({ text: 'err\n', cutBytes: 0 });
    });

    it('says how long it took', async () => {
      const { durationMs } = await run(takesLong, { timeoutMs: 50 });
      expect(durationMs).to.be.within(49, 5_000);
    });

    it('gives minus the signal number for a process that a signal ended', async () => {
      expect((await run('kill -9 $$')).exitCode).to.equal(-9);
    });

    it('keeps the beginning of an output that is too long and counts the rest', async () => {
      const { stdout } = await run(printsTooMuch, { outputLimitBytes: 10 });
      expect(stdout).to.deep.equal({ text: '0123456789', cutBytes: 6 });
    });

    it('keeps an output of exactly the limit as it is', async () => {
      const { stdout } = await run(printsTooMuch, { outputLimitBytes: 16 });
      expect(stdout).to.deep.equal({ text: '0123456789abcdef', cutBytes: 0 });
    });

    it('drops a character that the limit cuts in two', async () => {
      const { stdout } = await run(printsWideCharacters, { outputLimitBytes: 3 });
      expect(stdout).to.deep.equal({ text: 'é', cutBytes: 3 });
    });

    it('ends a process that takes too long with TERM', async () => {
      const exit = await run(takesLong, { timeoutMs: 50 });
      expect(exit.timedOut).to.equal(true);
      expect(exit.aborted).to.equal(false);
      expect(exit.exitCode).to.equal(-15);
    });

    it('ends a process that is aborted with TERM', async () => {
      const controller = new AbortController();
      const running = run(takesLong, { signal: controller.signal });
      controller.abort();
      const exit = await running;
      expect(exit.aborted).to.equal(true);
      expect(exit.timedOut).to.equal(false);
      expect(exit.exitCode).to.equal(-15);
    });

    it('does not start what was aborted before', async () => {
      const exit = await run(prints, { signal: AbortSignal.abort() });
      expect(exit.aborted).to.equal(true);
      expect(exit.stdout.text).to.equal('');
    });

    it('lets go of the signal at the end, and does not care for it any more', async () => {
      const controller = new AbortController();
      const exit = await run(prints, { signal: controller.signal });
      expect(getEventListeners(controller.signal, 'abort')).to.deep.equal([]);
      controller.abort();
      expect(exit.aborted).to.equal(false);
    });

    it('rejects with PROVIDER_FAILED when there is no such program', async () => {
      const error = await errorOf(opened.processes.run('no-such-program', ['x'], options));
      expect(isServiceManagerError(error)).to.equal(true);
      expect(error).to.have.property('code', 'PROVIDER_FAILED');
    });
  });
}

describe('ScriptedProcesses', () => {
  const restart = ['nginx', 'restart'];
  const command = 'service nginx restart';

  it('remembers what was run, also what the script does not have', async () => {
    const processes = new ScriptedProcesses({ [command]: {} });
    await processes.run('service', restart, options);
    await errorOf(processes.run('service', ['cron', 'status'], options));
    expect(processes.runs).to.deep.equal([command, 'service cron status']);
  });

  it('does not count as run what was aborted before', async () => {
    const processes = new ScriptedProcesses({ [command]: {} });
    await processes.run('service', restart, { ...options, signal: AbortSignal.abort() });
    expect(processes.runs).to.deep.equal([]);
  });

  it('asks a function each time, and waits for a promise', async () => {
    let asked = 0;
    const processes = new ScriptedProcesses({
      [command]: () => {
        asked += 1;
        return { exitCode: asked };
      },
      true: Promise.resolve({ stdout: 'later' }),
    });
    expect((await processes.run('service', restart, options)).exitCode).to.equal(1);
    expect((await processes.run('service', restart, options)).exitCode).to.equal(2);
    expect((await processes.run('true', [], options)).stdout.text).to.equal('later');
  });

  it('holds runs until the test lets them go, the oldest first', async () => {
    const processes = new ScriptedProcesses({ [command]: { exitCode: 5 } });
    const release = processes.hold(command);
    const first = processes.run('service', restart, options);
    const second = processes.run('service', restart, options);
    expect(processes.held).to.deep.equal([command, command]);
    release({ exitCode: 1 });
    expect((await first).exitCode).to.equal(1);
    processes.release(command);
    expect((await second).exitCode).to.equal(5);
    expect(processes.held).to.deep.equal([]);
  });

  it('refuses to let go what is not held', () => {
    expect(() => new ScriptedProcesses().release(command)).to.throw(command);
  });

  it('ends a held run at its timeout by its clock', async () => {
    const clock = new ManualClock();
    const processes = new ScriptedProcesses({}, clock);
    processes.hold(command);
    const run = processes.run('service', restart, { ...options, timeoutMs: 30_000 });
    clock.advance(30_000);
    const exit = await run;
    expect(exit.timedOut).to.equal(true);
    expect(exit.exitCode).to.equal(-15);
    expect(exit.durationMs).to.equal(30_000);
    expect(processes.held).to.deep.equal([]);
  });

  it('leaves no timer behind', async () => {
    const clock = new ManualClock();
    await new ScriptedProcesses({ true: {} }, clock).run('true', [], options);
    expect(clock.pending).to.deep.equal([]);
  });
});
