import { expect } from 'chai';
import fc from 'fast-check';
import { message } from '../../../src/wire/codec.ts';
import { isServiceManagerError } from '../../../src/wire/errors.ts';
import { NodeName, RequestId } from '../../../src/wire/fields.ts';
import { Hello } from '../../../src/wire/presence.ts';
import { maxResultBytes } from '../../../src/wire/result.ts';
import {
  ackFrames,
  beatFrames,
  byeFrames,
  helloFrames,
  openSinkMessage,
  outputFrames,
  resultFrames,
  sinkRoutingOf,
  withMac,
} from '../../../src/wire/sink.ts';

const id = message('id', 64, RequestId).parse('0123456789abcdef0123456789abcdef');
const nodes = message('node', 300, NodeName);
const web1 = nodes.parse('web1');
const hello = Hello.parse({
  node: 'web1',
  boot: 'b'.repeat(32),
  system: 'Linux',
  release: '6.1',
  version: '#1 SMP',
  machine: 'x86_64',
  roles: ['web'],
  topics: ['any', 'web1'],
  agentVersion: '0.1.0',
  startedAtMs: 1_700_000_000_000,
});
const result = {
  node: 'web1',
  returncode: 0,
  service: 'sshd',
  stdout: 'running\n',
  stderr: '',
  system: 'Linux',
  version: '#1 SMP',
};
const answer = { msg: 'Executed service status request', result, uuid: id };
const payload = Buffer.from(JSON.stringify(answer));

function v1(value: unknown): Buffer[] {
  return [Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))];
}

/** `[type, uuid, node, sequence, payload, mac]`, with what a test wants different. */
function v2(changes: Partial<Record<0 | 1 | 2 | 3 | 4 | 5, string | Buffer>> = {}): Buffer[] {
  const frames: Array<string | Buffer> = ['result', id, 'web1', '7', payload, ''];
  return Object.assign(frames, changes).map((frame) => Buffer.from(frame));
}

