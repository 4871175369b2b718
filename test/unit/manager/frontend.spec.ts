import { expect } from 'chai';
import fc from 'fast-check';
import { openFrontendMessage, replyFrames } from '../../../src/manager/frontend.ts';
import { message } from '../../../src/wire/codec.ts';
import { RequestId } from '../../../src/wire/fields.ts';
import { failure } from '../../../src/wire/reply.ts';
import { RequestBody, sealRequest } from '../../../src/wire/request.ts';

const ids = message('id', 64, RequestId);
const ownId = ids.parse('0123456789abcdef0123456789abcdef');
const newId = ids.parse('f'.repeat(32));
const peer = Buffer.from([0, 0x6b, 0x8b, 0x45, 0x67]);
const v1 = '{"cmd": "status", "topic": "Linux", "service": "sshd"}';

function open(...frames: Array<string | Buffer>) {
  return openFrontendMessage(
    frames.map((frame) => Buffer.from(frame)),
    () => newId,
  );
}

function rejection(...frames: Array<string | Buffer>): { code: string; message: string } {
  const opened = open(...frames);
  if (opened.kind !== 'rejected') throw new Error(`it is a ${opened.kind}`);
  return { code: opened.error.code, message: opened.error.message };
}

describe('what a client sends', () => {
  it('may be a v1 request, which gets an id', () => {
    const opened = open(peer, '', v1);
    expect(opened).to.have.property('kind', 'request');
    expect(opened).to.have.nested.property('request.version', 'v1');
    expect(opened).to.have.nested.property('request.body.id', newId);
  });

  it('may be a v2 request, which has one', () => {
    const body = RequestBody.parse({ id: ownId, cmd: 'status', topic: 'Linux', service: 'sshd' });
    const opened = open(peer, '', sealRequest(body));
    expect(opened).to.have.nested.property('request.version', 'v2');
    expect(opened).to.have.deep.nested.property('request.body', body);
  });

  it('may be a question', () => {
    const opened = open(peer, '', '{"v":2,"query":"nodes","topic":"role:web"}');
    expect(opened).to.deep.equal({
      kind: 'query',
      peer,
      query: { query: { v: 2, query: 'nodes', topic: 'role:web' }, signed: undefined },
    });
  });

  it('may be a question that somebody has signed', () => {
    const text = '{"v": 2, "query": "nodes"}';
    const opened = open(peer, '', JSON.stringify({ v: 2, signed: text, signature: 'signed' }));
    const signed = { bytes: Buffer.from(text), signature: 'signed' };
    expect(opened).to.deep.equal({
      kind: 'query',
      peer,
      query: { query: { v: 2, query: 'nodes' }, signed },
    });
  });

  it('may be a question about something that is called like a field of a request', () => {
    const opened = open(peer, '', '{"v": 2, "query": "requests", "service": "cmd"}');
    expect(opened).to.have.nested.property('query.query.service', 'cmd');
  });

  it('is a request also when it speaks of queries', () => {
    expect(open(peer, '', v1.replace('sshd', 'query')).kind).to.equal('request');
    expect(open(peer, '', v1.replace('Linux', '\\"query\\"')).kind).to.equal('request');
  });

  it('is known by its peer, whatever becomes of it', () => {
    for (const frame of [v1, '{"v":2,"query":"nodes"}', 'nonsense']) {
      expect(open(peer, '', frame).peer.equals(peer), frame).to.equal(true);
    }
    expect(open(peer).peer.equals(peer)).to.equal(true);
  });

  for (const [what, rest, count] of [
    ['the request alone', [v1], 1],
    ['nothing', [], 0],
    ['an empty frame alone', [''], 1],
    ['two empty frames', ['', '', v1], 3],
    ['a frame behind the request', ['', v1, ''], 3],
    ['a request in the place of the empty frame', [v1, ''], 2],
    ['a hundred frames', Array(100).fill(''), 100],
  ] as const) {
    it(`is refused when it is ${what}`, () => {
      expect(rejection(peer, ...rest)).to.deep.equal({
        code: 'FRAME_COUNT',
        message: `request of ${count} frames, expected an empty one and a JSON object`,
      });
    });
  }

  it('is refused when it is no message at all', () => {
    expect(rejection().code).to.equal('FRAME_COUNT');
  });

  it('is refused with the code of what is wrong with it', () => {
    expect(rejection(peer, '', 'status').code).to.equal('NOT_JSON');
    expect(rejection(peer, '', '{}')).to.deep.equal({
      code: 'INVALID_MESSAGE',
      message: 'FrontendRequest: field cmd is missing, expected an action such as start, stop or status',
    });
    expect(rejection(peer, '', v1.replace('sshd', '../x')).message).to.include('field service is "../x"');
    expect(rejection(peer, '', v1.padEnd(1024 * 1024 + 1)).code).to.equal('FRAME_TOO_LARGE');
    expect(rejection(peer, '', '{"query":"nodes"}'.padEnd(1024 * 1024 + 1)).code).to.equal('FRAME_TOO_LARGE');
    expect(rejection(peer, '', '{"v":2,"query":"dance"}').message).to.match(
      /^Query: field query is "dance", expected one of nodes, /,
    );
  });

  it('never makes the door throw', () => {
    const frame = fc.oneof(
      fc.constantFrom('', v1, '{"v":2,"query":"nodes"}', '{"query":', '[]'),
      fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
      fc.json().map((text) => `{"query":${text},"v":2}`),
      fc.json().map((text) => `{"cmd":${text},"topic":"any","service":"x"}`),
    );
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 5 }), (frames) => {
        expect(open(...frames).kind).to.be.oneOf(['request', 'query', 'rejected']);
        expect(open(peer, '', frames[0] ?? '').kind).to.be.oneOf(['request', 'query', 'rejected']);
      }),
    );
  });
});

describe('a reply', () => {
  it('goes to its peer, behind an empty frame, as one JSON object', () => {
    const frames = replyFrames(peer, failure('TOO_BUSY', 'try again later'));
    expect(frames.map((frame) => frame.toString('latin1'))).to.deep.equal([
      peer.toString('latin1'),
      '',
      '{"success":-1,"msg":"try again later","code":"TOO_BUSY"}',
    ]);
  });
});
