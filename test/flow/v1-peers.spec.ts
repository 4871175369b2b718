import { expect } from 'chai';
import { Fleet } from './fleet.ts';
import { answersAs, V1Agent, type V1Answer, V1Client } from './v1-peers.ts';

async function mixed(answer: V1Answer = answersAs('old1'), topics = ['any', 'SunOS', 'old1']) {
  const fleet = await Fleet.start({ nodes: ['web1', 'web2'] });
  const old1 = new V1Agent(fleet.network.sockets, fleet.manager(), topics, answer);
  await fleet.pass(0);
  return { fleet, old1 };
}

const nodesOf = (received: unknown[]) =>
  received.map((answer) => (answer as { result: { node: string } }).result.node);

describe('v1 and v2 agents together', () => {
  it('answer one request, and the client ends at once', async () => {
    const { fleet, old1 } = await mixed();
    const run = await fleet.ask({ action: 'restart' });
    expect(run.pending.expected).to.equal(3);
    expect(run.pending.nodes).to.have.members(['web1', 'web2']);
    expect(run.outcomes).to.deep.equal({ old1: 'ok', web1: 'ok', web2: 'ok' });
    expect([run.tookMs, run.summary.isOver, run.summary.unnamed]).to.deep.equal([0, true, 0]);
    expect(old1.runs).to.deep.equal(['nginx restart']);
    expect(run.answers.find((answer) => 'result' in answer && answer.result.node === 'old1'))
      .to.have.property('result')
      .that.includes({ stdout: 'one\ntwo', stderr: '' });
  });

  it('of which a v1 agent does not answer say so without a name', async () => {
    const { fleet } = await mixed(() => undefined);
    const run = await fleet.ask({ windowMs: 2_000 });
    expect(run.outcomes).to.deep.equal({ web1: 'ok', web2: 'ok' });
    expect(run.summary).to.include({ unnamed: 1, isOver: true });
    expect(run.tookMs).to.be.within(2_000, 2_250);
    await fleet.pass(1_000);
    const { request, unnamed } = await fleet.settled(fleet.client().history.show(run.id));
    expect([request.counts, unnamed]).to.deep.equal([{ ok: 2, 'no-answer': 1 }, 1]);
  });

  it('of which a v1 agent is in trouble and does not say its name', async () => {
    const { fleet } = await mixed(({ uuid }) => ({ success: -1, msg: 'Invalid command', uuid }));
    const run = await fleet.ask({});
    expect(run.outcomes).to.deep.equal({ 'unnamed-1': 'failed', web1: 'ok', web2: 'ok' });
    expect(run.summary).to.include({ unnamed: 0, isOver: true });
  });

  it('are counted among the nodes', async () => {
    const { fleet, old1 } = await mixed();
    const { history } = fleet.client();
    expect((await fleet.settled(history.nodes())).unnamed).to.equal(1);
    expect((await fleet.settled(history.nodes('SunOS'))).unnamed).to.equal(1);
    expect((await fleet.settled(history.nodes('role:web'))).unnamed).to.equal(0);
    await old1.close();
    await fleet.pass(0);
    expect((await fleet.settled(history.nodes())).unnamed).to.equal(0);
  });

  it('of which a v1 agent sits on a shorter topic are not all asked, which is said', async () => {
    const { fleet, old1 } = await mixed(answersAs('web10'), ['any', 'web10']);
    const web1 = new V1Agent(fleet.network.sockets, fleet.manager(), ['web1'], answersAs('old-web1'));
    await fleet.pass(0);
    const run = await fleet.ask({ topic: 'web10' });
    expect(run.code).to.equal('TOPIC_AMBIGUOUS');
    expect([old1.runs, web1.runs]).to.deep.equal([[], []]);
    const other = fleet.add({ name: 'other', topics: ['web10'] });
    await other.start();
    await fleet.pass(0);
    const second = await fleet.ask({ topic: 'web10' });
    expect([second.outcomes, second.summary.withheld]).to.deep.equal([{ other: 'ok' }, 1]);
    expect([old1.runs, web1.runs]).to.deep.equal([[], []]);
  });

  it('of which the v1 agents answer late amend the history', async () => {
    const { fleet, old1 } = await mixed(() => undefined);
    const run = await fleet.ask({ windowMs: 1_000 });
    const sink = fleet.network.sockets.connectPush(fleet.manager().sinkEndpoint);
    const late = answersAs('old1')({ cmd: 'restart', service: 'nginx', uuid: run.id });
    sink.send([Buffer.from(JSON.stringify(late))]);
    await fleet.pass(1_000);
    const { request, progress } = await fleet.settled(fleet.client().history.show(run.id));
    expect(request.counts).to.deep.equal({ ok: 3 });
    expect(progress.map(({ node }) => node)).to.have.members(['old1', 'web1', 'web2']);
    expect(old1.runs).to.have.length(1);
  });

  it('outlive a restart of the manager: the v1 agent is not asked again', async () => {
    const { fleet, old1 } = await mixed(() => undefined);
    const run = fleet.send({ windowMs: 20_000 });
    await fleet.pass(1_000);
    fleet.manager().kill();
    await fleet.manager().start();
    await fleet.pass(1_000);
    const sink = fleet.network.sockets.connectPush(fleet.manager().sinkEndpoint);
    const late = answersAs('old1')({ cmd: 'restart', service: 'nginx', uuid: run.id });
    sink.send([Buffer.from(JSON.stringify(late))]);
    await fleet.until(() => run.isOver, 'the request is over');
    expect(run.outcomes).to.deep.equal({ old1: 'ok', web1: 'ok', web2: 'ok' });
    expect(old1.runs).to.have.length(1);
  });
});

