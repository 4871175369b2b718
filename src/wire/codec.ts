import { KindGuard, type Static, type TSchema } from '@sinclair/typebox';
import { type TypeCheck, TypeCompiler, type ValueError } from '@sinclair/typebox/compiler';
import { isServiceManagerError, ServiceManagerError } from './errors.ts';

/** One kind of message: its name in docs/PROTOCOL.md, its schema (which is also its type) and its largest size. */
export interface Message<Schema extends TSchema> {
  readonly name: string;
  readonly schema: Schema;
  readonly maxBytes: number;
  /** Throws INVALID_MESSAGE naming the field, the value and what was expected. */
  parse(value: unknown): Static<Schema>;
  /** Throws FRAME_TOO_LARGE, NOT_JSON or INVALID_MESSAGE. */
  decode(frame: Uint8Array): Static<Schema>;
  /** Undefined where `decode` throws. */
  tryDecode(frame: Uint8Array): Static<Schema> | undefined;
  encode(value: Static<Schema>): Buffer;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

export function message<Schema extends TSchema>(
  name: string,
  maxBytes: number,
  schema: Schema,
): Message<Schema> {
  // Compiled at first use: a client that prints its version should not pay for checkers.
  let checker: TypeCheck<Schema> | undefined;
  const parse = (value: unknown): Static<Schema> => {
    checker ??= TypeCompiler.Compile(schema);
    if (checker.Check(value)) return value;
    throw new ServiceManagerError('INVALID_MESSAGE', describeFirstError(name, checker, value));
  };
  const decode = (frame: Uint8Array): Static<Schema> => parse(parseJson(name, maxBytes, frame));
  return {
    name,
    schema,
    maxBytes,
    parse,
    decode,
    tryDecode: (frame) => {
      try {
        return decode(frame);
      } catch (error) {
        if (!isServiceManagerError(error)) throw error;
        return undefined;
      }
    },
    encode: (value) => Buffer.from(JSON.stringify(value)),
  };
}

function parseJson(name: string, maxBytes: number, frame: Uint8Array): unknown {
  if (frame.byteLength > maxBytes) {
    throw new ServiceManagerError(
      'FRAME_TOO_LARGE',
      `${name}: frame of ${frame.byteLength} bytes, expected at most ${maxBytes}`,
    );
  }
  const value = readJson(name, frame);
  if (!isDeeper(value, mostLevels)) return value;
  throw new ServiceManagerError('INVALID_MESSAGE', `${name}: nested more than ${mostLevels} levels deep`);
}

function readJson(name: string, frame: Uint8Array): unknown {
  try {
    return JSON.parse(utf8.decode(frame));
  } catch (error) {
    throw new ServiceManagerError('NOT_JSON', `${name}: expected one UTF-8 JSON object`, { cause: error });
  }
}

// No message of ours has half as many.
const mostLevels = 16;

/** Fields that no schema knows are kept: whoever writes such a value again must not come to the end of the stack. */
function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((part) => isDeeper(part, levels - 1));
}

function describeFirstError<Schema extends TSchema>(
  name: string,
  checker: TypeCheck<Schema>,
  value: unknown,
): string {
  const first = nearest(checker.Errors(value).First());
  if (first === undefined) return `${name}: not valid`;
  const field = first.path === '' ? 'the message' : `field ${first.path.slice(1).replaceAll('/', '.')}`;
  const expected = first.schema.description ?? first.message.replace(/^Expected /, '');
  return first.value === undefined
    ? `${name}: ${field} is missing, expected ${expected}`
    : `${name}: ${field} is ${shorten(first.value)}, expected ${expected}`;
}

/** A union that does not say what it expects is told of as the form with the fewest fields missing. */
function nearest(error: ValueError | undefined): ValueError | undefined {
  if (error === undefined || !KindGuard.IsUnion(error.schema)) return error;
  if (error.schema.description !== undefined) return error;
  const missing = error.schema.anyOf.map((form) => missingFields(form, error.value));
  return nearest(error.errors[missing.indexOf(Math.min(...missing))]?.First());
}

function missingFields(form: TSchema, value: unknown): number {
  const required = KindGuard.IsObject(form) ? (form.required ?? []) : [];
  const present = typeof value === 'object' && value !== null ? value : {};
  return required.filter((field) => !Object.hasOwn(present, field)).length;
}

const longestShownText = 60;

// Lists and objects are not written out: what a peer nested deeply enough would overflow the stack.
function shorten(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  if (typeof value !== 'string') return String(value);
  const shown = JSON.stringify(value.slice(0, longestShownText));
  return value.length <= longestShownText ? shown : `${shown}...`;
}