function refusal(frames: readonly Buffer[]): { code: string; message: string } {
  try {
    openSinkMessage(frames);
  } catch (error) {
    if (isServiceManagerError(error)) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error('it was not refused');
}

describe('a v1 sink message', () => {
  it('is one frame, handed on byte for byte', () => {
    const [frame = Buffer.alloc(0)] = v1(JSON.stringify(answer, null, 1));
    const opened = openSinkMessage([frame]);
    expect(opened).to.deep.include({ type: 'result', id, node: 'web1' });
    expect('payload' in opened && opened.payload).to.equal(frame);
  });

  it('with output as a list of lines is handed on with output as text', () => {
    const listed = { ...answer, result: { ...result, stdout: ['a', 'b'], stderr: [] } };
    const opened = openSinkMessage(v1(listed));
    expect('payload' in opened && JSON.parse(opened.payload.toString())).to.deep.equal({
      ...answer,
      result: { ...result, stdout: 'a\nb', stderr: '' },
    });
  });

  it('may be trouble without the name of the agent', () => {
    const opened = openSinkMessage(v1({ success: -1, msg: 'no', uuid: id }));
    expect(opened).to.deep.include({ type: 'result', id, node: undefined });
  });

  it('may be trouble with the name of the agent', () => {
    const opened = openSinkMessage(v1({ success: -1, msg: 'no', node: 'web1', uuid: id }));
    expect(opened).to.deep.include({ id, node: 'web1' });
  });

  it('is refused when the result of trouble is no result', () => {
    expect(refusal(v1({ success: -1, msg: 'no', uuid: id, result: null }))).to.deep.equal({
      code: 'INVALID_MESSAGE',
      message: 'Answer: field result is null, expected object',
    });
  });

  for (const [what, frame, code] of [
    ['empty', '', 'NOT_JSON'],
    ['no JSON', 'result', 'NOT_JSON'],
    ['a list', '[]', 'INVALID_MESSAGE'],
    ['without an id', JSON.stringify({ msg: '', result }), 'INVALID_MESSAGE'],
    ['too large', 'x'.repeat(maxResultBytes + 1), 'FRAME_TOO_LARGE'],
  ] as const) {
    it(`is refused when it is ${what}`, () => expect(refusal(v1(frame)).code).to.equal(code));
  }
});

describe('a v2 sink message', () => {
  it('is six frames: type, id, node, sequence, payload, mac', () => {
    expect(resultFrames(id, web1, 7, payload).map(String)).to.deep.equal([
      'result',
      id,
      'web1',
      '7',
      JSON.stringify(answer),
      '',
    ]);
  });

  it('with a result is handed on byte for byte', () => {
    const frames = v2({ 4: JSON.stringify(answer, null, 1) });
    const opened = openSinkMessage(frames);
    expect(opened).to.deep.include({ type: 'result', id, node: 'web1' });
    expect('payload' in opened && opened.payload).to.equal(frames[4]);
  });

  it('may acknowledge a request', () => {
    expect(ackFrames(id, web1, 3, 'queued').map(String)).to.deep.equal([
      'ack',
      id,
      'web1',
      '3',
      '{"phase":"queued"}',
      '',
    ]);
    for (const phase of ['queued', 'running'] as const) {
      expect(openSinkMessage(ackFrames(id, web1, 3, phase))).to.deep.equal({
        type: 'ack',
        id,
        node: 'web1',
        phase,
      });
    }
  });

  it('may say hello', () => {
    expect(openSinkMessage(helloFrames(hello, 0))).to.deep.equal({ type: 'hello', hello });
  });

  it("may be a beat, with the boot id in the place of the request's, and with its time", () => {
    const frames = beatFrames(web1, hello.boot, 12, 1_700_000_000_123);
    expect(frames.map(String)).to.deep.equal([
      'beat',
      hello.boot,
      'web1',
      '12',
      '{"sentAtMs":1700000000123}',
      '',
    ]);
    expect(openSinkMessage(frames)).to.deep.equal({
      type: 'beat',
      node: 'web1',
      boot: hello.boot,
      sentAtMs: 1_700_000_000_123,
    });
  });

  for (const payload of ['', '{}', '{"later":1}']) {
    it(`may be a beat that does not say when it was sent: ${JSON.stringify(payload)}`, () => {
      expect(
        openSinkMessage(beatFrames(web1, hello.boot, 12, 0).with(4, Buffer.from(payload))),
      ).to.deep.equal({
        type: 'beat',
        node: 'web1',
        boot: hello.boot,
        sentAtMs: undefined,
      });
    });
  }

  for (const [payload, code, reason] of [
    ['{"sentAtMs":-1}', 'INVALID_MESSAGE', 'Beat: field sentAtMs is -1, expected milliseconds since 1970'],
    ['{"sentAtMs":1.5}', 'INVALID_MESSAGE', 'Beat: field sentAtMs is 1.5, expected milliseconds since 1970'],
    ['[]', 'INVALID_MESSAGE', 'Beat: the message is a list'],
    ['now', 'NOT_JSON', 'Beat: expected one UTF-8 JSON object'],
    [`{${' '.repeat(1_023)}}`, 'FRAME_TOO_LARGE', 'Beat: frame of 1025 bytes'],
  ] as const) {
    it(`is refused as a beat with ${payload.slice(0, 20)}`, () => {
      const refused = refusal(beatFrames(web1, hello.boot, 12, 0).with(4, Buffer.from(payload)));
      expect(refused.code).to.equal(code);
      expect(refused.message).to.include(reason);
    });
  }

  it("may be a bye, with the boot id in the place of the request's", () => {
    const frames = byeFrames(web1, hello.boot, 13);
    expect(frames.map(String)).to.deep.equal(['bye', hello.boot, 'web1', '13', '', '']);
    expect(openSinkMessage(frames)).to.deep.equal({ type: 'bye', node: 'web1', boot: hello.boot });
  });

  it('comes out as it was sent, whatever the node and the sequence', () => {
    const node = fc.stringMatching(/^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,253}[A-Za-z0-9_])?$/);
    fc.assert(
      fc.property(node, fc.integer({ min: 0, max: 999_999_999_999_999 }), (name, sequence) => {
        const body = Buffer.from(JSON.stringify({ ...answer, result: { ...result, node: name } }));
        const opened = openSinkMessage(resultFrames(id, nodes.parse(name), sequence, body));
        expect(opened).to.deep.include({ type: 'result', id, node: name });
        expect('payload' in opened && opened.payload).to.equal(body);
      }),
    );
  });

  for (const count of [0, 2, 3, 4, 5, 7, 50]) {
    it(`is not ${count} frames`, () => {
      expect(
        refusal([...v2(), ...v2()].slice(0, count).concat(Array(Math.max(0, count - 12)).fill(payload))),
      ).to.deep.equal({
        code: 'FRAME_COUNT',
        message: `sink message of ${count} frames, expected 1 or 6`,
      });
    });
  }

  for (const type of ['', 'RESULT', 'result ', 'results', '__proto__', '\u0000', 'x'.repeat(100_000)]) {
    it(`of the type ${JSON.stringify(type).slice(0, 20)} is refused`, () => {
      expect(refusal(v2({ 0: type })).code).to.be.oneOf(['UNKNOWN_TYPE', 'FRAME_TOO_LARGE']);
    });
  }

  it('of an unknown type is told what was expected', () => {
    expect(refusal(v2({ 0: 'results' })).message).to.match(
      /expected one of result, ack, output, hello, beat, bye$/,
    );
  });

  for (const [what, at, frame, reason] of [
    ['a short id', 1, 'abc', 'field uuid is "abc", expected 32 lower-case hex characters'],
    ['an upper-case id', 1, 'F'.repeat(32), `field uuid is "${'F'.repeat(32)}", expected 32`],
    ['an id that is no text', 1, Buffer.of(0xff), 'field uuid is "\ufffd", expected 32'],
    ['no node', 2, '', 'field node is "", expected a host name'],
    ['a path as node', 2, '../x', 'field node is "../x", expected a host name'],
    ['a newline in its node', 2, 'web1\n', 'field node is "web1\\n", expected a host name'],
    ['no sequence', 3, '', 'field sequence is "", expected a count'],
    ['a negative sequence', 3, '-1', 'field sequence is "-1", expected a count'],
    ['a hexadecimal sequence', 3, '0x10', 'field sequence is "0x10", expected a count'],
    ['an exponential sequence', 3, '1e3', 'field sequence is "1e3", expected a count'],
    [
      'a sequence too long to count with',
      3,
      '1'.repeat(16),
      `field sequence is "${'1'.repeat(16)}", expected a count`,
    ],
  ] as const) {
    it(`with ${what} is refused`, () => {
      const { code, message: text } = refusal(v2({ [at]: frame }));
      expect(code).to.equal('INVALID_MESSAGE');
      expect(text).to.include(reason);
    });
  }

  for (const at of [1, 2, 3] as const) {
    it(`with routing frames of more than 1 KiB is refused (frame ${at})`, () => {
      expect(refusal(v2({ [at]: 'x'.repeat(1_025) })).code).to.equal('FRAME_TOO_LARGE');
    });
  }

  it('with a payload of more than 4 MiB is refused', () => {
    const { code, message: text } = refusal(v2({ 4: Buffer.alloc(maxResultBytes + 1, ' ') }));
    expect(code).to.equal('FRAME_TOO_LARGE');
    expect(text).to.include('Answer: ').and.include('4194304');
  });

  for (const [what, changes] of [
    ['of another request', { ...answer, uuid: 'f'.repeat(32) }],
    ['of another node', { ...answer, result: { ...result, node: 'web10' } }],
    ['of a node that does not say who it is', { success: -1, msg: 'x', uuid: id }],
  ] as const) {
    it(`with the answer ${what} is refused`, () => {
      expect(refusal(v2({ 4: JSON.stringify(changes) })).code).to.equal('BODY_MISMATCH');
    });
  }

  it('that says hello for another node or another run is refused', () => {
    for (const changed of [{ node: 'web2' }, { boot: 'c'.repeat(32) }]) {
      const frames = helloFrames(hello, 0).with(4, Hello.encode(Hello.parse({ ...hello, ...changed })));
      expect(refusal(frames).code).to.equal('BODY_MISMATCH');
    }
  });

  it('that acknowledges an unknown phase is refused', () => {
    expect(refusal(v2({ 0: 'ack', 4: '{"phase":"done"}' }))).to.deep.equal({
      code: 'INVALID_MESSAGE',
      message: 'Ack: field phase is "done", expected queued or running',
    });
  });
});

