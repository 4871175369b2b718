import { expect } from 'chai';
import { type RequestEffect, Requests } from '../../../src/core/requests.ts';
import { message } from '../../../src/wire/codec.ts';
import { NodeName, RequestId } from '../../../src/wire/fields.ts';

const node = message('node', 300, NodeName).parse;
const web1 = node('web1');
const web2 = node('web2');
const options = { firstPauseMs: 1_000, longestPauseMs: 10_000, cancelGraceMs: 10_000, jitter: () => 0.5 };

/** The id of the nth request. */
function idOf(count: number): RequestId {
  return message('id', 64, RequestId).parse(String(count).padStart(32, '0'));
}

function aim(count: number, { node = web1, isAlive = true, endsAtMs = 60_000 } = {}) {
  const nodes = [{ node, isAlive, isRefused: false }];
  return { id: idOf(count), nodes, anonymous: 0, withheld: 0, endsAtMs };
}

function kept({ maxOpen = 10, maxEnded = 10, maxEndedNodes = 100 } = {}): Requests {
  return new Requests({ maxOpen, maxEnded, maxEndedNodes }, options);
}

function answer(from: NodeName) {
  return { kind: 'result', node: from, isV1: false, outcome: 'ok' } as const;
}

describe('the requests in memory', () => {
  it('are found by their id while they are open', () => {
    const requests = kept();
    const ledger = requests.add(aim(1), 0);
    expect(requests.get(idOf(1))).to.equal(ledger);
    expect(requests.get(idOf(2))).to.equal(undefined);
    expect(requests.openCount).to.equal(1);
  });

  it('are full when as many are open as may be', () => {
    const requests = kept({ maxOpen: 2 });
    requests.add(aim(1), 0);
    expect(requests.isFull).to.equal(false);
    requests.add(aim(2), 0);
    expect(requests.isFull).to.equal(true);
  });

  it('make room when one is over, and still find it', () => {
    const requests = kept({ maxOpen: 1 });
    const ledger = requests.add(aim(1), 0);
    requests.step(ledger, answer(web1), 10);
    expect(requests.isFull).to.equal(false);
    expect(requests.get(idOf(1))).to.equal(ledger);
  });

  it('forget one that was dropped', () => {
    const requests = kept();
    requests.drop(requests.add(aim(1), 0));
    expect(requests.get(idOf(1))).to.equal(undefined);
    expect(requests.openCount).to.equal(0);
  });

  it('put one aside that an earlier run had ended', () => {
    const requests = kept();
    const ledger = requests.add({ ...aim(1), nodes: [] }, 0);
    ledger.restore([], true, false);
    requests.settle(ledger);
    expect(requests.openCount).to.equal(0);
    expect(requests.get(idOf(1))).to.equal(ledger);
  });

  it('are all driven by one tick', () => {
    const requests = kept();
    requests.add(aim(1), 0);
    requests.add(aim(2, { node: web2 }), 0);
    expect(requests.tick(1_000)).to.deep.equal([
      { kind: 'ask', id: idOf(1), node: web1 },
      { kind: 'ask', id: idOf(2), node: web2 },
    ]);
  });

  it('that are over are not driven any more', () => {
    const requests = kept();
    requests.add(aim(1, { isAlive: false }), 0);
    expect(requests.tick(0)).to.deep.equal([{ kind: 'end', id: idOf(1) }]);
    expect(requests.tick(60_000)).to.deep.equal([]);
  });

  it('take a late answer after their end', () => {
    const requests = kept();
    const ledger = requests.add(aim(1, { endsAtMs: 5_000 }), 0);
    requests.tick(5_000);
    const kinds = requests.step(ledger, answer(web1), 6_000).map(({ kind }) => kind);
    expect(kinds).to.deep.equal(['publish', 'record']);
  });

  it('learn of a node that is back in each request that is aimed at it', () => {
    const requests = kept();
    for (const [count, node] of [web1, web2, web1].entries()) requests.add(aim(count, { node }), 0);
    requests.presence(web1, false, 100);
    expect(requests.presence(web1, true, 200)).to.deep.equal([
      { kind: 'ask', id: idOf(0), node: web1 },
      { kind: 'ask', id: idOf(2), node: web1 },
    ]);
  });

  it('learn of a node that is lost: it is not asked again', () => {
    const requests = kept();
    requests.add(aim(1), 0);
    requests.presence(web1, false, 100);
    expect(requests.tick(5_000)).to.deep.equal([]);
  });

  it('forget the oldest of the ended ones when these have too many nodes', () => {
    const requests = kept({ maxEndedNodes: 3 });
    const two = [web1, web2].map((each) => ({ node: each, isAlive: false, isRefused: false }));
    for (const count of [1, 2, 3]) {
      const ledger = requests.add({ ...aim(count), nodes: count === 2 ? two : two.slice(1) }, 0);
      requests.step(ledger, { kind: 'tick' }, 0);
    }
    requests.tick(0);
    expect([1, 2, 3].map((count) => requests.get(idOf(count)) !== undefined)).to.deep.equal([
      false,
      true,
      true,
    ]);
  });

  it('let the oldest of those that are over go', () => {
    const requests = kept({ maxEnded: 2 });
    for (const count of [1, 2, 3]) {
      requests.step(requests.add(aim(count), count), answer(web1), count);
    }
    requests.tick(10);
    const found = [1, 2, 3].filter((count) => requests.get(idOf(count)) !== undefined);
    expect(found).to.deep.equal([2, 3]);
  });

  it('keep all that end at once until what came of it is carried out', () => {
    const requests = kept({ maxEnded: 1 });
    for (const count of [1, 2, 3]) requests.add(aim(count, { isAlive: false }), 0);
    const ends = requests.tick(0);
    expect(ends.map(({ id }) => requests.get(id)?.isOver)).to.deep.equal([true, true, true]);
  });

  it('let those go that ended at once before the next one is taken up', () => {
    const requests = kept({ maxEnded: 1 });
    for (const count of [1, 2, 3]) requests.add(aim(count, { isAlive: false }), 0);
    requests.tick(0);
    requests.add(aim(4), 10);
    const found = [1, 2, 3, 4].filter((count) => requests.get(idOf(count)) !== undefined);
    expect(found).to.deep.equal([3, 4]);
  });
});

