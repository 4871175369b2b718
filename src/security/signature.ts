import { sign, verify } from 'node:crypto';
import { type Fingerprint, fingerprintOf, isFingerprint } from './fingerprint.ts';
import { type PublicKeys, type SignPublic, type SignSecret, signingKey, verifyingKey } from './keys.ts';
import { transcript } from './transcript.ts';

/** What was signed: a signature of a query is worth nothing under a request. */
export type SignedKind = 'request' | 'query';

export interface Signer {
  readonly keys: PublicKeys;
  readonly secret: SignSecret;
}

/** `malformed`: not of the form below. `unknown`: nobody we know has this key. `wrong`: made over something else, or by somebody else. */
export type SignatureVerdict =
  | { readonly isGood: true; readonly fingerprint: Fingerprint }
  | { readonly isGood: false; readonly reason: 'malformed' }
  | { readonly isGood: false; readonly reason: 'unknown' | 'wrong'; readonly fingerprint: Fingerprint };

const form = /^1\.([^.]{50})\.([A-Za-z0-9_-]{86})$/;

/** `1.FINGERPRINT.SIGNATURE`: says who signed, so that nobody has to try all keys. */
export function signBody(kind: SignedKind, body: Uint8Array, { keys, secret }: Signer): string {
  const signature = sign(null, signedBytes(kind, body), signingKey(secret)).toString('base64url');
  return `1.${fingerprintOf(keys)}.${signature}`;
}

/** Of the exact bytes of the body: a blank more is another body. `keyOf` knows whoever may sign. */
export function verifyBody(
  kind: SignedKind,
  body: Uint8Array,
  text: string,
  keyOf: (fingerprint: Fingerprint) => SignPublic | undefined,
): SignatureVerdict {
  const read = readSignature(text);
  if (read === undefined) return { isGood: false, reason: 'malformed' };
  const { fingerprint, signature } = read;
  const key = keyOf(fingerprint);
  if (key === undefined) return { isGood: false, reason: 'unknown', fingerprint };
  const isGood = verify(null, signedBytes(kind, body), verifyingKey(key), signature);
  return isGood ? { isGood, fingerprint } : { isGood, reason: 'wrong', fingerprint };
}

/** Whose signature it says it is, which is not yet believed; undefined when it is none. */
export function claimedSigner(text: string): Fingerprint | undefined {
  return readSignature(text)?.fingerprint;
}

function readSignature(text: string): { fingerprint: Fingerprint; signature: Buffer } | undefined {
  const [, fingerprint = '', encoded = ''] = form.exec(text) ?? [];
  const signature = Buffer.from(encoded, 'base64url');
  // The last character has bits to spare, and one signature has one text.
  if (!isFingerprint(fingerprint) || signature.toString('base64url') !== encoded) return undefined;
  return { fingerprint, signature };
}

function signedBytes(kind: SignedKind, body: Uint8Array): Buffer {
  return transcript('service-mgr/signature/1', [kind, body]);
}
