import { expect } from 'chai';
import { startAnswer } from '../../fakes/answers.ts';
import { type RunOptions, runClient } from '../../fakes/client-program.ts';
import { nodeInfo, type Script } from '../../fakes/scripted-manager.ts';

const script: Script = {
  accepted: { nodes: ['web1', 'web2'], expected: 2 },
  answers: [startAnswer('web1'), startAnswer('web2')],
  end: {},
};
const order = (file: string, ...more: string[]) => ['--nodes', file, '-c', 'start', '-s', 'nginx', ...more];
const run = (file: string, options: RunOptions, ...more: string[]) =>
  runClient(order(file, ...more), script, options);

describe('a list of nodes', () => {
  it('is read from a file', async () => {
    const { code, manager } = await run('list', { files: { list: 'web[1-2]\n# not web3\n' } });
    expect(code).to.equal(0);
    expect(manager.requests[0]).to.deep.include({ topic: 'any', nodes: ['web1', 'web2'] });
  });

  it('is read from standard input', async () => {
    const { code, manager } = await run('-', { terminal: { input: 'web2\nweb1\n' } });
    expect(code).to.equal(0);
    expect(manager.requests[0]).to.deep.include({ nodes: ['web1', 'web2'] });
  });

  it('may be what "nodes --format json" prints', async () => {
    const queries = { nodes: { nodes: [nodeInfo('web1'), nodeInfo('web2')], unnamed: 0 } };
    const { out } = await runClient(['nodes', '--format', 'json'], { queries });
    const { manager } = await run('-', { terminal: { input: out } });
    expect(manager.requests[0]).to.deep.include({ nodes: ['web1', 'web2'] });
  });

  it('is no reason to ask, as -T any is', async () => {
    const { code, error } = await run('-', { terminal: { input: 'web1\n' } });
    expect({ code, error }).to.deep.equal({ code: 0, error: '' });
  });

  it('may be narrowed', async () => {
    const { manager } = await run('-', { terminal: { input: 'web1\nweb2\n' } }, '-x', 'web2', '--limit', '1');
    expect(manager.requests[0]).to.include({ exclude: 'web2', limit: '1' });
  });

  for (const [what, options, complaint] of [
    ['cannot be read', {}, /--nodes list: cannot read list$/],
    ['is empty', { files: { list: '\n' } }, /--nodes list: node list: no name in it/],
    ['has a bad name', { files: { list: 'web1\nwe/b2\n' } }, /--nodes list: node list: line 2 .*"we\/b2"/],
    ['has too many names', { files: { list: 'web[1-10001]' } }, /--nodes list: 10001 names, expected 10000/],
  ] as const) {
    it(`that ${what} is wrong usage, and nothing is sent`, async () => {
      const { code, out, error, manager } = await run('list', options);
      expect({ code, out }).to.deep.equal({ code: 64, out: '' });
      expect(error.trimEnd()).to.match(complaint);
      expect(manager.requests).to.deep.equal([]);
    });
  }
});
