import { expect } from 'chai';
import { readPolicyFile } from '../../../src/config/policy-file.ts';
import { decide } from '../../../src/security/policy.ts';
import { MemoryKeyFiles } from '../../fakes/memory-key-files.ts';
import { refusalOf } from '../security/refusal.ts';

const fileName = '/etc/service-mgr/service-mgrd.policy';

function fileWith(text: string, facts = {}): MemoryKeyFiles {
  const files = new MemoryKeyFiles();
  files.put(fileName, text, { mode: 0o644, ...facts });
  return files;
}

describe('a policy file', () => {
  it('is read as the rules that stand in it', () => {
    const policy = readPolicyFile(
      fileWith('# ours\ndeny stop sshd at role:web and not web[1-3]\n'),
      fileName,
    );
    expect(policy.rules.map(({ text, line }) => [text, line])).to.deep.equal([
      ['deny stop sshd at role:web and not web[1-3]', 2],
    ]);
  });

  it('that is not there takes nothing away', () => {
    const policy = readPolicyFile(new MemoryKeyFiles(), fileName);
    expect(policy).to.deep.equal({ rules: [] });
    const asked = { action: 'stop', service: 'sshd', isAt: () => false };
    const isAllowed = (role: 'operator' | 'monitor') =>
      decide(policy, { ...asked, asker: { role, name: 'x' } }).isAllowed;
    expect([isAllowed('operator'), isAllowed('monitor')]).to.deep.equal([true, false]);
  });

  it('is refused with all that is wrong in it, the targets too', () => {
    const { code, message } = refusalOf(() =>
      readPolicyFile(fileWith('deny stop sshd at web1 and\nperhaps stop nginx\n'), fileName),
    );
    expect(code).to.equal('BAD_CONFIG');
    expect(message).to.include(`${fileName}:1:`).and.to.include(`${fileName}:2:`);
    expect(message).to.include('the target is wrong');
  });

  it('is refused when others could change it, and never taken for one that is not there', () => {
    for (const facts of [{ mode: 0o666 }, { uid: 4_711 }, { isSymlink: true, isFile: false }])
      expect(refusalOf(() => readPolicyFile(fileWith('', facts), fileName)).code).to.equal('BAD_CONFIG');
  });

  it('may name any action, unless it is known which ones there are', () => {
    const files = fileWith('deny purge-cache nginx\n');
    expect(readPolicyFile(files, fileName).rules).to.have.length(1);
    expect(readPolicyFile(files, fileName, ['purge-cache']).rules).to.have.length(1);
    expect(refusalOf(() => readPolicyFile(files, fileName, [])).message).to.include(
      '"purge-cache" is unknown',
    );
  });
});
