import { expect } from 'chai';
import { Fleet } from './fleet.ts';

const nodes = ['web1', 'web2'];

describe('an agent whose journal cannot be written', () => {
  for (const failing of ['writes', 'all'] as const) {
    it(`refuses what changes a service, and still answers a status (${failing})`, async () => {
      const fleet = await Fleet.start({ nodes });
      fleet.node('web1').journalFails = failing;
      const restart = await fleet.ask({ action: 'restart' });
      expect(restart.outcomes).to.deep.equal({ web1: 'refused', web2: 'ok' });
      expect(restart.answers.find((answer) => 'code' in answer)).to.include({ code: 'JOURNAL_UNAVAILABLE' });
      const status = await fleet.ask({ action: 'status' });
      expect(status.outcomes).to.deep.equal({ web1: 'ok', web2: 'ok' });
      expect(fleet.node('web1').processes.runs).to.deep.equal(['service nginx status']);
      await fleet.pass(60_000);
      expect(fleet.node('web1').agent.counters.undelivered).to.equal(0);
    });
  }

  it('serves again when it can', async () => {
    const fleet = await Fleet.start({ nodes: ['web1'] });
    fleet.node('web1').journalFails = 'all';
    await fleet.ask({});
    fleet.node('web1').journalFails = 'no';
    expect((await fleet.ask({})).outcomes).to.deep.equal({ web1: 'ok' });
    expect(fleet.node('web1').runs('nginx restart')).to.equal(1);
  });

  it('still delivers the answer of what it had begun', async () => {
    const fleet = await Fleet.start({ nodes });
    fleet.node('web1').hold('nginx restart');
    const run = fleet.send({});
    await fleet.pass(100);
    fleet.node('web1').journalFails = 'all';
    fleet.node('web1').release('nginx restart');
    await fleet.until(() => run.isOver, 'the request is over');
    expect(run.outcomes).to.deep.equal({ web1: 'ok', web2: 'ok' });
    await fleet.pass(60_000);
    expect(
      fleet
        .manager()
        .store.entries(run.id)
        .map(({ outcome }) => outcome),
    ).to.deep.equal(['ok', 'ok']);
  });

  it('never says of what has run that it was cancelled', async () => {
    const fleet = await Fleet.start({ managers: ['m1', 'm2'], nodes: ['web1'] });
    const node = fleet.node('web1');
    node.hold('nginx restart');
    const id = fleet.newId();
    const first = fleet.send({}, fleet.client({ managers: ['m1'], newId: () => id }));
    await fleet.pass(100);
    node.journalFails = 'all';
    node.release('nginx restart');
    await fleet.pass(100);
    node.journalFails = 'no';
    const second = fleet.send({}, fleet.client({ managers: ['m2'], newId: () => id }));
    await fleet.until(() => first.isOver && second.isOver, 'both are over');
    expect([first.outcomes, second.outcomes]).to.deep.equal([{ web1: 'ok' }, { web1: 'interrupted' }]);
    expect(node.runs('nginx restart')).to.equal(1);
  });

  it('starts all the same, tells what was interrupted, and answers a status', async () => {
    const fleet = await Fleet.start({ nodes: ['web1'] });
    const node = fleet.node('web1');
    node.hold('nginx restart');
    const run = fleet.send({ windowMs: 20_000 });
    await fleet.pass(100);
    node.kill();
    node.journalFails = 'writes';
    await node.start();
    await fleet.until(() => run.isOver, 'the request is over');
    expect(run.outcomes).to.deep.equal({ web1: 'interrupted' });
    expect((await fleet.ask({ action: 'status' })).outcomes).to.deep.equal({ web1: 'ok' });
  });
});