describe('a v1 client', () => {
  it('gets each answer once, in the 2014 shape', async () => {
    const { fleet, old1 } = await mixed();
    fleet.node('web2').slow('nginx restart', 2_000);
    const request = { cmd: 'restart', topic: 'any', service: 'nginx' };
    const client = new V1Client(fleet.network.sockets, fleet.manager(), request);
    await fleet.pass(1_000);
    expect(nodesOf(client.received)).to.have.members(['web1', 'old1']);
    await fleet.pass(20_000);
    expect(nodesOf(client.received)).to.have.members(['web1', 'web2', 'old1']);
    expect(client.reply?.uuid).to.match(/^[0-9a-f]{32}$/);
    expect(client.received[0]).to.have.keys('msg', 'result', 'uuid');
    expect(old1.runs).to.have.length(1);
    expect(fleet.nodes.map((node) => node.runs('nginx restart'))).to.deep.equal([1, 1]);
  });

  it('gets each answer once also when results and confirmations are lost', async () => {
    const { fleet } = await mixed();
    fleet.network.lose({ kind: 'result', from: 'web1' }, 2);
    fleet.network.lose({ kind: 'stored' }, 4);
    fleet.network.lose({ kind: 'request', to: 'web2' }, 1);
    const request = { cmd: 'status', topic: 'any', service: 'nginx' };
    const client = new V1Client(fleet.network.sockets, fleet.manager(), request);
    await fleet.pass(60_000);
    expect(nodesOf(client.received)).to.have.members(['web1', 'web2', 'old1']);
  });

  it('that asks the same twice gets two ids', async () => {
    const { fleet } = await mixed();
    const request = { cmd: 'status', topic: 'any', service: 'nginx' };
    const clients = [1, 2].map(() => new V1Client(fleet.network.sockets, fleet.manager(), request));
    await fleet.pass(1_000);
    expect(new Set(clients.map(({ reply }) => reply?.uuid)).size).to.equal(2);
    for (const { received } of clients) expect(nodesOf(received)).to.have.length(3);
  });

  it('is refused in the 2014 way', async () => {
    const { fleet } = await mixed();
    const request = { cmd: 'status', topic: 'any' };
    const client = new V1Client(fleet.network.sockets, fleet.manager(), request);
    await fleet.pass(1_000);
    expect(client.reply).to.include({ success: -1 });
  });
});

describe('an agent of ours that serves a v1 manager', () => {
  it('runs what comes, and says only what such a manager understands', async () => {
    const fleet = await Fleet.start({ nodes: [{ name: 'web1', protocol: 'v1' }] });
    const said = fleet.network.count(({ from, frames }) => from === 'web1' && frames.length !== 1);
    const run = await fleet.ask({});
    expect([run.outcomes, run.tookMs, run.pending.expected]).to.deep.equal([{ web1: 'ok' }, 0, 1]);
    await fleet.pass(60_000);
    expect(said.count).to.equal(0);
    expect(fleet.node('web1').agent.counters.undelivered).to.equal(0);
    expect(fleet.node('web1').runs('nginx restart')).to.equal(1);
  });
});
