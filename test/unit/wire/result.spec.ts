import { expect } from 'chai';
import { isServiceManagerError, ServiceManagerError } from '../../../src/wire/errors.ts';
import { Answer, isServiceAnswer, maxResultBytes, withTextOutput } from '../../../src/wire/result.ts';

const uuid = '0123456789abcdef0123456789abcdef';
const result = {
  node: 'web1',
  returncode: 0,
  service: 'sshd',
  stdout: 'running\n',
  stderr: '',
  system: 'Linux',
  version: '#1 SMP',
};
const good = { msg: 'Executed service status request', result, uuid };
const trouble = { success: -1, msg: 'no such program', node: 'web1', uuid };

function withResult(changes: Readonly<Record<string, unknown>>) {
  return { ...good, result: { ...result, ...changes } };
}

function refusal(value: unknown): string {
  try {
    Answer.parse(value);
  } catch (error) {
    if (!isServiceManagerError(error)) throw error;
    expect(error.code).to.equal('INVALID_MESSAGE');
    return error.message;
  }
  throw new Error('it was not refused');
}

describe('the answer of a node', () => {
  it('is that of 2014: a text, the result in seven fields, and the id', () => {
    const frame =
      '{"msg": "Executed service status request", "result": {"node": "web1", "returncode": 0, "service": "sshd", ' +
      `"stdout": "running\\n", "stderr": "", "system": "Linux", "version": "#1 SMP"}, "uuid": "${uuid}"}`;
    const answer = Answer.decode(Buffer.from(frame));
    expect(answer).to.deep.equal(good);
    expect(isServiceAnswer(answer)).to.equal(true);
    expect(Answer.encode(answer).toString()).to.equal(JSON.stringify(JSON.parse(frame)));
  });

  it('may be trouble of the agent itself, with or without its name and a code', () => {
    const { node: _, ...nameless } = trouble;
    for (const value of [
      trouble,
      nameless,
      { ...trouble, code: 'TOO_BUSY' },
      { ...trouble, code: 'LATER' },
    ]) {
      const answer = Answer.decode(Buffer.from(JSON.stringify(value)));
      expect(answer).to.deep.equal(value);
      expect(isServiceAnswer(answer)).to.equal(false);
    }
  });

  it('may say more than 2014', () => {
    const more = {
      state: 'stopped',
      provider: 'service(8)',
      durationMs: 12.5,
      timedOut: true,
      stdoutCutBytes: 0,
      stderrCutBytes: 9,
      later: [1],
    };
    expect(Answer.parse(withResult(more))).to.deep.equal(withResult(more));
  });

  it('may have any exit code, also that of a signal', () => {
    for (const returncode of [-15, 0, 255, 65_535]) {
      expect(Answer.parse(withResult({ returncode }))).to.have.nested.property(
        'result.returncode',
        returncode,
      );
    }
  });

  for (const [field, value, reason] of [
    ['node', undefined, 'is missing, expected a node name of 1 to 255 characters'],
    ['node', '', 'is "", expected a node name of 1 to 255 characters'],
    ['node', 'x'.repeat(256), `is "${'x'.repeat(60)}"..., expected a node name of 1 to 255 characters`],
    ['node', 7, 'is 7, expected a node name of 1 to 255 characters'],
    ['returncode', '0', 'is "0", expected an exit code'],
    ['returncode', 1.5, 'is 1.5, expected an exit code'],
    ['returncode', null, 'is null, expected an exit code'],
    ['service', undefined, 'is missing, expected a service name'],
    ['stdout', 5, 'is 5, expected a text or a list of lines'],
    ['stdout', ['a', 5], 'is a list, expected a text or a list of lines'],
    ['stderr', null, 'is null, expected a text or a list of lines'],
    ['system', [], 'is a list, expected a system name'],
    ['version', {}, 'is an object, expected a system version'],
    ['state', 'banana', 'is "banana", expected one of running, stopped, failed, not-found, unknown'],
    [
      'state',
      'constructor',
      'is "constructor", expected one of running, stopped, failed, not-found, unknown',
    ],
    ['provider', 8, 'is 8, expected a text'],
    ['durationMs', -1, 'is -1, expected milliseconds'],
    ['timedOut', 'yes', 'is "yes", expected true or false'],
    ['stdoutCutBytes', -1, 'is -1, expected bytes that were cut'],
    ['stderrCutBytes', 0.5, 'is 0.5, expected bytes that were cut'],
  ] as const) {
    it(`has no ${field} of ${JSON.stringify(value)?.slice(0, 30) ?? 'nothing'}`, () => {
      expect(refusal(withResult({ [field]: value }))).to.equal(`Answer: field result.${field} ${reason}`);
    });
  }

  for (const [what, value, reason] of [
    ['nothing', {}, 'field msg is missing, expected a text'],
    ['a list', [], 'the message is a list, expected object'],
    ['a text', 'no', 'the message is "no", expected object'],
    [
      'a result without an id',
      { msg: 'x', result },
      'field uuid is missing, expected 32 lower-case hex characters',
    ],
    ['an id and a text alone', { msg: 'x', uuid }, 'field result is missing, expected required property'],
    [
      'an empty result',
      { ...good, result: {} },
      'field result.node is missing, expected a node name of 1 to 255 characters',
    ],
    ['another number as success', { ...trouble, success: 0 }, 'field success is 0, expected the number -1'],
    [
      'a number as node',
      { ...trouble, node: 5 },
      'field node is 5, expected a node name of 1 to 255 characters',
    ],
    ['a number as code', { ...trouble, code: 5 }, 'field code is 5, expected one of the error codes'],
  ] as const) {
    it(`is not ${what}`, () => expect(refusal(value)).to.equal(`Answer: ${reason}`));
  }

  for (const odd of [null, 5, 'ok', [], {}]) {
    it(`is not trouble with ${JSON.stringify(odd)} as its result`, () => {
      expect(refusal({ ...trouble, result: odd })).to.match(/^Answer: field result/);
    });
  }

  it('with success -1 and a good result is the result', () => {
    const both = Answer.parse({ ...trouble, ...good });
    expect(isServiceAnswer(both)).to.equal(true);
  });

  it('may be 4 MiB long and no longer', () => {
    const padded = Buffer.from(JSON.stringify(good).padEnd(maxResultBytes));
    expect(Answer.decode(padded)).to.deep.equal(good);
    expect(() => Answer.decode(Buffer.concat([padded, Buffer.from(' ')])))
      .to.throw(ServiceManagerError, 'Answer: frame of 4194305 bytes, expected at most 4194304')
      .with.property('code', 'FRAME_TOO_LARGE');
  });
});

