import { expect } from 'chai';
import { Fleet } from './fleet.ts';

const web = ['web1', 'web2', 'web3'].map((name) => ({ name, roles: ['web'] }));

describe('a request', () => {
  it('ends at once when every node that it is aimed at has answered, with an outcome for each', async () => {
    const fleet = await Fleet.start({ nodes: [...web, 'db1'] });
    fleet.node('web2').processes.answer('service nginx restart', { exitCode: 1, stderr: 'no such file' });
    const run = await fleet.ask({ topic: 'role:web', action: 'restart', service: 'nginx' });
    expect(run.outcomes).to.deep.equal({ web1: 'ok', web2: 'failed', web3: 'ok' });
    expect(run.answeredBy).to.have.members(['web1', 'web2', 'web3']);
    expect(run.summary).to.include({ isOver: true, isAimKnown: true, unnamed: 0, unreadable: 0 });
    expect(run.tookMs).to.equal(0);
    expect(fleet.nodes.map((node) => node.processes.runs)).to.deep.equal([
      ['service nginx restart'],
      ['service nginx restart'],
      ['service nginx restart'],
      [],
    ]);
  });

  it('hands on what service(8) said', async () => {
    const fleet = await Fleet.start({ nodes: ['web1'] });
    fleet.node('web1').processes.answer('service nginx status', { exitCode: 3, stdout: 'inactive (dead)\n' });
    const run = await fleet.ask({ action: 'status' });
    expect(run.answers).to.have.length(1);
    expect(run.answers[0]).to.have.property('result').that.includes({
      node: 'web1',
      returncode: 3,
      stdout: 'inactive (dead)\n',
      state: 'stopped',
      system: 'Linux',
    });
  });

  it('waits for the slowest node, and gives the others meanwhile', async () => {
    const fleet = await Fleet.start({ nodes: web });
    fleet.node('web2').hold('nginx restart');
    const run = fleet.send({});
    await fleet.pass(1_234);
    expect(run.answeredBy).to.have.members(['web1', 'web3']);
    expect(run.isOver).to.equal(false);
    fleet.node('web2').release('nginx restart');
    await fleet.until(() => run.isOver, 'the end');
    expect(run.tookMs).to.equal(1_234);
    expect(run.outcomes).to.deep.equal({ web1: 'ok', web2: 'ok', web3: 'ok' });
  });

  it('reaches only the nodes that it names', async () => {
    const fleet = await Fleet.start({ nodes: web });
    const run = await fleet.ask({ nodes: ['web3', 'web1'] });
    expect(run.outcomes).to.deep.equal({ web1: 'ok', web3: 'ok' });
    expect(fleet.nodes.map((node) => node.runs('nginx restart'))).to.deep.equal([1, 0, 1]);
  });

  it('to a node that nobody knows is refused', async () => {
    const fleet = await Fleet.start({ nodes: web });
    const run = await fleet.ask({ nodes: ['web1', 'web9'] });
    expect(run.code).to.equal('UNKNOWN_NODE');
    expect(fleet.node('web1').runs('nginx restart')).to.equal(0);
  });

  it('that no node matches ends at once with nobody in it', async () => {
    const fleet = await Fleet.start({ nodes: web });
    const run = await fleet.ask({ topic: 'role:db' });
    expect(run.pending.expected).to.equal(0);
    expect(run.summary.outcomes).to.deep.equal([]);
    expect([run.summary.isOver, run.tookMs]).to.deep.equal([true, 0]);
  });

  it('names a node that died, when it was sent, and does not wait for it', async () => {
    const fleet = await Fleet.start({ nodes: web });
    fleet.node('web2').kill();
    await fleet.pass(4_000);
    const run = await fleet.ask({ topic: 'role:web' });
    expect(run.pending.unreachable).to.have.length(1);
    expect(run.pending.unreachable[0]).to.include({ node: 'web2' }).and.not.have.property('hasLeft');
    expect(run.pending.unreachable[0]?.lastSeenAgoMs).to.be.within(4_000, 15_000);
    expect(run.pending.nodes).to.have.members(['web1', 'web3']);
    expect(run.outcomes).to.deep.equal({ web1: 'ok', web2: 'unreachable', web3: 'ok' });
    expect([run.summary.isOver, run.tookMs]).to.deep.equal([true, 0]);
  });

  it('says of a node that left that it left', async () => {
    const fleet = await Fleet.start({ nodes: web });
    await fleet.settled(fleet.node('web2').close());
    const run = await fleet.ask({ topic: 'role:web' });
    expect(run.pending.unreachable).to.have.length(1);
    expect(run.pending.unreachable[0]).to.include({ node: 'web2', hasLeft: true });
    expect([run.outcomes['web2'], run.tookMs]).to.deep.equal(['unreachable', 0]);
  });

  it('waits for a node that died just before, until the end of its window', async () => {
    const fleet = await Fleet.start({ nodes: web });
    fleet.node('web2').vanish();
    const run = await fleet.ask({ topic: 'role:web', windowMs: 3_000 });
    expect(run.outcomes).to.deep.equal({ web1: 'ok', web2: 'no-answer', web3: 'ok' });
    expect(run.tookMs).to.be.within(3_000, 3_250);
    expect(run.summary.isOver).to.equal(true);
  });

  it('is answered by a node that was given up and comes back before its end', async () => {
    const fleet = await Fleet.start({ nodes: web });
    fleet.node('web2').kill();
    await fleet.pass(3_000);
    fleet.node('web1').hold('nginx restart');
    const run = fleet.send({ windowMs: 10_000 });
    await fleet.pass(1_000);
    expect(run.outcomes['web2']).to.equal('unreachable');
    await fleet.node('web2').start();
    await fleet.pass(100);
    expect(run.answeredBy).to.have.members(['web2', 'web3']);
    fleet.node('web1').release('nginx restart');
    await fleet.until(() => run.isOver, 'the end');
    expect(run.outcomes).to.deep.equal({ web1: 'ok', web2: 'ok', web3: 'ok' });
    expect(fleet.node('web2').runs('nginx restart')).to.equal(1);
  });

  it('may be left by its client, and goes on', async () => {
    const fleet = await Fleet.start({ nodes: web });
    fleet.node('web1').hold('nginx restart');
    const leaving = new AbortController();
    const run = fleet.send({ signal: leaving.signal });
    await fleet.pass(500);
    leaving.abort();
    await fleet.pass(0);
    expect([run.isOver, run.tookMs, run.summary.isOver]).to.deep.equal([true, 500, false]);
    fleet.node('web1').release('nginx restart');
    await fleet.pass(100);
    expect(fleet.manager().store.request(run.id)?.endedWallMs).to.be.a('number');
    expect(
      fleet
        .manager()
        .store.entries(run.id)
        .map(({ outcome }) => outcome),
    ).to.deep.equal(['ok', 'ok', 'ok']);
  });

  it('of an action that is not allowed is refused by each node and runs nowhere', async () => {
    const fleet = await Fleet.start({ nodes: web });
    const run = await fleet.ask({ action: 'self-destruct' });
    expect(run.outcomes).to.deep.equal({ web1: 'refused', web2: 'refused', web3: 'refused' });
    expect(run.answers[0]).to.include({ code: 'ACTION_NOT_ALLOWED' });
    expect(fleet.node('web1').processes.runs).to.deep.equal([]);
  });
});

