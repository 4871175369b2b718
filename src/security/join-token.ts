import { hash } from 'node:crypto';
import { ServiceManagerError } from '../wire/errors.ts';
import { type JoinRole, joinRoles } from '../wire/fields.ts';
import { isKeyName } from './key-file.ts';
import { type CurvePublic, curveBytes, curvePublicFrom } from './keys.ts';
import { transcript } from './transcript.ts';

/** What `token create` prints and `join` takes: one string for all of this. */
export interface JoinToken {
  /** Of the manager: who has the token cannot be led to another one. */
  readonly manager: CurvePublic;
  /** 16 hex characters: what lists, logs and the store call the token. No secret. */
  readonly id: string;
  /** 24 random bytes. */
  readonly secret: Uint8Array;
  readonly role: JoinRole;
  /** The only name it is good for. */
  readonly name?: string | undefined;
  /** Milliseconds since 1970, by the clock of the manager. */
  readonly expiresAtMs: number;
}

export const tokenIdBytes = 8;
export const tokenSecretBytes = 24;

const mark = 'smj';
const version = '1';
const start = `${mark}${version}-`;
const keyBytes = 32;
const timeBytes = 6;
const checkBytes = 4;
const longestName = 255;
const at = {
  id: keyBytes,
  secret: keyBytes + tokenIdBytes,
  expiry: keyBytes + tokenIdBytes + tokenSecretBytes,
  role: keyBytes + tokenIdBytes + tokenSecretBytes + timeBytes,
  name: keyBytes + tokenIdBytes + tokenSecretBytes + timeBytes + 1,
} as const;
const longestText = start.length + Math.ceil(((at.name + longestName + checkBytes) * 4) / 3);

/** Letters, digits, `-` and `_` only, so that it needs no quotes and a double click takes the whole of it. */
export function printJoinToken(token: JoinToken): string {
  const { manager, id, secret, role, name = '', expiresAtMs } = token;
  const idBytes = Buffer.from(id, 'hex');
  if (idBytes.byteLength !== tokenIdBytes || secret.byteLength !== tokenSecretBytes)
    throw new RangeError(`a token has ${tokenIdBytes} bytes of id and ${tokenSecretBytes} of secret`);
  const expiry = Buffer.alloc(timeBytes);
  expiry.writeUIntBE(expiresAtMs, 0, timeBytes);
  const roleByte = Buffer.of(joinRoles.indexOf(role));
  const content = Buffer.concat([curveBytes(manager), idBytes, secret, expiry, roleByte, Buffer.from(name)]);
  return start + Buffer.concat([content, checksum(content)]).toString('base64url');
}

/** Throws BAD_USAGE, which says whether it is no token at all, one of a later version, or one with a typing error. */
export function readJoinToken(typed: string): JoinToken {
  const text = typed.trim();
  const content = checkedContent(text);
  const role = joinRoles[content[at.role] ?? joinRoles.length];
  const name = content.toString('latin1', at.name);
  if (role === undefined || (name !== '' && !isKeyName(name))) {
    throw badToken('is for something that this version does not know: is the program as new as the manager?');
  }
  return {
    manager: curvePublicFrom(content.subarray(0, at.id)),
    id: content.toString('hex', at.id, at.secret),
    secret: content.subarray(at.secret, at.expiry),
    role,
    ...(name === '' ? {} : { name }),
    expiresAtMs: content.readUIntBE(at.expiry, timeBytes),
  };
}

/** What stands between the start and the checksum, once both are right. The token itself is in no message: it is a secret. */
function checkedContent(text: string): Buffer {
  const [, written] = /^smj(\d{1,3})-/.exec(text) ?? [];
  if (written === undefined) throw badToken(`is none: expected a text that begins with ${start}`);
  if (written !== version)
    throw badToken(`is of version ${written}, but this program knows version ${version} only`);
  if (text.length > longestText) throw badToken(`has ${text.length} characters, which is too many`);
  const stray = /[^A-Za-z0-9_-]/.exec(text);
  if (stray !== null) throw badToken(`has a character at place ${stray.index + 1} that no token has`);
  const bytes = Buffer.from(text.slice(start.length), 'base64url');
  const content = bytes.subarray(0, -checkBytes);
  const isWhole = content.byteLength >= at.name && bytes.toString('base64url') === text.slice(start.length);
  if (!isWhole || !checksum(content).equals(bytes.subarray(-checkBytes))) {
    throw badToken('has a typing error or is not complete: copy it again');
  }
  return content;
}

/** Against typing errors only: anybody can compute it. */
function checksum(content: Buffer): Buffer {
  return hash('sha256', transcript('service-mgr/join-token/1', [start, content]), 'buffer').subarray(
    0,
    checkBytes,
  );
}

function badToken(what: string): ServiceManagerError {
  return new ServiceManagerError('BAD_USAGE', `the join token ${what}`);
}
