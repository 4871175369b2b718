import {
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  sign,
  timingSafeEqual,
  verify,
} from 'node:crypto';
import type { JoinRole } from '../wire/fields.ts';
import {
  type CurveKeys,
  type CurvePublic,
  curveBytes,
  type PublicKeys,
  type SignPublic,
  type SignSecret,
  sharedSecret,
  signBytes,
  signingKey,
  verifyingKey,
} from './keys.ts';
import { transcript } from './transcript.ts';

/** What somebody who joins says of himself: all that his proofs are bound to. */
export interface Claim {
  readonly manager: CurvePublic;
  readonly role: JoinRole;
  readonly name: string;
  readonly keys: PublicKeys;
  /** Milliseconds since 1970. */
  readonly sentAtMs: number;
  readonly token?: string | undefined;
  /** Fingerprint of the key that is to be replaced. */
  readonly replaces?: string | undefined;
}

/** 64 hex characters: whoever claims this has the secret half of `keys`, at the end of whoever joins. Throws BAD_KEY. */
export function claimMac(claim: Claim, own: CurveKeys): string {
  return macOf(claim, macKey(sharedSecret(own.secretKey, claim.manager), own.publicKey, claim.manager));
}

/** The same at the manager; `curve` is the key whose possession is proved. Throws BAD_KEY. */
export function isGoodClaimMac(claim: Claim, curve: CurvePublic, manager: CurveKeys, mac: string): boolean {
  const key = macKey(sharedSecret(manager.secretKey, curve), curve, manager.publicKey);
  // As text: Buffer reads hex up to the first character that is none, and what stands behind would not count.
  const [given, right] = [Buffer.from(mac), Buffer.from(macOf(claim, key))];
  return given.byteLength === right.byteLength && timingSafeEqual(given, right);
}

/** 86 characters: whoever claims this has the secret half of the signing key. */
export function signClaim(claim: Claim, secret: SignSecret): string {
  return sign(null, claimBytes(claim), signingKey(secret)).toString('base64url');
}

export function isGoodClaimSignature(claim: Claim, key: SignPublic, signature: string): boolean {
  const bytes = Buffer.from(signature, 'base64url');
  if (bytes.byteLength !== 64 || bytes.toString('base64url') !== signature) return false;
  return verify(null, claimBytes(claim), verifyingKey(key), bytes);
}

function macOf(claim: Claim, key: KeyObject): string {
  return createHmac('sha256', key).update(claimBytes(claim)).digest('hex');
}

/** HKDF (RFC 5869), as for the proof of an agent, with a domain of its own. */
function macKey(secret: Buffer, joiner: CurvePublic, manager: CurvePublic): KeyObject {
  const domain = 'service-mgr/claim-key/1';
  const info = transcript(domain, [curveBytes(joiner), curveBytes(manager)]);
  return createSecretKey(Buffer.from(hkdfSync('sha256', secret, domain, info, 32)));
}

function claimBytes({ manager, role, name, keys, sentAtMs, token = '', replaces = '' }: Claim): Buffer {
  const signing = keys.sign === undefined ? new Uint8Array() : signBytes(keys.sign);
  const parts = [curveBytes(manager), role, name, curveBytes(keys.curve), signing, String(sentAtMs)];
  return transcript('service-mgr/claim/1', [...parts, token, replaces]);
}
