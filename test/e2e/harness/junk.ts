import fc from 'fast-check';

/** The frames of one ZeroMQ message. */
export type Message = readonly Buffer[];

/**
 * Messages that no good peer sends, the same ones for the same seed: random frames, and good messages in which something
 * was changed. Some of those are still good. None is larger than 100 KiB.
 */
export function junk(seed: number, count: number, good: readonly Message[]): Message[] {
  return fc.sample(fc.oneof(randomMessage, mutated(good), mutated(good)), { seed, numRuns: count });
}

/** Single frames that begin with neither 0 nor 1: on a publishing socket these are no subscriptions. */
export function rawFrames(seed: number, count: number): Message[] {
  const first = fc.integer({ min: 2, max: 255 });
  const frame = fc.tuple(first, bytes).map(([byte, rest]) => [Buffer.concat([Buffer.of(byte), rest])]);
  return fc.sample(frame, { seed, numRuns: count });
}

/** Byte streams that are not ZMTP, some of them only after a good beginning. */
export function rawStreams(seed: number, count: number): Buffer[] {
  const beginning = fc
    .integer({ min: 0, max: greeting.length })
    .map((length) => greeting.subarray(0, length));
  const stream = fc.tuple(beginning, bytes).map((parts) => Buffer.concat(parts));
  return fc.sample(stream, { seed, numRuns: count });
}

// What a ZMTP 3.1 client without security says first: signature, version, mechanism, no server, filler.
const greeting = Buffer.concat([
  Buffer.from('ff00000000000000017f', 'hex'),
  Buffer.from([3, 1]),
  Buffer.from('NULL'.padEnd(20, '\0')),
  Buffer.alloc(32),
]);

const bytes = fc.uint8Array({ maxLength: 300, size: 'max' }).map((array) => Buffer.from(array));
const text = fc.oneof(
  fc.string({ maxLength: 100, unit: 'binary' }),
  fc.constantFrom('__proto__', 'constructor', '..', '-x', '/etc/passwd', '\0', ' ', 'a'.repeat(100_000)),
);
const value = fc.oneof(
  fc.jsonValue(),
  text,
  fc.constantFrom(null, true, -1, 1e308, 2 ** 53, [], {}, [[]], '', nested(500)),
);
const frame = fc.oneof(
  bytes,
  fc.json().map((json) => Buffer.from(json)),
  text.map((chosen) => Buffer.from(chosen)),
);
const randomMessage: fc.Arbitrary<Message> = fc.array(frame, { minLength: 1, maxLength: 7, size: 'max' });

type Change = (message: Message) => Message;

const at = fc.nat();
const changes: fc.Arbitrary<Change> = fc.oneof(
  fc.tuple(at, at, fc.nat(255)).map(([where, offset, byte]) => onFrame(where, flipped(offset, byte))),
  fc.tuple(at, at).map(([where, end]) => onFrame(where, (old) => old.subarray(0, end % (old.length + 1)))),
  fc.tuple(at, frame).map(([where, replacement]) => onFrame(where, () => replacement)),
  fc.tuple(at, frame).map(([where, more]) => onFrame(where, (old) => Buffer.concat([old, more]))),
  at.map(
    (where): Change =>
      (message) =>
        message.filter((_, index) => index !== where % message.length),
  ),
  frame.map(
    (more): Change =>
      (message) => [...message, more],
  ),
  fc.tuple(at, at, value).map(([where, field, put]) => onFrame(where, inJson(field, put))),
  fc.tuple(at, at).map(([where, field]) => onFrame(where, inJson(field, undefined))),
  fc.tuple(at, text, value).map(([where, name, put]) => onFrame(where, withField(name, put))),
);

function mutated(good: readonly Message[]): fc.Arbitrary<Message> {
  return fc
    .tuple(fc.constantFrom(...good), fc.array(changes, { minLength: 1, maxLength: 3 }))
    .map(([message, list]) => list.reduce((changed, change) => change(changed), message))
    .map((message) => (message.length === 0 ? [Buffer.alloc(0)] : message));
}

function onFrame(where: number, change: (old: Buffer) => Buffer): Change {
  return (message) => message.map((old, index) => (index === where % message.length ? change(old) : old));
}

function flipped(offset: number, byte: number): (old: Buffer) => Buffer {
  return (old) => {
    const copy = Buffer.from(old);
    if (copy.length > 0) copy[offset % copy.length] = byte;
    return copy;
  };
}

/** Another value for one field of a JSON object, or none; a frame that is no JSON object stays as it is. */
function inJson(field: number, put: unknown): (old: Buffer) => Buffer {
  return (old) => {
    const fields = fieldsOf(old);
    if (fields.length === 0) return old;
    const chosen = field % fields.length;
    const changed = fields.map(([name, was], index) => [name, index === chosen ? put : was] as const);
    return Buffer.from(jsonOf(changed));
  };
}

/** One field more, by whichever name, also `__proto__`, and also a second one of the same name. */
function withField(name: string, put: unknown): (old: Buffer) => Buffer {
  return (old) => {
    const fields = fieldsOf(old);
    return fields.length === 0 ? old : Buffer.from(jsonOf([...fields, [name, put]]));
  };
}

function fieldsOf(json: Buffer): Array<readonly [string, unknown]> {
  try {
    const read: unknown = JSON.parse(String(json));
    return typeof read === 'object' && read !== null ? Object.entries(read) : [];
  } catch {
    return [];
  }
}

function jsonOf(fields: ReadonlyArray<readonly [string, unknown]>): string {
  const written = fields.filter(([, is]) => is !== undefined);
  return `{${written.map(([name, is]) => `${JSON.stringify(name)}:${JSON.stringify(is)}`).join(',')}}`;
}

function nested(depth: number): unknown {
  let value: unknown = 'deep';
  for (let level = 0; level < depth; level += 1) value = [value];
  return value;
}
