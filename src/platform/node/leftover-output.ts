import { closeSync, fstatSync, ftruncateSync } from 'node:fs';
import { groupExists } from './process-group.ts';

interface Leftover {
  readonly fd: number;
  readonly pid: number;
  hasGrown: boolean;
  quietChecks: number;
}

/** Checks without a new byte after which nobody is expected to write any more. */
const quietChecksWithWriter = 10;
const quietChecksWithout = 2;

/**
 * Output files of processes that have ended. What they left running may hold them and print on: such a file has no name,
 * nobody reads it, and it would fill the disk unseen. So it is emptied now and then while we live.
 * Who holds a file is not cheap to know (a daemon leaves the process group by setsid), so every file is kept
 * for two checks, and longer when it grows or the group lives on.
 */
export class LeftoverOutput {
  readonly #checkIntervalMs: number;
  readonly #maxFiles: number;
  #leftovers: Leftover[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(checkIntervalMs: number, maxFiles: number) {
    this.#checkIntervalMs = checkIntervalMs;
    this.#maxFiles = maxFiles;
  }

  /** Takes over the file: closing it is ours from now on. */
  keep(fd: number, pid: number): void {
    ftruncateSync(fd, 0);
    this.#leftovers.push({ fd, pid, hasGrown: false, quietChecks: 0 });
    if (this.#leftovers.length > this.#maxFiles) this.#closeOne();
    this.#timer ??= setInterval(() => this.check(), this.#checkIntervalMs).unref();
  }

  check(): void {
    for (const leftover of this.#leftovers) {
      const isGrown = fstatSync(leftover.fd).size > 0;
      if (isGrown) ftruncateSync(leftover.fd, 0);
      leftover.hasGrown ||= isGrown;
      leftover.quietChecks = isGrown ? 0 : leftover.quietChecks + 1;
    }
    this.#leftovers = this.#leftovers.filter((leftover) => {
      const isKept = leftover.quietChecks < patience(leftover);
      if (!isKept) closeSync(leftover.fd);
      return isKept;
    });
    if (this.#leftovers.length === 0) this.#stopTimer();
  }

  close(): void {
    this.#stopTimer();
    for (const leftover of this.#leftovers.splice(0)) closeSync(leftover.fd);
  }

  /** The oldest, but rather one that never grew: many short actions must not push out a daemon that prints. */
  #closeOne(): void {
    const silent = this.#leftovers.findIndex((leftover) => !leftover.hasGrown);
    for (const leftover of this.#leftovers.splice(Math.max(silent, 0), 1)) closeSync(leftover.fd);
  }

  #stopTimer(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

function patience(leftover: Leftover): number {
  return leftover.hasGrown || groupExists(leftover.pid) ? quietChecksWithWriter : quietChecksWithout;
}