describe('two requests for one service', () => {
  it('run one after the other on each node, in the order of their arrival', async () => {
    const fleet = await Fleet.start({ nodes: ['web1'] });
    const node = fleet.node('web1');
    node.hold('nginx stop');
    const stop = fleet.send({ action: 'stop' });
    await fleet.pass(10);
    const start = fleet.send({ action: 'start' });
    await fleet.pass(10);
    expect(node.processes.runs).to.deep.equal(['service nginx stop']);
    node.release('nginx stop');
    await fleet.until(() => stop.isOver && start.isOver, 'both are over');
    expect(node.processes.runs).to.deep.equal(['service nginx stop', 'service nginx start']);
    expect([stop.outcomes, start.outcomes]).to.deep.equal([{ web1: 'ok' }, { web1: 'ok' }]);
  });
});

describe('a request that no manager takes', () => {
  it('is given up after each was asked as often as the client should', async () => {
    const fleet = await Fleet.start({ managers: ['m1', 'm2'], nodes: ['web1'] });
    for (const manager of fleet.managers) manager.kill();
    const run = await fleet.ask({ windowMs: 60_000 }, fleet.client({ timeoutMs: 500, retries: 2 }));
    expect(run.code).to.equal('MANAGER_UNREACHABLE');
    expect(run.tookMs).to.equal(4 * 500);
  });

  it('is given up at the end of its window at the latest', async () => {
    const fleet = await Fleet.start({ nodes: ['web1'] });
    fleet.manager().kill();
    const run = await fleet.ask({ windowMs: 700 });
    expect([run.code, run.tookMs]).to.deep.equal(['MANAGER_UNREACHABLE', 700]);
  });
});
