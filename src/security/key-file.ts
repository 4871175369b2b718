import { ServiceManagerError } from '../wire/errors.ts';
import { NodeName } from '../wire/fields.ts';
import { FieldLines } from './field-lines.ts';
import {
  type CurveKeys,
  type CurvePublic,
  type CurveSecret,
  deriveCurvePublic,
  deriveSignPublic,
  isCurvePublic,
  isCurveSecret,
  isSignPublic,
  isSignSecret,
  newCurveKeys,
  newSignKeys,
  type PublicKeys,
  type SignKeys,
  type SignPublic,
  type SignSecret,
} from './keys.ts';

export const keyKinds = ['manager', 'agent', 'operator', 'monitor'] as const;
export type KeyKind = (typeof keyKinds)[number];

interface KeyOwner {
  readonly kind: KeyKind;
  /** Of the manager, of the node, of the person or of the program that watches. */
  readonly name: string;
  /** RFC 3339 in UTC, to the second. */
  readonly created: string;
}

/** What others get: `keys.curve`, and of operators and monitors `keys.sign` too. */
export interface PublicKeyFile extends KeyOwner {
  readonly keys: PublicKeys;
}

/** What its owner keeps. */
export interface SecretKeyFile extends KeyOwner {
  readonly curve: CurveKeys;
  /** Operators and monitors have one. */
  readonly sign?: SignKeys | undefined;
}

const fields = [
  'kind',
  'name',
  'created',
  'curve_public',
  'curve_secret',
  'sign_public',
  'sign_secret',
] as const;
type Field = (typeof fields)[number];

/** How key files write a moment, to the second. */
export function keyFileTime(wallMs: number): string {
  return `${new Date(wallMs).toISOString().slice(0, 19)}Z`;
}

export function doesSign(kind: KeyKind): boolean {
  return kind === 'operator' || kind === 'monitor';
}

/** Keys that nobody else has. `name` has to be a good one. */
export function newSecretKeys(kind: KeyKind, name: string, nowWallMs: number): SecretKeyFile {
  const owner = { kind, name, created: keyFileTime(nowWallMs) };
  return { ...owner, curve: newCurveKeys(), ...(doesSign(kind) ? { sign: newSignKeys() } : {}) };
}

export function publicPartOf({ kind, name, created, curve, sign }: SecretKeyFile): PublicKeyFile {
  const keys = { curve: curve.publicKey, ...(sign === undefined ? {} : { sign: sign.publicKey }) };
  return { kind, name, created, keys };
}

export function printSecretKeyFile(file: SecretKeyFile): string {
  const { curve, sign } = file;
  return [
    `# The secret keys of ${file.kind} ${file.name}. Whoever has them can pretend to be it: mode 0600, and no copies.`,
    ...ownerLines(file),
    `curve_public = ${curve.publicKey}`,
    `curve_secret = ${curve.secretKey}`,
    ...(sign === undefined ? [] : [`sign_public = ${sign.publicKey}`, `sign_secret = ${sign.secretKey}`]),
    '',
  ].join('\n');
}

export function printPublicKeyFile(file: PublicKeyFile): string {
  const { curve, sign } = file.keys;
  return [
    `# The public keys of ${file.kind} ${file.name}. There is nothing secret in this file.`,
    ...ownerLines(file),
    `curve_public = ${curve}`,
    ...(sign === undefined ? [] : [`sign_public = ${sign}`]),
    '',
  ].join('\n');
}

