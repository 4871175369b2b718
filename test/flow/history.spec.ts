import { expect } from 'chai';
import { Run } from '../fakes/client-run.ts';
import { Fleet } from './fleet.ts';

const nodes = ['web1', 'web2', 'web3'];

/** Follows the request from here on. */
function follow(fleet: Fleet, id: string, signal?: AbortSignal): Run {
  return new Run(fleet.client().history.attach(id, signal), fleet.clock);
}

async function codeOf(fleet: Fleet, asking: Promise<unknown>): Promise<unknown> {
  const error: unknown = await fleet.settled(asking.catch((thrown: unknown) => thrown));
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

describe('the list of requests', () => {
  async function withThree() {
    const fleet = await Fleet.start({ nodes: [...nodes, { name: 'db1', roles: ['db'] }] });
    const restart = await fleet.ask({ action: 'restart' });
    await fleet.pass(1_000);
    const sinceMs = fleet.clock.wallMs();
    fleet.node('web2').processes.answer('service redis status', { exitCode: 3 });
    const status = await fleet.ask({ action: 'status', service: 'redis', nodes: ['web1', 'web2'] });
    await fleet.pass(1_000);
    fleet.node('db1').hold('redis stop');
    const stop = fleet.send({ topic: 'role:db', action: 'stop', service: 'redis' });
    await fleet.pass(100);
    const ids = async (conditions: Parameters<typeof list>[0]) =>
      (await fleet.settled(list(conditions))).map(({ id }) => id);
    const { history } = fleet.client();
    const list: typeof history.list = (conditions) => history.list(conditions);
    return { fleet, history, ids, sinceMs, restart: restart.id, status: status.id, stop: stop.id };
  }

  it('shows the newest first, with what was asked and what became of it', async () => {
    const { fleet, history, restart, status, stop } = await withThree();
    const requests = await fleet.settled(history.list({}));
    expect(requests.map(({ id }) => id)).to.deep.equal([stop, status, restart]);
    expect(requests.map(({ counts }) => counts)).to.deep.equal([{}, { ok: 1, failed: 1 }, { ok: 4 }]);
    expect(requests.map(({ endedMs }) => endedMs !== undefined)).to.deep.equal([false, true, true]);
    expect(requests[1]).to.include({ action: 'status', service: 'redis', topic: 'any', isCancelled: false });
    expect(requests.map((request) => request.nodes)).to.deep.equal([undefined, ['web1', 'web2'], undefined]);
    expect(requests[1]?.openedMs).to.equal(fleet.clock.wallMs() - 1_100);
  });

  it('can be filtered by node, service, outcome and time, and cut', async () => {
    const { ids, sinceMs, restart, status, stop } = await withThree();
    expect(await ids({ node: 'db1' })).to.deep.equal([stop, restart]);
    expect(await ids({ service: 'redis' })).to.deep.equal([stop, status]);
    expect(await ids({ outcome: 'failed' })).to.deep.equal([status]);
    expect(await ids({ outcome: 'ok', service: 'nginx' })).to.deep.equal([restart]);
    expect(await ids({ sinceMs })).to.deep.equal([stop, status]);
    expect(await ids({ limit: 1 })).to.deep.equal([stop]);
    expect(await ids({ node: 'web9' })).to.deep.equal([]);
  });

  it('with a bad condition is refused before anything is sent', async () => {
    const { fleet, history } = await withThree();
    const asks = fleet.network.count({ kind: 'ask' });
    expect(await codeOf(fleet, history.list({ limit: 0 }))).to.equal('INVALID_MESSAGE');
    expect(asks.count).to.equal(0);
  });

  it('outlives the manager', async () => {
    const { fleet, ids, restart, status, stop } = await withThree();
    fleet.manager().kill();
    await fleet.manager().start();
    expect(await ids({})).to.deep.equal([stop, status, restart]);
  });
});

describe('a request in the history', () => {
  it('shows how far each node is', async () => {
    const fleet = await Fleet.start({ nodes });
    fleet.node('web1').hold('nginx stop');
    fleet.node('web2').hold('nginx restart');
    fleet.send({ action: 'stop', nodes: ['web1'] });
    await fleet.pass(10);
    fleet.network.lose({ to: 'web3', kind: 'request' });
    const run = fleet.send({});
    await fleet.pass(10);
    const { progress, unnamed } = await fleet.settled(fleet.client().history.show(run.id));
    expect(progress).to.have.deep.members([
      { node: 'web1', phase: 'queued' },
      { node: 'web2', phase: 'running' },
      { node: 'web3', phase: 'asked' },
    ]);
    expect(unnamed).to.equal(0);
  });

  it('names the nodes that were not there', async () => {
    const fleet = await Fleet.start({ nodes });
    await fleet.settled(fleet.node('web2').close());
    const run = await fleet.ask({});
    const { unreachable, progress } = await fleet.settled(fleet.client().history.show(run.id));
    expect(unreachable).to.have.length(1);
    expect(unreachable[0]).to.include({ node: 'web2', hasLeft: true });
    expect(progress.find(({ node }) => node === 'web2')).to.include({ outcome: 'unreachable' });
  });

  it('has all answers, also when they come in several pages', async () => {
    const many = Array.from({ length: 25 }, (_, index) => `n${index}`);
    const fleet = await Fleet.start({ nodes: many });
    const page = `${'x'.repeat(60_000)}\n`.repeat(8);
    for (const node of fleet.nodes) {
      node.processes.answer('service nginx status', () => ({ stdout: { text: page, cutBytes: 0 } }));
    }
    const run = await fleet.ask({ action: 'status' });
    expect(run.answers).to.have.length(25);
    const pages = fleet.network.count({ kind: 'reply' });
    const answers = await fleet.settled(fleet.client().history.answers(run.id));
    expect(answers.map((answer) => 'result' in answer && answer.result.node)).to.have.members(many);
    expect(new Set(answers).size).to.equal(25);
    expect(pages.count).to.be.at.least(3);
  });

  it('is amended by an answer that comes after its window', async () => {
    const fleet = await Fleet.start({ nodes });
    fleet.node('web2').slow('nginx restart', 8_000);
    const run = await fleet.ask({ windowMs: 2_000 });
    expect(run.outcomes).to.deep.equal({ web1: 'ok', web2: 'running', web3: 'ok' });
    await fleet.pass(7_000);
    const { request, progress } = await fleet.settled(fleet.client().history.show(run.id));
    expect(request.counts).to.deep.equal({ ok: 3 });
    expect(progress.every(({ phase }) => phase === 'done')).to.equal(true);
    expect(await fleet.settled(fleet.client().history.answers(run.id))).to.have.length(3);
  });

  it('is amended by an answer that comes when 200 others have ended since', async () => {
    const fleet = await Fleet.start({ nodes: ['web1'] });
    fleet.node('web1').slow('nginx restart', 20_000);
    const run = await fleet.ask({ windowMs: 1_000 });
    const client = fleet.client();
    for (let count = 0; count < 210; count += 1) {
      fleet.send({ topic: 'role:nobody' }, client);
      if (count % 50 === 0) await fleet.pass(10);
    }
    await fleet.pass(25_000);
    const { request } = await fleet.settled(client.history.show(run.id));
    expect(request.counts).to.deep.equal({ ok: 1 });
    expect(fleet.node('web1').agent.counters.undelivered).to.equal(0);
  });

  it('that nobody knows is UNKNOWN_REQUEST, whatever is asked about it', async () => {
    const fleet = await Fleet.start({ nodes });
    const { history } = fleet.client();
    const id = 'f'.repeat(32);
    for (const question of ['show', 'answers', 'attach', 'cancel'] as const) {
      expect(await codeOf(fleet, history[question](id))).to.equal('UNKNOWN_REQUEST');
    }
    expect(await codeOf(fleet, history.show('no id'))).to.equal('INVALID_MESSAGE');
  });
});

describe('who attaches to a request', () => {
  it('gets the answers so far, then those to come, each once, and its end', async () => {
    const fleet = await Fleet.start({ nodes });
    fleet.node('web2').slow('nginx restart', 3_000);
    const run = fleet.send({ windowMs: 10_000 });
    await fleet.pass(1_000);
    const follower = follow(fleet, run.id);
    await fleet.pass(0);
    expect(follower.answeredBy).to.have.members(['web1', 'web3']);
    await fleet.until(() => follower.isOver, 'the follower has ended');
    expect(follower.tookMs).to.equal(2_000);
    expect(follower.answeredBy).to.have.members(nodes);
    expect(follower.outcomes).to.deep.equal({ web1: 'ok', web2: 'ok', web3: 'ok' });
    await fleet.until(() => run.isOver, 'the client has ended');
    expect(run.answeredBy).to.have.members(nodes);
  });

  it('after the first client was killed gets all', async () => {
    const fleet = await Fleet.start({ nodes });
    fleet.node('web2').slow('nginx restart', 3_000);
    const leaving = new AbortController();
    const run = fleet.send({ windowMs: 10_000, signal: leaving.signal });
    await fleet.pass(1_000);
    leaving.abort();
    await fleet.pass(1_000);
    const follower = follow(fleet, run.id);
    await fleet.until(() => follower.isOver, 'the follower has ended');
    expect(follower.outcomes).to.deep.equal({ web1: 'ok', web2: 'ok', web3: 'ok' });
    expect(follower.answeredBy).to.have.members(nodes);
  });

  it('that ends while the answers so far are on their way gets them all', async () => {
    const fleet = await Fleet.start({ nodes });
    fleet.node('web2').slow('nginx restart', 1_500);
    const run = fleet.send({ windowMs: 10_000 });
    await fleet.pass(1_000);
    const lost = fleet.network.lose(
      ({ kind, frames }) => kind === 'reply' && frames.some((frame) => frame.includes('"answers":[')),
      1,
    );
    const follower = follow(fleet, run.id);
    await fleet.until(() => follower.isOver, 'the follower has ended');
    expect(lost.count).to.equal(1);
    expect(follower.answeredBy).to.have.members(nodes);
    expect(follower.outcomes).to.deep.equal({ web1: 'ok', web2: 'ok', web3: 'ok' });
  });

  it('when it is over gets all answers at once', async () => {
    const fleet = await Fleet.start({ nodes });
    await fleet.settled(fleet.node('web3').close());
    const run = await fleet.ask({});
    await fleet.pass(120_000);
    const follower = follow(fleet, run.id);
    await fleet.pass(0);
    expect([follower.isOver, follower.tookMs]).to.deep.equal([true, 0]);
    expect(follower.answeredBy).to.have.members(['web1', 'web2']);
    expect(follower.outcomes).to.deep.equal({ web1: 'ok', web2: 'ok', web3: 'unreachable' });
    expect(follower.summary).to.include({ isOver: true, isAimKnown: true, unnamed: 0 });
  });

  it('to one that was cancelled learns so', async () => {
    const fleet = await Fleet.start({ nodes });
    fleet.node('web1').hold('nginx restart');
    const run = fleet.send({});
    await fleet.pass(100);
    const follower = follow(fleet, run.id);
    await fleet.pass(100);
    await fleet.settled(fleet.client().history.cancel(run.id));
    await fleet.pass(10);
    expect(follower.summary).to.include({ isOver: true, isCancelled: true });
    const second = follow(fleet, run.id);
    await fleet.pass(10);
    expect(second.summary).to.include({ isOver: true, isCancelled: true });
  });

  it('may leave', async () => {
    const fleet = await Fleet.start({ nodes });
    fleet.node('web1').hold('nginx restart');
    const run = fleet.send({ windowMs: 60_000 });
    await fleet.pass(100);
    const leaving = new AbortController();
    const follower = follow(fleet, run.id, leaving.signal);
    await fleet.pass(100);
    leaving.abort();
    await fleet.pass(0);
    expect([follower.isOver, follower.summary.isOver]).to.deep.equal([true, false]);
  });

  it('stays attached over a restart of the manager', async () => {
    const fleet = await Fleet.start({ nodes });
    fleet.node('web2').slow('nginx restart', 10_000);
    const run = fleet.send({ windowMs: 30_000 });
    await fleet.pass(1_000);
    const follower = follow(fleet, run.id);
    await fleet.pass(1_000);
    fleet.manager().kill();
    await fleet.pass(3_000);
    await fleet.manager().start();
    await fleet.until(() => follower.isOver && run.isOver, 'both have ended');
    for (const told of [follower, run]) {
      expect(told.outcomes).to.deep.equal({ web1: 'ok', web2: 'ok', web3: 'ok' });
      expect(told.answeredBy).to.have.members(nodes);
    }
  });
});

describe('the nodes that failed', () => {
  it('can be asked again, and nobody else is', async () => {
    const fleet = await Fleet.start({ nodes });
    fleet.node('web2').processes.answer('service nginx restart', { exitCode: 1 });
    const first = await fleet.ask({});
    fleet.node('web2').processes.answer('service nginx restart', {});
    const { progress } = await fleet.settled(fleet.client().history.show(first.id));
    const failed = progress.filter(({ outcome }) => outcome === 'failed').map(({ node }) => node);
    const second = await fleet.ask({ nodes: failed });
    expect(second.outcomes).to.deep.equal({ web2: 'ok' });
    expect(fleet.nodes.map((node) => node.runs('nginx restart'))).to.deep.equal([1, 2, 1]);
  });
});

describe('a node that is forgotten', () => {
  it('is not aimed at any more', async () => {
    const fleet = await Fleet.start({ nodes });
    fleet.node('web2').kill();
    await fleet.pass(3_000);
    await fleet.settled(fleet.client().history.forget('web2'));
    expect((await fleet.ask({})).outcomes).to.deep.equal({ web1: 'ok', web3: 'ok' });
    fleet.manager().kill();
    await fleet.manager().start();
    await fleet.pass(3_000);
    const { nodes: known } = await fleet.settled(fleet.client().history.nodes());
    expect(known.map(({ node }) => node)).to.have.members(['web1', 'web3']);
  });

  it('stays in the requests that were aimed at it', async () => {
    const fleet = await Fleet.start({ nodes });
    const run = await fleet.ask({});
    fleet.node('web2').kill();
    await fleet.pass(3_000);
    await fleet.settled(fleet.client().history.forget('web2'));
    const { request } = await fleet.settled(fleet.client().history.show(run.id));
    expect(request.counts).to.deep.equal({ ok: 3 });
  });

  it('and is alive is known again with its next beat', async () => {
    const fleet = await Fleet.start({ nodes });
    await fleet.settled(fleet.client().history.forget('web2'));
    await fleet.pass(9_000);
    expect((await fleet.ask({})).outcomes).to.deep.equal({ web1: 'ok', web2: 'ok', web3: 'ok' });
  });

  it('must be known', async () => {
    const fleet = await Fleet.start({ nodes });
    expect(await codeOf(fleet, fleet.client().history.forget('web9'))).to.equal('UNKNOWN_NODE');
  });
});
