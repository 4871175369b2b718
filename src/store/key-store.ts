import type { Fingerprint } from '../security/fingerprint.ts';
import type { TokenEntry } from '../security/join-tokens.ts';
import type { KeyEntry } from '../security/key-index.ts';

/**
 * The keys and join tokens that a manager knows. Every write is on its way to the disk when the call returns; that a key may not
 * come in, or that a token is gone, is there. All methods throw STORE_UNUSABLE when the disk is full or the file is damaged.
 */
export interface KeyStore {
  /** In the order in which they were first saved. */
  keys(): KeyEntry[];
  /** Inserts or replaces. */
  saveKey(entry: KeyEntry): void;
  /** No effect on unknown ones. */
  removeKey(fingerprint: Fingerprint): void;
  /** In the order in which they were first saved. */
  tokens(): TokenEntry[];
  /** Inserts or replaces. */
  saveToken(entry: TokenEntry): void;
  /** No effect on unknown ones. */
  removeToken(id: string): void;
}