describe('the output of an answer', () => {
  function textOf(stdout: string | string[], stderr: string | string[] = '') {
    const answer = Answer.parse(withResult({ stdout, stderr }));
    if (!isServiceAnswer(answer)) throw new Error('it is trouble');
    return withTextOutput(answer).result;
  }

  it('that is a text stays as it is', () => {
    expect(textOf('a\nb', 'c\n')).to.include({ stdout: 'a\nb', stderr: 'c\n' });
  });

  for (const [what, lines, text] of [
    ['no lines', [], ''],
    ['one line without its end', ['a'], 'a'],
    ['lines without their ends', ['a', 'b'], 'a\nb'],
    ['lines with their ends', ['a\n', 'b\n'], 'a\nb\n'],
    ['lines of which the last has no end', ['a\n', 'b'], 'a\nb'],
    ['empty lines', ['', '', 'a'], '\n\na'],
  ] as const) {
    it(`is one text when the agent sent ${what}`, () => {
      expect(textOf([...lines], [...lines])).to.include({ stdout: text, stderr: text });
    });
  }

  it('is all that changes', () => {
    const { stdout: _, ...others } = textOf(['a']);
    const { stdout: __, ...same } = { ...result };
    expect(others).to.deep.equal(same);
  });

  it('is changed in a copy only', () => {
    const answer = Answer.parse(withResult({ stdout: ['a'] }));
    if (isServiceAnswer(answer)) withTextOutput(answer);
    expect(answer).to.have.deep.nested.property('result.stdout', ['a']);
  });
});
