import { expect } from 'chai';
import fc from 'fast-check';
import type { ProcessExit } from '../../../src/platform/processes.ts';
import { pidsInWords, statusWords } from '../../../src/provider/status-words.ts';

function saying(stdout: string, stderr = ''): ProcessExit {
  return {
    ...{ exitCode: 0, timedOut: false, aborted: false, durationMs: 1 },
    stdout: { text: stdout, cutBytes: 0 },
    stderr: { text: stderr, cutBytes: 0 },
  };
}

describe('the words of a status', () => {
  for (const [text, words] of [
    ['cron is running.', 'running'],
    ['sshd (pid  1234) is running...', 'running'],
    ['nginx is running as pid 12 34.', 'running'],
    ['nginx start/running, process 1234', 'running'],
    ['   Active: active (running) since Mon', 'running'],
    [' * status: running', 'running'],
    ['[ ok ] foo is already running', 'running'],
    ['cron is not running ... failed!', 'not-running'],
    ['[FAIL] cron is not running ... failed!', 'not-running'],
    ['sshd is stopped', 'not-running'],
    ['sshd dead but pid file exists', 'not-running'],
    ['sshd dead but subsys locked', 'not-running'],
    ['   Active: inactive (dead)', 'not-running'],
    [' * status: stopped', 'not-running'],
    [' * status: crashed', 'not-running'],
    ["foo isn't running", 'not-running'],
    ['Usage: /etc/init.d/foo {start|stop|restart}', 'no-status'],
    ['Usage: foo start|stop', 'no-status'],
    [
      "/etc/rc.d/foo: unknown directive 'status'.\nUsage: /etc/rc.d/foo [fast|force](start|stop|restart)",
      'no-status',
    ],
    ['', undefined],
    [' * status: started', undefined],
    ['all is well', undefined],
    ['42 jobs were running late', undefined],
    ['Disk usage: 5 %', undefined],
  ] as const) {
    it(`${JSON.stringify(text)} says ${words ?? 'nothing'}`, () => {
      expect(statusWords(saying(text))).to.equal(words);
      expect(statusWords(saying('', text))).to.equal(words);
    });
  }

  it('are those of the first line that has some: a log may follow', () => {
    expect(statusWords(saying('Active: active (running)\nJan 1 systemd: foo is stopped'))).to.equal(
      'running',
    );
    expect(statusWords(saying('hello\nfoo is stopped\nfoo is running'))).to.equal('not-running');
  });

  it('take no long time to read, whatever is printed', () => {
    for (const piece of ['usage ', ': usage', 'is ', 'not ', 'pid ', 'pid 1 ', ' ', '=', 'process:']) {
      const beganAt = performance.now();
      statusWords(saying(piece.repeat(40_000), piece.repeat(40_000)));
      pidsInWords(saying(piece.repeat(40_000)));
      expect(performance.now() - beganAt, piece).to.be.below(1_000);
    }
  });
});

describe('the processes that a status names', () => {
  for (const [text, pids] of [
    ['sshd (pid  1234) is running...', [1234]],
    ['httpd (pid  30 29 28) is running...', [30, 29, 28]],
    ['nginx is running as pid 12 34.', [12, 34]],
    ['   Active: active (running)\n Process: 5 ExecReload=/bin/true\n Main PID: 77 (nginx)', [77]],
    [' Main PID: 77 (code=exited, status=0/SUCCESS)', []],
    ['sshd is not running (pid 12)', []],
    ['foo start/running, process 99', [99]],
    ['foo is running, pid=5', [5]],
    ['foo is running, pids: 5, 6', [5, 6]],
    ['cron is running.', []],
    ['is running without a pid file', []],
    ['is running (pid 0)', []],
    ['is running, rapid 12', []],
  ] as const) {
    it(`in ${JSON.stringify(text)} are ${pids.join(', ') || 'none'}`, () => {
      expect(pidsInWords(saying(text))).to.deep.equal(pids);
    });
  }

  it('are positive whole numbers, whatever is printed', () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(), (text, number) => {
        for (const pid of pidsInWords(saying(`${text} is running, pid ${number} ${text}`)))
          expect(Number.isSafeInteger(pid) && pid > 0).to.equal(true);
      }),
    );
  });
});
