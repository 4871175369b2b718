import { expect } from 'chai';
import fc from 'fast-check';
import { message } from '../../../src/wire/codec.ts';
import { idOfRefused, openDispatch } from '../../../src/wire/dispatch.ts';
import { isServiceManagerError } from '../../../src/wire/errors.ts';
import { RequestId } from '../../../src/wire/fields.ts';
import { answerManagement } from '../../../src/wire/management.ts';
import { isMeantAsQuery, openQuery } from '../../../src/wire/query.ts';
import { nextKeyIn } from '../../../src/wire/reply.ts';
import { openRequest } from '../../../src/wire/request.ts';
import { maxResultBytes } from '../../../src/wire/result.ts';
import { openSinkMessage, sinkRoutingOf } from '../../../src/wire/sink.ts';
import { readSubscription, readTopicFrame } from '../../../src/wire/topic.ts';

const id = message('id', 64, RequestId).parse('0123456789abcdef0123456789abcdef');
const nothing = Buffer.alloc(0);
/** Of processor time. Far above what any of these takes, far below what would be felt. */
const quickMs = 500;

const asked = { cmd: 'status', topic: 'Linux', service: 'sshd' };
const body = JSON.stringify({ id, ...asked, timeoutMs: 500 });
const answer = {
  msg: 'Executed service status request',
  result: {
    node: 'web1',
    returncode: 0,
    service: 'sshd',
    stdout: ['a', 'b'],
    stderr: '',
    system: 'Linux',
    version: '#1 SMP',
    state: 'running',
  },
  uuid: id,
};
const trouble = { success: -1, msg: 'no', node: 'web1', uuid: id };
const hello = { node: 'web1', boot: id, system: 'Linux', roles: [], topics: ['any'], startedAtMs: 1 };

/** Every message that one of the doors below takes, as values or as the text of a frame. */
const goodMessages: ReadonlyArray<readonly unknown[]> = [
  [asked],
  [{ ...asked, v: 2, body, signature: '' }],
  [answer],
  [trouble],
  [{ cmd: 'manager.status', args: { id: 'x' } }],
  [{ v: 2, query: 'cancel', id }],
  [{ v: 2, signed: JSON.stringify({ v: 2, query: 'cancel', id }), signature: 'x' }],
  [{ nextKey: 'a'.repeat(40), success: 0 }],
  ['Linux', { ...asked, uuid: id }],
  ['\u0002Linux\u0000', { v: 2, type: 'request', id }, body, ''],
  ['\u0003web1\u0000', { v: 2, type: 'conflict', boots: [id] }, '', ''],
  ['\u0003web1\u0000', { v: 2, type: 'cancel', id }, { v: 2, query: 'cancel', id }, 'x'],
  ['\u0003*\u0000', { v: 2, type: 'pulse', nextKey: 'a'.repeat(40) }, '', ''],
  ['result', id, 'web1', '7', answer, ''],
  ['ack', id, 'web1', '8', { phase: 'queued' }, ''],
  ['hello', id, 'web1', '0', hello, ''],
  ['beat', id, 'web1', '9', '', ''],
  ['beat', id, 'web1', '9', { sentAtMs: 5 }, 'x'.repeat(32)],
  ['\u0001\u0002web1\u0000'],
  ['\u0000Linux'],
];

const oddValue = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom<unknown>(
    null,
    '',
    '\u0000',
    'a\nb',
    '../x',
    '-x',
    '\ud83d',
    '__proto__',
    'constructor',
    1e300,
    -0,
    2 ** 53,
    'x'.repeat(300),
  ),
);

/** The value with one part replaced or removed, or with something odd under another name. */
function changed(value: unknown): fc.Arbitrary<unknown> {
  if (typeof value !== 'object' || value === null) return oddValue;
  const fields = Object.entries(value);
  if (fields.length === 0) return oddValue;
  return fc
    .record({
      at: fc.nat(fields.length - 1),
      how: fc.constantFrom(
        'replace',
        'deepen',
        'remove',
        'result',
        'v',
        '__proto__',
        'constructor',
        'toJSON',
      ),
      odd: oddValue,
    })
    .chain(({ at, how, odd }) => {
      const [name = '', part] = fields[at] ?? [];
      const rest = fields.filter(([other]) => other !== name);
      if (how === 'remove') return fc.constant(Object.fromEntries(rest));
      if (how === 'deepen') {
        return changed(part).map((deeper) => Object.fromEntries([...rest, [name, deeper]]));
      }
      if (how === 'replace') return fc.constant(Object.fromEntries([...rest, [name, odd]]));
      return fc.constant(Object.fromEntries([...fields, [how, odd]]));
    });
}

function toFrame(value: unknown): Buffer {
  return Buffer.from(typeof value === 'string' ? value : (JSON.stringify(value) ?? ''));
}

const anyBytes = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));

/** A good frame with a few bytes changed, cut out or put in. */
function damaged(frame: Buffer): fc.Arbitrary<Buffer> {
  const cut = fc.record({
    at: fc.nat(frame.byteLength),
    length: fc.nat(4),
    put: fc.uint8Array({ maxLength: 4 }),
  });
  return fc
    .array(cut, { minLength: 1, maxLength: 3 })
    .map((cuts) =>
      cuts.reduce(
        (bytes, { at, length, put }) =>
          Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + length)]),
        frame,
      ),
    );
}

