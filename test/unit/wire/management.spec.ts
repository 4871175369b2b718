import { expect } from 'chai';
import { PolicyQuestion, TokenName } from '../../../src/wire/admin.ts';
import { ServiceManagerError } from '../../../src/wire/errors.ts';
import { answerManagement, ManagementReply, ManagementRequest } from '../../../src/wire/management.ts';

const question = { role: 'operator', name: 'alice', action: 'stop', service: 'sshd', target: 'any' };

function asked(...frames: Array<string | Buffer>) {
  const calls: string[] = [];
  const answer = answerManagement(
    frames.map((frame) => Buffer.from(frame)),
    {
      'manager.status': () => {
        calls.push('manager.status');
        return { success: 0, msg: 'Service Manager Status', result: { status: 'running' } };
      },
      'manager.shutdown': () => {
        calls.push('manager.shutdown');
        return { success: 0, msg: 'Service Manager is shutting down' };
      },
    },
  );
  return { calls, ...answer };
}

function refusalOf(...frames: Array<string | Buffer>) {
  const { calls, reply, refusal } = asked(...frames);
  expect(calls).to.deep.equal([]);
  expect(reply).to.equal(refusal);
  expect(reply).to.have.property('success', -1);
  return { code: refusal?.code, msg: refusal?.msg };
}

describe('a management message', () => {
  it('is answered by the handler of its command, and by no other', () => {
    expect(asked('{"cmd": "manager.status"}')).to.deep.equal({
      calls: ['manager.status'],
      reply: { success: 0, msg: 'Service Manager Status', result: { status: 'running' } },
    });
  });

  it('may have fields of a later version', () => {
    expect(asked('{"cmd": "manager.shutdown", "graceful": true}').calls).to.deep.equal(['manager.shutdown']);
  });

  it('with an unknown command is told which there are', () => {
    expect(refusalOf('{"cmd": "manager.dance"}')).to.deep.equal({
      code: 'UNKNOWN_COMMAND',
      msg: 'ManagementRequest: field cmd is "manager.dance", expected manager.status or manager.shutdown',
    });
  });

  for (const cmd of [
    'constructor',
    '__proto__',
    'toString',
    'hasOwnProperty',
    'valueOf',
    '',
    'MANAGER.STATUS',
  ]) {
    it(`with the command "${cmd}" is as unknown as any other`, () => {
      expect(refusalOf(JSON.stringify({ cmd })).code).to.equal('UNKNOWN_COMMAND');
    });
  }

  it('without a command is told so', () => {
    expect(refusalOf('{}')).to.deep.equal({
      code: 'INVALID_MESSAGE',
      msg: 'ManagementRequest: field cmd is missing, expected a management command',
    });
  });

  for (const [cmd, shown] of [
    [['manager.status'], 'a list'],
    [{}, 'an object'],
    [null, 'null'],
    [5, '5'],
    ['x'.repeat(65), `"${'x'.repeat(60)}"...`],
  ] as const) {
    it(`with ${shown} as its command is told what was expected`, () => {
      expect(refusalOf(JSON.stringify({ cmd }))).to.deep.equal({
        code: 'INVALID_MESSAGE',
        msg: `ManagementRequest: field cmd is ${shown}, expected a management command`,
      });
    });
  }

  it('with a command in its prototype only has none', () => {
    expect(refusalOf('{"__proto__": {"cmd": "manager.shutdown"}}').code).to.equal('INVALID_MESSAGE');
  });

  for (const frame of ['', 'manager.status', '{"cmd": "manager.status"', Buffer.of(0xff)]) {
    it(`that is no JSON (${JSON.stringify(frame)}) is told so`, () => {
      expect(refusalOf(frame)).to.deep.equal({
        code: 'NOT_JSON',
        msg: 'ManagementRequest: expected one UTF-8 JSON object',
      });
    });
  }

  it('may not be longer than 256 KiB', () => {
    const padded = '{"cmd": "manager.status"}'.padEnd(256 * 1024);
    expect(asked(padded).calls).to.deep.equal(['manager.status']);
    expect(refusalOf(`${padded} `)).to.deep.equal({
      code: 'FRAME_TOO_LARGE',
      msg: 'ManagementRequest: frame of 262145 bytes, expected at most 262144',
    });
  });

  for (const frames of [[], ['{"cmd":"manager.status"}', ''], ['', '{"cmd":"manager.status"}']]) {
    it(`of ${frames.length} frames (${JSON.stringify(frames)}) is answered with FRAME_COUNT`, () => {
      expect(refusalOf(...frames)).to.deep.equal({
        code: 'FRAME_COUNT',
        msg: `management message of ${frames.length} frames, expected 1`,
      });
    });
  }

  it('hands what it is about on to the handler, as it came', () => {
    const seen: unknown[] = [];
    const handlers = {
      x: (args: unknown) => {
        seen.push(args);
        return { success: 0 as const, msg: 'fine' };
      },
    };
    for (const args of ['{"id":"a","more":[1]}', '[1]', 'null', '"text"'])
      answerManagement([Buffer.from(`{"cmd":"x","args":${args}}`)], handlers);
    answerManagement([Buffer.from('{"cmd":"x"}')], handlers);
    expect(seen).to.deep.equal([{ id: 'a', more: [1] }, [1], null, 'text', undefined]);
  });

  it('is refused by what the handler says of its arguments', () => {
    const { reply, refusal } = answerManagement(
      [ManagementRequest.encode({ cmd: 'manager.tokens.remove', args: { id: 'x' } })],
      { 'manager.tokens.remove': (args) => ({ success: 0, msg: TokenName.parse(args).id }) },
    );
    expect(reply).to.deep.equal({
      success: -1,
      msg: 'TokenName: field id is "x", expected a token id of 16 lower-case hex characters',
      code: 'INVALID_MESSAGE',
    });
    expect(refusal).to.equal(reply);
  });

  it('has room for a question about the longest target', () => {
    const longest = { ...question, target: 'ࠀ'.repeat(65_536) };
    const frame = ManagementRequest.encode({ cmd: 'manager.policy.test', args: longest });
    const { reply } = answerManagement([frame], {
      'manager.policy.test': (args) => ({ success: 0, msg: PolicyQuestion.parse(args).name }),
    });
    expect(reply.msg).to.equal('alice');
  });

  it('passes on a bug of ours, and answers an error of ours', () => {
    const bug = new TypeError('oops');
    const ask = (error: Error) =>
      answerManagement([ManagementRequest.encode({ cmd: 'x' })], {
        x: () => {
          throw error;
        },
      });
    expect(() => ask(bug)).to.throw(bug);
    expect(ask(new ServiceManagerError('SHUTTING_DOWN', 'stopping')).reply).to.deep.equal({
      success: -1,
      msg: 'stopping',
      code: 'SHUTTING_DOWN',
    });
  });
});

describe('a management reply', () => {
  it('may be that of 2014', () => {
    const reply = {
      success: 0,
      msg: 'Service Manager Status',
      result: { status: 'running', uname: ['Linux'] },
    };
    expect(ManagementReply.decode(Buffer.from(JSON.stringify(reply)))).to.deep.equal(reply);
    expect(ManagementReply.parse({ success: 0, msg: 'bye' })).to.deep.equal({ success: 0, msg: 'bye' });
  });

  for (const value of [{ success: 1, msg: 'x' }, { success: 0 }, { success: 0, msg: 'x', result: [] }]) {
    it(`is not ${JSON.stringify(value)}`, () => {
      expect(() => ManagementReply.parse(value)).to.throw('ManagementReply: field ');
    });
  }
});
