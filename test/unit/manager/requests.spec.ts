import { expect } from 'chai';
import { parsePolicy } from '../../../src/security/policy-parser.ts';
import { MemoryStore } from '../../../src/store/memory-store.ts';
import { isServiceManagerError } from '../../../src/wire/errors.ts';
import type { NodeName } from '../../../src/wire/fields.ts';
import { Answer } from '../../../src/wire/result.ts';
import { keyOwner, senderOf, signedBy } from '../../fakes/key-owners.ts';
import { checkedRequest, helloOf, ManagerDesks, memberOf } from '../../fakes/manager-desks.ts';
import { idOf, storedAnswer, storedEntry, storedRequest } from '../../fakes/stored-requests.ts';

const id = idOf(1);
const web1 = 'web1' as NodeName;

/** Two nodes, and a request to both. */
async function withRequest(changes: Readonly<Record<string, unknown>> = {}, store = new MemoryStore()) {
  const desks = await ManagerDesks.open(store);
  desks.join('web1', 'web2');
  await desks.clock.advanceAsync(5);
  desks.writes.length = 0;
  const verdict = desks.take(checkedRequest(id, changes));
  desks.listen(id);
  await desks.settle();
  return { desks, store, verdict };
}

async function tickFor(desks: ManagerDesks, byMs: number): Promise<void> {
  for (let leftMs = byMs; leftMs > 0; leftMs -= 100) {
    await desks.clock.advanceAsync(100);
    desks.requests.tick();
  }
  await desks.settle();
}

function ends({ published }: ManagerDesks): Array<Record<string, string>> {
  return published
    .filter(([topic]) => topic === `end/${id}`)
    .map(([, text]) =>
      Object.fromEntries(
        JSON.parse(text).outcomes.map((each: { node: string; outcome: string }) => [each.node, each.outcome]),
      ),
    );
}

function answersPublished({ published }: ManagerDesks): string[] {
  return published
    .filter(([topic]) => topic === id)
    .map(([, text]) => {
      const answer = Answer.decode(Buffer.from(text));
      return 'result' in answer ? answer.result.node : `${answer.node}`;
    });
}

describe('a request that changes a service', () => {
  it('is stored before it is sent', async () => {
    const { desks } = await withRequest();
    expect(desks.writes).to.deep.equal(['openRequest']);
    expect(desks.dispatched).to.deep.equal(['any request']);
  });

  it('that cannot be stored is not sent, and forgotten', async () => {
    const desks = await ManagerDesks.open();
    desks.join('web1');
    desks.failing = ['openRequest'];
    const verdict = desks.take(checkedRequest(id));
    await tickFor(desks, 10_000);
    expect(verdict.kind).to.equal('refused');
    expect(verdict.reply).to.include({ code: 'STORE_UNUSABLE' });
    expect(desks.dispatched).to.deep.equal([]);
    expect([desks.requests.openCount, desks.requests.find(id)]).to.deep.equal([0, undefined]);
  });
});

describe('a request that only reads', () => {
  it('is sent also when it cannot be stored', async () => {
    const desks = await ManagerDesks.open();
    desks.join('web1');
    desks.failing = ['openRequest'];
    expect(desks.take(checkedRequest(id, { cmd: 'status' })).kind).to.equal('opened');
    await desks.settle();
    expect(desks.dispatched).to.deep.equal(['any request']);
    expect(desks.log.named('store.failed')).to.have.length(1);
  });

  it('and cannot be stored waits with nothing for the store, however long that fails', async () => {
    const desks = await ManagerDesks.open();
    desks.join('web1', 'web2');
    await desks.clock.advanceAsync(5);
    desks.failing = ['openRequest', 'saveAnswers', 'updateRequest'];
    desks.writes.length = 0;
    desks.take(checkedRequest(id, { cmd: 'status' }));
    desks.requests.acknowledged({ type: 'ack', id, node: web1, phase: 'running' });
    for (const node of ['web1', 'web2', 'web1']) desks.answer(node, id);
    await desks.settle();
    expect(desks.dispatched.filter((sent) => sent.endsWith('stored'))).to.have.length(3);
    desks.failing = [];
    await tickFor(desks, 10_000);
    expect(desks.writes).to.deep.equal([]);
    desks.listen(id);
    await desks.settle();
    expect(ends(desks)).to.deep.equal([{ web1: 'ok', web2: 'ok' }]);
  });
});

