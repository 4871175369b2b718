import { randomUUID } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  unlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import type { CapturedOutput } from '../processes.ts';

/** How far a file may pass the limit before it is cut back. Output within it is counted to the byte. */
const slackBytes = 1024 * 1024;

/**
 * One output stream of a process, in a file that has no name any more. Not a pipe: a daemon started by an init script
 * often keeps its output open. It would hold a pipe open long after the action is over, and would get SIGPIPE when this
 * program stops or is killed, but a service must outlive us. With a file the action ends when its process ends, and
 * the daemon never notices us going.
 */
export class OutputFile {
  readonly fd: number;
  readonly #limitBytes: number;
  #cutBytes = 0;

  constructor(scratchDir: string, limitBytes: number) {
    this.#limitBytes = limitBytes;
    this.fd = openNameless(scratchDir);
  }

  /**
   * Bounds the disk use of a process that prints and prints. What it writes between the two calls is removed
   * uncounted, so for such a process `cutBytes` is a little less than it printed.
   */
  cutBack(): void {
    const { size } = fstatSync(this.fd);
    if (size <= this.#limitBytes + slackBytes) return;
    ftruncateSync(this.fd, this.#limitBytes);
    this.#cutBytes += size - this.#limitBytes;
  }

  read(): CapturedOutput {
    const { size } = fstatSync(this.fd);
    const cutBytes = this.#cutBytes + Math.max(0, size - this.#limitBytes);
    return { text: decodeBeginning(this.#beginning(size), cutBytes > 0), cutBytes };
  }

  close(): void {
    closeSync(this.fd);
  }

  #beginning(size: number): Buffer {
    const bytes = Buffer.alloc(Math.min(size, this.#limitBytes));
    let length = 0;
    while (length < bytes.length) {
      const count = readSync(this.fd, bytes, length, bytes.length - length, length);
      if (count === 0) break;
      length += count;
    }
    return bytes.subarray(0, length);
  }
}

/** A character of which the cut left only the first bytes is dropped: nothing was wrong with it. */
export function decodeBeginning(bytes: Uint8Array, isCut: boolean): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes, { stream: isCut });
}

function openNameless(scratchDir: string): number {
  const path = join(scratchDir, randomUUID());
  const fd = openNew(path, scratchDir);
  try {
    unlinkSync(path);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return fd;
}

function openNew(path: string, scratchDir: string): number {
  // O_APPEND: after a truncation the writer goes on at the new end, not at its old place behind a hole.
  const flags = constants.O_CREAT | constants.O_EXCL | constants.O_RDWR | constants.O_APPEND;
  try {
    return openSync(path, flags, 0o600);
  } catch (error) {
    if (!isMissing(error)) throw error;
    mkdirSync(scratchDir, { recursive: true, mode: 0o700 });
    return openSync(path, flags, 0o600);
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
