import type { Static, TSchema } from '@sinclair/typebox';
import { type TypeCheck, TypeCompiler } from '@sinclair/typebox/compiler';
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
  try {
    return JSON.parse(utf8.decode(frame));
  } catch (error) {
    throw new ServiceManagerError('NOT_JSON', `${name}: expected one UTF-8 JSON object`, { cause: error });
  }
}

function describeFirstError<Schema extends TSchema>(
  name: string,
  checker: TypeCheck<Schema>,
  value: unknown,
): string {
  const first = checker.Errors(value).First();
  if (first === undefined) return `${name}: not valid`;
  const field = first.path === '' ? 'the message' : `field ${first.path.slice(1).replaceAll('/', '.')}`;
  const expected: string = first.schema.description ?? first.message.toLowerCase();
  return first.value === undefined
    ? `${name}: ${field} is missing, expected ${expected}`
    : `${name}: ${field} is ${shorten(first.value)}, expected ${expected}`;
}

const longestShownValue = 60;

function shorten(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= longestShownValue ? text : `${text.slice(0, longestShownValue)}...`;
}
