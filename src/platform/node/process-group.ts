import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { sleep } from '../clock.ts';
import type { RunOptions } from '../processes.ts';
import { nodeClock } from './clock.ts';

/** A process in uninterruptible sleep (a dead NFS server) does not even die of KILL. Waiting for it ends here. */
const unkillableMs = 5_000;
const groupPollMs = 20;

export type EndLimits = Pick<RunOptions, 'timeoutMs' | 'killAfterMs' | 'signal'>;
export type EndReason = 'itself' | 'timeout' | 'abort';

/** A program that leads its own session and process group. */
export class ProcessGroup {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #over: Promise<void>;
  #isGivenUp = false;
  #setOver: () => void = () => {};

  private constructor(child: ChildProcess, pid: number) {
    this.#child = child;
    this.pid = pid;
    this.#over = new Promise((resolve) => {
      this.#setOver = resolve;
    });
    child.once('exit', () => this.#setOver());
  }

  /** Rejects with the system's own error when the program cannot be started. */
  static async start(
    file: string,
    args: readonly string[],
    env: NodeJS.ProcessEnv,
    outputs: [number, number],
  ) {
    const child = spawn(file, args, { cwd: '/', env, detached: true, stdio: ['ignore', ...outputs] });
    if (child.pid === undefined) {
      const [error] = await once(child, 'error');
      throw error;
    }
    return new ProcessGroup(child, child.pid);
  }

  /** Exit code, or minus the signal number; undefined while the leader runs. */
  get exitCode(): number | undefined {
    const { exitCode, signalCode } = this.#child;
    return signalCode === null ? (exitCode ?? undefined) : -constants.signals[signalCode];
  }

  /**
   * Resolves when the leader has ended. By itself within `timeoutMs`: nothing in its group is touched. Else, or when
   * `signal` is aborted, the whole group gets TERM, and KILL when some of it is left after `killAfterMs`.
   */
  async ends({ timeoutMs, killAfterMs, signal }: EndLimits): Promise<EndReason> {
    if (await this.#endsWithin(timeoutMs, signal)) return 'itself';
    const reason = signal?.aborted ? 'abort' : 'timeout';
    this.#signal('SIGTERM');
    if (!(await this.#isGoneWithin(killAfterMs))) this.#signal('SIGKILL');
    await this.#endsWithin(unkillableMs);
    return reason;
  }

  /** Ends the waiting, not the process. */
  giveUp(): void {
    this.#isGivenUp = true;
    this.#child.unref();
    this.#setOver();
  }

  get isGivenUp(): boolean {
    return this.#isGivenUp;
  }

  get #isOver(): boolean {
    return this.#isGivenUp || this.exitCode !== undefined;
  }

  async #endsWithin(delayMs: number, signal?: AbortSignal): Promise<boolean> {
    const timer = new AbortController();
    const wake = () => timer.abort();
    signal?.addEventListener('abort', wake);
    // An abort while the program was being started comes to no listener.
    if (signal?.aborted) wake();
    await Promise.race([this.#over, sleep(nodeClock, delayMs, timer.signal)]);
    signal?.removeEventListener('abort', wake);
    timer.abort();
    // Timers come before child exits in the event loop. After a stall both are due: had the leader ended in time, what
    // it left running would be killed for our own delay.
    if (!this.#isOver) await new Promise(setImmediate);
    return this.#isOver;
  }

  async #isGoneWithin(delayMs: number): Promise<boolean> {
    const dueMs = nodeClock.now() + delayMs;
    while (!this.#isGivenUp && groupExists(this.pid)) {
      const remainingMs = dueMs - nodeClock.now();
      if (remainingMs <= 0) return false;
      await sleep(nodeClock, Math.min(groupPollMs, remainingMs));
    }
    return true;
  }

  #signal(signal: NodeJS.Signals): void {
    if (!this.#isGivenUp) signalGroup(this.pid, signal);
  }
}

/** True for a group of which only a zombie is left, too. */
export function groupExists(pid: number): boolean {
  return signalGroup(pid, 0);
}

function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ESRCH') return false;
    if (code === 'EPERM') return true;
    throw error;
  }
}
