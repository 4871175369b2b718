import type { Fingerprint } from '../security/fingerprint.ts';
import type { TokenEntry } from '../security/join-tokens.ts';
import type { KeyEntry } from '../security/key-index.ts';
import type { KeyStore } from './key-store.ts';

/** The part of the store in memory that is about keys. */
export class MemoryKeys implements KeyStore {
  readonly #keys = new Map<Fingerprint, KeyEntry>();
  readonly #tokens = new Map<string, TokenEntry>();

  keys(): KeyEntry[] {
    return [...this.#keys.values()];
  }

  saveKey(entry: KeyEntry): void {
    this.#keys.set(entry.fingerprint, { ...entry });
  }

  removeKey(fingerprint: Fingerprint): void {
    this.#keys.delete(fingerprint);
  }

  tokens(): TokenEntry[] {
    return [...this.#tokens.values()];
  }

  saveToken(entry: TokenEntry): void {
    this.#tokens.set(entry.id, { ...entry });
  }

  removeToken(id: string): void {
    this.#tokens.delete(id);
  }
}
