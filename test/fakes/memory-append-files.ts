import {
  type AppendFile,
  type AppendFiles,
  longestLineBytes,
  partNumbers,
  type TornLine,
} from '../../src/platform/append-file.ts';
import { type ErrorCode, ServiceManagerError } from '../../src/wire/errors.ts';

/** Append files of a host without a disk. A test reads and changes `texts`. */
export class MemoryAppendFiles implements AppendFiles {
  /** By path. */
  readonly texts = new Map<string, string>();
  /** So many more bytes, and the disk is full. */
  roomBytes = Infinity;
  /** No part can be put aside. */
  cannotTurn = false;
  /** How often something was taken to the disk. */
  syncs = 0;

  open(path: string, onTorn: (torn: TornLine) => void): AppendFile {
    const text = this.texts.get(path) ?? '';
    const end = text.lastIndexOf('\n') + 1;
    this.texts.set(path, text.slice(0, end));
    if (end < text.length) onTorn(this.#keepTorn(path, text.slice(end)));
    return new MemoryAppendFile(this, path);
  }

  async *read(path: string): AsyncGenerator<Uint8Array> {
    const parts = this.#parts(path);
    if (parts.length === 0) throw trouble('BAD_CONFIG', path, 'there is none');
    for (const part of parts) yield Buffer.from(this.texts.get(part) ?? '');
  }

  *linesBackwards(path: string): Generator<string> {
    for (const part of this.#parts(path).reverse()) {
      const text = this.texts.get(part) ?? '';
      if (text === '') continue;
      const lines = text.replace(/\n$/, '').split('\n');
      yield* lines.reverse().map((line) => line.slice(-longestLineBytes));
    }
  }

  /** Paths of the parts that were put aside, from the oldest to the newest. */
  asides(path: string): string[] {
    return partNumbers(path, [...this.texts.keys()]).map((number) => `${path}.${number}`);
  }

  #parts(path: string): string[] {
    return [...this.asides(path), ...(this.texts.has(path) ? [path] : [])];
  }

  #keepTorn(path: string, text: string): TornLine {
    let number = 1;
    while (this.texts.has(`${path}.torn-${number}`)) number += 1;
    const movedTo = `${path}.torn-${number}`;
    this.texts.set(movedTo, text);
    return { movedTo, bytes: Buffer.byteLength(text) };
  }
}

class MemoryAppendFile implements AppendFile {
  readonly #files: MemoryAppendFiles;
  readonly #path: string;
  #bytes: number;
  #isClosed = false;

  constructor(files: MemoryAppendFiles, path: string) {
    this.#files = files;
    this.#path = path;
    this.#bytes = Buffer.byteLength(files.texts.get(path) ?? '');
  }

  get bytes(): number {
    return this.#bytes;
  }

  append(line: string): void {
    this.#requireOpen();
    const bytes = Buffer.byteLength(line) + 1;
    if (bytes > this.#files.roomBytes) throw trouble('STORE_UNUSABLE', this.#path, 'no room');
    this.#files.roomBytes -= bytes;
    this.#files.texts.set(this.#path, `${this.#files.texts.get(this.#path) ?? ''}${line}\n`);
    this.#bytes += bytes;
  }

  sync(): void {
    this.#requireOpen();
    this.#files.syncs += 1;
  }

  turn(lastLine: number, maxBytes: number): readonly string[] {
    if (this.#bytes === 0) return [];
    this.#requireOpen();
    const { texts, cannotTurn } = this.#files;
    if (cannotTurn) throw trouble('STORE_UNUSABLE', this.#path, 'cannot be put aside');
    const highest = partNumbers(this.#path, [...texts.keys()]).at(-1) ?? 0;
    texts.set(`${this.#path}.${Math.max(lastLine, highest + 1)}`, texts.get(this.#path) ?? '');
    texts.set(this.#path, '');
    this.#bytes = 0;
    return this.#removeOldest(maxBytes);
  }

  close(): void {
    this.#isClosed = true;
  }

  #removeOldest(maxBytes: number): string[] {
    const { texts } = this.#files;
    const asides = this.#files.asides(this.#path);
    const bytesOf = (path: string) => Buffer.byteLength(texts.get(path) ?? '');
    let bytes = asides.reduce((sum, path) => sum + bytesOf(path), 0);
    const removed: string[] = [];
    for (const path of asides.slice(0, -1)) {
      if (bytes <= maxBytes) break;
      bytes -= bytesOf(path);
      texts.delete(path);
      removed.push(path);
    }
    return removed;
  }

  #requireOpen(): void {
    if (this.#isClosed) throw trouble('STORE_UNUSABLE', this.#path, 'it is closed');
  }
}

function trouble(code: ErrorCode, path: string, reason: string): ServiceManagerError {
  return new ServiceManagerError(code, `${path}: cannot be used (${reason})`);
}
