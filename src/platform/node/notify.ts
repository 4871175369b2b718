import { execFile } from 'node:child_process';
import type { Notify } from '../notify.ts';

export interface NotifyOptions {
  /** The environment that the service manager gave us. */
  readonly environment: NodeJS.ProcessEnv;
  readonly pid: number;
  /** What was said did not arrive. */
  readonly onTrouble: (reason: string) => void;
  /** Default: systemd-notify(1). */
  readonly program?: string;
}

const longestMs = 5_000;

/** Speaks to systemd where it started us, and to nobody else. */
export function openNotify(options: NotifyOptions): Notify {
  const socket = options.environment['NOTIFY_SOCKET'];
  if (socket === undefined || socket === '') return { watchdogMs: undefined, send: async () => {} };
  return new SystemdNotify(socket, options);
}

/**
 * systemd listens on a UNIX datagram socket, which Node.js cannot open, so its own systemd-notify(1) is run for each
 * message. It stays until systemd has read the message, or systemd could not tell whose it was.
 */
class SystemdNotify implements Notify {
  readonly watchdogMs: number | undefined;
  readonly #socket: string;
  readonly #options: NotifyOptions;
  #last: Promise<void> = Promise.resolve();

  constructor(socket: string, options: NotifyOptions) {
    this.#socket = socket;
    this.#options = options;
    this.watchdogMs = watchdogMs(options);
  }

  send(...assignments: readonly string[]): Promise<void> {
    this.#last = this.#last.then(() => this.#run(assignments));
    return this.#last;
  }

  #run(assignments: readonly string[]): Promise<void> {
    const { environment, onTrouble, program = 'systemd-notify' } = this.#options;
    const env = { PATH: environment['PATH'], NOTIFY_SOCKET: this.#socket };
    const line = [...assignments, ...when(assignments)].map(oneLine);
    return new Promise((resolve) => {
      execFile(program, line, { env, timeout: longestMs }, (error) => {
        if (error !== null) onTrouble(error.message.trim());
        resolve();
      });
    });
  }
}

/** WATCHDOG_PID says for whom the limit is; a program that another one started is not meant. */
function watchdogMs({ environment, pid }: NotifyOptions): number | undefined {
  const { WATCHDOG_USEC: microseconds, WATCHDOG_PID: watched } = environment;
  if (watched !== undefined && watched !== String(pid)) return undefined;
  const ms = Number(microseconds) / 1_000;
  return ms > 0 ? ms : undefined;
}

/** A line break would begin another assignment. */
function oneLine(assignment: string): string {
  return assignment.replaceAll(/[\r\n]+/g, ' ');
}

/** Type=notify-reload wants to know when a reload began; the high-resolution clock is CLOCK_MONOTONIC. */
function when(assignments: readonly string[]): string[] {
  if (!assignments.includes('RELOADING=1')) return [];
  return [`MONOTONIC_USEC=${process.hrtime.bigint() / 1_000n}`];
}
