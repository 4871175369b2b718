import { expect } from 'chai';
import { type Format, formatAnswerLine, formats, printReport } from '../../../src/cli/print.ts';
import { message } from '../../../src/wire/codec.ts';
import { FullDocument } from '../../../src/wire/full.ts';
import { Answer } from '../../../src/wire/result.ts';
import {
  hostileText,
  startAnswer,
  statusAnswer,
  terminalControls,
  troubleAnswer,
} from '../../fakes/answers.ts';
import { reportOf } from '../../fakes/reports.ts';
import { requestId } from '../../fakes/scripted-manager.ts';

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

function printAnswers(
  format: Format,
  answers: readonly Answer[],
  isColor: boolean,
  columns?: number,
): string {
  return printReport(format, reportOf({ answers }), { isColor, columns });
}

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

  const nothing = { json: '[]\n', ndjson: '', table: '', groups: '' } as const;
  for (const format of ['json', 'ndjson', 'table', 'groups'] as const) {
    it(`prints ${JSON.stringify(nothing[format])} as ${format} of no answers`, () => {
      expect(printAnswers(format, [], true)).to.equal(nothing[format]);
    });
  }

  for (const format of formats) {
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

  it('does not colour what is for programs', () => {
    for (const format of ['json', 'full', 'ndjson'] as const) {
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

  describe('with nodes that did not answer', () => {
    const answers = [
      statusAnswer('web2', { returncode: 3, state: 'stopped' }),
      statusAnswer('web10'),
      troubleAnswer(undefined, 'TOO_BUSY', 'busy'),
    ];
    const report = reportOf({
      answers,
      silent: [
        ['web3', 'unreachable'],
        ['web4', 'unreachable'],
        ['web5', 'no-answer'],
        ['web6', 'ok'],
      ],
      summary: { unnamed: 2, withheld: 1 },
      absences: [
        { node: 'web3', lastSeenAgoMs: 185_000 },
        { node: 'web4', lastSeenAgoMs: 7_300_000, hasLeft: true },
        // It came back in time and did not answer.
        { node: 'web5', lastSeenAgoMs: 1_000 },
      ],
      exitCode: 6,
    });
    const print = (format: Format) => printReport(format, report, { isColor: false });
    const fullDocument = message('FullDocument', Number.POSITIVE_INFINITY, FullDocument);

    it('json holds the answers alone, in the shape of 2014', () => {
      expect(JSON.parse(print('json'))).to.deep.equal(answers);
    });

    it('ndjson holds the answers alone, one a line', () => {
      const lines = print('ndjson').trimEnd().split('\n');
      expect(lines.map((line) => JSON.parse(line))).to.deep.equal(answers);
    });

    it('full holds all of it, as its schema says', () => {
      const document = fullDocument.decode(Buffer.from(print('full')));
      expect(document).to.deep.equal({
        request: {
          ...{ id: requestId, action: 'status', topic: 'any', service: 'nginx' },
          ...{ isOver: true, isCancelled: false, isAimKnown: true },
        },
        results: answers,
        outcomes: [
          { node: 'unnamed-1', outcome: 'refused' },
          { node: 'web2', outcome: 'failed' },
          { node: 'web3', outcome: 'unreachable', lastSeenAgoMs: 185_000 },
          { node: 'web4', outcome: 'unreachable', lastSeenAgoMs: 7_300_000, hasLeft: true },
          { node: 'web5', outcome: 'no-answer' },
          { node: 'web6', outcome: 'ok' },
          { node: 'web10', outcome: 'ok' },
        ],
        ...{ unnamed: 2, withheld: 1 },
        counts: { refused: 2, failed: 1, unreachable: 2, 'no-answer': 3, ok: 2 },
        exitCode: 6,
      });
      expect(print('full')).to.match(/^\{\n {4}"request": \{/);
    });

    it('full says of an earlier request when it was, and at whom it was aimed by name', () => {
      const facts = { nodes: ['web1'], openedMs: Date.UTC(2026, 0, 1), endedMs: Date.UTC(2026, 0, 1, 1) };
      const text = printReport('full', reportOf({ facts }), { isColor: false });
      expect(fullDocument.decode(Buffer.from(text)).request).to.deep.include({
        nodes: ['web1'],
        opened: '2026-01-01T00:00:00.000Z',
        ended: '2026-01-01T01:00:00.000Z',
      });
    });

    it('table shows each node once, by name', () => {
      expect(print('table')).to.equal(
        [
          'NODE         STATE        CODE   TIME  OUTPUT',
          'web2         stopped         3  35 ms',
          'web3         unreachable     -      -  last seen 3 min ago',
          'web4         unreachable     -      -  left 2 h ago',
          'web5         no-answer       -      -',
          'web6         ok              -      -  its answer did not arrive',
          'web10        running         0  35 ms',
          '(unnamed)    refused         -      -  busy',
          '(2 unnamed)  no-answer       -      -  v1 agents',
          '(unnamed)    refused         -      -  v1 agents, not asked',
          '',
        ].join('\n'),
      );
    });

    it('groups show each node once', () => {
      expect(print('groups')).to.equal(
        [
          '(2 unnamed) no-answer (v1 agents)',
          '(1 unnamed) refused: busy',
          '(1 unnamed) refused (v1 agents, not asked)',
          'web2 stopped (3)',
          'web3 unreachable (last seen 3 min ago)',
          'web4 unreachable (left 2 h ago)',
          'web5 no-answer',
          'web6 ok (its answer did not arrive)',
          'web10 running',
          '',
        ].join('\n'),
      );
    });

    it('show who may still have its turn in a rollout that is not over', () => {
      const rollout = { batch: 1, batches: 2, started: 1 };
      const shown = (summary: object) =>
        printReport('groups', reportOf({ silent: [['web1', 'no-answer']], summary }), { isColor: false });
      expect(shown({ rollout, isOver: false })).to.equal('web1 no-answer (not yet)\n');
      expect(shown({ rollout })).to.equal('web1 no-answer\n');
      expect(shown({ isOver: false })).to.equal('web1 no-answer\n');
    });

    it('show a single v1 agent that did not answer', () => {
      const one = reportOf({ summary: { unnamed: 1 } });
      expect(printReport('groups', one, { isColor: false })).to.equal('(1 unnamed) no-answer (v1 agents)\n');
    });

    it('show no agents of a v1 manager, which does not say how many it asked', () => {
      const nobody = reportOf({ summary: { unnamed: 1, isAimKnown: false } });
      for (const format of ['table', 'groups'] as const)
        expect(printReport(format, nobody, { isColor: false })).to.equal('');
    });
  });
});

describe('full, of a rollout', () => {
  const Full = message('full', 10_000_000, FullDocument);
  const printed = (rollout: object) => {
    const text = printReport('full', reportOf({ summary: { rollout } as never }), { isColor: false });
    return Full.decode(Buffer.from(text)).request.rollout;
  };

  it('says how far it came, and why it stopped', () => {
    const far = { batch: 2, batches: 5, started: 8 };
    expect(printed({ ...far, pauseUntilMs: 5 })).to.deep.equal(far);
    expect(printed({ ...far, stopped: '3 nodes failed' })).to.deep.equal({
      ...far,
      stopped: '3 nodes failed',
    });
  });
});
