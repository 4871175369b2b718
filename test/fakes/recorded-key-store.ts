import type { Fingerprint } from '../../src/security/fingerprint.ts';
import type { TokenEntry } from '../../src/security/join-tokens.ts';
import type { KeyEntry } from '../../src/security/key-index.ts';
import { MemoryKeys } from '../../src/store/memory-keys.ts';
import { ServiceManagerError } from '../../src/wire/errors.ts';

/** A store of keys that a test reads and lets fail. */
export class RecordedKeyStore extends MemoryKeys {
  /** In order: `key web1 accepted`, `token 0123456789abcdef 1`, `remove SHA256:...`. */
  readonly writes: string[] = [];
  /** So many more writes go well. */
  writesLeft = Number.POSITIVE_INFINITY;

  constructor(keys: readonly KeyEntry[], tokens: readonly TokenEntry[]) {
    super();
    for (const entry of keys) super.saveKey(entry);
    for (const entry of tokens) super.saveToken(entry);
  }

  override saveKey(entry: KeyEntry): void {
    this.#write(`key ${entry.name} ${entry.state}`);
    super.saveKey(entry);
  }

  override removeKey(fingerprint: Fingerprint): void {
    this.#write(`remove ${fingerprint}`);
    super.removeKey(fingerprint);
  }

  override saveToken(entry: TokenEntry): void {
    this.#write(`token ${entry.id} ${entry.usesLeft}`);
    super.saveToken(entry);
  }

  override removeToken(id: string): void {
    this.#write(`remove ${id}`);
    super.removeToken(id);
  }

  #write(what: string): void {
    if (this.writesLeft <= 0) throw new ServiceManagerError('STORE_UNUSABLE', 'disk full');
    this.writesLeft -= 1;
    this.writes.push(what);
  }
}
