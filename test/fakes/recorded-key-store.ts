import type { Fingerprint } from '../../src/security/fingerprint.ts';
import type { KeyEntry, TokenEntry } from '../../src/security/key-ring.ts';
import type { KeyStore } from '../../src/store/key-store.ts';
import { ServiceManagerError } from '../../src/wire/errors.ts';

/** A store of keys that a test reads and lets fail. */
export class RecordedKeyStore implements KeyStore {
  /** In order: `key web1 accepted`, `token 0123456789abcdef 1`, `remove SHA256:...`. */
  readonly writes: string[] = [];
  /** So many more writes go well. */
  writesLeft = Number.POSITIVE_INFINITY;
  readonly #keys = new Map<Fingerprint, KeyEntry>();
  readonly #tokens = new Map<string, TokenEntry>();

  constructor(keys: readonly KeyEntry[] = [], tokens: readonly TokenEntry[] = []) {
    for (const entry of keys) this.#keys.set(entry.fingerprint, entry);
    for (const entry of tokens) this.#tokens.set(entry.id, entry);
  }

  keys(): KeyEntry[] {
    return [...this.#keys.values()];
  }

  saveKey(entry: KeyEntry): void {
    this.#write(`key ${entry.name} ${entry.state}`);
    this.#keys.set(entry.fingerprint, entry);
  }

  removeKey(fingerprint: Fingerprint): void {
    this.#write(`remove ${fingerprint}`);
    this.#keys.delete(fingerprint);
  }

  tokens(): TokenEntry[] {
    return [...this.#tokens.values()];
  }

  saveToken(entry: TokenEntry): void {
    this.#write(`token ${entry.id} ${entry.usesLeft}`);
    this.#tokens.set(entry.id, entry);
  }

  removeToken(id: string): void {
    this.#write(`remove ${id}`);
    this.#tokens.delete(id);
  }

  #write(what: string): void {
    if (this.writesLeft <= 0) throw new ServiceManagerError('STORE_UNUSABLE', 'disk full');
    this.writesLeft -= 1;
    this.writes.push(what);
  }
}
