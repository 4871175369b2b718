import { expect } from 'chai';
import fc from 'fast-check';
import { message } from '../../../src/wire/codec.ts';
import {
  controlFrames,
  dispatchFramesV1,
  dispatchFramesV2,
  idOfRefused,
  openDispatch,
} from '../../../src/wire/dispatch.ts';
import { isServiceManagerError } from '../../../src/wire/errors.ts';
import { RequestId } from '../../../src/wire/fields.ts';
import { Hello } from '../../../src/wire/presence.ts';
import { RequestBody } from '../../../src/wire/request.ts';
import { addressFrame, topicFrame } from '../../../src/wire/topic.ts';

const id = message('id', 64, RequestId).parse('0123456789abcdef0123456789abcdef');
const BootId = message('boot', 64, Hello.schema.properties.boot);
const body = RequestBody.parse({ id, cmd: 'status', topic: 'Linux', service: 'sshd' });
const bodyBytes = RequestBody.encode(body);
const topic = topicFrame('Linux', 'v2');
const header = `{"v":2,"type":"request","id":"${id}"}`;

function frames(...texts: Array<string | Buffer>): Buffer[] {
  return texts.map((text) => Buffer.from(text));
}

function refusal(message: readonly Buffer[]): { code: string; message: string } {
  try {
    openDispatch(message);
  } catch (error) {
    if (isServiceManagerError(error)) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error('it was not refused');
}

describe('a v1 backend message', () => {
  it('is the bare topic and one JSON object', () => {
    expect(dispatchFramesV1(body).map(String)).to.deep.equal([
      'Linux',
      `{"cmd":"status","topic":"Linux","service":"sshd","uuid":"${id}"}`,
    ]);
  });

  it('is opened as it was sent in 2014', () => {
    const json = `{"cmd": "status", "topic": "Linux", "service": "sshd", "uuid": "${id}"}`;
    expect(openDispatch(frames('Linux', json))).to.deep.equal({ type: 'request', body, signed: undefined });
  });

  it('leaves what is new to v2 agents', () => {
    const more = RequestBody.parse({ ...body, timeoutMs: 500, windowMs: 500 });
    expect(dispatchFramesV1(more)).to.deep.equal(dispatchFramesV1(body));
  });

  for (const [field, value, reason] of [
    ['uuid', undefined, 'is missing, expected 32 lower-case hex characters'],
    ['uuid', 'abc', 'is "abc", expected 32 lower-case hex characters'],
    ['cmd', 7, 'is 7, expected an action such as start, stop or status'],
    ['topic', 'a\nb', 'is "a\\nb", expected a topic of 1 to 255 printable characters'],
    ['service', '../x', 'is "../x", expected a service name of 1 to 255'],
    ['service', 'a\u0000b', 'is "a\\u0000b", expected a service name of 1 to 255'],
  ] as const) {
    it(`is refused for ${JSON.stringify(value) ?? 'nothing'} as ${field}`, () => {
      const json = JSON.stringify({ ...body, uuid: id, [field]: value });
      const { code, message: text } = refusal(frames('Linux', json));
      expect(code).to.equal('INVALID_MESSAGE');
      expect(text).to.include(`DispatchV1: field ${field} ${reason}`);
    });
  }
});

describe('a v2 backend message', () => {
  it('is the framed topic, a header, the body as it came, and the signature', () => {
    const odd = Buffer.from(` {"id":"${id}", "cmd":"status","topic":"Linux","service":"sshd","new":1}`);
    expect(dispatchFramesV2(topic, { id, bodyBytes: odd, signature: 'abc' }).map(String)).to.deep.equal([
      '\x02Linux\x00',
      header,
      odd.toString(),
      'abc',
    ]);
  });

  it('is opened as it was sent, whatever was asked for', () => {
    const asked = fc.record(
      {
        id: fc.constant(id),
        cmd: fc.constantFrom('status', 'restart'),
        topic: fc.constantFrom('any', 'Zürich', '\u{1f4be}'),
        service: fc.stringMatching(/^[a-z@_][a-z@_:+-]{0,20}$/),
        timeoutMs: fc.integer({ min: 1, max: 86_400_000 }),
      },
      { requiredKeys: ['id', 'cmd', 'topic', 'service'] },
    );
    fc.assert(
      fc.property(asked, (value) => {
        const sent = RequestBody.parse(value);
        const bytes = RequestBody.encode(sent);
        expect(openDispatch(dispatchFramesV2(topic, { id, bodyBytes: bytes, signature: '' }))).to.deep.equal({
          type: 'request',
          body: sent,
          signed: { bytes, signature: '' },
        });
      }),
    );
  });

  it('may reach a node by its name, whatever the topic of its body', () => {
    const sent = dispatchFramesV2(addressFrame('web1'), { id, bodyBytes, signature: '' });
    expect(sent[0]?.toString()).to.equal('\x03web1\x00');
    expect(openDispatch(sent)).to.deep.include({ type: 'request', body });
  });

  it('is refused when header and body name different requests', () => {
    const other = `{"v":2,"type":"request","id":"${'f'.repeat(32)}"}`;
    expect(refusal(frames(topic, other, bodyBytes, ''))).to.deep.equal({
      code: 'BODY_MISMATCH',
      message: `DispatchHeader: id ${'f'.repeat(32)}, but the body says ${id}`,
    });
  });

  it('of an unknown type is refused by its name', () => {
    const later = `{"v":2,"type":"dance","id":"${id}"}`;
    const { code, message: text } = refusal(frames(topic, later, bodyBytes, ''));
    expect(code).to.equal('UNKNOWN_TYPE');
    expect(text).to.include('DispatchHeader: type').and.include('"dance"');
  });

  for (const [what, text, reason] of [
    ['of another version', header.replace('2', '3'), 'field v is 3, expected the number 2'],
    ['without a version', header.replace('"v":2,', ''), 'field v is missing, expected the number 2'],
    [
      'without a type',
      header.replace('"type":"request",', ''),
      'field type is missing, expected a message type',
    ],
    ['of a long type', header.replace('request', 'x'.repeat(33)), 'field type is "xxx'],
    ['without an id', '{"v":2,"type":"request"}', 'field id is missing, expected'],
  ] as const) {
    it(`${what} is refused`, () => {
      const { code, message: told } = refusal(frames(topic, text, bodyBytes, ''));
      expect(code).to.equal('INVALID_MESSAGE');
      expect(told).to.include(`DispatchHeader: ${reason}`);
    });
  }

  for (const [ofManager, ofClient, expected] of [
    [5, 7, 5],
    [7, 5, 5],
    [5, undefined, 5],
    [undefined, 7, 7],
  ] as const) {
    it(`is good until ${expected} when the manager says ${ofManager} and the client ${ofClient}`, () => {
      const until = ofClient === undefined ? {} : { notAfterMs: ofClient };
      const bodyBytes = RequestBody.encode({ ...body, ...until });
      const sent = dispatchFramesV2(addressFrame('web1'), {
        id,
        bodyBytes,
        signature: '',
        notAfterMs: ofManager,
      });
      expect(openDispatch(sent)).to.deep.equal({
        type: 'request',
        body: { ...body, notAfterMs: expected },
        signed: { bytes: bodyBytes, signature: '' },
      });
    });
  }

  it('hands on what was signed byte for byte, with its signature', () => {
    const odd = Buffer.from(` {"service":"sshd","id":"${id}", "cmd":"status","topic":"Linux","new":"ü"}`);
    const opened = openDispatch(
      dispatchFramesV2(topic, { id, bodyBytes: odd, signature: 'abc', notAfterMs: 5 }),
    );
    expect(opened).to.deep.include({ signed: { bytes: odd, signature: 'abc' } });
    expect('body' in opened && opened.body).to.deep.include({ id, notAfterMs: 5 });
  });

  it('has a signature of at most 1 KiB, also where none is looked at', () => {
    const signature = 'x'.repeat(1_024);
    expect(openDispatch(frames(topic, header, bodyBytes, signature))).to.deep.include({
      signed: { bytes: bodyBytes, signature },
    });
    for (const words of [header, '{"v":2,"type":"who"}'])
      expect(refusal(frames(topic, words, bodyBytes, `${signature}x`))).to.deep.equal({
        code: 'FRAME_TOO_LARGE',
        message: 'signature of 1025 bytes, expected at most 1024',
      });
  });

  it('is refused for what its body says', () => {
    expect(refusal(frames(topic, header, JSON.stringify({ ...body, service: '-x' }), '')).message).to.match(
      /^RequestBody: field service is "-x", expected a service name/,
    );
    expect(refusal(frames(topic, header, '{"id":', '')).code).to.equal('NOT_JSON');
    expect(refusal(frames(topic, header, Buffer.alloc(400 * 1024 + 1, ' '), '')).code).to.equal(
      'FRAME_TOO_LARGE',
    );
  });

  const boots = [BootId.parse('a'.repeat(32)), BootId.parse('b'.repeat(32))];
  for (const control of [
    { type: 'cancel', id },
    { type: 'stored', id },
    { type: 'who' },
    { type: 'pulse' },
    { type: 'pulse', nextKey: 'a'.repeat(40) },
    { type: 'conflict', boots },
  ] as const) {
    it(`without a body is the word "${control.type}" of the manager`, () => {
      const sent = controlFrames(addressFrame('web1'), control);
      expect(sent.map(String)).to.deep.equal(['\x03web1\x00', JSON.stringify({ v: 2, ...control }), '', '']);
      expect(openDispatch(sent)).to.deep.equal(control);
    });
  }

  it('that cancels may have the query of who does so, and its signature', () => {
    const signed = { bytes: Buffer.from(` {"v":2,"query":"cancel","id":"${id}"}`), signature: 'abc' };
    const sent = controlFrames(addressFrame('web1'), { type: 'cancel', id, signed });
    expect(sent.map(String)).to.deep.equal([
      '\x03web1\x00',
      `{"v":2,"type":"cancel","id":"${id}"}`,
      signed.bytes.toString(),
      'abc',
    ]);
    expect(openDispatch(sent)).to.deep.equal({ type: 'cancel', id, signed });
  });

  it('that cancels is opened whatever the query says: who that is has to be looked at elsewhere', () => {
    const sent = frames(addressFrame('web1'), `{"v":2,"type":"cancel","id":"${id}"}`, 'x', '');
    expect(openDispatch(sent)).to.deep.equal({
      type: 'cancel',
      id,
      signed: { bytes: Buffer.from('x'), signature: '' },
    });
  });

  for (const nextKey of ['', 'a'.repeat(39), `${'a'.repeat(39)}~`, 7]) {
    it(`does not tell of a key that is none: ${JSON.stringify(nextKey)}`, () => {
      const { code, message: text } = refusal(
        frames(addressFrame('*'), JSON.stringify({ v: 2, type: 'pulse', nextKey }), '', ''),
      );
      expect(code).to.equal('INVALID_MESSAGE');
      expect(text).to.include('field nextKey is').and.include('expected a CURVE public key of 40 characters');
    });
  }
});

describe('a backend message', () => {
  for (const count of [0, 1, 3, 5, 40]) {
    it(`is not ${count} frames`, () => {
      expect(refusal(Array(count).fill(Buffer.from('{}')))).to.deep.equal({
        code: 'FRAME_COUNT',
        message: `backend message of ${count} frames, expected 2 or 4`,
      });
    });
  }
});

describe('the id of a refused backend message', () => {
  it('is found in its second frame, under the name of either version', () => {
    expect(idOfRefused(frames('x', `{"uuid":"${id}","cmd":7}`))).to.equal(id);
    expect(idOfRefused(frames('x', `{"v":3,"id":"${id}"}`, 'x'))).to.equal(id);
  });

  for (const second of ['', 'x', '[]', '{}', '{"uuid":7}', '{"id":"ABC"}', `{"__proto__":{"id":"${id}"}}`]) {
    it(`is not known for ${JSON.stringify(second)}`, () => {
      expect(idOfRefused(frames('x', second))).to.equal(undefined);
    });
  }

  it('is not known for a message of no or one frame, nor for one that is too large', () => {
    expect(idOfRefused([])).to.equal(undefined);
    expect(idOfRefused(frames('x'))).to.equal(undefined);
    expect(idOfRefused(frames('x', `{"id":"${id}"}`.padEnd(64 * 1024 + 1)))).to.equal(undefined);
  });
});
