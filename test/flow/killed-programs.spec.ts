import { expect } from 'chai';
import type { Run } from '../fakes/client-run.ts';
import { Fleet } from './fleet.ts';
import type { Node } from './node.ts';

const minuteMs = 60_000;

/** Once at this node `ok`, everywhere else too, each answer once, all stored. */
async function expectAllOk(fleet: Fleet, run: Run): Promise<void> {
  await fleet.until(() => run.isOver, 'the request is over');
  const names = fleet.nodes.map(({ name }) => name);
  expect(run.outcomes).to.deep.equal(Object.fromEntries(names.map((name) => [name, 'ok'])));
  expect(run.answeredBy).to.have.members(names);
  expect(fleet.nodes.map((node) => node.runs('nginx restart'))).to.deep.equal(names.map(() => 1));
  await fleet.pass(minuteMs);
  await expectStored(fleet, run, names);
  expect(fleet.nodes.map((node) => node.runs('nginx restart'))).to.deep.equal(names.map(() => 1));
}

async function expectStored(fleet: Fleet, run: Run, names: string[], manager = 'm1'): Promise<void> {
  const { history } = fleet.client({ managers: [manager] });
  const answers = await fleet.settled(history.answers(run.id));
  expect(answers.map((answer) => ('result' in answer ? answer.result.node : answer.node))).to.deep.equal(
    names,
  );
  expect(fleet.nodes.map((node) => node.agent.counters.undelivered)).to.deep.equal(names.map(() => 0));
}

/** Kills the agent after the journal has noted this. */
function killAt(node: Node, method: string): void {
  node.onJournaled = (done) => {
    if (done !== method) return;
    node.onJournaled = () => {};
    node.kill();
  };
}

const returns = [
  ['at once', 500],
  ['after it was given up', 4_000],
] as const;

for (const [when, awayMs] of returns) {
  describe(`an agent that is killed and comes back ${when}`, () => {
    it('before the request arrived runs it once', async () => {
      const fleet = await Fleet.start({ nodes: ['web1', 'web2'] });
      fleet.network.lose({ to: 'web1', kind: 'request' }, 1);
      const run = fleet.send({ windowMs: 20_000 });
      await fleet.pass(10);
      fleet.node('web1').kill();
      await fleet.pass(awayMs);
      await fleet.node('web1').start();
      await expectAllOk(fleet, run);
    });

    it('while the action waited for its turn runs it once', async () => {
      const fleet = await Fleet.start({ nodes: ['web1'] });
      const node = fleet.node('web1');
      node.hold('nginx stop');
      fleet.send({ action: 'stop', windowMs: 20_000 });
      await fleet.pass(10);
      const run = fleet.send({ windowMs: 20_000 });
      await fleet.pass(10);
      node.kill();
      await fleet.pass(awayMs);
      await node.start();
      await expectAllOk(fleet, run);
    });

    it('right before the action started says interrupted, and never runs it', async () => {
      const fleet = await Fleet.start({ nodes: ['web1'] });
      const node = fleet.node('web1');
      killAt(node, 'start');
      const run = fleet.send({ windowMs: 20_000 });
      await fleet.pass(awayMs);
      expect(node.isRunning).to.equal(false);
      await node.start();
      await fleet.until(() => run.isOver, 'the request is over');
      expect(run.outcomes).to.deep.equal({ web1: 'interrupted' });
      await fleet.pass(minuteMs);
      await expectStored(fleet, run, ['web1']);
      expect(node.runs('nginx restart')).to.equal(0);
    });

    it('while the action ran says interrupted, once, and does not run it again', async () => {
      const fleet = await Fleet.start({ nodes: ['web1', 'web2'] });
      const node = fleet.node('web1');
      node.hold('nginx restart');
      const run = fleet.send({ windowMs: 20_000 });
      await fleet.pass(10);
      node.kill();
      node.release('nginx restart');
      await fleet.pass(awayMs);
      await node.start();
      await fleet.until(() => run.isOver, 'the request is over');
      expect(run.outcomes).to.deep.equal({ web1: 'interrupted', web2: 'ok' });
      expect(run.answeredBy).to.have.members(['web1', 'web2']);
      expect(run.answers.find((answer) => 'code' in answer)).to.include({
        code: 'INTERRUPTED',
        node: 'web1',
      });
      await fleet.pass(minuteMs);
      await expectStored(fleet, run, ['web1', 'web2']);
      expect(node.runs('nginx restart')).to.equal(1);
    });

    it('right after the action was done gives the answer of the action', async () => {
      const fleet = await Fleet.start({ nodes: ['web1', 'web2'] });
      const node = fleet.node('web1');
      killAt(node, 'finish');
      const run = fleet.send({ windowMs: 20_000 });
      await fleet.pass(awayMs);
      expect(node.isRunning).to.equal(false);
      await node.start();
      await expectAllOk(fleet, run);
    });

    it('after its answer was stored says nothing more', async () => {
      const fleet = await Fleet.start({ nodes: ['web1', 'web2'] });
      const run = await fleet.ask({});
      await fleet.pass(100);
      fleet.node('web1').kill();
      await fleet.pass(awayMs);
      const results = fleet.network.count({ kind: 'result' });
      await fleet.node('web1').start();
      await expectAllOk(fleet, run);
      expect(results.count).to.equal(0);
    });

    it('with a status asks its host again', async () => {
      const fleet = await Fleet.start({ nodes: ['web1'] });
      const node = fleet.node('web1');
      node.hold('nginx status');
      const run = fleet.send({ action: 'status', windowMs: 20_000 });
      await fleet.pass(10);
      node.kill();
      await fleet.pass(awayMs);
      await node.start();
      await fleet.until(() => node.runs('nginx status') === 2, 'it is asked again');
      node.release('nginx status');
      node.release('nginx status');
      await fleet.until(() => run.isOver, 'the request is over');
      expect(run.outcomes).to.deep.equal({ web1: 'ok' });
    });
  });
}

