import { expect } from 'chai';
import { countsOf, exitCodeOfSummary, isAimless, silentNodes } from '../../../src/cli/report.ts';
import { statusAnswer, troubleAnswer } from '../../fakes/answers.ts';
import { reportOf } from '../../fakes/reports.ts';

describe('a report', () => {
  it('knows who did not answer, by name', () => {
    const report = reportOf({
      answers: [statusAnswer('web1')],
      silent: [
        ['web10', 'no-answer'],
        ['web9', 'ok'],
      ],
    });
    expect(silentNodes(report)).to.deep.equal([
      { node: 'web9', outcome: 'ok' },
      { node: 'web10', outcome: 'no-answer' },
    ]);
  });

  it('takes no agent that does not name itself for silent', () => {
    const busy = troubleAnswer(undefined, 'TOO_BUSY', '');
    expect(silentNodes(reportOf({ answers: [busy, busy] }))).to.deep.equal([]);
  });

  it('counts v1 agents without a name among the outcomes', () => {
    const { summary } = reportOf({
      answers: [statusAnswer('web1'), statusAnswer('web2')],
      silent: [['web3', 'no-answer']],
      summary: { unnamed: 2, withheld: 3 },
    });
    expect(Object.fromEntries(countsOf(summary))).to.deep.equal({ ok: 2, 'no-answer': 3, refused: 3 });
  });

  for (const [meaning, summary, code] of [
    ['nobody at all was meant', {}, 68],
    ['nobody answered a v1 manager', { isAimKnown: false, unnamed: 1 }, 4],
    ['a v1 agent did not answer', { unnamed: 1 }, 4],
    ['a v1 agent was not asked', { withheld: 1 }, 2],
    ['both', { unnamed: 1, withheld: 1 }, 6],
  ] as const) {
    it(`ends with ${code} when ${meaning}`, () => {
      const report = reportOf({ summary });
      expect(exitCodeOfSummary(report.summary)).to.equal(code);
      expect(isAimless(report.summary)).to.equal(code === 68);
    });
  }

  it('ends with what the outcomes of all nodes say, also of those that did not answer', () => {
    const answers = [statusAnswer('web1')];
    const codeOf = (report: ReturnType<typeof reportOf>) => exitCodeOfSummary(report.summary);
    expect(codeOf(reportOf({ answers }))).to.equal(0);
    expect(codeOf(reportOf({ answers, silent: [['web2', 'unreachable']] }))).to.equal(4);
    expect(codeOf(reportOf({ answers, silent: [['web2', 'refused']] }))).to.equal(2);
    expect(
      codeOf(
        reportOf({
          answers,
          silent: [
            ['web2', 'unreachable'],
            ['web3', 'expired'],
          ],
        }),
      ),
    ).to.equal(6);
  });
});
