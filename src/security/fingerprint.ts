import { hash } from 'node:crypto';
import { ServiceManagerError } from '../wire/errors.ts';
import { curveBytes, type PublicKeys, signBytes } from './keys.ts';
import { transcript } from './transcript.ts';

declare const brand: unique symbol;
/** `SHA256:` and 43 characters of base64: how a key is told from others wherever people see it. */
export type Fingerprint = string & { readonly [brand]: 'Fingerprint' };

const prefix = 'SHA256:';
const shortestBeginning = 8;
const form = /^SHA256:[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]$/;

export function isFingerprint(text: string): text is Fingerprint {
  return form.test(text);
}

/** Of all keys that somebody has: who accepts it has accepted each of them. */
export function fingerprintOf({ curve, sign }: PublicKeys): Fingerprint {
  const keys = [curveBytes(curve), ...(sign === undefined ? [] : [signBytes(sign)])];
  const digest = hash('sha256', transcript('service-mgr/fingerprint/1', keys), 'base64');
  return `${prefix}${digest.replace('=', '')}` as Fingerprint;
}

/**
 * The one of these that begins so, as somebody types it: `SHA256:` may be left out, and 8 characters behind it will do.
 * Throws BAD_USAGE when it is shorter or several begin so, and UNKNOWN_KEY when none does.
 */
export function findFingerprint(beginning: string, known: Iterable<Fingerprint>): Fingerprint {
  const typed = beginning.startsWith(prefix) ? beginning.slice(prefix.length) : beginning;
  if (typed.length < shortestBeginning) throw tooShort(beginning);
  const found = new Set<Fingerprint>();
  for (const one of known) if (one.startsWith(prefix + typed)) found.add(one);
  const [only, ...others] = found;
  if (only === undefined)
    throw new ServiceManagerError('UNKNOWN_KEY', `no key has the fingerprint ${show(beginning)}`);
  if (others.length > 0)
    throw badUsage(`${found.size} keys begin with ${show(beginning)}: ${list([...found])}`);
  return only;
}

const mostListed = 5;

function list(found: readonly Fingerprint[]): string {
  const shown = found.slice(0, mostListed).join(', ');
  return found.length > mostListed ? `${shown}, ...` : shown;
}

function tooShort(beginning: string): ServiceManagerError {
  return badUsage(
    `fingerprint ${show(beginning)}, expected at least ${shortestBeginning} characters behind ${prefix}`,
  );
}

function show(text: string): string {
  return JSON.stringify(text.length <= 60 ? text : `${text.slice(0, 60)}...`);
}

function badUsage(message: string): ServiceManagerError {
  return new ServiceManagerError('BAD_USAGE', message);
}
