import { type Fingerprint, fingerprintOf } from '../../../src/security/fingerprint.ts';
import type { TokenEntry } from '../../../src/security/join-tokens.ts';
import type { KeyEntry } from '../../../src/security/key-index.ts';
import type { JoinAsk, JoinVerdict, KeyRingEffect } from '../../../src/security/key-ring.ts';
import { newCurveKeys, newSignKeys, type PublicKeys } from '../../../src/security/keys.ts';
import type { JoinRole } from '../../../src/wire/fields.ts';

export interface Somebody {
  readonly role: JoinRole;
  readonly name: string;
  readonly keys: PublicKeys;
  readonly fingerprint: Fingerprint;
}

export function somebody(role: JoinRole, name: string): Somebody {
  const curve = newCurveKeys().publicKey;
  const keys = role === 'agent' ? { curve } : { curve, sign: newSignKeys().publicKey };
  return { role, name, keys, fingerprint: fingerprintOf(keys) };
}

export function askOf({ role, name, keys }: Somebody, more: Partial<JoinAsk> = {}): JoinAsk {
  return { role, name, keys, address: '10.0.0.1', ...more };
}

export function tokenEntry(id: string, more: Partial<TokenEntry> = {}): TokenEntry {
  return { id, verifier, role: 'agent', expiresWallMs: 1_000_000, usesLeft: 1, ...more };
}

const verifier = newSignKeys().publicKey;

/** With the proof of this token, which is good for it alone. */
export function withToken(id: string, isGood = true): Partial<JoinAsk> {
  return { token: { id, isProved: (key) => isGood && key === verifier } };
}

/** What somebody who stores all effects has in the end. */
export class KeptKeys {
  readonly keys = new Map<string, KeyEntry>();
  readonly tokens = new Map<string, TokenEntry>();

  constructor(like?: KeptKeys) {
    for (const [id, entry] of like?.keys ?? []) this.keys.set(id, entry);
    for (const [id, entry] of like?.tokens ?? []) this.tokens.set(id, entry);
  }

  take(effects: readonly KeyRingEffect[]): void {
    for (const effect of effects) {
      if (effect.kind === 'key') this.keys.set(effect.entry.fingerprint, effect.entry);
      else if (effect.kind === 'key-removed') this.keys.delete(effect.fingerprint);
      else if (effect.kind === 'token') this.tokens.set(effect.entry.id, effect.entry);
      else this.tokens.delete(effect.id);
    }
  }
}

/** `accepted`, `pending` or the code of the refusal. */
export function shortly(verdict: JoinVerdict): string {
  return verdict.kind === 'refused' ? verdict.code : verdict.kind;
}
