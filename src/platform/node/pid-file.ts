import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { isServiceManagerError, ServiceManagerError } from '../../wire/errors.ts';
import type { PidFile, PidFiles, ProcessLock } from '../pid-file.ts';

/** Resolves to undefined while another process holds the lock. */
export type LockFile = (file: string) => Promise<ProcessLock | undefined>;

/** What says whether an instance runs is the lock beside the pid file. A pid alone may be that of any later process. */
export class NodePidFiles implements PidFiles {
  readonly #lockFile: LockFile;

  constructor(lockFile: LockFile) {
    this.#lockFile = lockFile;
  }

  async take(path: string): Promise<PidFile> {
    return orBadConfig(path, async () => {
      mkdirSync(dirname(path), { recursive: true });
      const lock = await this.#lockFile(`${path}.lock`);
      if (lock === undefined) throw alreadyRunning(path);
      try {
        replaceFile(path, `${process.pid}\n`);
      } catch (error) {
        lock.close();
        throw error;
      }
      return new TakenPidFile(path, lock);
    });
  }
}

class TakenPidFile implements PidFile {
  readonly #path: string;
  readonly #lock: ProcessLock;
  #isClosed = false;

  constructor(path: string, lock: ProcessLock) {
    this.#path = path;
    this.#lock = lock;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (pidIn(this.#path) === process.pid) rmSync(this.#path, { force: true });
    this.#lock.close();
  }
}

async function orBadConfig<Value>(path: string, act: () => Promise<Value>): Promise<Value> {
  try {
    return await act();
  } catch (cause) {
    if (isServiceManagerError(cause)) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ServiceManagerError('BAD_CONFIG', `the pid file ${path} cannot be written: ${reason}`, {
      cause,
    });
  }
}

/** Nobody ever reads half of it, and a link that stands in its place is not followed. */
function replaceFile(path: string, text: string): void {
  const fresh = `${path}.${process.pid}`;
  rmSync(fresh, { force: true });
  writeFileSync(fresh, text, { flag: 'wx', mode: 0o644 });
  renameSync(fresh, path);
}

function alreadyRunning(path: string): ServiceManagerError {
  const pid = pidIn(path);
  // Who has just taken the lock may not have written yet: the pid of the one before it would mislead.
  const who = pid !== undefined && isAlive(pid) ? ` with pid ${pid}` : '';
  return new ServiceManagerError('ALREADY_RUNNING', `already running${who} (${path})`);
}

function pidIn(path: string): number | undefined {
  try {
    const pid = Number(readFileSync(path, 'utf8'));
    return Number.isInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    // Missing or not readable: it names nobody.
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