/** Throws BAD_CONFIG with everything that is wrong with the file, one problem a line, and never with a secret in it. */
export function readSecretKeyFile(text: string, fileName: string): SecretKeyFile {
  const reader = readerOf(text, fileName);
  const owner = ownerIn(reader);
  const curvePublic = reader.value('curve_public', isCurvePublic, curveForm);
  const curveSecret = reader.value('curve_secret', isCurveSecret, curveForm);
  const isSigner = owner !== undefined && doesSign(owner.kind);
  const signPublic = isSigner ? reader.value('sign_public', isSignPublic, signForm) : undefined;
  const signSecret = isSigner ? reader.value('sign_secret', isSignSecret, signForm) : undefined;
  if (owner !== undefined && !isSigner)
    reader.refuseFields(['sign_public', 'sign_secret'], `a key of kind ${owner.kind} does not sign`);
  const curve = pairIn(reader, 'curve_public', curvePublic, curveSecret, deriveCurvePublic);
  const sign = pairIn(reader, 'sign_public', signPublic, signSecret, deriveSignPublic);
  reader.throwProblems();
  if (owner === undefined || curve === undefined) throw unusable(fileName);
  return { ...owner, curve, ...(sign === undefined ? {} : { sign }) };
}

/** The same for a public file; one with a secret in it is refused, because it lies where others read it. */
export function readPublicKeyFile(text: string, fileName: string): PublicKeyFile {
  const reader = readerOf(text, fileName);
  const owner = ownerIn(reader);
  const curve = reader.value('curve_public', isCurvePublic, curveForm);
  const isSigner = owner !== undefined && doesSign(owner.kind);
  const sign = isSigner ? reader.value('sign_public', isSignPublic, signForm) : undefined;
  if (owner !== undefined && !isSigner)
    reader.refuseFields(['sign_public'], `a key of kind ${owner.kind} does not sign`);
  reader.refuseFields(['curve_secret', 'sign_secret'], 'a secret does not belong into a public key file');
  reader.throwProblems();
  if (owner === undefined || curve === undefined) throw unusable(fileName);
  return { ...owner, keys: { curve, ...(sign === undefined ? {} : { sign }) } };
}

function ownerLines({ kind, name, created }: KeyOwner): string[] {
  return [`kind = ${kind}`, `name = ${name}`, `created = ${created}`];
}

const curveForm = '40 characters of Z85';
const signForm = '43 characters of base64url';
const nameExpected = 'a name of 1 to 255 letters, digits, dots, dashes and underscores';
const nameForm = new RegExp(String(NodeName['pattern']));

function isKeyKind(text: string): text is KeyKind {
  return keyKinds.some((kind) => kind === text);
}

/** Names of keys have the form of the names of nodes, whoever has them. */
export function isKeyName(text: string): boolean {
  return nameForm.test(text);
}

function isTime(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text)) return false;
  const time = new Date(text);
  return !Number.isNaN(time.getTime()) && time.toISOString() === text.replace('Z', '.000Z');
}

type Reader = FieldLines<Field>;

function readerOf(text: string, fileName: string): Reader {
  return new FieldLines(text, fileName, fields);
}

function ownerIn(reader: Reader): KeyOwner | undefined {
  const kind = reader.value('kind', isKeyKind, `one of ${keyKinds.join(', ')}`);
  const name = reader.value('name', (text): text is string => isKeyName(text), nameExpected);
  const time = 'a time such as 2026-11-05T10:00:00Z';
  const created = reader.value('created', (text): text is string => isTime(text), time);
  if (kind === undefined || name === undefined || created === undefined) return undefined;
  return { kind, name, created };
}

function pairIn<Public extends CurvePublic | SignPublic, Secret extends CurveSecret | SignSecret>(
  reader: Reader,
  field: Field,
  publicKey: Public | undefined,
  secretKey: Secret | undefined,
  derive: (secret: Secret) => Public,
): { publicKey: Public; secretKey: Secret } | undefined {
  if (publicKey === undefined || secretKey === undefined) return undefined;
  if (derive(secretKey) === publicKey) return { publicKey, secretKey };
  reader.refuse(field, `${field} does not belong to the secret key in this file`);
  return undefined;
}

function unusable(fileName: string): ServiceManagerError {
  return new ServiceManagerError('BAD_CONFIG', `${fileName}: no key file`);
}