describe('the first answer of a node', () => {
  it('is published at once, stored a moment later, and then confirmed', async () => {
    const { desks, store } = await withRequest();
    desks.answer('web1', id);
    await desks.settle();
    expect(answersPublished(desks)).to.deep.equal(['web1']);
    expect(desks.dispatched).to.deep.equal(['any request']);
    await desks.clock.advanceAsync(5);
    expect(store.entries(id).find(({ node }) => node === web1)).to.include({ phase: 'done', outcome: 'ok' });
    expect(desks.dispatched).to.deep.equal(['any request', 'web1 stored']);
  });

  it('is not confirmed before it is stored', async () => {
    const { desks } = await withRequest();
    desks.failing = ['saveAnswers'];
    desks.answer('web1', id);
    await tickFor(desks, 10_000);
    expect(desks.dispatched).to.not.include('web1 stored');
    desks.failing = [];
    await tickFor(desks, 1_100);
    expect(desks.dispatched).to.include('web1 stored');
  });
});

describe('an answer that comes again', () => {
  it('is confirmed again, and neither published nor stored', async () => {
    const { desks } = await withRequest();
    for (let count = 0; count < 3; count += 1) {
      desks.answer('web1', id, { stdout: `${count}` });
      await desks.clock.advanceAsync(5);
    }
    expect(answersPublished(desks)).to.deep.equal(['web1']);
    expect(desks.writes.filter((write) => write === 'saveAnswers')).to.have.length(1);
    expect(desks.dispatched.filter((sent) => sent === 'web1 stored')).to.have.length(3);
  });
});

describe('an answer to a request that nobody knows', () => {
  it('is handed on, confirmed and logged', async () => {
    const { desks } = await withRequest();
    const other = idOf(9);
    desks.answer('web1', other);
    await desks.clock.advanceAsync(5);
    expect(desks.published.map(([topic]) => topic)).to.include(other);
    expect(desks.dispatched).to.include('web1 stored');
    expect(desks.log.named('result.of_unknown_request')[0]?.fields).to.include({
      id: other,
      node: 'web1',
    });
  });
});

describe('the answer of a node that was not aimed at', () => {
  it('is taken all the same', async () => {
    const { desks, store } = await withRequest({ nodes: ['web1'] });
    desks.answer('web2', id);
    desks.answer('web1', id);
    await desks.clock.advanceAsync(5);
    expect(ends(desks)).to.deep.equal([{ web1: 'ok', web2: 'ok' }]);
    expect(store.entries(id)).to.have.length(2);
  });
});

describe('a request is over', () => {
  it('when all have answered, once, with its end behind its answers', async () => {
    const { desks, store } = await withRequest();
    for (const node of ['web1', 'web2']) desks.answer(node, id);
    await tickFor(desks, 10_000);
    expect(ends(desks)).to.deep.equal([{ web1: 'ok', web2: 'ok' }]);
    const topics = desks.published.map(([topic]) => topic).filter((topic) => topic !== 'nodes/');
    expect(topics).to.deep.equal([id, id, `end/${id}`]);
    expect(store.request(id)?.endedWallMs).to.equal(desks.clock.wallMs() - 10_000);
    expect([desks.requests.openCount, desks.requests.endedCount]).to.deep.equal([0, 1]);
    expect(desks.log.named('request.ended')[0]?.fields).to.deep.equal({ id, ok: 2, isCancelled: false });
  });

  it('when its window is, with an outcome for each node', async () => {
    const { desks, store } = await withRequest({ windowMs: 3_000 });
    desks.requests.acknowledged({ type: 'ack', id, node: web1, phase: 'running' });
    await tickFor(desks, 3_100);
    expect(ends(desks)).to.deep.equal([{ web1: 'running', web2: 'no-answer' }]);
    await desks.clock.advanceAsync(5);
    expect(store.entries(id).map(({ outcome }) => outcome)).to.deep.equal(['running', 'no-answer']);
  });

  it('at once when nobody is aimed at', async () => {
    const { desks } = await withRequest({ topic: 'role:nobody' });
    expect(ends(desks)).to.deep.equal([{}]);
  });

  it('and asks nobody any more', async () => {
    const { desks } = await withRequest({ windowMs: 1_000 });
    await tickFor(desks, 1_100);
    desks.dispatched.length = 0;
    desks.requests.presence(web1, false);
    desks.requests.presence(web1, true);
    await tickFor(desks, 60_000);
    expect(desks.dispatched).to.deep.equal([]);
  });
});

