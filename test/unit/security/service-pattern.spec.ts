import { expect } from 'chai';
import fc from 'fast-check';
import { matchesPattern, namesOfService } from '../../../src/security/service-pattern.ts';

describe('a pattern of services', () => {
  it('means what the same pattern means as a regular expression', () => {
    const text = (form: RegExp) => fc.stringMatching(form);
    fc.assert(
      fc.property(text(/^[ab.*]{0,8}$/), text(/^[ab.]{0,8}$/), (pattern, name) => {
        const same = new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '.*')}$`);
        expect(matchesPattern(pattern, name)).to.equal(same.test(name));
      }),
      { numRuns: 5_000 },
    );
  });

  it('matches whole names only, in the letter case as it stands', () => {
    expect(['ssh', 'sshd2', 'SSHD', 'sshd'].map((name) => matchesPattern('sshd', name))).to.deep.equal([
      false,
      false,
      false,
      true,
    ]);
  });

  it('does not match a name whose letters it would have to use twice', () => {
    expect(matchesPattern('ab*ba', 'aba')).to.equal(false);
  });

  it('does not try all ways in which its stars could share a name', () => {
    expect(matchesPattern('*a'.repeat(127), `${'a'.repeat(254)}b`)).to.equal(false);
  });
});

describe('the names of a service', () => {
  it('are all under which the host would know it', () => {
    const expected = ['sshd', 'sshd.service'];
    expect(namesOfService('sshd')).to.have.members(expected);
    expect(namesOfService('sshd.service')).to.have.members(expected);
    expect(namesOfService('sshd.sh')).to.have.members([...expected, 'sshd.sh']);
    expect(namesOfService('sshd.sh.service')).to.include.members(expected);
  });

  it('are not those of another unit', () => {
    expect(namesOfService('ssh.socket')).to.not.include('ssh');
    expect(namesOfService('.service')).to.deep.equal(['.service']);
  });
});
