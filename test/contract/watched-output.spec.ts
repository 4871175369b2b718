import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { NodeProcesses } from '../../src/platform/node/processes.ts';
import { loadPseudoTerminals, type PseudoTerminals } from '../../src/platform/node/pseudo-terminal.ts';
import type { OutputSource, RunOptions } from '../../src/platform/processes.ts';
import { eventually } from '../fakes/eventually.ts';
import { isAlive } from '../fakes/proc-files.ts';

const options: RunOptions = { timeoutMs: 20_000, killAfterMs: 200, outputLimitBytes: 1_000 };

/** What was seen of one run, in the order in which it came. */
class Watcher {
  readonly pieces: Array<readonly [text: string, source: OutputSource]> = [];

  readonly onOutput = (text: string, source: OutputSource) => {
    this.pieces.push([text, source]);
  };

  textOf(...sources: readonly OutputSource[]): string {
    return this.pieces
      .filter(([, source]) => sources.includes(source))
      .map(([text]) => text)
      .join('');
  }
}

describe('a program whose output is watched', function () {
  this.timeout(30_000);
  let dir: string;
  let processes: NodeProcesses;
  let watcher: Watcher;
  let pseudoTerminals: PseudoTerminals;

  const run = (script: string, changed: Partial<RunOptions> = {}) =>
    processes.run('sh', ['-c', script], { ...options, onOutput: watcher.onOutput, ...changed });
  const gate = () => join(dir, 'gate');
  const untilOpen = () => `until test -e ${gate()}; do sleep 0.02; done`;
  const openGate = () => writeFileSync(gate(), '');
  const open = (withTerminals: boolean) => {
    processes.close();
    processes = new NodeProcesses({
      scratchDir: join(dir, 'scratch'),
      pseudoTerminals: withTerminals ? pseudoTerminals : undefined,
    });
  };

  before(async () => {
    const loaded = await loadPseudoTerminals();
    if (loaded === undefined) throw new Error('the package for pseudo-terminals does not load here');
    pseudoTerminals = loaded;
  });

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'service-mgr-'));
    watcher = new Watcher();
    processes = new NodeProcesses({ scratchDir: join(dir, 'scratch') });
  });

  afterEach(() => {
    processes.close();
    rmSync(dir, { recursive: true });
  });

  for (const withTerminals of [true, false]) {
    describe(withTerminals ? 'on a pseudo-terminal' : 'without pseudo-terminals', () => {
      beforeEach(() => open(withTerminals));

      it('is seen while it still runs', async () => {
        const over = run(`echo before; ${untilOpen()}; echo after; exit 3`);
        await eventually(() => watcher.textOf('stdout') === 'before\n', 'the first line is seen');
        openGate();
        const exit = await over;
        expect(exit.exitCode).to.equal(3);
        expect(exit.stdout).to.deep.equal({ text: 'before\nafter\n', cutBytes: 0 });
        expect(watcher.textOf('stdout')).to.equal('before\nafter\n');
      });

      it('is seen on both of its outputs', async () => {
        await run('echo out; echo err >&2');
        expect(watcher.textOf('stdout', 'stderr')).to.equal('out\nerr\n');
      });

      it('may print a character in two pieces', async () => {
        await run(`printf "\\\\303"; sleep 0.2; printf "\\\\251\\n"`);
        expect(watcher.textOf('stdout')).to.equal('é\n');
      });

      it('has no more kept than its limit, and says how much was cut', async () => {
        const { stdout } = await run('head -c 5000 /dev/zero | tr "\\\\0" x');
        expect(stdout.text).to.equal('x'.repeat(1_000));
        expect(stdout.cutBytes).to.equal(4_000);
        expect(watcher.textOf('stdout')).to.equal('x'.repeat(5_000));
      });

      it('is ended at its time limit', async () => {
        const { timedOut } = await run('echo begun; sleep 300', { timeoutMs: 300 });
        expect(timedOut).to.equal(true);
        expect(watcher.textOf('stdout')).to.equal('begun\n');
      });

      it('may leave a daemon that holds its output, and is over when it is over itself', async () => {
        const pidFile = join(dir, 'pid');
        const daemon = `(while :; do echo still here; sleep 0.1; done) & echo $! >${pidFile}`;
        const { exitCode, durationMs } = await run(`${daemon}; exit 0`);
        const pid = Number(readFileSync(pidFile, 'utf8'));
        try {
          expect(exitCode).to.equal(0);
          expect(durationMs).to.be.lessThan(5_000);
          expect(isAlive(pid)).to.equal(true);
        } finally {
          process.kill(pid, 'SIGKILL');
        }
      });
    });
  }

  it('believes that a person sits there, on a pseudo-terminal', async () => {
    open(true);
    const { stdout, stderr } = await run('test -t 1 && test -t 2 && echo yes');
    expect([stdout.text, stderr.text]).to.deep.equal(['yes\n', '']);
    expect(watcher.textOf('note')).to.equal('');
  });

  it('has no controlling terminal, which would hang up its daemons', async () => {
    open(true);
    const { stdout } = await run('(echo x >/dev/tty) 2>/dev/null && echo controlled || echo free');
    expect(stdout.text).to.equal('free\n');
  });

  it('leaves a daemon that lives on when the terminal is gone', async () => {
    open(true);
    const alive = join(dir, 'alive');
    const pidFile = join(dir, 'pid');
    const daemon = `(${untilOpen()}; sleep 0.2; : >${alive}; exec sleep 300) & echo $! >${pidFile}`;
    await run(daemon);
    processes.close();
    openGate();
    try {
      await eventually(() => existsSync(alive), 'the daemon goes on');
    } finally {
      process.kill(Number(readFileSync(pidFile, 'utf8')), 'SIGKILL');
    }
  });

  it('leaves no terminal open when nothing of it is left', async () => {
    open(true);
    const terminals = () =>
      readdirSync('/proc/self/fd').filter((fd) => isTerminal(`/proc/self/fd/${fd}`)).length;
    const before = terminals();
    await run('echo one');
    await run('echo two');
    await eventually(() => terminals() === before, 'all are closed');
  });

  it('is told about when there are no pseudo-terminals', async () => {
    open(false);
    await run('test -t 1 || echo no terminal');
    expect(watcher.textOf('note')).to.match(/no pseudo-terminals here .* may come late\n$/);
    expect(watcher.textOf('stdout')).to.equal('no terminal\n');
  });
});

function isTerminal(link: string): boolean {
  try {
    return /^\/dev\/(pts\/|ptmx)/.test(readlinkSync(link));
  } catch {
    return false;
  }
}