describe('a node that is asked again', () => {
  it('is the one that is silent, and no other', async () => {
    const { desks } = await withRequest();
    desks.answer('web2', id);
    await tickFor(desks, 1_000);
    expect(desks.dispatched.filter((sent) => sent === 'web1 request')).to.have.length(1);
    expect(desks.dispatched).to.not.include('web2 request');
  });

  it('is asked at once when it is back', async () => {
    const { desks } = await withRequest();
    desks.requests.presence(web1, false);
    await tickFor(desks, 3_000);
    expect(desks.dispatched).to.not.include('web1 request');
    desks.requests.presence(web1, true);
    await desks.settle();
    expect(desks.dispatched).to.include('web1 request');
  });
});

describe('a request that is cancelled', () => {
  it('is told to who has not answered, and noted with its new end', async () => {
    const { desks, store } = await withRequest({ windowMs: 60_000 });
    desks.answer('web2', id);
    const ledger = desks.requests.find(id);
    if (ledger === undefined) throw new Error('no ledger');
    desks.requests.cancel(ledger, undefined);
    await desks.settle();
    expect(desks.dispatched.filter((sent) => sent.endsWith('cancel'))).to.deep.equal(['web1 cancel']);
    expect(store.request(id)).to.include({ isCancelled: true, endsWallMs: desks.clock.wallMs() + 10_000 });
    await tickFor(desks, 10_100);
    expect(ends(desks)).to.deep.equal([{ web1: 'no-answer', web2: 'ok' }]);
  });

  it('when it is over and all have answered stays as it is', async () => {
    const { desks, store } = await withRequest();
    for (const node of ['web1', 'web2']) desks.answer(node, id);
    const ledger = desks.requests.find(id);
    if (ledger === undefined) throw new Error('no ledger');
    desks.requests.cancel(ledger, undefined);
    expect([ledger.isCancelled, store.request(id)?.isCancelled]).to.deep.equal([false, false]);
    expect(desks.log.named('request.cancelled')).to.deep.equal([]);
  });
});

describe('what an action prints while it runs', () => {
  const print = async (desks: ManagerDesks, node: string, text: string) => {
    const payload = Buffer.from(text);
    desks.requests.output({ type: 'output', id, node: node as NodeName, payload });
    await desks.settle();
  };
  const printed = ({ published }: ManagerDesks) =>
    published.filter(([topic]) => topic === `output/${id}`).map(([, text]) => text);

  it('is handed on as it came, while the request is open', async () => {
    const { desks } = await withRequest();
    await print(desks, 'web1', 'one');
    for (const node of ['web1', 'web2']) desks.answer(node, id);
    await print(desks, 'web1', 'late');
    expect(printed(desks)).to.deep.equal(['one']);
  });

  it('is not handed on from a node that was not asked, nor of a request that nobody knows', async () => {
    const { desks } = await withRequest();
    await print(desks, 'db1', 'not mine');
    const payload = Buffer.from('of another');
    desks.requests.output({ type: 'output', id: idOf(2), node: web1, payload });
    await desks.settle();
    expect(desks.published.filter(([topic]) => topic.startsWith('output/'))).to.deep.equal([]);
  });
});

describe('a v1 request', () => {
  it('is good for as long as its ledger is open', async () => {
    const desks = await ManagerDesks.open();
    desks.join('web1');
    const { body } = checkedRequest(id);
    const { windowMs: _, ...v1 } = body;
    desks.take({ ...checkedRequest(id, {}, 'v1'), body: v1 });
    const sent = desks.requests.find(id);
    expect((sent?.endsAtMs ?? 0) - desks.clock.now()).to.equal(60_000);
    await tickFor(desks, 59_900);
    expect(desks.requests.openCount).to.equal(1);
    await tickFor(desks, 200);
    expect(desks.requests.openCount).to.equal(0);
  });
});

