import { closeSync, constants, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import type { LiveProcess, ProcessTable, SmallFile } from '../process-table.ts';

const readLimitBytes = 65_536;
/** proc(5) counts in USER_HZ, which is 100 on every Linux that Node.js runs on. */
const tickMs = 10;
const dead = /[ZXx]/;

/** From proc(5) on Linux. Elsewhere a process is known only by the answer to signal 0, and so is a zombie. */
export const nodeProcessTable: ProcessTable =
  process.platform === 'linux' ? processTableUnder('') : { find: findBySignal, read: readSmallFile };

/** That of another Linux, whose root folder can be seen here. */
export function processTableUnder(root: string): ProcessTable {
  return { find: (pid) => findInProc(root, pid), read: (path) => readSmallFile(`${root}${path}`) };
}

function findInProc(root: string, pid: number): LiveProcess | undefined {
  const stat = textOf(`${root}/proc/${pid}/stat`);
  // The name of the program stands in parentheses and may hold anything, also spaces and parentheses.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? [];
  const [state = ''] = fields;
  const startTicks = fields[19];
  if (startTicks === undefined || dead.test(state)) return undefined;
  return { pid, born: startTicks, startedWallMs: bootWallMs() + Number(startTicks) * tickMs };
}

function bootWallMs(): number {
  const seconds = /^btime (\d+)$/m.exec(textOf('/proc/stat') ?? '')?.[1];
  return Number(seconds ?? Number.NaN) * 1_000;
}

function findBySignal(pid: number): LiveProcess | undefined {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (codeOf(error) !== 'EPERM') return undefined;
  }
  return { pid, born: '', startedWallMs: undefined };
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    return undefined;
  }
}

function readSmallFile(path: string): SmallFile | undefined {
  try {
    // Without O_NONBLOCK a pipe in the place of the file would stop us until somebody writes to it.
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      return readOpen(fd);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    return undefined;
  }
}

function readOpen(fd: number): SmallFile | undefined {
  const stat = fstatSync(fd);
  if (!stat.isFile()) return undefined;
  const bytes = Buffer.alloc(readLimitBytes);
  const length = readSync(fd, bytes, 0, readLimitBytes, 0);
  return { text: bytes.toString('latin1', 0, length), writtenWallMs: stat.mtimeMs };
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}
