import { hash as hashBytes } from 'node:crypto';
import { ServiceManagerError } from '../wire/errors.ts';
import { canonicalJson, type Json } from './canonical-json.ts';
import { transcript } from './transcript.ts';

/** The end of a log: what has to be kept elsewhere so that a log that was cut off is found out. */
export interface AuditHead {
  /** Of the last line; 0 of a log that has none yet. */
  readonly sequence: number;
  /** 64 hex characters. */
  readonly hash: string;
}

export type AuditValue = string | number | boolean | readonly string[] | Readonly<Record<string, number>>;

export interface AuditEvent {
  /** Milliseconds since 1970. */
  readonly timeMs: number;
  /** Such as `request.accepted` or `key.revoked`. */
  readonly event: string;
  readonly fields: Readonly<Record<string, AuditValue>>;
}

/** A line of the log as it is read back. */
export interface AuditLine extends AuditHead {
  /** RFC 3339 in UTC, to the millisecond. */
  readonly time: string;
  readonly event: string;
  readonly fields: { readonly [field: string]: Json };
  /** Hash of the line before; that of a first line is 64 zeros. */
  readonly prev: string;
}

export const auditStart: AuditHead = { sequence: 0, hash: '0'.repeat(64) };

/** What one line may hold, so that nobody can fill the disk with one request: all of it together fits into a line. */
export const auditLimits = {
  lineCharacters: 32_768,
  fields: 24,
  fieldCharacters: 1_024,
  beginCharacters: 96,
} as const;

/** As it is shown, and kept elsewhere: the sequence number and the hash. */
export function printAuditHead({ sequence, hash }: AuditHead): string {
  return `${sequence} ${hash}`;
}

/** Undefined where it is none. */
export function readAuditHead(text: string): AuditHead | undefined {
  const [, sequence, hash] = /^(0|[1-9][0-9]{0,14}) ([0-9a-f]{64})$/.exec(text) ?? [];
  return sequence === undefined || hash === undefined ? undefined : { sequence: Number(sequence), hash };
}

const nameForm = /^[a-z][A-Za-z0-9_.-]{0,63}$/;

/**
 * The line that comes behind `head`, without its newline, and the head of the log with it. A field that is too long is
 * kept as `{begin, characters, sha256}`: how it begins, how long it was, and the hash of the whole. Throws
 * INVALID_MESSAGE for names and numbers of fields that no program of ours has.
 */
export function nextLine(head: AuditHead, audited: AuditEvent): { line: string; head: AuditHead } {
  const { timeMs, event, fields } = audited;
  const names = [event, ...Object.keys(fields)];
  const wrong = names.find((name) => !nameForm.test(name));
  if (wrong !== undefined || names.length > auditLimits.fields + 1)
    throw new ServiceManagerError(
      'INVALID_MESSAGE',
      `audit: event ${event}, expected plain names, at most ${auditLimits.fields}`,
    );
  const sequence = head.sequence + 1;
  const time = new Date(timeMs).toISOString();
  // Canonical JSON sorts fields: the hash has its place between what is written here, and nothing is written twice.
  const before = `{"event":"${event}","fields":${boundedFields(fields)},`;
  const after = `"prev":"${head.hash}","sequence":${sequence},"time":"${time}"}`;
  const hash = hashOf(before + after);
  return { line: `${before}"hash":"${hash}",${after}`, head: { sequence, hash } };
}

/**
 * Reads one line. Undefined when it is not exactly as it was written: whatever was changed in it, its hash or its form is
 * no longer right. Whether it stands in its place is for `verifyChain` to say.
 */
export function readAuditLine(line: string): AuditLine | undefined {
  if (line.length > auditLimits.lineCharacters) return undefined;
  const value = parsed(line);
  if (!isAuditLine(value)) return undefined;
  const { event, fields, prev, sequence, time, hash } = value;
  const content = { event, fields, prev, sequence, time };
  const isWhole = hashOf(canonicalJson(content)) === hash;
  return isWhole && canonicalJson({ ...content, hash }) === line ? value : undefined;
}

function hashOf(content: string): string {
  return hashBytes('sha256', transcript('service-mgr/audit/1', [content]), 'hex');
}

/** As canonical JSON. */
function boundedFields(fields: AuditEvent['fields']): string {
  const names = Object.keys(fields).toSorted();
  return `{${names.map((name) => `"${name}":${bounded(fields[name] ?? '')}`).join(',')}}`;
}

function bounded(value: AuditValue): string {
  const written = canonicalJson(value);
  if (written.length <= auditLimits.fieldCharacters) return written;
  const text = typeof value === 'string' ? value : written;
  const sha256 = hashBytes('sha256', text, 'hex');
  const begin = text.slice(0, auditLimits.beginCharacters);
  return canonicalJson({ begin, characters: text.length, sha256 });
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return undefined;
  }
}

function isAuditLine(value: unknown): value is AuditLine {
  if (!isObject(value)) return false;
  const { event, fields, prev, sequence, time, hash } = value;
  const areTexts = [event, prev, time, hash].every((field) => typeof field === 'string');
  return (
    areTexts && Number.isSafeInteger(sequence) && isObject(fields) && Object.values(fields).every(isFlat)
  );
}

/** Flat, so that nothing that stands in a file can be nested deeper than the stack. */
function isFlat(value: unknown): boolean {
  if (Array.isArray(value)) return value.every(isScalar);
  return isObject(value) ? Object.values(value).every(isScalar) : isScalar(value);
}

function isScalar(value: unknown): boolean {
  return value === null || typeof value !== 'object';
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
