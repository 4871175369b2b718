import { closeSync, constants, fstatSync } from 'node:fs';
import { dirname } from 'node:path';
import type { AppendFile, AppendFiles, TornLine } from '../append-file.ts';
import { secretFileRefusal } from '../key-file-mode.ts';
import { forAppending, NodeAppendFile } from './append-file.ts';
import { partsOf } from './append-parts.ts';
import { isMissing, isThereAlready, orTrouble, troubleWith } from './file-trouble.ts';
import { effectiveUid, makeFolder, openGuarded, openNew } from './guarded-file.ts';
import { bytesAt, linesBackwards } from './lines-backwards.ts';
import { moveTornLine } from './torn-line.ts';

const pieceBytes = 64 * 1024;

export class NodeAppendFiles implements AppendFiles {
  readonly #ownUid: number;

  constructor(ownUid = effectiveUid()) {
    this.#ownUid = ownUid;
  }

  open(path: string, onTorn: (torn: TornLine) => void): AppendFile {
    return orTrouble('STORE_UNUSABLE', path, 'cannot be opened', () => {
      makeFolder(dirname(path), 0o700);
      const fd = this.#openOrMake(path);
      try {
        const torn = moveTornLine(fd, path);
        if (torn !== undefined) onTorn(torn);
        return new NodeAppendFile(path, fd);
      } catch (error) {
        closeSync(fd);
        throw error;
      }
    });
  }

  async *read(path: string): AsyncGenerator<Uint8Array> {
    const fds = orTrouble('BAD_CONFIG', path, 'cannot be read', () => {
      const found = this.#openParts(path);
      if (found.length === 0) throw new Error('there is none');
      return found;
    });
    try {
      for (const fd of fds) yield* piecesOf(fd);
    } catch (cause) {
      throw troubleWith('BAD_CONFIG', path, 'cannot be read', cause);
    } finally {
      closeAll(fds);
    }
  }

  *linesBackwards(path: string): Generator<string> {
    const fds = orTrouble('STORE_UNUSABLE', path, 'cannot be read', () => this.#openParts(path));
    try {
      for (const fd of fds.reverse()) yield* linesBackwards(fd);
    } catch (cause) {
      throw troubleWith('STORE_UNUSABLE', path, 'cannot be read', cause);
    } finally {
      closeAll(fds);
    }
  }

  #openOrMake(path: string): number {
    try {
      return openNew(path, forAppending, 0o600);
    } catch (error) {
      if (!isThereAlready(error)) throw error;
      return openGuarded(path, forAppending, secretFileRefusal, this.#ownUid);
    }
  }

  /** All at once, as the writer may put the present part aside, and remove old ones, while somebody reads. */
  #openParts(path: string): number[] {
    const fds: number[] = [];
    try {
      const present = this.#openPart(path);
      if (present !== undefined) fds.push(present);
      // The oldest is removed first, so that behind one that is gone there is none.
      for (const aside of partsOf(path).reverse()) {
        const fd = this.#openPart(aside);
        if (fd === undefined) break;
        // It was put aside a moment ago: what is newer is not ours to read.
        if (present !== undefined && isSameFile(fd, present)) closeAll(fds.splice(0));
        fds.push(fd);
      }
      return fds.reverse();
    } catch (error) {
      closeAll(fds);
      throw error;
    }
  }

  #openPart(path: string): number | undefined {
    try {
      return openGuarded(path, constants.O_RDONLY, secretFileRefusal, this.#ownUid);
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }
}

function* piecesOf(fd: number): Generator<Buffer> {
  for (let from = 0; ; from += pieceBytes) {
    const piece = bytesAt(fd, from, from + pieceBytes);
    if (piece.length > 0) yield piece;
    if (piece.length < pieceBytes) return;
  }
}

function closeAll(fds: readonly number[]): void {
  for (const fd of fds) closeSync(fd);
}

function isSameFile(fd: number, other: number): boolean {
  const [one, two] = [fstatSync(fd), fstatSync(other)];
  return one.dev === two.dev && one.ino === two.ino;
}
