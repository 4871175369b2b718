import { expect } from 'chai';
import type { NodeName } from '../../../src/wire/fields.ts';
import { startAnswer } from '../../fakes/answers.ts';
import { type RunOptions, runClient } from '../../fakes/client-program.ts';
import { nodeInfo, planToken, type Script } from '../../fakes/scripted-manager.ts';

const webs = (count: number) => Array.from({ length: count }, (_, at) => `web${at + 1}`);

/** A fleet in which all goes well. */
function fleet(nodes: readonly string[], accepted: Script['accepted'] = {}): Script {
  return {
    accepted: { nodes: [...nodes], expected: nodes.length, unreachable: [], ...accepted },
    answers: nodes.map((node) => startAnswer(node)),
    end: { outcomes: nodes.map((node) => ({ node: node as NodeName, outcome: 'ok' as const })) },
  };
}

const order = (target: string, action = 'restart', ...more: string[]) => [
  ...['-T', target, '-c', action, '-s', 'sshd', '--format', 'groups'],
  ...more,
];
const typing = (typed: string): RunOptions => ({ terminal: { typed, isErrorTerminal: true } });
const v1: Script = { reply: { uuid: 'a'.repeat(32), port: 5_750 } };

describe('what changes a service on many nodes', () => {
  it('is shown and asked about, and runs when confirmed, exactly as it was shown', async () => {
    const run = await runClient(order('role:web'), fleet(webs(21)), typing('yes\n'));
    expect(run.code).to.equal(0);
    expect(run.error).to.include('alive (21): web[1-21]\nrestart sshd on 21 nodes? Type yes to go on: ');
    expect(run.manager.requests).to.have.lengthOf(1);
    expect(run.manager.requests[0]).to.include({ plan: planToken });
  });

  for (const [what, typed] of [
    ['is declined', 'no\n'],
    ['is answered by nothing', '\n'],
    ['is answered by half a word', 'y\n'],
    ['is not answered', ''],
  ] as const) {
    it(`is not sent when the question ${what}`, async () => {
      const run = await runClient(order('role:web'), fleet(webs(21)), typing(typed));
      expect(run).to.include({ code: 130, out: '' });
      expect(run.error.endsWith('not confirmed, nothing was sent\n'), run.error).to.equal(true);
      expect(run.manager.requests).to.deep.equal([]);
    });
  }

  it('is refused where nobody can be asked', async () => {
    const run = await runClient(order('role:web'), fleet(webs(21)));
    expect(run).to.include({ code: 64, out: '' });
    expect(run.error).to.match(/^service-mgr-client: restart sshd on 21 nodes is not confirmed.* --yes/);
    expect(run.manager.requests).to.deep.equal([]);
  });

  it('shows who is lost and in which batches it runs', async () => {
    const unreachable = [
      { node: 'web3', lastSeenAgoMs: 185_000 },
      { node: 'web4', lastSeenAgoMs: 7_300_000, hasLeft: true },
    ];
    const plan = {
      plan: planToken,
      nodes: webs(2),
      absent: unreachable,
      unnamed: 1,
      withheld: 0,
      batches: [1, 1],
    };
    const run = await runClient(
      order('any', 'restart', '--batch', '1'),
      { ...fleet(webs(2), { unreachable }), queries: { plan } },
      typing('no'),
    );
    expect(run.error).to.equal(
      [
        'alive (2): web[1-2]',
        'lost (1): web3 (last seen 3 min ago)',
        'left (1): web4 (left 2 h ago)',
        'v1 agents, which have no names: 1',
        'batches: 1, 1',
        'restart sshd on 5 nodes? Type yes to go on: not confirmed, nothing was sent',
        '',
      ].join('\n'),
    );
  });

  it('cuts very long lists of names', async () => {
    const names = Array.from(
      { length: 300 },
      (_, at) => `${String.fromCharCode(97 + (at % 26))}x${at}y${at}`,
    );
    const run = await runClient(order('role:web'), fleet(names), typing('no\n'));
    for (const line of run.error.split('\n')) expect(line.length).to.be.below(500);
  });

  for (const count of [20, 1]) {
    it(`needs no word for ${count} nodes`, async () => {
      const run = await runClient(order('role:web'), fleet(webs(count)));
      expect(run).to.include({ code: 0, error: '' });
      expect(run.manager.requests[0]).not.to.have.property('plan');
    });
  }

  it('counts nodes that are lost and v1 agents too', async () => {
    const unreachable = [{ node: 'web99', lastSeenAgoMs: 60_000 }];
    const lost = await runClient(order('role:web'), fleet(webs(20), { unreachable }));
    const unnamed = await runClient(order('role:web'), fleet(webs(20), { expected: 21 }));
    expect([lost.code, unnamed.code]).to.deep.equal([64, 64]);
  });

  it('is a matter of the configuration', async () => {
    const config = (text: string): RunOptions => ({ files: { 'c.conf': `[Default]\n${text}\n` } });
    const run = (text: string) =>
      runClient(order('role:web', 'restart', '-f', 'c.conf'), fleet(webs(3)), config(text));
    expect((await run('confirm_above = 2')).code).to.equal(64);
    expect((await run('confirm_above = 3')).code).to.equal(0);
  });

  it('is not asked about with --yes, or with a plan, nor planned again', async () => {
    const yes = await runClient(order('any', 'restart', '-y'), fleet(webs(21)));
    expect(yes).to.include({ code: 0, error: '' });
    expect(yes.manager.queries).to.deep.equal([]);
    const planned = await runClient(order('any', 'restart', '--plan', planToken), fleet(webs(21)));
    expect(planned).to.include({ code: 0, error: '' });
  });

  it('is asked about when it is a retry, too', async () => {
    const request = {
      request: {
        ...{ id: 'f'.repeat(32), action: 'restart', topic: 'any', service: 'sshd', openedMs: 1, endedMs: 2 },
        ...{ endsMs: 2, isCancelled: false, withheld: 0, counts: {} },
      },
      progress: webs(21).map((node) => ({ node, phase: 'done', outcome: 'failed' })),
      ...{ unreachable: [], unnamed: 0 },
    };
    const nodes = { nodes: webs(21).map((node) => nodeInfo(node)), unnamed: 0 };
    const script = { ...fleet(webs(21)), queries: { request, nodes } };
    const run = await runClient(['requests', 'retry', 'f'.repeat(32), '--failed'], script);
    expect([run.code, run.manager.requests.length]).to.deep.equal([64, 0]);
  });

  it('may take a person its time: the whole window is left then', async () => {
    let answer = (): void => {};
    const running = runClient(order('any', 'restart', '-w', '5'), fleet(webs(2)), {
      terminal: { isErrorTerminal: true, typed: 'yes', typing: new Promise<void>((go) => (answer = go)) },
      meanwhile: async ({ manager }) => {
        await manager.clock.advanceAsync(3_600_000);
        answer();
      },
    });
    const run = await running;
    expect(run.code, run.error).to.equal(0);
    expect(run.manager.requests[0]).to.include({ windowMs: 5_000 });
  });
});

