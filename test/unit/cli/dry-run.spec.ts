import { expect } from 'chai';
import { runClient } from '../../fakes/client-program.ts';
import { planToken, type Script } from '../../fakes/scripted-manager.ts';

const order = ['-T', 'role:web', '-c', 'restart', '-s', 'nginx', '--dry-run'];
const plan = {
  plan: planToken,
  nodes: ['web2', 'web1', 'db1'],
  absent: [{ node: 'web3', lastSeenAgoMs: 185_000 }],
  ...{ unnamed: 2, withheld: 1 },
  batches: [1, 5, 5, 5, 5, 5, 2, 2],
};
const nobody = { plan: planToken, nodes: [], absent: [], unnamed: 0, withheld: 0 };
const dryRun = (script: Script, ...more: string[]) => runClient([...order, ...more], script);

describe('a dry run', () => {
  it('prints whom the request would reach, and the token of that plan', async () => {
    const run = await dryRun({ queries: { plan } });
    expect(run).to.include({ code: 0, error: '' });
    expect(run.out).to.equal(
      [
        'alive (3): db1,web[1-2]',
        'lost (1): web3 (last seen 3 min ago)',
        'v1 agents, which have no names: 2',
        'v1 agents, not asked: 1',
        'batches: 1, 5 x 5, 2, 2',
        `plan: ${planToken}`,
        '',
      ].join('\n'),
    );
  });

  it('names those for which the policy refuses it, by the rule that does', async () => {
    const denied = [
      { node: 'web2', reason: 'refused by line 3: deny stop sshd' },
      { node: 'db1', reason: 'refused: no rule allows it' },
      { node: 'web1', reason: 'refused by line 3: deny stop sshd' },
    ];
    const run = await dryRun({ queries: { plan: { ...plan, denied } } });
    expect(run.out.split('\n').slice(2, 4)).to.deep.equal([
      'denied (2): web[1-2] (refused by line 3: deny stop sshd)',
      'denied (1): db1 (refused: no rule allows it)',
    ]);
    const json = await dryRun({ queries: { plan: { ...plan, denied } } }, '--format', 'json');
    expect(JSON.parse(json.out)).to.deep.include({ denied });
  });

  it('sends nothing, and asks for no confirmation', async () => {
    const run = await runClient(['-T', 'any', ...order.slice(2)], { queries: { plan } });
    expect([run.code, run.manager.requests]).to.deep.equal([0, []]);
    expect(run.manager.queries).to.have.lengthOf(1);
  });

  it('plans what would be sent', async () => {
    const { manager } = await dryRun({ queries: { plan } }, '-x', 'web9', '--batch', '1', '--expect', '3');
    expect(JSON.parse(manager.queries[0]?.body ?? '')).to.deep.include({
      ...{ topic: 'role:web', exclude: 'web9', rollout: { batch: '1' }, expect: 3 },
    });
  });

  it('prints JSON, in the order of the turns', async () => {
    const run = await dryRun({ queries: { plan } }, '--format', 'json');
    expect(JSON.parse(run.out)).to.deep.include(plan);
    expect(run.code).to.equal(0);
  });

  it('ends with 68 when it reaches nobody', async () => {
    const run = await dryRun({ queries: { plan: nobody } });
    expect(run).to.include({ code: 68, out: `alive (0)\nplan: ${planToken}\n` });
    expect(run.error).to.equal('service-mgr-client: no node is on topic "role:web"\n');
  });

  it('ends with 0 when it reaches only nodes that are lost', async () => {
    const run = await dryRun({ queries: { plan: { ...nobody, absent: plan.absent } } });
    expect(run).to.include({ code: 0, error: '' });
  });

  for (const [code, exitCode] of [
    ['EXPECTATION_FAILED', 65],
    ['PLAN_CHANGED', 65],
    ['BAD_TARGET', 64],
    ['NO_NODE', 68],
    ['UNKNOWN_NODE', 68],
    ['TOO_BUSY', 77],
  ] as const) {
    it(`ends with ${exitCode} when the manager says ${code}`, async () => {
      const run = await dryRun({ queries: { plan: { success: -1, msg: 'no', code } } });
      expect(run).to.include({ code: exitCode, out: '' });
      expect(run.error).to.equal(`service-mgr-client: tcp://localhost:5500 refused: no (${code})\n`);
    });
  }

  it('is not possible under a manager of 2014', async () => {
    const run = await dryRun({ reply: { uuid: 'a'.repeat(32), port: 5_750 } });
    expect(run).to.include({ code: 77, out: '' });
  });
});

describe('a planned request', () => {
  it('carries the token, and ends with 65 and what the manager says when the fleet has changed', async () => {
    const reply = {
      v: 2,
      success: -1,
      msg: 'the plan was for others: +web4 -web[7-8]',
      code: 'PLAN_CHANGED',
    };
    const argv = ['-T', 'any', '-c', 'restart', '-s', 'nginx', '--plan', planToken];
    const run = await runClient(argv, { reply });
    expect(run).to.include({ code: 65, out: '' });
    expect(run.error).to.include('+web4 -web[7-8]');
    expect(run.manager.requests[0]).to.include({ plan: planToken });
  });
});
