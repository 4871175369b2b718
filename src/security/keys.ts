import {
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';
import { ServiceManagerError } from '../wire/errors.ts';
import { decodeZ85, encodeZ85 } from './z85.ts';

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** X25519 (RFC 7748), 32 bytes as 40 characters of Z85: what libzmq calls a CURVE key. */
export type CurvePublic = Branded<'CurvePublic'>;
export type CurveSecret = Branded<'CurveSecret'>;
/** Ed25519 (RFC 8032), 32 bytes as 43 characters of base64url. The other length keeps it from being taken for a CURVE key. */
export type SignPublic = Branded<'SignPublic'>;
/** The seed, from which everything else follows. */
export type SignSecret = Branded<'SignSecret'>;

/** Whom the other end of a connection is, for encryption and for the proof of an agent. */
export interface CurveKeys {
  readonly publicKey: CurvePublic;
  readonly secretKey: CurveSecret;
}

/** What an operator or a monitor signs with. */
export interface SignKeys {
  readonly publicKey: SignPublic;
  readonly secretKey: SignSecret;
}

/** What others know of somebody. */
export interface PublicKeys {
  readonly curve: CurvePublic;
  /** Operators and monitors have one. */
  readonly sign?: SignPublic | undefined;
}

const keyBytes = 32;

export function newCurveKeys(): CurveKeys {
  const { d, x } = generateKeyPairSync('x25519').privateKey.export({ format: 'jwk' });
  return { publicKey: encodeZ85(fromJwk(x)) as CurvePublic, secretKey: encodeZ85(fromJwk(d)) as CurveSecret };
}

export function newSignKeys(): SignKeys {
  const { d, x } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  return { publicKey: encodeKey(fromJwk(x)) as SignPublic, secretKey: encodeKey(fromJwk(d)) as SignSecret };
}

export function isCurvePublic(text: string): text is CurvePublic {
  return decodeZ85(text)?.byteLength === keyBytes;
}

export function isCurveSecret(text: string): text is CurveSecret {
  return decodeZ85(text)?.byteLength === keyBytes;
}

export function isSignPublic(text: string): text is SignPublic {
  return isKeyText(text);
}

export function isSignSecret(text: string): text is SignSecret {
  return isKeyText(text);
}

export function deriveCurvePublic(secret: CurveSecret): CurvePublic {
  return encodeZ85(publicBytes(privateKey('x25519', curveBytes(secret)))) as CurvePublic;
}

export function deriveSignPublic(secret: SignSecret): SignPublic {
  return encodeKey(publicBytes(signingKey(secret))) as SignPublic;
}

/** As ZAP shows it and as a hash takes it. */
export function curveBytes(key: CurvePublic | CurveSecret): Buffer {
  const bytes = decodeZ85(key);
  if (bytes?.byteLength !== keyBytes) throw badKey('expected 40 characters of Z85');
  return bytes;
}

/** As ZAP shows it: 32 bytes. Throws BAD_KEY. */
export function curvePublicFrom(bytes: Uint8Array): CurvePublic {
  if (bytes.byteLength !== keyBytes) throw badKey(`${bytes.byteLength} bytes, expected ${keyBytes}`);
  return encodeZ85(bytes) as CurvePublic;
}

const typedPrefix = 'smk1-';

/**
 * As it is typed: the same bytes as 43 characters of base64url, none of which a shell takes for its own, behind a prefix,
 * so that it is never taken for an option.
 */
export function printCurvePublic(key: CurvePublic): string {
  return typedPrefix + encodeKey(curveBytes(key));
}

/** In that form, or in Z85; undefined when it is neither. */
export function readCurvePublic(text: string): CurvePublic | undefined {
  if (isCurvePublic(text)) return text;
  const typed = text.startsWith(typedPrefix) ? text.slice(typedPrefix.length) : '';
  return isKeyText(typed) ? curvePublicFrom(Buffer.from(typed, 'base64url')) : undefined;
}

export function signBytes(key: SignPublic | SignSecret): Buffer {
  if (!isKeyText(key)) throw badKey('expected 43 characters of base64url');
  return Buffer.from(key, 'base64url');
}

/** The 32 bytes become a seed, whatever they are: for keys that are made of another secret. */
export function signSecretFrom(seed: Uint8Array): SignSecret {
  if (seed.byteLength !== keyBytes) throw badKey(`${seed.byteLength} bytes, expected ${keyBytes}`);
  return encodeKey(seed) as SignSecret;
}

export const signingKey = remembering((secret: SignSecret) => privateKey('ed25519', signBytes(secret)));
export const verifyingKey = remembering((key: SignPublic) => publicKey('ed25519', signBytes(key)));

/**
 * What only the two ends know, 32 bytes: never to be used as a key itself. Throws BAD_KEY for a public key with which
 * everybody would get the same.
 */
export function sharedSecret(secret: CurveSecret, other: CurvePublic): Buffer {
  const ends = {
    privateKey: privateKey('x25519', curveBytes(secret)),
    publicKey: publicKey('x25519', curveBytes(other)),
  };
  try {
    return diffieHellman(ends);
  } catch (cause) {
    // RFC 7748, 6.1: a point of small order gives zeros, which OpenSSL refuses to hand out.
    throw badKey('a public key that agrees on no secret', cause);
  }
}

const maxRemembered = 1_000;

type Curve = 'x25519' | 'ed25519';

/** What stands before the 32 bytes in PKCS #8 and in SubjectPublicKeyInfo (RFC 8410). */
const privatePrefix: Readonly<Record<Curve, Buffer>> = {
  x25519: Buffer.from('302e020100300506032b656e04220420', 'hex'),
  ed25519: Buffer.from('302e020100300506032b657004220420', 'hex'),
};
const publicPrefix: Readonly<Record<Curve, Buffer>> = {
  x25519: Buffer.from('302a300506032b656e032100', 'hex'),
  ed25519: Buffer.from('302a300506032b6570032100', 'hex'),
};

function privateKey(curve: Curve, bytes: Buffer): KeyObject {
  return createPrivateKey({
    key: Buffer.concat([privatePrefix[curve], bytes]),
    format: 'der',
    type: 'pkcs8',
  });
}

function publicKey(curve: Curve, bytes: Buffer): KeyObject {
  return createPublicKey({ key: Buffer.concat([publicPrefix[curve], bytes]), format: 'der', type: 'spki' });
}

/** To read a key takes longer than to use it, and few of them are used again and again. */
function remembering<Text extends string>(read: (text: Text) => KeyObject): (text: Text) => KeyObject {
  const known = new Map<Text, KeyObject>();
  return (text) => {
    const key = known.get(text) ?? read(text);
    if (known.size >= maxRemembered) known.clear();
    known.set(text, key);
    return key;
  };
}

function publicBytes(key: KeyObject): Buffer {
  return fromJwk(createPublicKey(key).export({ format: 'jwk' }).x);
}

function fromJwk(field: string | undefined): Buffer {
  return Buffer.from(field ?? '', 'base64url');
}

function encodeKey(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}

/** Only the one text that 32 bytes have: the last character has bits to spare. */
function isKeyText(text: string): boolean {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.byteLength === keyBytes && bytes.toString('base64url') === text;
}

function badKey(what: string, cause?: unknown): ServiceManagerError {
  return new ServiceManagerError('BAD_KEY', `key: ${what}`, cause === undefined ? {} : { cause });
}
