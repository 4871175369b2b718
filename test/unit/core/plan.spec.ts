import { createHash } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import { planDifference, planToken } from '../../../src/core/plan.ts';
import { node } from './target-fleet.ts';

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function token(action: string, service: string, ...nodes: string[]): string {
  return planToken(action, service, nodes, sha256);
}

describe('the token of a plan', () => {
  it('is 16 hex characters, the same everywhere', () => {
    expect(token('restart', 'nginx', 'web1', 'web2')).to.equal('b36ac24a15b3c754');
  });

  it('does not depend on the order of the nodes, nor on how often one is named', () => {
    const nodes = fc.array(fc.stringMatching(/^[a-z0-9]{1,4}$/), { maxLength: 8 });
    fc.assert(
      fc.property(nodes, (names) => {
        const others = [...names, ...names].reverse();
        expect(token('stop', 'nginx', ...others)).to.equal(token('stop', 'nginx', ...names));
      }),
    );
  });

  const plan = ['restart', 'nginx', 'web1', 'web2'] as const;
  const others: ReadonlyArray<[what: string, plan: readonly [string, string, ...string[]]]> = [
    ['the action', ['stop', 'nginx', 'web1', 'web2']],
    ['the service', ['restart', 'ngin', 'web1', 'web2']],
    ['one node more', ['restart', 'nginx', 'web1', 'web2', 'web3']],
    ['one node less', ['restart', 'nginx', 'web1']],
    ['another node', ['restart', 'nginx', 'web1', 'web3']],
    ['the place where a word ends', ['restart', 'nginx', 'web1,web2']],
    ['what is a service and what a node', ['restart', 'nginx,web1', 'web2']],
    ['quotes in a name', ['restart', 'nginx', 'web1","web2']],
  ];
  for (const [what, other] of others) {
    it(`tells ${what}`, () => expect(token(...other)).to.not.equal(token(...plan)));
  }
});

describe('the difference between a plan and now', () => {
  function difference(planned: readonly string[], now: readonly string[]) {
    return planDifference(planned.map(node), now.map(node));
  }

  it('names in natural order who came and who went', () => {
    const planned = ['web8', 'web7', 'web1', 'db1'];
    expect(difference(planned, ['web10', 'web9', 'web1', 'db1'])).to.deep.equal({
      added: ['web9', 'web10'],
      removed: ['web7', 'web8'],
      text: '+web[9-10] -web[7-8]',
    });
  });

  for (const [planned, now, text] of [
    [['web1'], ['web1', 'web4', 'db1'], '+db1,web4'],
    [['web1', 'web2'], ['web1'], '-web2'],
    [['web1', 'web2'], ['web2', 'web1', 'web1'], ''],
    [[], [], ''],
  ] as const) {
    it(`is "${text}" from "${planned}" to "${now}"`, () => {
      expect(difference(planned, now).text).to.equal(text);
    });
  }
});
