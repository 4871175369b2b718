import { type FileFacts, publicFileRefusal, secretFileRefusal } from '../../src/platform/key-file-mode.ts';
import { type KeyFiles, largestKeyFileBytes } from '../../src/platform/key-files.ts';
import { ServiceManagerError } from '../../src/wire/errors.ts';

export interface MemoryKeyFile extends FileFacts {
  readonly text: string;
}

/** Key files of a host without a disk. A test reads `files`, and puts there what it wants to be found. */
export class MemoryKeyFiles implements KeyFiles {
  readonly files = new Map<string, MemoryKeyFile>();
  readonly #ownUid: number;
  readonly #uids: Readonly<Record<string, number>>;

  /** `uids`: of the users of this host, by name. */
  constructor(ownUid = 1_000, uids: Readonly<Record<string, number>> = {}) {
    this.#ownUid = ownUid;
    this.#uids = uids;
  }

  /** A good file with a secret, unless `facts` say something else. */
  put(path: string, text: string, facts: Partial<FileFacts> = {}): void {
    const plain = { mode: 0o600, uid: this.#ownUid, isSymlink: false, isFile: true };
    this.files.set(path, { ...plain, ...facts, text });
  }

  exists(path: string): boolean {
    return this.files.has(path);
  }

  readSecret(path: string): string {
    return this.#read(path, secretFileRefusal);
  }

  readPublic(path: string): string {
    return this.#read(path, publicFileRefusal);
  }

  createSecret(path: string, text: string, ownerName?: string): void {
    if (this.files.has(path)) throw trouble(path, 'cannot be made', 'it is there already');
    this.put(path, fitting(path, text), { uid: this.#uidOf(ownerName) });
  }

  replaceSecret(path: string, text: string): void {
    this.#read(path, secretFileRefusal);
    this.put(path, fitting(path, text), { ...this.files.get(path) });
  }

  writePublic(path: string, text: string, ownerName?: string): void {
    const before = this.files.get(path);
    const uid = before?.isFile ? before.uid : this.#uidOf(ownerName);
    this.put(path, fitting(path, text), { mode: 0o644, uid });
  }

  list(folder: string): readonly string[] {
    const within = `${folder}/`;
    const below = [...this.files.keys()].filter((path) => path.startsWith(within));
    const names = below.map((path) => path.slice(within.length).split('/')[0] ?? '');
    return [...new Set(names)].sort();
  }

  remove(path: string): void {
    this.files.delete(path);
  }

  #read(path: string, refusal: (file: FileFacts, ownUid: number) => string | undefined): string {
    const file = this.files.get(path);
    if (file === undefined) throw trouble(path, 'cannot be read', 'there is none');
    const reason = refusal(file, this.#ownUid);
    if (reason !== undefined) throw trouble(path, 'cannot be read', reason);
    return fitting(path, file.text);
  }

  #uidOf(ownerName: string | undefined): number {
    const given = ownerName === undefined || this.#ownUid !== 0 ? undefined : this.#uids[ownerName];
    return given ?? this.#ownUid;
  }
}

function fitting(path: string, text: string): string {
  if (Buffer.byteLength(text) <= largestKeyFileBytes) return text;
  throw trouble(path, 'cannot be used', `has more than ${largestKeyFileBytes} bytes`);
}

function trouble(path: string, what: string, reason: string): ServiceManagerError {
  return new ServiceManagerError('BAD_CONFIG', `${path}: ${what} (${reason})`);
}
