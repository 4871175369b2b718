import { expect } from 'chai';
import { agentKeys } from '../../../src/config/agent.ts';
import { bundleKeys } from '../../../src/config/bundles.ts';
import { clientKeys } from '../../../src/config/client.ts';
import { optionalKey, requiredKey } from '../../../src/config/key.ts';
import { managerKeys } from '../../../src/config/manager.ts';
import { wholeNumber } from '../../../src/config/values.ts';

describe('config keys', () => {
  it('have no fallback where they are required', () => {
    expect(requiredKey('count', wholeNumber(1, 9), 'How many.')).to.include({
      section: 'Default',
      key: 'count',
      isRequired: true,
      fallback: undefined,
      expected: 'a whole number from 1 to 9',
      summary: 'How many.',
    });
  });

  it('may stand in a section of their own', () => {
    expect(optionalKey('count', wholeNumber(1, 9), '3', 'How many.', 'numbers')).to.include({
      section: 'numbers',
      isRequired: false,
      fallback: '3',
    });
  });

  for (const key of [managerKeys, agentKeys, bundleKeys, clientKeys].flatMap((table) =>
    Object.values(table),
  )) {
    it(`${key.key}: the summary is one sentence, the fallback is a good value`, () => {
      expect(key.summary).to.match(/^[A-Z][^.]*(?:\.[^. ][^.]*)*\.$/);
      if (key.fallback !== undefined) expect(key.parse(key.fallback)).to.not.equal(undefined);
    });
  }
});
