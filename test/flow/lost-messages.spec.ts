import { expect } from 'chai';
import type { RequestId } from '../../src/wire/fields.ts';
import type { Run } from '../fakes/client-run.ts';
import { Fleet } from './fleet.ts';

const nodes = ['web1', 'web2'];

/** The nodes whose answers to this request the manager has stored. */
function storedAnswers(fleet: Fleet, id: RequestId, manager = 'm1'): string[] {
  const answers = fleet.manager(manager).store.answers(id, { limit: 1_000, maxBytes: 1e9 });
  return answers.filter(({ payload }) => payload !== undefined).map(({ node }) => node);
}

async function expectTold(fleet: Fleet, run: Run): Promise<void> {
  await fleet.until(() => run.isOver, 'the request is over');
  expect(run.outcomes).to.deep.equal({ web1: 'ok', web2: 'ok' });
  expect(run.answeredBy).to.have.members(nodes);
  await fleet.pass(60_000);
  expect(storedAnswers(fleet, run.id)).to.deep.equal(nodes);
  expect(fleet.nodes.map((node) => node.runs('nginx restart'))).to.deep.equal([1, 1]);
  expect(fleet.nodes.map((node) => node.agent.counters.undelivered)).to.deep.equal([0, 0]);
}

describe('a dispatch that is lost', () => {
  it('is sent again by name after a second, and runs once', async () => {
    const fleet = await Fleet.start({ nodes });
    const lost = fleet.network.lose({ to: 'web1', kind: 'request' }, 1);
    const again = fleet.network.count({ to: 'web1', kind: 'request' });
    const toOther = fleet.network.count({ to: 'web2', kind: 'request' });
    const run = await fleet.ask({});
    expect(run.tookMs).to.be.within(750, 1_350);
    expect([lost.count, again.count, toOther.count]).to.deep.equal([1, 2, 1]);
    await expectTold(fleet, run);
  });

  it('again and again is sent with growing pauses until it arrives', async () => {
    const fleet = await Fleet.start({ nodes });
    const lostAtMs: number[] = [];
    const rule = fleet.network.lose(({ to, kind }) => {
      const isMeant = to === 'web1' && kind === 'request';
      if (isMeant) lostAtMs.push(fleet.clock.now());
      return isMeant;
    });
    const run = fleet.send({ windowMs: 120_000 });
    await fleet.pass(60_000);
    rule.lift();
    const pauses = lostAtMs.slice(1).map((atMs, index) => atMs - (lostAtMs[index] ?? 0));
    expect(pauses.length).to.be.within(6, 10);
    for (const [index, pause] of pauses.entries()) {
      const evenPause = Math.min(10_000, 1_000 * 2 ** index);
      expect(pause, `pause ${index}`).to.be.within(evenPause * 0.75, evenPause * 1.25 + 100);
    }
    await expectTold(fleet, run);
  });

  it('of which the window sees the end is no-answer, and runs never', async () => {
    const fleet = await Fleet.start({ nodes });
    fleet.network.lose({ to: 'web1', kind: 'request' });
    const run = await fleet.ask({ windowMs: 4_000 });
    expect(run.outcomes).to.deep.equal({ web1: 'no-answer', web2: 'ok' });
    await fleet.pass(60_000);
    expect(fleet.node('web1').runs('nginx restart')).to.equal(0);
  });
});

describe('an acknowledgement that is lost', () => {
  it('lets the node be asked again, and the action runs once', async () => {
    const fleet = await Fleet.start({ nodes });
    fleet.node('web1').hold('nginx restart');
    const lost = fleet.network.lose({ from: 'web1', kind: 'ack' }, 1);
    const again = fleet.network.count({ to: 'web1', kind: 'request' });
    const run = fleet.send({});
    await fleet.pass(3_000);
    expect([lost.count, again.count]).to.deep.equal([1, 2]);
    fleet.node('web1').release('nginx restart');
    await expectTold(fleet, run);
  });

  it('does not keep the answer back', async () => {
    const fleet = await Fleet.start({ nodes });
    fleet.network.lose({ kind: 'ack' });
    const run = await fleet.ask({});
    expect(run.tookMs).to.equal(0);
    await expectTold(fleet, run);
  });
});

describe('a result that is lost', () => {
  it('is sent again by the agent after a second, and published once', async () => {
    const fleet = await Fleet.start({ nodes });
    const lost = fleet.network.lose({ from: 'web1', kind: 'result' }, 1);
    const published = fleet.network.count({ kind: 'answer' });
    const run = await fleet.ask({});
    expect(run.tookMs).to.be.within(750, 1_500);
    expect(lost.count).to.equal(1);
    await expectTold(fleet, run);
    expect(published.count).to.equal(2);
  });

  it('is sent again until it is stored, also after the window, and amends the history', async () => {
    const fleet = await Fleet.start({ nodes });
    const rule = fleet.network.lose({ from: 'web1', kind: 'result' });
    const run = await fleet.ask({ windowMs: 2_000 });
    expect(run.outcomes).to.deep.equal({ web1: 'running', web2: 'ok' });
    await fleet.pass(60_000);
    expect(rule.count).to.be.at.least(5);
    rule.lift();
    expect(storedAnswers(fleet, run.id)).to.deep.equal(['web2']);
    await fleet.pass(40_000);
    expect(storedAnswers(fleet, run.id)).to.deep.equal(nodes);
    const { request } = await fleet.settled(fleet.client().history.show(run.id));
    expect(request.counts).to.deep.equal({ ok: 2 });
    expect(fleet.node('web1').runs('nginx restart')).to.equal(1);
  });

  it('of a status is sent again too', async () => {
    const fleet = await Fleet.start({ nodes });
    fleet.network.lose({ from: 'web1', kind: 'result' }, 2);
    const run = await fleet.ask({ action: 'status' });
    expect(run.outcomes).to.deep.equal({ web1: 'ok', web2: 'ok' });
    expect(run.tookMs).to.be.within(2_000, 4_000);
  });
});

