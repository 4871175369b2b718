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
import type { Output } from './captured-output.ts';
import { isMissing } from './file-trouble.ts';
import type { LeftoverOutput } from './leftover-output.ts';

/** How far a file may pass the limit before it is cut back. Output within it is counted to the byte. */
const slackBytes = 1024 * 1024;
const largestPieceBytes = 16 * 1024;
const mostPiecesAtOnce = 16;

export interface OutputFileOptions {
  readonly scratchDir: string;
  /** Bytes kept, from the beginning. */
  readonly limitBytes: number;
  readonly leftovers: LeftoverOutput;
  /** Gets what is written, as often as `cutBack` is called. */
  readonly onText?: ((text: string) => void) | undefined;
}

/**
 * One output stream of a process, in a file that has no name any more. Not a pipe: a daemon started by an init script
 * often keeps its output open. It would hold a pipe open long after the action is over, and would get SIGPIPE when this
 * program stops or is killed, but a service must outlive us. With a file the action ends when its process ends, and
 * the daemon never notices us going.
 */
export class OutputFile implements Output {
  readonly fd: number;
  readonly #limitBytes: number;
  readonly #leftovers: LeftoverOutput;
  readonly #onText: OutputFileOptions['onText'];
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  #shownBytes = 0;
  #cutBytes = 0;

  constructor({ scratchDir, limitBytes, leftovers, onText }: OutputFileOptions) {
    this.#limitBytes = limitBytes;
    this.#leftovers = leftovers;
    this.#onText = onText;
    this.fd = openNameless(scratchDir);
  }

  /**
   * Bounds the disk use of a process that prints and prints. What it writes between the two calls is removed
   * uncounted, so for such a process `cutBytes` is a little less than it printed.
   */
  cutBack(): void {
    this.#show();
    const { size } = fstatSync(this.fd);
    if (size <= this.#limitBytes + slackBytes) return;
    ftruncateSync(this.fd, this.#limitBytes);
    this.#cutBytes += size - this.#limitBytes;
    this.#shownBytes = this.#limitBytes;
  }

  async settle(): Promise<void> {
    this.#show();
  }

  read(): CapturedOutput {
    const { size } = fstatSync(this.fd);
    const cutBytes = this.#cutBytes + Math.max(0, size - this.#limitBytes);
    return { text: decodeBeginning(this.#beginning(size), cutBytes > 0), cutBytes };
  }

  leave(pid: number): void {
    this.#leftovers.keep(this.fd, pid);
  }

  close(): void {
    closeSync(this.fd);
  }

  #show(): void {
    if (this.#onText === undefined) return;
    const piece = Buffer.alloc(largestPieceBytes);
    for (let pieces = 0; pieces < mostPiecesAtOnce; pieces += 1) {
      const count = readSync(this.fd, piece, 0, piece.length, this.#shownBytes);
      if (count === 0) return;
      this.#shownBytes += count;
      this.#onText(this.#decoder.decode(piece.subarray(0, count), { stream: true }));
    }
    // Nobody can read that fast.
    this.#shownBytes = fstatSync(this.fd).size;
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
