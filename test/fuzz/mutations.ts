/** Numbers that are the same for the same seed. (mulberry32) */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** From 0 to below `end`. */
  below(end: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * end);
  }

  oneOf<Value>(values: readonly Value[], otherwise: Value): Value {
    return values[this.below(values.length)] ?? otherwise;
  }
}

/** One message: the frames of it, or one text. */
export type Input = readonly Buffer[];

const nothing = Buffer.alloc(0);

/** What parsers have stumbled over before: ends of texts and numbers, escapes, brackets, words of our grammars. */
const tokens = [
  ...[
    '"',
    '\\',
    '{',
    '}',
    '[',
    ']',
    '(',
    ')',
    ',',
    ':',
    '=',
    '*',
    '?',
    "'",
    ' ',
    '\n',
    '\r\n',
    '\t',
    '#',
    ';',
    '@',
    '-',
    '.',
  ],
  ...['\0', '\x01', '\x02', '\x03', '\x7f', '\x1b[31m', '\u2028', '\u202e', '\ufeff', 'ä', '\u{1f600}'],
  ...['null', 'true', '[]', '{}', '""', '0', '-1', '1e999', '-0', '1.5', '9007199254740993', '4294967296'],
  ...['__proto__', 'constructor', '../', '..', '-x', '\\u0000', '\\ud800', '"a":', '{"a":', '[['],
  ...[
    ' and ',
    ' or ',
    ' not ',
    'not(',
    '[1-9]',
    '[001-100]',
    '[1-99999999]',
    '[9-1]',
    'web*',
    'a*b*',
    '100%',
  ],
  ...[
    'allow ',
    'deny ',
    'operator:',
    'monitor',
    '@read',
    ' at ',
    'kind = ',
    'sign_public = ',
    'SHA256:',
    'smj1-',
  ],
].map((token) => Buffer.from(token));
const rawBytes = [0x00, 0xff, 0x80, 0xc0, 0xed, 0x7f].map((byte) => Buffer.of(byte));
const pieces = [...tokens, ...rawBytes];

/** An input like this one, with one to six things wrong; `other` lends pieces of itself. */
export function mutate(input: Input, other: Input, random: Random): Input {
  const frames = [...input];
  for (let left = 1 + random.below(6); left > 0; left -= 1) {
    if (random.below(12) === 0) changeFrames(frames, random);
    else changeFrame(frames, random.oneOf(other, nothing), random);
  }
  return frames;
}

function changeFrames(frames: Buffer[], random: Random): void {
  const at = random.below(frames.length);
  const action = random.below(4);
  if (action === 0) frames.splice(at, 1);
  else if (action === 1) frames.splice(at, 0, random.oneOf(frames, nothing));
  else if (action === 2) frames.splice(at, 1, nothing);
  else frames.reverse();
}

function changeFrame(frames: Buffer[], other: Buffer, random: Random): void {
  const at = random.below(frames.length);
  const frame = frames[at];
  if (frame !== undefined) frames[at] = changed(frame, other, random);
}

function changed(frame: Buffer, other: Buffer, random: Random): Buffer {
  const from = random.below(frame.byteLength + 1);
  const to = Math.min(frame.byteLength, from + random.below(12));
  switch (random.below(8)) {
    case 0:
      return flipped(frame, from, random);
    case 1:
      return put(frame, from, from, random.oneOf(pieces, nothing));
    case 2:
      return put(frame, from, to, random.oneOf(pieces, nothing));
    case 3:
      return put(frame, from, to, nothing);
    case 4:
      return put(frame, from, from, frame.subarray(from, to));
    case 5:
      return put(frame, from, to, part(other, random));
    case 6:
      return random.below(8) === 0 ? frame.subarray(0, from) : flipped(frame, from, random);
    default:
      return put(frame, from, to, repeated(frame.subarray(from, to), random));
  }
}

function flipped(frame: Buffer, at: number, random: Random): Buffer {
  const copy = Buffer.from(frame);
  if (at < copy.byteLength) copy[at] = (copy[at] ?? 0) ^ (1 << random.below(8));
  return copy;
}

function part(frame: Buffer, random: Random): Buffer {
  const from = random.below(frame.byteLength);
  return frame.subarray(from, from + random.below(40));
}

/** Mostly short; now and then as long as what a peer may send, to find what takes more than linear time. */
function repeated(piece: Buffer, random: Random): Buffer {
  const most = random.below(2_000) === 0 ? 400_000 : random.below(40) === 0 ? 4_000 : 100;
  const unit = piece.byteLength === 0 ? random.oneOf(pieces, nothing) : piece;
  const count = Math.floor(random.below(most) / Math.max(1, unit.byteLength));
  return Buffer.alloc(unit.byteLength * count, unit);
}

function put(frame: Buffer, from: number, to: number, piece: Buffer): Buffer {
  return Buffer.concat([frame.subarray(0, from), piece, frame.subarray(to)]);
}
