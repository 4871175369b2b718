import { randomUUID } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { publicFileRefusal, secretFileRefusal } from '../key-file-mode.ts';
import { type KeyFiles, largestKeyFileBytes } from '../key-files.ts';
import { isMissing, orTrouble } from './file-trouble.ts';
import { effectiveUid, makeFolder, openGuarded, type Refusal, syncFolder, writeNew } from './guarded-file.ts';
import { userIdOf } from './user-id.ts';

export class NodeKeyFiles implements KeyFiles {
  readonly #ownUid: number;

  constructor(ownUid = effectiveUid()) {
    this.#ownUid = ownUid;
  }

  exists(path: string): boolean {
    return orBadConfig(path, 'cannot be looked at', () => factsOf(path) !== undefined);
  }

  readSecret(path: string): string {
    return this.#read(path, secretFileRefusal);
  }

  readPublic(path: string): string {
    return this.#read(path, publicFileRefusal);
  }

  createSecret(path: string, text: string, ownerName?: string): void {
    orBadConfig(path, 'cannot be made', () => {
      const uid = this.#uidOf(ownerName);
      makeFolder(dirname(path), 0o700, uid);
      writeNew(path, fitting(text), 0o600, uid);
      syncFolder(dirname(path));
    });
  }

  replaceSecret(path: string, text: string): void {
    orBadConfig(path, 'cannot be replaced', () => {
      const fd = openGuarded(path, constants.O_RDONLY, secretFileRefusal, this.#ownUid);
      const { mode, uid } = fstatSync(fd);
      closeSync(fd);
      replace(path, text, mode & 0o777, uid);
    });
  }

  writePublic(path: string, text: string, ownerName?: string): void {
    orBadConfig(path, 'cannot be written', () => {
      const before = factsOf(path);
      const uid = before?.isFile() ? before.uid : this.#uidOf(ownerName);
      makeFolder(dirname(path), 0o755, uid);
      replace(path, text, 0o644, uid);
    });
  }

  list(folder: string): readonly string[] {
    return orBadConfig(folder, 'cannot be listed', () => {
      try {
        return readdirSync(folder).sort();
      } catch (error) {
        if (isMissing(error)) return [];
        throw error;
      }
    });
  }

  remove(path: string): void {
    orBadConfig(path, 'cannot be removed', () => rmSync(path, { force: true }));
  }

  #read(path: string, refusal: Refusal): string {
    return orBadConfig(path, 'cannot be read', () => {
      const fd = openGuarded(path, constants.O_RDONLY, refusal, this.#ownUid);
      try {
        return textIn(fd);
      } finally {
        closeSync(fd);
      }
    });
  }

  /** Only root can give files away. */
  #uidOf(ownerName: string | undefined): number | undefined {
    return ownerName === undefined || this.#ownUid !== 0 ? undefined : userIdOf(ownerName);
  }
}

function orBadConfig<Value>(path: string, trouble: string, act: () => Value): Value {
  return orTrouble('BAD_CONFIG', path, trouble, act);
}

function factsOf(path: string) {
  return lstatSync(path, { throwIfNoEntry: false });
}

/** Nobody ever reads half of it, and a link that stands in its place is not followed. */
function replace(path: string, text: string, mode: number, uid: number | undefined): void {
  // Two programs may do this at the same time.
  const fresh = `${path}.${randomUUID()}`;
  writeNew(fresh, fitting(text), mode, uid);
  try {
    renameSync(fresh, path);
  } catch (error) {
    rmSync(fresh, { force: true });
    throw error;
  }
  syncFolder(dirname(path));
}

function textIn(fd: number): string {
  // One more, to see that there is more: what it is said to have may grow meanwhile.
  const bytes = Buffer.alloc(largestKeyFileBytes + 1);
  let length = 0;
  for (let count = 1; count > 0 && length < bytes.length; length += count)
    count = readSync(fd, bytes, length, bytes.length - length, length);
  refuseTooLarge(length);
  return bytes.toString('utf8', 0, length);
}

function fitting(text: string): string {
  refuseTooLarge(Buffer.byteLength(text));
  return text;
}

function refuseTooLarge(bytes: number): void {
  if (bytes > largestKeyFileBytes) throw new Error(`has more than ${largestKeyFileBytes} bytes`);
}
