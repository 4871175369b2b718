import { expect } from 'chai';
import { failure } from '../../../../src/wire/reply.ts';
import { type Running, runClient } from '../../../fakes/client-program.ts';
import { nodeInfo, type Script } from '../../../fakes/scripted-manager.ts';

const known = (unnamed: number, ...names: string[]) => ({
  queries: { nodes: { nodes: names.map((name) => nodeInfo(name)), unnamed } },
});

describe('nodes', () => {
  it('prints a table', async () => {
    const run = await runClient(['nodes'], known(0, 'web2', 'web1'));
    expect(run).to.include({ code: 0, error: '' });
    expect(run.out).to.equal(
      [
        'NODE  PRESENCE  SYSTEM  OS         ROLES  AGENT  SINCE     LAST SEEN',
        'web1  alive     Linux   debian 12  web    0.1.0  24 h ago  2 s ago',
        'web2  alive     Linux   debian 12  web    0.1.0  24 h ago  2 s ago',
        '',
      ].join('\n'),
    );
  });

  it('prints JSON', async () => {
    const run = await runClient(['nodes', '--format', 'json'], known(0, 'web2', 'web1'));
    expect(JSON.parse(run.out).map(({ node }: { node: string }) => node)).to.deep.equal(['web1', 'web2']);
  });

  it('prints one JSON object a line', async () => {
    const run = await runClient(['nodes', '--format', 'ndjson'], known(0, 'web1', 'web2'));
    const lines = run.out.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line).node)).to.deep.equal(['web1', 'web2']);
  });

  it('asks for those on a topic', async () => {
    const { manager } = await runClient(['nodes', '-T', 'role:web'], known(0, 'web1'));
    expect(manager.queries).to.deep.equal([{ v: 2, query: 'nodes', topic: 'role:web' }]);
  });

  for (const format of ['table', 'json', 'ndjson']) {
    it(`says on standard error how many v1 agents there are: ${format}`, async () => {
      const run = await runClient(['nodes', '--format', format], known(2, 'web1', 'web2'));
      expect(run).to.include({ code: 0, error: 'and 2 v1 agents, which do not say who they are\n' });
      expect(run.out).to.include('web1');
    });
  }

  it('ends with 68 when no node is on the topic', async () => {
    const run = await runClient(['nodes', '-T', 'role:wbe', '--format', 'json'], known(0));
    expect(run).to.include({ code: 68, out: '[]\n' });
    expect(run.error).to.equal('service-mgr-client: no node is on topic "role:wbe"\n');
  });

  it('ends with 0 when only v1 agents are on the topic', async () => {
    const run = await runClient(['nodes', '-T', 'Linux'], known(1));
    expect(run).to.include({ code: 0, out: '', error: 'and 1 v1 agent, which do not say who they are\n' });
  });

  it('ends with 0 when no node is known at all, and says so', async () => {
    const run = await runClient(['nodes'], known(0));
    expect(run).to.include({ code: 0, out: '', error: 'service-mgr-client: no node is known\n' });
  });
});

describe('the clocks of nodes', () => {
  const withClocks = (offsets: Readonly<Record<string, number>>): Script => {
    const nodes = Object.entries(offsets).map(([node, clockOffsetMs]) => nodeInfo(node, { clockOffsetMs }));
    return { queries: { nodes: { nodes, unnamed: 0 } } };
  };

  it('are said on standard error where they are too far off', async () => {
    const run = await runClient(['nodes'], withClocks({ web1: -95_000, web2: 30_000, web3: 31_000 }));
    expect(run.code).to.equal(0);
    expect(run.error).to.equal(
      [
        'the clock of web1 is 95.0 s behind ours, and 30 s are allowed: check its time service',
        'the clock of web3 is 31.0 s ahead of ours, and 30 s are allowed: check its time service',
        '',
      ].join('\n'),
    );
    expect(run.out).not.to.include('95');
  });

  it('are said in one line where they are many', async () => {
    const many = Object.fromEntries(Array.from({ length: 21 }, (_, at) => [`web${at + 10}`, 60_000]));
    const run = await runClient(['nodes', '--format', 'ndjson'], withClocks(many));
    expect(run.error).to.equal('the clocks of web[10-30] are off by more than 30 s\n');
  });

  it('are in the JSON, as is the fingerprint', async () => {
    const fingerprint = `SHA256:${'a'.repeat(43)}`;
    const nodes = [nodeInfo('web1', { clockOffsetMs: 12, fingerprint })];
    const run = await runClient(['nodes', '--format', 'json'], { queries: { nodes: { nodes, unnamed: 0 } } });
    expect(JSON.parse(run.out)[0]).to.deep.include({ clockOffsetMs: 12, fingerprint });
  });
});