describe('what changes a service everywhere', () => {
  for (const target of ['any', ' any ', '(any)', '"any"', '*']) {
    it(`is asked about when it is aimed at ${target}, however few they are`, async () => {
      const run = await runClient(order(target), fleet(webs(1)));
      expect([run.code, run.manager.requests.length]).to.deep.equal([64, 0]);
      expect(run.error).to.include('restart sshd on 1 node is not confirmed');
    });
  }

  for (const target of ['any and not web9', 'anywhere', 'web*', 'Debian GNU/Linux']) {
    it(`is not what ${target} means`, async () => {
      expect((await runClient(order(target), fleet(webs(1)))).code).to.equal(0);
    });
  }

  it('needs no word when it only looks', async () => {
    for (const action of ['status', 'list']) {
      const run = await runClient(order('any', action), fleet(webs(30)));
      expect(run).to.include({ code: 0, error: '' });
      expect(run.manager.queries).to.deep.equal([]);
    }
  });

  it('is sent when nobody is there, and says that', async () => {
    const run = await runClient(order('any'), fleet([]));
    expect(run).to.include({ code: 68 });
    expect(run.manager.requests[0]).to.include({ plan: planToken });
  });

  it('is confirmed without a number under a manager of 2014', async () => {
    const late: RunOptions = {
      ...typing('yes\n'),
      meanwhile: ({ manager }) => manager.clock.advanceAsync(6_000),
    };
    const run = await runClient(order('any'), v1, late);
    expect(run.error).to.include('restart sshd on "any"? Type yes to go on: ');
    expect([run.code, run.manager.requests.length]).to.deep.equal([4, 1]);
    expect(run.manager.requests[0]).not.to.have.property('plan');
    expect((await runClient(order('any'), v1)).code).to.equal(64);
  });

  it('but not another target, under a manager of 2014', async () => {
    const run = await runClient(order('role:web'), v1, {
      meanwhile: ({ manager }) => manager.clock.advanceAsync(6_000),
    });
    expect([run.code, run.manager.requests.length]).to.deep.equal([4, 1]);
  });

  it('is given up when the manager refuses the plan', async () => {
    const plan = { success: -1, msg: 'target: unknown name\nweb99\n^', code: 'UNKNOWN_NODE' };
    const run = await runClient(order('role:web'), { queries: { plan } });
    expect(run).to.include({ code: 68, out: '' });
    expect(run.error).to.equal(
      'service-mgr-client: tcp://localhost:5500 refused (UNKNOWN_NODE):\ntarget: unknown name\nweb99\n^\n',
    );
  });
});
