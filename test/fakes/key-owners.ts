import type { Sender } from '../../src/manager/signatures.ts';
import { type Fingerprint, fingerprintOf } from '../../src/security/fingerprint.ts';
import type { SecretKeyFile } from '../../src/security/key-file.ts';
import type { KeyEntry } from '../../src/security/key-index.ts';
import {
  type CurveKeys,
  newCurveKeys,
  newSignKeys,
  type PublicKeys,
  type SignKeys,
} from '../../src/security/keys.ts';
import { type SignedKind, signBody } from '../../src/security/signature.ts';
import type { JoinRole } from '../../src/wire/fields.ts';

/** Somebody with keys of his own, secrets and all. */
export interface KeyOwner {
  readonly role: JoinRole;
  readonly name: string;
  readonly curve: CurveKeys;
  readonly sign: SignKeys | undefined;
  readonly keys: PublicKeys;
  readonly fingerprint: Fingerprint;
}

export function keyOwner(role: JoinRole, name: string): KeyOwner {
  const curve = newCurveKeys();
  const sign = role === 'agent' ? undefined : newSignKeys();
  const keys = { curve: curve.publicKey, ...(sign === undefined ? {} : { sign: sign.publicKey }) };
  return { role, name, curve, sign, keys, fingerprint: fingerprintOf(keys) };
}

/** As a manager knows him that has accepted him. */
export function keyEntryOf(owner: KeyOwner, change: Partial<KeyEntry> = {}): KeyEntry {
  const { fingerprint, role, name, keys } = owner;
  return { fingerprint, role, name, keys, state: 'accepted', sinceWallMs: 1, refusedOthers: 0, ...change };
}

/** As the manager knows who signed something. */
export function senderOf({ role, name, fingerprint }: KeyOwner): Sender {
  if (role === 'agent') throw new Error('an agent signs nothing');
  return { asker: { role, name }, fingerprint };
}

export function keyFileOf({ role, name, curve, sign }: KeyOwner): SecretKeyFile {
  return { kind: role, name, created: '2026-01-01T00:00:00Z', curve, sign };
}

/** What he signs, whether he is one to sign or not. */
export function signedBy({ keys, sign }: KeyOwner, kind: SignedKind, bytes: Buffer): string {
  return signBody(kind, bytes, { keys, secret: (sign ?? newSignKeys()).secretKey });
}