describe('an agent that is killed and comes back after the window', () => {
  async function outcomesAfterReturn(killIn: (fleet: Fleet) => void): Promise<unknown> {
    const fleet = await Fleet.start({ nodes: ['web1'] });
    const node = fleet.node('web1');
    killIn(fleet);
    const run = fleet.send({ windowMs: 3_000 });
    await fleet.pass(100);
    node.kill();
    await fleet.pass(10_000);
    expect(run.outcomes).to.deep.equal({ web1: 'no-answer' });
    await node.start();
    await fleet.pass(1_000);
    expect([node.runs('nginx restart'), node.agent.counters.undelivered]).to.deep.equal([1, 0]);
    return (await fleet.settled(fleet.client().history.show(run.id))).request.counts;
  }

  it('says what was interrupted', async () => {
    const counts = await outcomesAfterReturn((fleet) => fleet.node('web1').hold('nginx restart'));
    expect(counts).to.deep.equal({ interrupted: 1 });
  });

  it('says what was done', async () => {
    const counts = await outcomesAfterReturn((fleet) => killAt(fleet.node('web1'), 'finish'));
    expect(counts).to.deep.equal({ ok: 1 });
  });
});

describe('an agent that is stopped', () => {
  it('lets what runs end, refuses what waits, and leaves no answer behind', async () => {
    const fleet = await Fleet.start({ nodes: ['web1'] });
    const node = fleet.node('web1');
    node.hold('nginx stop');
    const [stop, start] = [fleet.send({ action: 'stop' }), fleet.send({ action: 'start' })];
    await fleet.pass(100);
    const closing = node.close();
    await fleet.pass(1_000);
    node.release('nginx stop');
    await fleet.settled(closing);
    await fleet.until(() => stop.isOver && start.isOver, 'both are over');
    expect([stop.outcomes, start.outcomes]).to.deep.equal([{ web1: 'ok' }, { web1: 'refused' }]);
    expect(node.processes.runs).to.deep.equal(['service nginx stop']);
  });

  it('within 10 s says interrupted of what still runs then, and leaves it alone', async () => {
    const fleet = await Fleet.start({ nodes: ['web1'] });
    const node = fleet.node('web1');
    node.hold('nginx restart');
    const run = fleet.send({ windowMs: 30_000 });
    await fleet.pass(100);
    const startedMs = fleet.clock.now();
    await fleet.settled(node.close());
    expect(fleet.clock.now() - startedMs).to.be.within(8_000, 10_000);
    await fleet.until(() => run.isOver, 'the request is over');
    expect(run.outcomes).to.deep.equal({ web1: 'interrupted' });
    expect(node.processes.held).to.deep.equal(['service nginx restart']);
    await node.start();
    await fleet.pass(minuteMs);
    expect(node.runs('nginx restart')).to.equal(1);
  });
});