describe('a manager that starts', () => {
  function storeWith(change: Parameters<typeof storedRequest>[1] = {}): MemoryStore {
    const store = new MemoryStore();
    const nowWallMs = Date.UTC(2026, 0, 1);
    const { bodyBytes } = checkedRequest(id);
    const times = { openedWallMs: nowWallMs - 2_000, endsWallMs: nowWallMs + 3_000 };
    store.openRequest(storedRequest(1, { bodyBytes, ...times, ...change }), [
      storedEntry('web1'),
      storedEntry('web2'),
      storedEntry('web3'),
    ]);
    const payload = Answer.encode({
      success: -1,
      msg: 'no',
      node: web1,
      uuid: id,
      code: 'NAME_CONFLICT',
    });
    store.saveAnswers([storedAnswer(1, 'web1', { payload, outcome: 'refused' })]);
    for (const node of ['web1', 'web2']) store.saveMember(memberOf(node, { lastSeenWallMs: nowWallMs }));
    store.saveMember(memberOf('web3', { presence: 'lost', lastSeenWallMs: nowWallMs - 60_000 }));
    return store;
  }

  it('waits no longer than the window of a request, also where the clock was set back meanwhile', async () => {
    const openedWallMs = Date.UTC(2026, 0, 2);
    const desks = await restored(storeWith({ openedWallMs, endsWallMs: openedWallMs + 5_000 }));
    await tickFor(desks, 4_900);
    expect(desks.requests.openCount).to.equal(1);
    await tickFor(desks, 200);
    expect(desks.requests.openCount).to.equal(0);
  });

  async function restored(store: MemoryStore): Promise<ManagerDesks> {
    const desks = await ManagerDesks.open(store);
    desks.requests.restore((node) => desks.presence.roster.get(node));
    return desks;
  }

  it('asks who has not answered and is there, until the window that the request had', async () => {
    const desks = await restored(storeWith());
    expect(desks.log.named('requests.restored')[0]?.fields).to.deep.equal({ open: 1 });
    await tickFor(desks, 500);
    expect(desks.dispatched).to.deep.equal(['web2 request']);
    await tickFor(desks, 2_400);
    expect(desks.requests.openCount).to.equal(1);
    await tickFor(desks, 200);
    desks.listen(id);
    await desks.settle();
    expect(ends(desks)).to.deep.equal([{ web1: 'refused', web2: 'no-answer', web3: 'no-answer' }]);
  });

  it('still counts as one of who has sent it, until it is over', async () => {
    const signature = signedBy(aliceKeys, 'request', Buffer.from('{}'));
    const desks = await restored(storeWith({ signature }));
    expect(desks.requests.openCountOf(alice.fingerprint)).to.equal(1);
    await tickFor(desks, 4_000);
    expect(desks.requests.openCountOf(alice.fingerprint)).to.equal(0);
  });

  it('has the answers so far for a client that comes back', async () => {
    const desks = await restored(storeWith());
    expect(desks.published).to.deep.equal([]);
    desks.listen(id);
    await desks.settle();
    expect(answersPublished(desks)).to.deep.equal(['web1']);
  });

  it('asks a node when it is there', async () => {
    const desks = await restored(storeWith());
    await tickFor(desks, 100);
    desks.dispatched.length = 0;
    desks.presence.message({ type: 'hello', hello: helloOf('web3') });
    await desks.settle();
    expect(desks.dispatched).to.deep.equal(['web3 request']);
  });

  it('goes on cancelling what was cancelled', async () => {
    const desks = await restored(storeWith({ isCancelled: true }));
    await tickFor(desks, 100);
    expect(desks.dispatched).to.deep.equal(['web2 cancel']);
  });

  it('ends at once what should have ended meanwhile', async () => {
    const desks = await restored(storeWith({ endsWallMs: Date.UTC(2026, 0, 1) - 1_000 }));
    desks.listen(id);
    await tickFor(desks, 100);
    expect(desks.dispatched).to.deep.equal([]);
    expect(ends(desks)).to.deep.equal([{ web1: 'refused', web2: 'no-answer', web3: 'no-answer' }]);
  });

  it('tells again how a request came out that ended within the last minute, and no other', async () => {
    for (const [agoMs, count] of [
      [59_000, 1],
      [61_000, 0],
    ] as const) {
      const store = storeWith({ endedWallMs: Date.UTC(2026, 0, 1) - agoMs });
      store.saveAnswers(
        ['web2', 'web3'].map((node) => storedAnswer(1, node, { outcome: 'no-answer', payload: undefined })),
      );
      const desks = await restored(store);
      desks.listen(id);
      await tickFor(desks, 1_000);
      expect([ends(desks).length, answersPublished(desks).length]).to.deep.equal([count, count]);
      expect(desks.dispatched).to.deep.equal([]);
      expect(desks.writes).to.deep.equal([]);
    }
  });

  it('finds an old request in its store, and amends it', async () => {
    const store = storeWith({ endedWallMs: Date.UTC(2026, 0, 1) - 3_600_000 });
    const desks = await restored(store);
    desks.answer('web2', id);
    await desks.clock.advanceAsync(5);
    expect(store.entries(id).map(({ outcome }) => outcome)).to.deep.equal(['refused', 'ok', undefined]);
    expect(desks.requests.openCount).to.equal(0);
    expect(store.request(id)?.endedWallMs).to.equal(Date.UTC(2026, 0, 1) - 3_600_000);
  });
});

