import { expect } from 'chai';
import { Fleet } from './fleet.ts';

const minuteMs = 60_000;

describe('a request that is cancelled', () => {
  it('does not start where it waits for its turn, and is over at once', async () => {
    const fleet = await Fleet.start({ nodes: ['web1'] });
    const node = fleet.node('web1');
    node.hold('nginx stop');
    fleet.send({ action: 'stop' });
    await fleet.pass(10);
    const run = fleet.send({ windowMs: 20_000 });
    await fleet.pass(500);
    const { request, progress } = await fleet.settled(fleet.client().history.cancel(run.id));
    expect(request).to.include({ isCancelled: true });
    expect(progress).to.deep.equal([{ node: 'web1', phase: 'queued' }]);
    await fleet.pass(0);
    expect([run.isOver, run.outcomes, run.summary.isCancelled]).to.deep.equal([
      true,
      { web1: 'cancelled' },
      true,
    ]);
    node.release('nginx stop');
    await fleet.pass(minuteMs);
    expect(node.processes.runs).to.deep.equal(['service nginx stop']);
  });

  it('is ended where it runs', async () => {
    const fleet = await Fleet.start({ nodes: ['web1', 'web2'] });
    fleet.node('web1').hold('nginx restart');
    const run = fleet.send({});
    await fleet.pass(500);
    expect(fleet.node('web1').processes.held).to.deep.equal(['service nginx restart']);
    await fleet.settled(fleet.client().history.cancel(run.id));
    await fleet.pass(0);
    expect(fleet.node('web1').processes.held).to.deep.equal([]);
    expect([run.isOver, run.outcomes]).to.deep.equal([true, { web1: 'cancelled', web2: 'ok' }]);
    expect(run.tookMs).to.equal(500);
    await fleet.pass(minuteMs);
    const { request } = await fleet.settled(fleet.client().history.show(run.id));
    expect(request.counts).to.deep.equal({ cancelled: 1, ok: 1 });
    expect(fleet.node('web1').agent.counters).to.include({ undelivered: 0, tasks: 0 });
  });

  it('never runs where it has not arrived, and is over at once', async () => {
    const fleet = await Fleet.start({ nodes: ['web1'] });
    fleet.network.lose({ to: 'web1', kind: 'request' }, 1);
    const run = fleet.send({ windowMs: 20_000 });
    await fleet.pass(500);
    await fleet.settled(fleet.client().history.cancel(run.id));
    await fleet.pass(0);
    expect([run.isOver, run.outcomes]).to.deep.equal([true, { web1: 'cancelled' }]);
    await fleet.pass(minuteMs);
    expect(fleet.node('web1').runs('nginx restart')).to.equal(0);
    expect(fleet.node('web1').agent.counters.undelivered).to.equal(0);
  });

  it('never runs where another manager brings it later', async () => {
    const fleet = await Fleet.start({ managers: ['m1', 'm2'], nodes: ['web1'] });
    const late = fleet.network.lose({ to: 'web1', kind: 'request' });
    const id = fleet.newId();
    const [first, second] = ['m1', 'm2'].map((name) =>
      fleet.send({ windowMs: 20_000 }, fleet.client({ managers: [name], newId: () => id })),
    );
    await fleet.pass(500);
    await fleet.settled(fleet.client({ managers: ['m1'] }).history.cancel(id));
    late.lift();
    await fleet.until(() => first?.isOver === true && second?.isOver === true, 'both are over');
    expect([first?.outcomes, second?.outcomes]).to.deep.equal([{ web1: 'cancelled' }, { web1: 'cancelled' }]);
    expect(fleet.node('web1').runs('nginx restart')).to.equal(0);
  });

  it('never runs where it has not arrived, also when the agent is started anew before', async () => {
    const fleet = await Fleet.start({ managers: ['m1', 'm2'], nodes: ['web1'] });
    const late = fleet.network.lose({ to: 'web1', kind: 'request' });
    const id = fleet.newId();
    for (const name of ['m1', 'm2']) {
      fleet.send({ windowMs: 30_000 }, fleet.client({ managers: [name], newId: () => id }));
    }
    await fleet.pass(500);
    await fleet.settled(fleet.client({ managers: ['m1'] }).history.cancel(id));
    await fleet.pass(100);
    fleet.node('web1').kill();
    late.lift();
    await fleet.node('web1').start();
    await fleet.pass(minuteMs);
    expect(fleet.node('web1').runs('nginx restart')).to.equal(0);
    const { progress } = await fleet.settled(fleet.client({ managers: ['m2'] }).history.show(id));
    expect(progress).to.deep.equal([{ node: 'web1', phase: 'done', outcome: 'cancelled' }]);
  });

  it('is told again to a node that did not hear of it', async () => {
    const fleet = await Fleet.start({ nodes: ['web1'] });
    fleet.node('web1').hold('nginx restart');
    const run = fleet.send({ windowMs: 20_000 });
    await fleet.pass(500);
    const lost = fleet.network.lose({ to: 'web1', kind: 'cancel' }, 3);
    await fleet.settled(fleet.client().history.cancel(run.id));
    await fleet.until(() => run.isOver, 'the request is over');
    expect(lost.count).to.equal(3);
    expect(run.outcomes).to.deep.equal({ web1: 'cancelled' });
    expect(run.tookMs).to.be.within(500 + 2_250, 500 + 3_850 + 300);
  });

  it('is told to a silent node when it comes back', async () => {
    const fleet = await Fleet.start({ nodes: ['web1'] });
    const node = fleet.node('web1');
    node.hold('nginx restart');
    const run = fleet.send({ windowMs: minuteMs });
    await fleet.pass(500);
    const cut = fleet.network.cut('web1', 'm1');
    await fleet.pass(20_000);
    await fleet.settled(fleet.client().history.cancel(run.id));
    await fleet.pass(3_000);
    expect([run.isOver, node.processes.held.length]).to.deep.equal([false, 1]);
    cut.lift();
    await fleet.until(() => run.isOver, 'the request is over');
    expect(run.outcomes).to.deep.equal({ web1: 'cancelled' });
    expect(node.processes.held).to.deep.equal([]);
  });

  it('is over after 10 s where a node stays silent', async () => {
    const fleet = await Fleet.start({ nodes: ['web1', 'web2', 'web3'] });
    for (const name of ['web1', 'web2']) fleet.node(name).hold('nginx restart');
    fleet.network.lose({ to: 'web3', kind: 'request' });
    const run = fleet.send({ windowMs: minuteMs });
    await fleet.pass(500);
    fleet.node('web1').vanish();
    fleet.node('web3').vanish();
    await fleet.settled(fleet.client().history.cancel(run.id));
    await fleet.until(() => run.isOver, 'the request is over');
    expect(run.tookMs).to.be.within(10_500, 10_600);
    expect(run.outcomes).to.deep.equal({ web1: 'running', web2: 'cancelled', web3: 'no-answer' });
  });

  it('stays cancelled over a restart of the manager', async () => {
    const fleet = await Fleet.start({ nodes: ['web1'] });
    const node = fleet.node('web1');
    node.hold('nginx restart');
    const run = fleet.send({ windowMs: minuteMs });
    await fleet.pass(500);
    fleet.network.lose({ to: 'web1', kind: 'cancel' }, 1);
    await fleet.settled(fleet.client().history.cancel(run.id));
    fleet.manager().kill();
    await fleet.pass(1_000);
    await fleet.manager().start();
    await fleet.until(() => run.isOver, 'the request is over');
    expect([run.outcomes, run.summary.isCancelled]).to.deep.equal([{ web1: 'cancelled' }, true]);
    expect(node.processes.held).to.deep.equal([]);
  });

  it('twice is cancelled once', async () => {
    const fleet = await Fleet.start({ nodes: ['web1'] });
    fleet.node('web1').hold('nginx restart');
    const run = fleet.send({});
    await fleet.pass(500);
    const told = fleet.network.count({ kind: 'cancel' });
    const { history } = fleet.client();
    await fleet.settled(Promise.all([history.cancel(run.id), history.cancel(run.id)]));
    await fleet.pass(1_000);
    expect([told.count, run.outcomes]).to.deep.equal([1, { web1: 'cancelled' }]);
    expect(fleet.manager().log.named('request.cancelled')).to.have.length(1);
  });

  it('after it was over is not cancelled any more', async () => {
    const fleet = await Fleet.start({ nodes: ['web1'] });
    const run = await fleet.ask({});
    await fleet.pass(100);
    const { request } = await fleet.settled(fleet.client().history.cancel(run.id));
    expect(request.counts).to.deep.equal({ ok: 1 });
    expect(request.isCancelled).to.equal(false);
  });

  it('after its window is still ended where it runs', async () => {
    const fleet = await Fleet.start({ nodes: ['web1', 'web2'] });
    fleet.node('web1').hold('nginx restart');
    const run = await fleet.ask({ windowMs: 1_000 });
    expect(run.outcomes).to.deep.equal({ web1: 'running', web2: 'ok' });
    await fleet.settled(fleet.client().history.cancel(run.id));
    await fleet.pass(100);
    expect(fleet.node('web1').processes.held).to.deep.equal([]);
    const { request } = await fleet.settled(fleet.client().history.show(run.id));
    expect(request.counts).to.deep.equal({ cancelled: 1, ok: 1 });
    expect(request.isCancelled).to.equal(true);
  });

  it('is ended also when the store fails, and noted when it is cancelled again', async () => {
    const fleet = await Fleet.start({ nodes: ['web1', 'web2'] });
    for (const node of fleet.nodes) node.hold('nginx restart');
    const run = fleet.send({ windowMs: minuteMs });
    await fleet.pass(500);
    fleet.network.lose({ to: 'web1', kind: 'cancel' }, 2);
    fleet.manager().storeFails = 'writes';
    const { history } = fleet.client({ retries: 1 });
    const error: unknown = await fleet.settled(history.cancel(run.id).catch((thrown: unknown) => thrown));
    expect(error).to.include({ code: 'STORE_UNUSABLE' });
    expect(fleet.node('web2').processes.held).to.deep.equal([]);
    fleet.manager().storeFails = 'no';
    expect((await fleet.settled(history.cancel(run.id))).request.isCancelled).to.equal(true);
    fleet.manager().kill();
    await fleet.manager().start();
    await fleet.until(() => run.isOver, 'the request is over');
    expect(run.outcomes).to.deep.equal({ web1: 'cancelled', web2: 'cancelled' });
  });

  it('that only reads does not start, either, and is ended where it runs', async () => {
    const fleet = await Fleet.start({ nodes: ['web1', 'web2'] });
    const [web1, web2] = [fleet.node('web1'), fleet.node('web2')];
    web1.hold('nginx stop');
    web2.hold('nginx status');
    fleet.send({ action: 'stop', nodes: ['web1'] });
    await fleet.pass(10);
    const run = fleet.send({ action: 'status' });
    await fleet.pass(500);
    await fleet.settled(fleet.client().history.cancel(run.id));
    await fleet.pass(0);
    expect([run.outcomes, run.isOver]).to.deep.equal([{ web1: 'cancelled', web2: 'cancelled' }, true]);
    web1.release('nginx stop');
    await fleet.pass(minuteMs);
    expect([web1.runs('nginx status'), web2.processes.held]).to.deep.equal([0, []]);
  });

  it('that nobody knows is refused', async () => {
    const fleet = await Fleet.start({ managers: ['m1', 'm2'], nodes: ['web1'] });
    const cancelling = fleet.client().history.cancel('f'.repeat(32));
    const error: unknown = await fleet.settled(cancelling.catch((thrown: unknown) => thrown));
    expect(error).to.include({ code: 'UNKNOWN_REQUEST' });
  });

  it('is found at the manager that has it', async () => {
    const fleet = await Fleet.start({ managers: ['m1', 'm2'], nodes: ['web1'] });
    fleet.node('web1').hold('nginx restart');
    const run = fleet.send({}, fleet.client({ managers: ['m2'] }));
    await fleet.pass(100);
    await fleet.settled(fleet.client({ managers: ['m1', 'm2'] }).history.cancel(run.id));
    await fleet.pass(0);
    expect(run.outcomes).to.deep.equal({ web1: 'cancelled' });
  });
});
