import { expect } from 'chai';
import { formatVerdict, formatVerdictJson } from '../../../../src/cli/formats/verdict.ts';
import { hostileText, terminalControls } from '../../../fakes/answers.ts';

describe('what a policy says', () => {
  it('stands behind the folded names, with their number where they are several', () => {
    const groups = [
      { nodes: ['web2', 'web1'], isAllowed: true, explanation: 'allowed by line 1: allow * *' },
      { nodes: ['db1'], isAllowed: false, explanation: 'refused: no rule allows it' },
    ];
    expect(formatVerdict({ groups })).to.equal(
      'web[1-2] (2): allowed by line 1: allow * *\ndb1: refused: no rule allows it\n',
    );
  });

  it('is nothing about nobody', () => {
    expect([formatVerdict({ groups: [] }), formatVerdictJson({ groups: [] })]).to.deep.equal(['', '[]\n']);
  });

  it('lets no control through to the terminal', () => {
    const groups = [
      { nodes: [hostileText], isAllowed: false, explanation: `${hostileText}\n${hostileText}` },
    ];
    for (const text of [formatVerdict({ groups }), formatVerdictJson({ groups })])
      expect(text).not.to.match(terminalControls);
  });
});