describe('nodes --watch', () => {
  const follow = async ({ manager, interrupt }: Running) => {
    await manager.clock.advanceAsync(10);
    manager.publish('nodes/', nodeInfo('web2', { presence: 'lost', lastSeenAgoMs: 16_000 }));
    manager.publish('nodes/', nodeInfo('web2', { presence: 'lost', lastSeenAgoMs: 21_000 }));
    manager.publish('nodes/', nodeInfo('web10', { topics: ['any'] }));
    await manager.clock.advanceAsync(10);
    interrupt();
  };

  it('prints the table, then a line for each change in the same columns, and ends with 0 at Ctrl-C', async () => {
    const run = await runClient(['nodes', '--watch'], known(0, 'web1', 'web2'), { meanwhile: follow });
    expect(run).to.include({ code: 0, error: '' });
    expect(run.out).to.equal(
      [
        'NODE  PRESENCE  SYSTEM  OS         ROLES  AGENT  SINCE     LAST SEEN',
        'web1  alive     Linux   debian 12  web    0.1.0  24 h ago  2 s ago',
        'web2  alive     Linux   debian 12  web    0.1.0  24 h ago  2 s ago',
        'web2  lost      Linux   debian 12  web    0.1.0  24 h ago  16 s ago',
        'web10  alive     Linux   debian 12  web    0.1.0  24 h ago  2 s ago',
        '',
      ].join('\n'),
    );
  });

  it('prints one JSON object for each node, then for each change', async () => {
    const argv = ['nodes', '--watch', '--format', 'ndjson'];
    const run = await runClient(argv, known(0, 'web1', 'web2'), { meanwhile: follow });
    const lines = run.out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ node, presence }) => `${node} ${presence}`)).to.deep.equal([
      'web1 alive',
      'web2 alive',
      'web2 lost',
      'web10 alive',
    ]);
  });

  it('follows only those on its topic', async () => {
    const run = await runClient(['nodes', '--watch', '-T', 'web2'], known(0, 'web2'), { meanwhile: follow });
    expect(run.out).to.include('web2  lost').and.to.not.include('web10');
  });

  it('has its head also when there is no node yet', async () => {
    const run = await runClient(['nodes', '--watch'], known(0), { meanwhile: follow });
    expect(run.out).to.match(/^NODE {2}PRESENCE .*\nweb2 /);
  });

  it('goes on beyond the usual window, and up to the one that is given', async () => {
    let endedAtMs = 0;
    const meanwhile = async ({ manager, interrupt }: Running) => {
      await manager.clock.advanceAsync(60_000);
      manager.publish('nodes/', nodeInfo('late'));
      await manager.clock.advanceAsync(1);
      endedAtMs = manager.clock.now();
      interrupt();
    };
    const unbounded = await runClient(['nodes', '--watch'], known(0), { meanwhile });
    expect(unbounded.out).to.include('late');
    expect(endedAtMs).to.be.above(60_000);
    const bounded = await runClient(['nodes', '--watch', '-w', '30'], known(0), { meanwhile });
    expect(bounded.code).to.equal(0);
    expect(bounded.out).not.to.include('late');
  });
});

describe('nodes forget', () => {
  it('forgets the node and says so', async () => {
    const run = await runClient(['nodes', 'forget', 'web3'], { queries: { forget: { node: 'web3' } } });
    expect(run).to.include({ code: 0, out: '', error: 'forgotten: web3\n' });
    expect(run.manager.queries).to.deep.equal([{ v: 2, query: 'forget', node: 'web3' }]);
  });

  it('ends with 68 when no node has this name', async () => {
    const refusal = failure('UNKNOWN_NODE', 'no node of the name "web3" is known');
    const run = await runClient(['nodes', 'forget', 'web3'], { queries: { forget: refusal } });
    expect(run.code).to.equal(68);
    expect(run.error).to.include('no node of the name "web3" is known (UNKNOWN_NODE)');
  });
});
