import { expect } from 'chai';
import fc from 'fast-check';
import { matchesGlob } from '../../../src/core/glob.ts';

describe('a glob', () => {
  const examples: ReadonlyArray<[pattern: string, matches: readonly string[], others: readonly string[]]> = [
    ['web*', ['web', 'web1', 'web10.example.org'], ['we', 'aweb1']],
    ['*.org', ['a.org', '.org', 'a.org.org'], ['a.organ', 'org']],
    ['w*b*1', ['web1', 'wb1', 'wxbxb11'], ['web', 'w1b']],
    ['web?', ['web1'], ['web', 'web10']],
    ['?*?', ['ab', 'abc'], ['a', '']],
    ['*', ['', 'a'], []],
    ['', [''], ['a']],
    ['a.c', ['a.c'], ['abc']],
    ['*ab', ['aab', 'abab'], ['aba']],
    ['Web1', ['Web1'], ['web1']],
  ];
  for (const [pattern, matches, others] of examples) {
    it(`matches whole names only: ${pattern}`, () => {
      for (const name of matches) expect(matchesGlob(pattern, name), name).to.equal(true);
      for (const name of others) expect(matchesGlob(pattern, name), name).to.equal(false);
    });
  }

  it('means what the same pattern means as a regular expression', () => {
    const text = (form: RegExp) => fc.stringMatching(form);
    fc.assert(
      fc.property(text(/^[ab*?]{0,8}$/), text(/^[ab]{0,8}$/), (pattern, name) => {
        const same = new RegExp(`^${pattern.replaceAll('?', '.').replaceAll('*', '.*')}$`);
        expect(matchesGlob(pattern, name)).to.equal(same.test(name));
      }),
      { numRuns: 5_000 },
    );
  });

  it('does not try all ways in which its stars could share a name', () => {
    expect(matchesGlob('*a'.repeat(127), `${'a'.repeat(254)}b`)).to.equal(false);
  });
});
