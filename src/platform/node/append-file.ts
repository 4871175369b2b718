import {
  closeSync,
  constants,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  lstatSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { AppendFile } from '../append-file.ts';
import { numbersOf, partsOf } from './append-parts.ts';
import { orTrouble } from './file-trouble.ts';
import { openNew, syncFolder } from './guarded-file.ts';

export const forAppending = constants.O_RDWR | constants.O_APPEND;

/** Takes over the descriptor: closing it is ours from now on. */
export class NodeAppendFile implements AppendFile {
  readonly #path: string;
  #fd: number;
  #bytes: number;
  /** Something of a line that was not written as a whole may stand at the end. */
  #hasTorn = false;
  #isClosed = false;

  constructor(path: string, fd: number) {
    this.#path = path;
    this.#fd = fd;
    this.#bytes = fstatSync(fd).size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  append(line: string): void {
    this.#orUnusable('cannot be written', () => {
      if (this.#hasTorn) this.#cutBack();
      const bytes = Buffer.from(`${line}\n`);
      this.#hasTorn = true;
      try {
        if (writeSync(this.#fd, bytes) < bytes.length) throw new Error('no room for the whole line');
      } catch (error) {
        this.#cutBack();
        throw error;
      }
      this.#hasTorn = false;
      this.#bytes += bytes.length;
    });
  }

  sync(): void {
    this.#orUnusable('cannot be written', () => fdatasyncSync(this.#fd));
  }

  turn(lastLine: number, maxBytes: number): readonly string[] {
    if (this.#bytes === 0) return [];
    return this.#orUnusable('cannot be put aside', () => {
      fsyncSync(this.#fd);
      this.#putAside(lastLine);
      syncFolder(dirname(this.#path));
      return removeOldest(this.#path, maxBytes);
    });
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    closeSync(this.#fd);
  }

  #putAside(lastLine: number): void {
    const highest = numbersOf(this.#path).at(-1) ?? 0;
    const aside = `${this.#path}.${Math.max(lastLine, highest + 1)}`;
    renameSync(this.#path, aside);
    try {
      const fd = openNew(this.#path, forAppending, 0o600);
      closeSync(this.#fd);
      this.#fd = fd;
      this.#bytes = 0;
    } catch (error) {
      renameSync(aside, this.#path);
      throw error;
    }
  }

  #cutBack(): void {
    ftruncateSync(this.#fd, this.#bytes);
    this.#hasTorn = false;
  }

  #orUnusable<Value>(trouble: string, act: () => Value): Value {
    return orTrouble('STORE_UNUSABLE', this.#path, trouble, () => {
      // The number of a closed file is soon that of another one.
      if (this.#isClosed) throw new Error('it is closed');
      return act();
    });
  }
}

function removeOldest(path: string, maxBytes: number): string[] {
  const parts = partsOf(path);
  let bytes = parts.reduce((sum, part) => sum + lstatSync(part).size, 0);
  const removed: string[] = [];
  for (const part of parts.slice(0, -1)) {
    if (bytes <= maxBytes) break;
    bytes -= lstatSync(part).size;
    rmSync(part);
    removed.push(part);
  }
  return removed;
}