const aliceKeys = keyOwner('operator', 'alice');
const alice = senderOf(aliceKeys);

/** Two nodes, and none to whom anything was said yet. */
async function withNodes(store = new MemoryStore()): Promise<ManagerDesks> {
  const desks = await ManagerDesks.open(store);
  desks.join('web1', 'web2');
  await desks.clock.advanceAsync(5);
  desks.writes.length = 0;
  return desks;
}

describe('with security, a node that a request was not sent to', () => {
  const web3 = 'web3' as NodeName;
  const someRule = { fileName: 'policy', checkTarget: () => {} };

  /** A request of alice, of whose nodes none is web3, which is there. */
  async function asked(changes: Readonly<Record<string, unknown>>, rule = '', store = new MemoryStore()) {
    const desks = await ManagerDesks.open(store, undefined, true);
    desks.join('web1', 'web2');
    desks.policy.replace(parsePolicy(rule, someRule));
    desks.take(checkedRequest(id, changes), alice);
    desks.join('web3');
    desks.listen(id);
    await desks.settle();
    return { desks, store };
  }

  /** With what each message of web3 is refused. */
  function refusals(desks: ManagerDesks): string[] {
    const payload = Buffer.from('{}');
    return [
      () => desks.answer('web3', id),
      () => desks.requests.acknowledged({ type: 'ack', id, node: web3, phase: 'running' }),
      () => desks.requests.output({ type: 'output', id, node: web3, payload }),
    ].map((say) => {
      try {
        say();
        return 'taken';
      } catch (error) {
        return isServiceManagerError(error) ? error.code : 'failed';
      }
    });
  }

  const named: ReadonlyArray<[changes: Readonly<Record<string, unknown>>, rule?: string]> = [
    [{ nodes: ['web1', 'web2'] }],
    [{ topic: 'web1,web2' }],
    [{ rollout: { batch: '1' } }],
    [{}, 'deny restart * at web2'],
  ];
  for (const [changes, rule] of named)
    it(`has nothing to say of it (${JSON.stringify(changes)} ${rule ?? ''})`, async () => {
      const { desks, store } = await asked(changes, rule);
      expect(refusals(desks)).to.deep.equal(['NOT_PERMITTED', 'NOT_PERMITTED', 'NOT_PERMITTED']);
      await desks.clock.advanceAsync(5);
      expect(answersPublished(desks)).to.not.include('web3');
      expect(desks.published.map(([topic]) => topic)).to.not.include(`output/${id}`);
      expect(store.entries(id).map(({ node }) => node)).to.not.include('web3');
      expect(desks.requests.find(id)?.entry(web3)).to.equal(undefined);
    });

  it('is told all the same that its answer is stored, so that it does not come again', async () => {
    const { desks } = await asked({ nodes: ['web1'] });
    refusals(desks);
    await desks.clock.advanceAsync(5);
    expect(desks.dispatched.filter((sent) => sent.endsWith('stored'))).to.deep.equal(['web3 stored']);
  });

  it('has nothing to say of it when it is over, either, nor to a manager that has started anew', async () => {
    const { desks, store } = await asked({ nodes: ['web1'] });
    const next = await ManagerDesks.open(store, desks.clock, true);
    next.requests.restore(() => undefined);
    expect(refusals(next)[0]).to.equal('NOT_PERMITTED');
    desks.answer('web1', id);
    await tickFor(desks, 100);
    expect(ends(desks)).to.deep.equal([{ web1: 'ok' }]);
    expect(refusals(desks)[0]).to.equal('NOT_PERMITTED');
    const last = await ManagerDesks.open(store, desks.clock, true);
    expect(refusals(last)[0]).to.equal('NOT_PERMITTED');
    expect(store.entries(id).map(({ node }) => node)).to.deep.equal(['web1']);
  });

  it('answers one on a topic, also when it was not known yet, and when it is over', async () => {
    const { desks, store } = await asked({});
    expect(refusals(desks)[0]).to.equal('taken');
    for (const node of ['web1', 'web2']) desks.answer(node, id);
    await tickFor(desks, 100);
    expect(answersPublished(desks)).to.deep.equal(['web3', 'web1', 'web2']);
    const last = await ManagerDesks.open(store, desks.clock, true);
    last.answer('web4', id);
    await last.clock.advanceAsync(5);
    expect(store.entries(id).map(({ node }) => node)).to.include.members(['web3', 'web4']);
  });

  it('has its answer to a request that nobody knows confirmed, and not handed on', async () => {
    const { desks } = await asked({});
    desks.answer('web1', idOf(9));
    await desks.clock.advanceAsync(5);
    expect(desks.published.map(([topic]) => topic)).to.not.include(idOf(9));
    expect(desks.dispatched).to.include('web1 stored');
    expect(desks.log.named('result.of_unknown_request')).to.have.length(1);
  });
});

