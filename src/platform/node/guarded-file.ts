import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  openSync,
  rmSync,
  type Stats,
  writeFileSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { FileFacts } from '../key-file-mode.ts';

/** See key-file-mode.ts. */
export type Refusal = (file: FileFacts, ownUid: number) => string | undefined;

export function effectiveUid(): number {
  // Where the system has no such ids, files have none either, and show 0.
  return process.geteuid?.() ?? 0;
}

/**
 * Opens a file that is there, unless there is something against it. What counts is the file that was opened: its name may
 * lead to another one a moment later.
 */
export function openGuarded(path: string, flags: number, refusal: Refusal, ownUid: number): number {
  // Looked at before as well: to open a device may already do something.
  refuse(refusal, lstatSync(path), ownUid);
  // Not blocking, because a pipe that takes its place would hold us until somebody writes.
  const fd = openSync(path, flags | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    refuse(refusal, fstatSync(fd), ownUid);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** Makes and opens a file that was not there, with this mode whatever the umask. */
export function openNew(path: string, flags: number, mode: number): number {
  const fd = openSync(path, flags | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600);
  fchmodSync(fd, mode);
  return fd;
}

/** The whole file, on the disk, or none. Without `uid` it is our own. Its name is for `syncFolder` to keep. */
export function writeNew(path: string, text: string, mode: number, uid: number | undefined): void {
  const fd = openNew(path, constants.O_WRONLY, mode);
  try {
    writeFileSync(fd, text);
    if (uid !== undefined && uid !== fstatSync(fd).uid) fchownSync(fd, uid, -1);
    fsyncSync(fd);
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  } finally {
    closeSync(fd);
  }
}

/** With those above it that are missing; whatever is new belongs to `uid`, if it is given. */
export function makeFolder(path: string, mode: number, uid?: number): void {
  const folder = resolve(path);
  const first = mkdirSync(folder, { recursive: true, mode });
  if (first === undefined || uid === undefined) return;
  for (let made = folder; made.length >= first.length; made = dirname(made)) lchownSync(made, uid, -1);
}

/** So that what was made or renamed in it has its name after a power failure too. */
export function syncFolder(path: string): void {
  const fd = openSync(path, constants.O_RDONLY);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function refuse(refusal: Refusal, stats: Stats, ownUid: number): void {
  const { mode, uid } = stats;
  const isSymlink = stats.isSymbolicLink();
  const reason = refusal({ mode, uid, isSymlink, isFile: stats.isFile() }, ownUid);
  if (reason !== undefined) throw new Error(reason);
}
