import { expect } from 'chai';
import { MemoryStore } from '../../../src/store/memory-store.ts';
import { RequestEnd } from '../../../src/wire/end.ts';
import type { NodeName } from '../../../src/wire/fields.ts';
import { bootOf, checkedRequest, ManagerDesks } from '../../fakes/manager-desks.ts';
import { idOf } from '../../fakes/stored-requests.ts';

const id = idOf(1);
const names = ['web1', 'web2', 'web3', 'web4', 'web5'];

async function manager(store = new MemoryStore(), clock?: ManagerDesks['clock']): Promise<ManagerDesks> {
  const desks = await ManagerDesks.open(store, clock);
  desks.join(...names);
  await desks.settle();
  desks.dispatched.length = 0;
  return desks;
}

function start(desks: ManagerDesks, rollout: Readonly<Record<string, unknown>>, changes: object = {}): void {
  const { reply } = desks.take(checkedRequest(id, { rollout, windowMs: 5_000, ...changes }));
  if ('success' in reply) throw new Error(reply.msg);
  desks.listen(id);
}

/** Nodes that were asked since the last look. */
async function asked(desks: ManagerDesks): Promise<string[]> {
  await desks.settle();
  return desks.dispatched
    .splice(0)
    .filter((sent) => sent.endsWith(' request'))
    .map((sent) => sent.slice(0, -' request'.length));
}

async function pass(desks: ManagerDesks, ms: number): Promise<void> {
  await desks.clock.advanceAsync(ms);
  desks.requests.tick();
}

function shown(desks: ManagerDesks) {
  const reply = desks.ask({ v: 2, query: 'request', id });
  if (!('progress' in reply)) throw new Error('it is no request');
  return reply;
}

function outcomes(desks: ManagerDesks): Record<string, string | undefined> {
  return Object.fromEntries(shown(desks).progress.map(({ node, outcome }) => [node, outcome]));
}

describe('a rollout', () => {
  it('asks one batch after the other, by name', async () => {
    const desks = await manager();
    start(desks, { batch: '2' });
    expect(await asked(desks)).to.deep.equal(['web1', 'web2']);
    desks.answer('web1', id);
    expect(await asked(desks)).to.deep.equal([]);
    desks.answer('web2', id);
    expect(await asked(desks)).to.deep.equal(['web3', 'web4']);
    for (const node of ['web3', 'web4']) desks.answer(node, id);
    expect(await asked(desks)).to.deep.equal(['web5']);
    expect(desks.requests.openCount).to.equal(1);
    desks.answer('web5', id);
    expect(desks.requests.openCount).to.equal(0);
    expect(shown(desks).request.counts).to.deep.equal({ ok: 5 });
  });

  it('pauses between two batches, and says until when', async () => {
    const desks = await manager();
    start(desks, { batch: '4', pauseMs: 10_000 });
    for (const node of names.slice(0, 4)) desks.answer(node, id);
    await asked(desks);
    expect(shown(desks).request.rollout).to.deep.equal({
      ...{ batch: 1, batches: 2, started: 4, pauseUntilMs: desks.clock.wallMs() + 10_000 },
    });
    await pass(desks, 9_999);
    expect(await asked(desks)).to.deep.equal([]);
    await pass(desks, 1);
    expect(await asked(desks)).to.deep.equal(['web5']);
  });

  it('stops at the first failure, asks nobody else, and says why', async () => {
    const desks = await manager();
    start(desks, { batch: '2' });
    await asked(desks);
    desks.answer('web1', id, { returncode: 1 });
    desks.answer('web2', id);
    await pass(desks, 60_000);
    expect(await asked(desks)).to.deep.equal([]);
    expect(outcomes(desks)).to.deep.equal({
      ...{ web1: 'failed', web2: 'ok', web3: 'cancelled', web4: 'cancelled', web5: 'cancelled' },
    });
    const stopped = '1 node failed, none may: 3 nodes not started';
    expect(shown(desks).request.rollout).to.include({ stopped });
    const [, end = ''] = desks.published.find(([topic]) => topic === `end/${id}`) ?? [];
    expect(RequestEnd.decode(Buffer.from(end)).stopped).to.equal(stopped);
    const [listed] = desks.requests.openCount === 0 ? [shown(desks).request] : [];
    expect(listed?.rollout?.stopped).to.equal(stopped);
  });

  it('puts up with as many failures as it is told, of all nodes', async () => {
    const desks = await manager();
    start(desks, { batch: '1', maxFail: '20%' });
    desks.answer('web1', id, { returncode: 1 });
    expect(await asked(desks)).to.deep.equal(['web1', 'web2']);
    desks.answer('web2', id, { returncode: 1 });
    expect(await asked(desks)).to.deep.equal([]);
  });

  it('begins with nodes in the order that is asked for', async () => {
    const desks = await manager();
    start(desks, { batch: '5', order: 'random' }, { seed: 3 });
    const first = await asked(desks);
    expect(first).to.have.members(names);
    expect(first).to.not.deep.equal(names);
  });

  it('tells each agent until when its batch lasts', async () => {
    const desks = await manager();
    start(desks, { batch: '1' });
    await asked(desks);
    const wallMs = desks.clock.wallMs();
    desks.answer('web1', id);
    await desks.settle();
    expect(desks.untils.map((until) => (until ?? 0) - wallMs)).to.deep.equal([5_000, 5_000]);
  });

  it('does not ask nodes that are not there, and goes on', async () => {
    const desks = await manager();
    desks.presence.message({ type: 'bye', node: 'web2' as NodeName, boot: bootOf('b') });
    start(desks, { batch: '2' });
    expect(await asked(desks)).to.deep.equal(['web1', 'web3']);
  });

  it('is refused where v1 agents would be left out unseen', async () => {
    const desks = await manager();
    desks.presence.subscription({ version: 'v1', topic: 'any' as never, isSubscribed: true });
    expect(() => start(desks, { batch: '2' })).to.throw('1 v1 agents on its topic have no names');
  });

  it('is refused when its batch is of nobody', async () => {
    const desks = await manager();
    for (const batch of ['0', '0%'])
      expect(() => start(desks, { batch })).to.throw(`field batch is "${batch}", expected one node at least`);
  });

  it('publishes how far it is, to whoever waits for it', async () => {
    const desks = await manager();
    start(desks, { batch: '3' });
    for (const node of names) desks.answer(node, id);
    await desks.settle();
    const told = desks.published.filter(([topic]) => topic === `rollout/${id}`);
    expect(told.map(([, text]) => JSON.parse(text))).to.deep.equal([
      { batch: 1, batches: 2, started: 3 },
      { batch: 2, batches: 2, started: 5 },
    ]);
  });

  it('is in the store before anybody is asked', async () => {
    const desks = await manager();
    start(desks, { batch: '2' });
    const writes = desks.writes.filter((write) => write !== 'saveMember');
    expect([writes, desks.dispatched]).to.deep.equal([['openRequest', 'saveAnswers', 'updateRequest'], []]);
  });

  it('is cancelled: who waits never starts', async () => {
    const desks = await manager();
    start(desks, { batch: '1' });
    await asked(desks);
    desks.ask({ v: 2, query: 'cancel', id });
    await desks.settle();
    expect(desks.dispatched).to.deep.equal(['web1 cancel']);
    desks.answer('web1', id);
    expect(outcomes(desks)).to.include({ web1: 'ok', web2: 'cancelled', web5: 'cancelled' });
    expect(desks.requests.openCount).to.equal(0);
  });
});