describe('the audit log', () => {
  it('has what changes a service before it is stored and sent', async () => {
    const desks = await withNodes();
    const seen: string[] = [];
    const write = desks.audit.write.bind(desks.audit);
    desks.audit.write = (event, fields) => {
      seen.push(`${event} ${desks.writes.length} ${desks.dispatched.length}`);
      write(event, fields);
    };
    desks.take(checkedRequest(id), alice);
    await desks.settle();
    expect(seen).to.deep.equal(['request.accepted 0 0']);
    expect([desks.writes, desks.dispatched]).to.deep.equal([['openRequest'], ['any request']]);
  });

  for (const changes of [{}, { nodes: ['web1'] }, { rollout: { batch: '1' } }])
    it(`that cannot be written lets nothing change a service (${JSON.stringify(changes)})`, async () => {
      const desks = await withNodes();
      desks.audit.isFailing = true;
      const verdict = desks.take(checkedRequest(id, changes), alice);
      await tickFor(desks, 10_000);
      expect(verdict.reply).to.include({ code: 'STORE_UNUSABLE' });
      expect(desks.dispatched).to.deep.equal([]);
      expect(desks.writes).to.not.include('openRequest');
      expect([desks.requests.openCount, desks.requests.find(id)]).to.deep.equal([0, undefined]);
      desks.audit.isFailing = false;
      expect(desks.take(checkedRequest(id, changes), alice).kind).to.equal('opened');
    });

  it('that cannot be written stops nobody from looking', async () => {
    const desks = await withNodes();
    desks.audit.isFailing = true;
    expect(desks.take(checkedRequest(id, { cmd: 'status' }), alice).kind).to.equal('opened');
    for (const node of ['web1', 'web2']) desks.answer(node, id);
    await desks.settle();
    expect(desks.dispatched).to.deep.equal(['any request']);
    expect(desks.log.named('audit.failed').map(({ fields }) => fields['event'])).to.deep.equal([
      'request.accepted',
      'request.ended',
    ]);
  });

  it('has what only looks also when that cannot be stored', async () => {
    const desks = await withNodes();
    desks.failing = ['openRequest'];
    desks.take(checkedRequest(id, { cmd: 'status' }), alice);
    expect(desks.audit.names).to.deep.equal(['request.accepted']);
  });

  it('has how it ended, once, with the nodes in each outcome', async () => {
    const desks = await withNodes();
    desks.take(checkedRequest(id, { windowMs: 3_000 }), alice);
    desks.answer('web1', id, { returncode: 1 });
    await tickFor(desks, 10_000);
    expect(desks.audit.named('request.ended')).to.deep.equal([
      { id, outcomes: { failed: 1, 'no-answer': 1 }, isCancelled: false },
    ]);
  });
});