describe('a manager whose store cannot be written', () => {
  it('takes no request, and nothing is sent', async () => {
    const fleet = await Fleet.start({ nodes });
    fleet.manager().storeFails = 'writes';
    const run = await fleet.ask({});
    expect(run.code).to.equal('STORE_UNUSABLE');
    await fleet.pass(60_000);
    expect(fleet.nodes.map((node) => node.processes.runs.length)).to.deep.equal([0, 0]);
    expect(fleet.manager().manager.counters).to.include({ openRequests: 0, requests: 0 });
  });

  it('still has a status answered, which the agents need not keep for it', async () => {
    const fleet = await Fleet.start({ nodes });
    fleet.manager().storeFails = 'writes';
    const run = await fleet.ask({ action: 'status' });
    expect([run.outcomes, run.tookMs]).to.deep.equal([{ web1: 'ok', web2: 'ok' }, 0]);
    await fleet.pass(1_000);
    fleet.manager().storeFails = 'no';
    await fleet.pass(60_000);
    expect(fleet.nodes.map((node) => node.agent.counters.undelivered)).to.deep.equal([0, 0]);
    expect(fleet.manager().manager.counters.openRequests).to.equal(0);
  });

  it('leaves the request to the next manager', async () => {
    const fleet = await Fleet.start({ managers: ['m1', 'm2'], nodes });
    fleet.manager('m1').storeFails = 'all';
    const run = await fleet.ask({});
    expect(run.outcomes).to.deep.equal({ web1: 'ok', web2: 'ok' });
    expect(run.tookMs).to.equal(0);
  });

  for (const failing of ['writes', 'all'] as const) {
    it(`publishes answers, but agents keep them until they are stored (${failing})`, async () => {
      const fleet = await Fleet.start({ nodes });
      const manager = fleet.manager();
      fleet.node('web1').slow('nginx restart', 1_000);
      const run = fleet.send({});
      await fleet.pass(500);
      manager.storeFails = failing;
      await fleet.until(() => run.isOver, 'the request is over');
      expect(run.outcomes).to.deep.equal({ web1: 'ok', web2: 'ok' });
      await fleet.pass(60_000);
      expect(fleet.nodes.map((node) => node.agent.counters.undelivered)).to.deep.equal([1, 0]);
      expect(manager.log.named('store.failed')).to.not.be.empty;
      manager.storeFails = 'no';
      await fleet.pass(2_000);
      expect(manager.store.entries(run.id).map(({ outcome }) => outcome)).to.deep.equal(['ok', 'ok']);
      expect(manager.store.request(run.id)?.endedWallMs).to.be.a('number');
      await fleet.pass(60_000);
      expect(fleet.nodes.map((node) => node.agent.counters.undelivered)).to.deep.equal([0, 0]);
    });
  }

  it('and that is killed then gets the answers again after its start', async () => {
    const fleet = await Fleet.start({ nodes });
    const manager = fleet.manager();
    fleet.node('web1').slow('nginx restart', 1_000);
    const run = fleet.send({ windowMs: 30_000 });
    await fleet.pass(500);
    manager.storeFails = 'writes';
    await fleet.pass(10_000);
    manager.kill();
    manager.storeFails = 'no';
    await fleet.pass(5_000);
    await manager.start();
    await fleet.until(() => run.isOver, 'the request is over');
    await fleet.pass(60_000);
    const { history } = fleet.client();
    expect(await fleet.settled(history.answers(run.id))).to.have.length(2);
    expect((await fleet.settled(history.show(run.id))).request.counts).to.deep.equal({ ok: 2 });
    expect(fleet.nodes.map((node) => node.runs('nginx restart'))).to.deep.equal([1, 1]);
    expect(fleet.nodes.map((node) => node.agent.counters.undelivered)).to.deep.equal([0, 0]);
  });

  it('that was stopped with answers unwritten leaves no timer behind', async () => {
    const fleet = await Fleet.start({ nodes });
    fleet.node('web1').slow('nginx restart', 1_000);
    fleet.send({});
    await fleet.pass(500);
    fleet.manager().storeFails = 'writes';
    await fleet.pass(2_000);
    await fleet.settled(fleet.manager().close());
    await fleet.pass(10_000);
    expect(fleet.clock.pending.filter((name) => name.startsWith('m1:'))).to.deep.equal([]);
  });
});
