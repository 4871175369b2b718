import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { expect } from 'chai';
import { hangUp, untilSignal } from '../../../../src/platform/node/signals.ts';
import { eventually } from '../../../fakes/eventually.ts';
import { program } from '../../../fakes/proc-files.ts';

describe('hangUp', () => {
  it('is heard by the process, and by nobody where there is none', async () => {
    const child = spawn('sleep', ['60'], { stdio: 'ignore' });
    const pid = child.pid ?? 0;
    const exited = once(child, 'exit');
    hangUp(pid);
    expect(await exited).to.deep.equal([null, 'SIGHUP']);
    expect(() => hangUp(pid)).not.to.throw();
  });
});

describe('untilSignal', () => {
  it('resolves with the first signal, and takes the second for: stop at once', async () => {
    const signals = ['SIGUSR2', 'SIGWINCH'] as const;
    let stops = 0;
    const stopping = untilSignal(signals, () => {
      stops += 1;
    });
    process.emit('SIGWINCH', 'SIGWINCH');
    expect(await stopping).to.equal('SIGWINCH');
    expect(stops).to.equal(0);
    process.emit('SIGUSR2', 'SIGUSR2');
    expect(stops).to.equal(1);
    for (const signal of signals) {
      expect(process.listenerCount(signal)).to.equal(1);
      process.removeAllListeners(signal);
    }
  });

  describe('in a program', () => {
    let child: ChildProcessByStdio<null, Readable, null>;
    let said: string;

    beforeEach(async () => {
      said = '';
      const command = ['--import', 'tsx', program('stops-at-a-signal.ts')];
      child = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'inherit'] });
      child.stdout.on('data', (text) => {
        said += text;
      });
      await eventually(() => said.includes('ready'), 'the program listens', 9_000);
    });

    afterEach(() => {
      child.kill('SIGKILL');
    });

    it('lets it finish its work at the first, and ends it with exit code 1 at the second', async () => {
      child.kill('SIGTERM');
      await eventually(() => said.includes('SIGTERM'), 'the program stops');
      expect(child.exitCode).to.equal(null);
      child.kill('SIGINT');
      const [exitCode, signal] = await once(child, 'exit');
      expect(exitCode).to.equal(1);
      expect(signal).to.equal(null);
    });
  });
});