describe('a request of which the policy refuses some nodes', () => {
  async function withDenial(store = new MemoryStore()) {
    const desks = await withNodes(store);
    const rule = 'deny restart nginx at web2';
    desks.policy.replace(parsePolicy(rule, { fileName: 'policy', checkTarget: () => {} }));
    desks.take(checkedRequest(id, { windowMs: 60_000 }), alice);
    await desks.settle();
    return { desks, store, reason: `refused by line 1: ${rule}` };
  }

  it('has the rule as their answer, for who listens, in the history and in the ledger', async () => {
    const { desks, store, reason } = await withDenial();
    desks.listen(id);
    await desks.clock.advanceAsync(5);
    const denial = { success: -1, msg: reason, node: 'web2', uuid: id, code: 'POLICY_DENIED' };
    const answers = desks.published.filter(([topic]) => topic === id).map(([, text]) => JSON.parse(text));
    expect(answers).to.deep.equal([denial]);
    const stored = store.answers(id, { limit: 9, maxBytes: 9_999 });
    expect(
      stored.flatMap(({ payload }) => (payload === undefined ? [] : JSON.parse(`${payload}`))),
    ).to.deep.equal([denial]);
    expect(store.entries(id).map(({ outcome }) => outcome)).to.deep.equal([undefined, 'refused']);
    desks.answer('web1', id);
    await desks.settle();
    expect(ends(desks)).to.deep.equal([{ web1: 'ok', web2: 'refused' }]);
  });

  it('never asks them: not again, not when they are back, and not when they say that they are at it', async () => {
    const { desks } = await withDenial();
    desks.requests.acknowledged({ type: 'ack', id, node: 'web2' as NodeName, phase: 'running' });
    desks.requests.presence('web2' as NodeName, false);
    desks.requests.presence('web2' as NodeName, true);
    desks.answer('web2', id);
    await tickFor(desks, 20_000);
    expect(desks.dispatched.filter((sent) => sent.endsWith(' request'))).to.include('web1 request');
    expect(desks.dispatched).to.not.include('web2 request').and.not.include('any request');
    expect(desks.requests.find(id)?.entry('web2' as NodeName)?.outcome).to.equal('refused');
  });

  it('asks them as little after a restart of the manager', async () => {
    const { desks: before, store } = await withDenial();
    await before.clock.advanceAsync(5);
    const desks = await ManagerDesks.open(store, before.clock);
    desks.join('web1', 'web2');
    desks.requests.restore((node) => desks.presence.roster.get(node));
    desks.requests.acknowledged({ type: 'ack', id, node: 'web2' as NodeName, phase: 'running' });
    await tickFor(desks, 20_000);
    expect(desks.dispatched).to.include('web1 request').and.not.include('web2 request');
    desks.listen(id);
    desks.answer('web1', id);
    await desks.settle();
    expect(ends(desks)).to.deep.equal([{ web1: 'ok', web2: 'refused' }]);
  });

  it('tells them of no cancellation either', async () => {
    const { desks } = await withDenial();
    const ledger = desks.requests.find(id);
    if (ledger === undefined) throw new Error('no ledger');
    desks.requests.cancel(ledger, undefined);
    await tickFor(desks, 5_000);
    expect(desks.dispatched).to.include('web1 cancel').and.not.include('web2 cancel');
  });

  it('and that cannot be stored has their answer all the same for who listens', async () => {
    const desks = await withNodes();
    desks.policy.replace(
      parsePolicy('deny status nginx at web2', { fileName: 'policy', checkTarget: () => {} }),
    );
    desks.failing = ['openRequest', 'saveAnswers'];
    desks.take(checkedRequest(id, { cmd: 'status' }), alice);
    desks.listen(id);
    await tickFor(desks, 100);
    expect(answersPublished(desks)).to.deep.equal(['web2']);
    expect(desks.log.named('store.failed')).to.have.length(1);
  });
});