describe('a rollout among the requests', () => {
  const plan = { nodes: [web1, web2], batch: 1, canary: 0, pauseMs: 0, maxFail: 0, windowMs: 60_000 };
  const alive = { isAlive: true, isRefused: false };
  const nodes = [
    { node: web1, ...alive },
    { node: web2, ...alive },
  ];

  function asked(effects: readonly RequestEffect[]): NodeName[] {
    return effects.flatMap((effect) => (effect.kind === 'ask' ? [effect.node] : []));
  }

  it('is found, counted and dropped like the others', () => {
    const requests = kept();
    const ledger = requests.addRollout({ id: idOf(1), nodes, withheld: 0 }, plan, 0);
    expect(requests.get(idOf(1))).to.equal(ledger);
    expect(requests.openCount).to.equal(1);
    requests.drop(ledger);
    expect([requests.get(idOf(1)), requests.progress(idOf(1))]).to.deep.equal([undefined, undefined]);
  });

  it('is driven by the same steps, ticks and nodes that come and go', () => {
    const requests = kept();
    const ledger = requests.addRollout({ id: idOf(1), nodes, withheld: 0 }, plan, 0);
    expect(asked(requests.tick(0))).to.deep.equal([web1]);
    requests.presence(web1, false, 10);
    expect(asked(requests.presence(web1, true, 20))).to.deep.equal([web1]);
    expect(asked(requests.step(ledger, answer(web1), 30))).to.deep.equal([web2]);
  });

  it('says how far it is, which other requests do not', () => {
    const requests = kept();
    requests.add(aim(1), 0);
    requests.addRollout({ id: idOf(2), nodes, withheld: 0 }, plan, 0);
    requests.tick(0);
    expect(requests.progress(idOf(1))).to.equal(undefined);
    expect(requests.progress(idOf(2))).to.deep.include({ batch: 1, batches: 2 });
  });

  it('is put aside at its end and forgotten with the oldest', () => {
    const requests = kept({ maxEnded: 0 });
    const ledger = requests.addRollout({ id: idOf(1), nodes: [], withheld: 0 }, { ...plan, nodes: [] }, 0);
    requests.step(ledger, { kind: 'tick' }, 0);
    expect(requests.openCount).to.equal(0);
    expect(requests.progress(idOf(1))?.batches).to.equal(0);
    requests.tick(10);
    expect([requests.get(idOf(1)), requests.progress(idOf(1))]).to.deep.equal([undefined, undefined]);
  });

  it('of an earlier run goes on, or is put aside when it was over', () => {
    const entries = [
      { node: web1, phase: 'done', outcome: 'ok', isAnonymous: false },
      { node: web2, phase: 'waiting', outcome: undefined, isAnonymous: false },
    ] as const;
    const past = { plan, entries, state: undefined, isCancelled: false, isThere: () => true };
    const aims = [1, 2].map((count) => ({ id: idOf(count), withheld: 0, endsAtMs: 0 }));
    const requests = kept();
    for (const [at, aim] of aims.entries()) requests.restoreRollout({ ...past, aim, isOver: at === 0 }, 0);
    expect(requests.openCount).to.equal(1);
    expect(requests.tick(0).filter(({ kind }) => kind === 'ask')).to.deep.equal([
      { kind: 'ask', id: idOf(2), node: web2 },
    ]);
  });
});
