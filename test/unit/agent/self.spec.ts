import { expect } from 'chai';
import { Self } from '../../../src/agent/self.ts';
import { message } from '../../../src/wire/codec.ts';
import { NodeName, type Topic } from '../../../src/wire/fields.ts';
import { BootId, Hello } from '../../../src/wire/presence.ts';

const node = message('node', 300, NodeName).parse('web1');
const boot = message('boot', 64, BootId).parse('b'.repeat(32));
const host = {
  hostname: 'web1.example.org',
  system: 'Linux',
  release: '6.1',
  version: '#1 SMP',
  machine: 'x86_64',
  osRelease: { ID: 'debian', VERSION_ID: '12', NAME: 'Debian GNU/Linux' },
};

function selfOf(roles: readonly string[] = ['web'], topics: readonly string[] = ['rack7']): Self {
  return new Self({ node, host, boot, roles, topics: topics as Topic[], startedAtMs: 1_000 });
}

const wanted = (roles: readonly string[], topics: readonly string[]) => ({
  roles,
  topics: topics as Topic[],
});

describe('what an agent is to others', () => {
  it('is its name, its host, its roles and all topics that it answers to', () => {
    const self = selfOf();
    expect(self.node).to.equal(node);
    const hello = self.hello();
    expect(Hello.parse(hello)).to.deep.equal(hello);
    expect(hello).to.deep.include({
      ...{ node: 'web1', boot, roles: ['web'], startedAtMs: 1_000, system: 'Linux', os: 'debian' },
      topics: [...self.topics],
    });
    expect([...self.topics]).to.include.members(['any', 'web1', 'Linux', 'role:web', 'rack7']);
  });

  it('changes with its roles and topics, and that has to be told', () => {
    const self = selfOf();
    expect(self.change(wanted(['db'], ['rack8']))).to.equal(true);
    expect(self.hello()).to.deep.include({ roles: ['db'], topics: [...self.topics] });
    expect([...self.topics]).to.include.members(['any', 'role:db', 'rack8']);
    expect([...self.topics]).not.to.include.members(['role:web']);
    expect([...self.topics]).not.to.include.members(['rack7']);
  });

  it('need not be told again when it is the same in another order', () => {
    const self = selfOf(['web', 'db'], ['rack7', 'rack8']);
    const before = self.hello();
    expect(self.change(wanted(['db', 'web'], ['rack8', 'rack7']))).to.equal(false);
    expect(self.hello()).to.deep.equal(before);
  });

  it('is another one when a topic that stood for itself comes from a role now', () => {
    const self = selfOf([], ['role:web']);
    expect(self.change(wanted(['web'], []))).to.equal(true);
    expect(self.hello()).to.deep.include({ roles: ['web'] });
    expect(self.topics.has('role:web' as Topic)).to.equal(true);
  });

  it('has more or less than before when one comes or goes', () => {
    const self = selfOf();
    expect(self.change(wanted(['web'], ['rack7', 'rack8']))).to.equal(true);
    expect(self.change(wanted(['web'], ['rack7']))).to.equal(true);
    expect(self.change(wanted(['web'], ['rack9']))).to.equal(true);
    expect(self.topics.has('rack7' as Topic)).to.equal(false);
  });
});