const anyMessage: fc.Arbitrary<Buffer[]> = fc.oneof(
  fc.array(anyBytes, { maxLength: 7 }),
  fc.array(oddValue.map(toFrame), { maxLength: 7 }),
  fc.constantFrom(...goodMessages).chain((values) => {
    const frames = values.map(toFrame);
    const at = fc.nat(frames.length - 1);
    return fc.oneof(
      fc.constant(frames),
      at.chain((index) => changed(values[index]).map((value) => frames.with(index, toFrame(value)))),
      at.chain((index) => damaged(frames[index] ?? nothing).map((frame) => frames.with(index, frame))),
      at.map((index) => frames.toSpliced(index, 1)),
      at.map((index) => frames.toSpliced(index, 0, frames[index] ?? nothing)),
    );
  }),
);

/** Every door, and whether it has an answer of its own for what it does not like. */
const doors: Readonly<Record<string, { open: (frames: Buffer[]) => unknown; mayRefuse: boolean }>> = {
  openRequest: { open: ([frame = nothing]) => openRequest(frame, () => id), mayRefuse: true },
  openDispatch: { open: openDispatch, mayRefuse: true },
  openSinkMessage: { open: openSinkMessage, mayRefuse: true },
  openQuery: { open: ([frame = nothing]) => openQuery(frame), mayRefuse: true },
  isMeantAsQuery: { open: ([frame = nothing]) => isMeantAsQuery(frame), mayRefuse: false },
  nextKeyIn: { open: ([frame = nothing]) => nextKeyIn(frame), mayRefuse: false },
  sinkRoutingOf: { open: sinkRoutingOf, mayRefuse: true },
  idOfRefused: { open: idOfRefused, mayRefuse: false },
  readSubscription: { open: ([frame = nothing]) => readSubscription(frame), mayRefuse: false },
  readTopicFrame: { open: ([frame = nothing]) => readTopicFrame(frame), mayRefuse: false },
  answerManagement: {
    open: (frames) =>
      answerManagement(frames, { 'manager.status': () => ({ success: 0, msg: 'fine', result: {} }) }),
    mayRefuse: false,
  },
};

const kibibyte = 1_024;

/** Frames made to cost much, as long as the largest of their door. */
function costly(bytes: number): Readonly<Record<string, Buffer>> {
  const filled = (start: string, part: string, end: string) =>
    Buffer.from(start + part.repeat(Math.floor((bytes - start.length - end.length) / part.length)) + end);
  const half = Math.floor(bytes / 2) - 30;
  return {
    'nested lists': Buffer.from(`${'['.repeat(half)}${']'.repeat(half)}`),
    'a nested field': Buffer.from(`{"cmd":${'['.repeat(half)}${']'.repeat(half)}}`),
    'a nested object': Buffer.from(
      `{"cmd":${'{"":'.repeat(Math.floor(bytes / 6))}1${'}'.repeat(Math.floor(bytes / 6))}}`,
    ),
    'nested output': Buffer.from(`{"result":{"stdout":${'['.repeat(half)}${']'.repeat(half)}}}`),
    'many empty objects': filled('[', '{},', '{}]'),
    'many bad lines': filled(`{"msg":"","uuid":"${id}","result":{"node":"x","stdout":[`, '1,', '1]}}'),
    'the same field again and again': filled('{', '"cmd":1,', '"cmd":1}'),
    'one long text': filled('{"cmd":"', 'a', '"}'),
    'one long service name of dots': filled('{"cmd":"status","topic":"x","service":"', '.a', '"}'),
    escapes: filled('{"topic":"', '\\u0000', '"}'),
    zeros: Buffer.alloc(bytes),
    digits: filled('{"v":', '9', '}'),
    blanks: Buffer.alloc(bytes, ' '),
  };
}

for (const [name, { open, mayRefuse }] of Object.entries(doors)) {
  describe(name, () => {
    const openSafely = (frames: Buffer[]) => {
      try {
        open(frames);
      } catch (error) {
        if (!mayRefuse || !isServiceManagerError(error)) throw error;
        expect(error.message).to.have.length.within(10, 1_000);
      }
    };
    const openQuickly = (frames: Buffer[], what: string) => {
      // Not by the clock on the wall: other programs may want the processor, too.
      const start = process.cpuUsage();
      openSafely(frames);
      const { user, system } = process.cpuUsage(start);
      expect((user + system) / 1_000, what).to.be.below(quickMs);
    };

    it(`${mayRefuse ? 'throws nothing but refusals' : 'never throws'}, and is quick, whatever arrives`, () => {
      fc.assert(
        fc.property(anyMessage, (frames) => openQuickly(frames, 'a small message')),
        { numRuns: 2_000 },
      );
    });

    it('is quick also with 64 KiB of what costs most', () => {
      for (const [what, frame] of Object.entries(costly(64 * kibibyte))) {
        for (const count of [1, 2, 4, 6]) openQuickly(Array(count).fill(frame), what);
        openQuickly([nothing, frame, nothing, nothing], what);
      }
    });
  });
}

describe('the sink', function () {
  // JSON of this size may keep a busy processor busy.
  this.timeout(60_000);

  for (const [what, frame] of Object.entries(costly(maxResultBytes))) {
    it(`survives 4 MiB of ${what}`, () => {
      expect(() => openSinkMessage([frame]))
        .to.throw()
        .that.satisfies(isServiceManagerError);
    });
  }
});

describe('no message', () => {
  it('leaves a trace in the prototype of objects', () => {
    const frame = Buffer.from('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}');
    for (const { open } of Object.values(doors)) {
      try {
        open([frame, frame, frame, frame]);
        open([frame, frame]);
        open([frame]);
      } catch (error) {
        if (!isServiceManagerError(error)) throw error;
      }
    }
    expect(({} as Record<string, unknown>)['polluted']).to.equal(undefined);
  });
});