describe('a cancellation that somebody has signed', () => {
  const bytes = Buffer.from(`{"v":2,"query":"cancel","id":"${id}"}`);
  const signed = { bytes, signature: signedBy(aliceKeys, 'query', bytes) };

  async function cancelled(store = new MemoryStore()): Promise<ManagerDesks> {
    const desks = await withNodes(store);
    desks.take(checkedRequest(id, { windowMs: 60_000 }), alice);
    const ledger = desks.requests.find(id);
    if (ledger === undefined) throw new Error('no ledger');
    desks.requests.cancel(ledger, signed);
    await desks.settle();
    return desks;
  }

  it('reaches the agents in exactly these words', async () => {
    const desks = await cancelled();
    expect(desks.cancels).to.deep.equal([signed, signed]);
  });

  it('reaches those that come later, too, and those that are told again', async () => {
    const desks = await cancelled();
    desks.cancels.length = 0;
    desks.requests.presence(web1, false);
    desks.requests.presence(web1, true);
    await tickFor(desks, 3_000);
    expect(desks.cancels.length).to.be.above(2);
    for (const cancel of desks.cancels) expect(cancel).to.deep.equal(signed);
  });

  it('is stored, and goes out again after a restart of the manager', async () => {
    const store = new MemoryStore();
    const before = await cancelled(store);
    expect(store.request(id)?.cancelled).to.deep.equal(signed);
    const desks = await ManagerDesks.open(store, before.clock);
    desks.join('web1', 'web2');
    desks.requests.restore((node) => desks.presence.roster.get(node));
    await tickFor(desks, 3_000);
    expect(desks.cancels.length).to.be.above(1);
    for (const cancel of desks.cancels) expect(cancel).to.deep.equal(signed);
  });

  it('reaches those that are still at work when the window is over', async () => {
    const desks = await withNodes();
    desks.take(checkedRequest(id, { windowMs: 1_000 }), alice);
    desks.requests.acknowledged({ type: 'ack', id, node: web1, phase: 'running' });
    await tickFor(desks, 20_000);
    const ledger = desks.requests.find(id);
    if (ledger === undefined) throw new Error('no ledger');
    expect(ledger.isOver).to.equal(true);
    desks.requests.cancel(ledger, signed);
    await desks.settle();
    expect(desks.cancels.length).to.be.above(0);
    for (const cancel of desks.cancels) expect(cancel).to.deep.equal(signed);
  });

  it('reaches the agents also when it cannot be stored', async () => {
    const desks = await withNodes();
    desks.take(checkedRequest(id, { windowMs: 60_000 }), alice);
    const ledger = desks.requests.find(id);
    if (ledger === undefined) throw new Error('no ledger');
    desks.failing = ['updateRequest'];
    expect(() => desks.requests.cancel(ledger, signed)).to.throw('disk full');
    await desks.settle();
    expect(desks.cancels).to.deep.equal([signed, signed]);
  });
});

describe('what is kept of a request that somebody has signed', () => {
  it('is who it was, and his words with his signature, which go out again after a restart', async () => {
    const store = new MemoryStore();
    const before = await withNodes(store);
    const request = checkedRequest(id, { windowMs: 60_000 });
    const signature = signedBy(aliceKeys, 'request', request.bodyBytes);
    before.take({ ...request, signature }, alice);
    expect(store.request(id)).to.include({ by: 'operator alice', signature });
    const desks = await ManagerDesks.open(store, before.clock);
    desks.join('web1', 'web2');
    desks.requests.restore((node) => desks.presence.roster.get(node));
    await tickFor(desks, 3_000);
    expect(desks.words.length).to.be.above(1);
    for (const words of [...before.words, ...desks.words])
      expect(words).to.deep.equal({ bytes: request.bodyBytes, signature });
  });
});
