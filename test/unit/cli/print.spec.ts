import { expect } from 'chai';
import { type Format, formatAnswerLine, formats, printAnswers } from '../../../src/cli/print.ts';
import { Answer } from '../../../src/wire/result.ts';
import {
  hostileText,
  startAnswer,
  statusAnswer,
  terminalControls,
  troubleAnswer,
} from '../../fakes/answers.ts';

// As an agent of 2014 sends it, and as its client printed it.
const sample = {
  msg: 'Executed service status request',
  result: {
    node: 'web1',
    returncode: 0,
    service: 'sshd',
    stdout: 'sshd is running as pid 1234.\n',
    stderr: '',
    system: 'FreeBSD',
    version: 'FreeBSD 10.0-RELEASE #0',
  },
  uuid: '0123456789abcdef0123456789abcdef',
};
const samplePrinted = `[
    {
        "msg": "Executed service status request",
        "result": {
            "node": "web1",
            "returncode": 0,
            "service": "sshd",
            "stdout": "sshd is running as pid 1234.\\n",
            "stderr": "",
            "system": "FreeBSD",
            "version": "FreeBSD 10.0-RELEASE #0"
        },
        "uuid": "0123456789abcdef0123456789abcdef"
    }
]
`;

function nodesIn(format: Format, answers: Answer[]): string[] {
  const text = printAnswers(format, answers, false);
  return [...text.matchAll(/web\d+/g)].map(([name]) => name);
}

describe('printing answers', () => {
  it('prints json in the shape of 2014', () => {
    expect(printAnswers('json', [Answer.parse(sample)], false)).to.equal(samplePrinted);
  });

  it('prints json exactly as the answers came, with new fields and lists of lines', () => {
    const answers = [
      startAnswer('web1', { stdout: ['a', 'b'], state: 'unknown', timedOut: true, stdoutCutBytes: 7 }),
      troubleAnswer('web2', 'TOO_BUSY', 'too many requests are waiting'),
    ];
    expect(JSON.parse(printAnswers('json', answers, false))).to.deep.equal(answers);
  });

  const nothing: Record<Format, string> = { json: '[]\n', ndjson: '', table: '', groups: '' };
  for (const format of formats) {
    it(`prints ${JSON.stringify(nothing[format])} as ${format} of no answers`, () => {
      expect(printAnswers(format, [], true)).to.equal(nothing[format]);
    });

    it(`lets no control of a node through to the terminal as ${format}`, () => {
      const answers = [
        startAnswer(`web${hostileText}`, { stdout: hostileText }),
        troubleAnswer('n', '', hostileText),
      ];
      expect(printAnswers(format, answers, false)).not.to.match(terminalControls);
    });
  }

  it('sorts by node in natural order, and keeps the order of arrival in ndjson only', () => {
    const answers = [statusAnswer('web10'), troubleAnswer('web9', '', 'no'), statusAnswer('web1')];
    expect(nodesIn('json', answers)).to.deep.equal(['web1', 'web9', 'web10']);
    expect(nodesIn('table', answers)).to.deep.equal(['web1', 'web9', 'web10']);
    expect(nodesIn('ndjson', answers)).to.deep.equal(['web10', 'web9', 'web1']);
  });

  it('puts answers without a node last', () => {
    const answers = [troubleAnswer(undefined, '', 'no'), statusAnswer('web1')];
    expect(JSON.parse(printAnswers('json', answers, false))).to.deep.equal([answers[1], answers[0]]);
  });

  it('does not colour json and ndjson', () => {
    for (const format of ['json', 'ndjson'] as const) {
      const answers = [statusAnswer('web1')];
      expect(printAnswers(format, answers, true)).to.equal(printAnswers(format, answers, false));
    }
  });

  it('prints ndjson as one compact line for each answer', () => {
    const answers = [Answer.parse(sample), troubleAnswer('web2', 'TOO_BUSY', 'a\nb')];
    expect(printAnswers('ndjson', answers, false)).to.equal(
      `${JSON.stringify(sample)}\n{"success":-1,"msg":"a\\nb","node":"web2","uuid":"${sample.uuid}","code":"TOO_BUSY"}\n`,
    );
    expect(answers.map(formatAnswerLine).join('')).to.equal(printAnswers('ndjson', answers, false));
  });

  it('gives the table its width', () => {
    const answers = [startAnswer('web1', { stdout: 'x'.repeat(100) })];
    expect(printAnswers('table', answers, false, 60)).to.include(`${'x'.repeat(29)}...\n`);
  });
});