describe('the proof of a sink message', () => {
  const mac = Buffer.alloc(32, 7);
  const piece = { node: web1, source: 'stdout', text: 'Starting: ', index: 0 } as const;
  const all = {
    result: resultFrames(id, web1, 7, payload),
    ack: ackFrames(id, web1, 7, 'queued'),
    output: outputFrames(id, 7, piece),
    hello: helloFrames(hello, 7),
    beat: beatFrames(web1, hello.boot, 7, 5),
    bye: byeFrames(web1, hello.boot, 7),
  };
  for (const [type, frames] of Object.entries(all)) {
    it(`of type ${type} takes the place of its last frame, and the others stay as they are`, () => {
      const proved = withMac(frames, mac);
      expect(proved.slice(0, -1)).to.deep.equal(frames.slice(0, -1));
      expect(proved.at(-1)).to.equal(mac);
      expect(frames.at(-1)?.byteLength, 'the frames before').to.equal(0);
      expect(openSinkMessage(proved)).to.deep.equal(openSinkMessage(frames));
    });

    it(`of type ${type} is looked up by its id, its node and its number`, () => {
      const uuid = ['hello', 'beat', 'bye'].includes(type) ? hello.boot : id;
      expect(sinkRoutingOf(withMac(frames, mac))).to.deep.equal({ uuid, node: 'web1', sequence: 7 });
    });
  }

  it('is none of a v1 message', () => {
    expect(sinkRoutingOf(v1(answer))).to.equal(undefined);
  });

  it('is looked up before anything else of the message is read', () => {
    expect(sinkRoutingOf(v2({ 0: 'nonsense', 4: 'nonsense', 5: 'nonsense' }))).to.deep.equal({
      uuid: id,
      node: 'web1',
      sequence: 7,
    });
  });

  for (const [what, frames] of Object.entries({
    'without frames': [],
    'of five frames': v2().slice(1),
    'with a long node': v2({ 2: 'x'.repeat(1_025) }),
    'with a path as node': v2({ 2: '../x' }),
    'with a number that is none': v2({ 3: '-1' }),
  })) {
    it(`${what} is refused as the message itself is`, () => {
      const refused = refusal(frames);
      expect(() => sinkRoutingOf(frames))
        .to.throw(refused.message)
        .with.property('code', refused.code);
    });
  }
});