const managerDeaths: [sentence: string, dieAt: (fleet: Fleet) => void][] = [
  ['after it dispatched a request', () => {}],
  [
    'before it dispatched a request',
    (fleet) => {
      const manager = fleet.manager();
      manager.onStored = (method) => {
        if (method === 'openRequest') manager.kill();
      };
    },
  ],
  [
    'when an answer had come and was not stored',
    (fleet) => {
      const manager = fleet.manager();
      const rule = fleet.network.count(({ to, kind }) => {
        if (to !== 'client' || kind !== 'answer') return false;
        rule.lift();
        manager.kill();
        return true;
      });
    },
  ],
  [
    'when an answer was stored and not confirmed',
    (fleet) => {
      const manager = fleet.manager();
      manager.onStored = (method) => {
        if (method === 'saveAnswers') manager.kill();
      };
    },
  ],
];

for (const [sentence, dieAt] of managerDeaths) {
  describe(`a manager that is killed ${sentence} and starts anew on its store`, () => {
    for (const [when, durationMs] of [
      ['meanwhile', 1_500],
      ['later', 6_000],
    ] as const) {
      it(`goes on with it, and the client gets the answers that come ${when}, each once`, async () => {
        const fleet = await Fleet.start({ nodes: ['web1', 'web2', 'web3'] });
        const manager = fleet.manager();
        fleet.node('web2').slow('nginx restart', durationMs);
        dieAt(fleet);
        const run = fleet.send({ windowMs: 20_000 }, fleet.client({ timeoutMs: 1_000, retries: 10 }));
        await fleet.pass(100);
        manager.kill();
        manager.onStored = () => {};
        await fleet.pass(3_000);
        await manager.start();
        await expectAllOk(fleet, run);
        expect(manager.store.request(run.id)?.endedWallMs).to.be.a('number');
      });
    }
  });
}

describe('a manager and an agent that are both killed', () => {
  it('while the action ran: it was run once, and its client is told that it was interrupted', async () => {
    const fleet = await Fleet.start({ nodes: ['web1', 'web2'] });
    const node = fleet.node('web1');
    node.hold('nginx restart');
    const run = fleet.send({ windowMs: 30_000 });
    await fleet.pass(100);
    node.kill();
    fleet.manager().kill();
    await fleet.pass(5_000);
    await fleet.manager().start();
    await fleet.pass(3_000);
    await node.start();
    await fleet.until(() => run.isOver, 'the request is over');
    expect(run.outcomes).to.deep.equal({ web1: 'interrupted', web2: 'ok' });
    expect(run.answeredBy).to.have.members(['web1', 'web2']);
    expect(node.runs('nginx restart')).to.equal(1);
    await fleet.pass(minuteMs);
    await expectStored(fleet, run, ['web1', 'web2']);
  });

  it('after the action was done: the answer of the action arrives', async () => {
    const fleet = await Fleet.start({ nodes: ['web1', 'web2'] });
    const node = fleet.node('web1');
    node.onJournaled = (method) => {
      if (method !== 'finish') return;
      node.kill();
      fleet.manager().kill();
    };
    const run = fleet.send({ windowMs: 30_000 }, fleet.client({ retries: 10 }));
    await fleet.pass(5_000);
    await node.start();
    await fleet.pass(3_000);
    await fleet.manager().start();
    await expectAllOk(fleet, run);
  });
});

describe('a manager whose request ended while it was away', () => {
  it('ends it at its start, and takes the answers that come then', async () => {
    const fleet = await Fleet.start({ nodes: ['web1', 'web2'] });
    fleet.node('web1').hold('nginx restart');
    const run = fleet.send({ windowMs: 2_000 });
    await fleet.pass(100);
    fleet.manager().kill();
    await fleet.pass(10_000);
    expect(run.outcomes).to.deep.equal({ web1: 'no-answer', web2: 'ok' });
    await fleet.manager().start();
    await fleet.pass(1_000);
    const { history } = fleet.client();
    expect((await fleet.settled(history.show(run.id))).request.counts).to.deep.equal({ running: 1, ok: 1 });
    fleet.node('web1').release('nginx restart');
    await fleet.pass(1_000);
    const { request } = await fleet.settled(history.show(run.id));
    expect(request.counts).to.deep.equal({ ok: 2 });
    expect(request.endedMs).to.be.a('number');
  });
});