describe('a rollout over a restart of the manager', () => {
  async function restarted(before: ManagerDesks, store: MemoryStore): Promise<ManagerDesks> {
    before.recorder.close();
    const desks = await manager(store, before.clock);
    desks.requests.restore((node) => desks.presence.roster.get(node));
    desks.requests.tick();
    return desks;
  }

  it('goes on with the batch at work, and asks nobody of it twice but for what was lost', async () => {
    const store = new MemoryStore();
    const first = await manager(store);
    start(first, { batch: '2' });
    first.answer('web1', id);
    await asked(first);
    const second = await restarted(first, store);
    expect(await asked(second)).to.deep.equal(['web2']);
    second.answer('web2', id);
    expect(await asked(second)).to.deep.equal(['web3', 'web4']);
    for (const node of ['web3', 'web4', 'web5']) second.answer(node, id);
    expect(shown(second).request.counts).to.deep.equal({ ok: 5 });
    expect(shown(second).request.rollout).to.deep.equal({ batch: 3, batches: 3, started: 5 });
  });

  it('stays stopped', async () => {
    const store = new MemoryStore();
    const first = await manager(store);
    start(first, { batch: '1' });
    first.answer('web1', id, { returncode: 1 });
    await first.settle();
    const second = await restarted(first, store);
    await pass(second, 60_000);
    expect(await asked(second)).to.deep.equal([]);
    expect(shown(second).request.rollout?.stopped).to.match(/^1 node failed/);
  });

  it('goes on with the pause', async () => {
    const store = new MemoryStore();
    const first = await manager(store);
    start(first, { batch: '4', pauseMs: 10_000 });
    for (const node of names.slice(0, 4)) first.answer(node, id);
    await pass(first, 6_000);
    const second = await restarted(first, store);
    await pass(second, 3_999);
    expect(await asked(second)).to.deep.equal([]);
    await pass(second, 1);
    expect(await asked(second)).to.deep.equal(['web5']);
  });

  it('is listed as it was, also when it is long over', async () => {
    const store = new MemoryStore();
    const first = await manager(store);
    start(first, { batch: '1' });
    first.answer('web1', id, { returncode: 1 });
    await pass(first, 120_000);
    const second = await restarted(first, store);
    const reply = second.ask({ v: 2, query: 'requests' });
    const [listed] = 'requests' in reply ? reply.requests : [];
    expect(listed?.rollout).to.deep.equal({
      ...{ batch: 1, batches: 5, started: 1, stopped: '1 node failed, none may: 4 nodes not started' },
    });
  });
});
