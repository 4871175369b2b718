import { expect } from 'chai';
import { topicsOf } from '../../../src/agent/topics.ts';

const host = {
  hostname: 'web1.example.org',
  system: 'Linux',
  release: '6.1',
  version: '#1 SMP',
  machine: 'x86_64',
  osRelease: { NAME: 'Debian GNU/Linux', ID: 'debian', VERSION_ID: '12' },
};

function topics(changes: Partial<Parameters<typeof topicsOf>[0]> = {}): string[] {
  return [...topicsOf({ node: 'web1', host, roles: [], topics: [], ...changes })];
}

function withOsRelease(osRelease: Readonly<Record<string, string>>): string[] {
  return topics({ host: { ...host, osRelease } });
}

describe('the topics of an agent', () => {
  it('are any, system, node, distribution, architecture, roles and those of its config', () => {
    expect(topics({ roles: ['web', 'db'], topics: ['rack 7'] })).to.deep.equal([
      'any',
      'Linux',
      'web1',
      'Debian GNU/Linux',
      'os:debian',
      'os:debian-12',
      'arch:x86_64',
      'role:web',
      'role:db',
      'rack 7',
    ]);
  });

  it('hold the name of the node and not that of the host, when they differ', () => {
    expect(topics()).to.include('web1').and.not.include('web1.example.org');
  });

  it('hold each topic once', () => {
    const all = topics({ node: 'Linux', topics: ['any', 'role:web'], roles: ['web'] });
    expect(all).to.deep.equal([...new Set(all)]);
  });

  it('say nothing of a distribution that does not name itself', () => {
    expect(withOsRelease({})).to.deep.equal(['any', 'Linux', 'web1', 'arch:x86_64']);
    expect(withOsRelease({ NAME: '', ID: '', VERSION_ID: '12' })).to.deep.equal([
      'any',
      'Linux',
      'web1',
      'arch:x86_64',
    ]);
  });

  it('hold no version for a distribution without one', () => {
    expect(withOsRelease({ ID: 'arch' })).to.include('os:arch');
    expect(
      withOsRelease({ ID: 'arch', VERSION_ID: '' }).filter((topic) => topic.startsWith('os:')),
    ).to.deep.equal(['os:arch']);
  });

  it('never hold the empty topic, which every request would match', () => {
    expect(topics({ node: '', topics: [''], host: { ...host, system: '' } })).to.not.include('');
  });
});