describe('a confirmation that is lost', () => {
  it('is given again when the agent sends its answer again, and nothing is published twice', async () => {
    const fleet = await Fleet.start({ nodes });
    const lost = fleet.network.lose({ to: 'web1', kind: 'stored' }, 2);
    const published = fleet.network.count({ kind: 'answer' });
    const results = fleet.network.count({ from: 'web1', kind: 'result' });
    const run = await fleet.ask({});
    expect(run.tookMs).to.equal(0);
    await fleet.pass(500);
    expect(fleet.node('web1').agent.counters.undelivered).to.equal(1);
    await expectTold(fleet, run);
    expect([lost.count, results.count, published.count]).to.deep.equal([2, 3, 2]);
  });
});

describe('an answer that comes twice', () => {
  it('is published once, also while the request is open', async () => {
    const fleet = await Fleet.start({ nodes });
    fleet.node('web2').slow('nginx restart', 8_000);
    fleet.network.lose({ to: 'web1', kind: 'stored' }, 2);
    const results = fleet.network.count({ from: 'web1', kind: 'result' });
    const published = fleet.network.count({ kind: 'answer' });
    const run = fleet.send({ windowMs: 20_000 });
    await fleet.pass(7_000);
    expect([results.count, published.count, run.answeredBy]).to.deep.equal([3, 1, ['web1']]);
    await expectTold(fleet, run);
  });
});

describe('a reply to a client that is lost', () => {
  it('is given again to the same request, which was opened once', async () => {
    const fleet = await Fleet.start({ nodes });
    fleet.network.lose({ to: 'client', kind: 'reply' }, 1);
    const run = await fleet.ask({});
    expect(run.tookMs).to.equal(1_000);
    await expectTold(fleet, run);
    expect(fleet.manager().manager.counters).to.include({ requests: 1, requestsRepeated: 1 });
  });
});

describe('a request that is sent twice', () => {
  it('runs once', async () => {
    const fleet = await Fleet.start({ nodes });
    const id = fleet.newId();
    const first = await fleet.ask({}, fleet.client({ newId: () => id }));
    await expectTold(fleet, first);
    await fleet.ask({}, fleet.client({ newId: () => id }));
    await expectTold(fleet, first);
  });

  it('runs once also while it runs', async () => {
    const fleet = await Fleet.start({ nodes });
    for (const node of fleet.nodes) node.hold('nginx restart');
    const id = fleet.newId();
    const runs = [1, 2].map(() => fleet.send({}, fleet.client({ newId: () => id })));
    await fleet.pass(500);
    for (const node of fleet.nodes) node.release('nginx restart');
    for (const run of runs) await expectTold(fleet, run);
  });
});

describe('a request that arrives too late', () => {
  it('is expired, and runs never', async () => {
    const fleet = await Fleet.start({ nodes: ['web1', { name: 'web2', wallSkewMs: 60_000 }] });
    const run = await fleet.ask({ windowMs: 5_000 });
    expect(run.outcomes).to.deep.equal({ web1: 'ok', web2: 'expired' });
    expect(run.answers.find((answer) => 'code' in answer)).to.include({ code: 'REQUEST_EXPIRED' });
    expect(fleet.node('web2').runs('nginx restart')).to.equal(0);
    await fleet.pass(1_000);
    expect(storedAnswers(fleet, run.id)).to.deep.equal(['web1', 'web2']);
  });

  it('by less than the clocks of two hosts may differ runs all the same', async () => {
    const fleet = await Fleet.start({ nodes: [{ name: 'web1', wallSkewMs: 34_000 }] });
    expect((await fleet.ask({ windowMs: 5_000 })).outcomes).to.deep.equal({ web1: 'ok' });
  });

  it('because it waited for its turn is expired, and runs never', async () => {
    const fleet = await Fleet.start({ nodes: ['web1'] });
    const node = fleet.node('web1');
    node.hold('nginx stop');
    const stop = fleet.send({ action: 'stop' });
    await fleet.pass(10);
    const restart = await fleet.ask({ action: 'restart' });
    expect(restart.outcomes).to.deep.equal({ web1: 'running' });
    await fleet.pass(60_000);
    node.release('nginx stop');
    await fleet.pass(1_000);
    expect(node.processes.runs).to.deep.equal(['service nginx stop']);
    const { progress } = await fleet.settled(fleet.client().history.show(restart.id));
    expect(progress).to.deep.equal([{ node: 'web1', phase: 'done', outcome: 'expired' }]);
    expect(stop.outcomes).to.deep.equal({ web1: 'running' });
  });
});
