import { expect } from 'chai';
import type { Sender } from '../../../src/manager/signatures.ts';
import { MemoryStore } from '../../../src/store/memory-store.ts';
import type { NodeName, RequestId, Topic } from '../../../src/wire/fields.ts';
import type { Accepted } from '../../../src/wire/reply.ts';
import { Answer } from '../../../src/wire/result.ts';
import { keyOwner, senderOf } from '../../fakes/key-owners.ts';
import { bootOf, checkedRequest, helloOf, ManagerDesks } from '../../fakes/manager-desks.ts';
import { idOf } from '../../fakes/stored-requests.ts';

const id = idOf(1);

async function withNodes(...nodes: string[]): Promise<ManagerDesks> {
  const desks = await ManagerDesks.open();
  desks.join(...nodes);
  return desks;
}

/** A v1 agent connects with these topics. */
function connectV1(desks: ManagerDesks, ...topics: string[]): void {
  for (const topic of topics)
    desks.presence.subscription({ version: 'v1', topic: topic as Topic, isSubscribed: true });
}

function take(desks: ManagerDesks, ...given: Parameters<typeof checkedRequest>) {
  const { kind, reply } = desks.take(checkedRequest(...given));
  if ('success' in reply) throw new Error(`refused: ${reply.msg}`);
  return { kind, reply };
}

function refusal(desks: ManagerDesks, ...given: Parameters<typeof checkedRequest>): string | undefined {
  const { kind, reply } = desks.take(checkedRequest(...given));
  return kind === 'refused' ? reply.code : undefined;
}

describe('a request that is taken', () => {
  it('says whom it was sent to, and who is not there', async () => {
    const desks = await withNodes('web1', 'web2', 'web3');
    await desks.clock.advanceAsync(7_000);
    desks.presence.message({ type: 'bye', node: 'web2' as NodeName, boot: bootOf('b') });
    await desks.clock.advanceAsync(1_000);
    const { kind, reply } = take(desks, id);
    expect(kind).to.equal('opened');
    expect(reply).to.deep.equal({
      ...{ uuid: id, port: 5_750, v: 2, expected: 2, withheld: 0, nodes: ['web1', 'web3'] },
      unreachable: [{ node: 'web2', lastSeenAgoMs: 1_000, hasLeft: true }],
    });
  });

  it('tells a v1 client how many, but not who', async () => {
    const desks = await withNodes('web1', 'web2');
    connectV1(desks, 'any');
    const { reply } = take(desks, id, {}, 'v1');
    expect(reply).to.deep.equal({ uuid: id, port: 5_750, v: 2, expected: 3, withheld: 0 });
  });

  it('may name nodes, twice even, and then reaches no v1 agent', async () => {
    const desks = await withNodes('web1', 'web2');
    connectV1(desks, 'any');
    const { reply } = take(desks, id, { nodes: ['web2', 'web2'] });
    expect(reply).to.include({ expected: 1 });
    expect(reply.nodes).to.deep.equal(['web2']);
    await desks.settle();
    expect(desks.dispatched.filter((sent) => sent.endsWith('request'))).to.not.include('any request');
  });

  it('is sent to nodes that are named and not there, should they come', async () => {
    const desks = await withNodes('web1');
    desks.presence.message({ type: 'bye', node: 'web1' as NodeName, boot: bootOf('b') });
    const { reply } = take(desks, id, { nodes: ['web1'] });
    expect([reply.expected, reply.unreachable?.length]).to.deep.equal([0, 1]);
  });

  it('reaches the agents on its topic of either version, and withholds it from v1 agents where it must', async () => {
    const desks = await withNodes('web1');
    connectV1(desks, 'any', 'an');
    const { reply } = take(desks, id);
    expect(reply).to.include({ expected: 1, withheld: 1 });
    await desks.settle();
    expect(desks.dispatched).to.deep.equal(['any request']);
  });

  it('counts two agents of one name as one node, which is not waited for', async () => {
    const desks = await withNodes('web2');
    for (const letter of ['a', 'c'])
      desks.presence.message({ type: 'hello', hello: helloOf('web1', { boot: bootOf(letter) }) });
    for (const letter of ['a', 'a', 'a'])
      desks.presence.message({ type: 'beat', node: 'web1' as NodeName, boot: bootOf(letter) });
    const { reply } = take(desks, id);
    expect(reply.nodes).to.have.members(['web1', 'web2']);
    expect(desks.requests.find(id)?.entry('web1' as NodeName)).to.include({ outcome: 'refused' });
  });
});

describe('a request that comes again', () => {
  it('gets the same reply, and is neither sent nor opened again', async () => {
    const desks = await withNodes('web1', 'web2');
    const first = take(desks, id);
    await desks.settle();
    const second = take(desks, id);
    await desks.settle();
    expect(second).to.deep.equal({ kind: 'repeated', reply: first.reply });
    expect(desks.dispatched).to.deep.equal(['any request']);
  });

  it('gets it also after its end, and from the next manager on the same store', async () => {
    const desks = await withNodes('web1');
    const first = take(desks, id);
    desks.answer('web1', id);
    await desks.clock.advanceAsync(5);
    expect(take(desks, id)).to.deep.equal({ kind: 'repeated', reply: first.reply });
  });

  it('counts the v1 agents once, whether they have answered or not', async () => {
    const desks = await withNodes('web1');
    connectV1(desks, 'any');
    const first = take(desks, id);
    const answer = Answer.parse({ success: -1, msg: 'no', node: 'old1', uuid: id });
    const payload = Answer.encode(answer);
    const node = 'old1' as NodeName;
    desks.requests.result({ type: 'result', id, node, isV1: true, answer, payload });
    const { reply } = take(desks, id) as { reply: Accepted };
    expect(reply).to.deep.equal(first.reply);
  });

  it('as v1 is another one: its id is new each time', async () => {
    const desks = await withNodes('web1');
    expect(take(desks, idOf(1), {}, 'v1').kind).to.equal('opened');
    expect(take(desks, idOf(2), {}, 'v1').kind).to.equal('opened');
  });
});

describe('a request is refused', () => {
  it('when it names a node that nobody knows', async () => {
    const desks = await withNodes('web1');
    expect(refusal(desks, id, { nodes: ['web1', 'web9'] })).to.equal('UNKNOWN_NODE');
    expect(desks.requests.find(id)).to.equal(undefined);
  });

  it('when only v1 agents are on its topic and others would act on it, too', async () => {
    const desks = await withNodes('web1');
    connectV1(desks, 'web10', 'web1');
    expect(refusal(desks, id, { topic: 'web10' })).to.equal('TOPIC_AMBIGUOUS');
    expect(desks.dispatched).to.deep.equal([]);
  });

  it('when too many are open, unless it is one of them', async () => {
    const desks = await withNodes('web1');
    for (let count = 1; count <= 10_000; count += 1) take(desks, idOf(count), { cmd: 'status' });
    expect(refusal(desks, idOf(10_001))).to.equal('TOO_BUSY');
    expect(take(desks, idOf(10_000), { cmd: 'status' }).kind).to.equal('repeated');
    desks.answer('web1', idOf(1));
    expect(take(desks, idOf(10_001)).kind).to.equal('opened');
  });

  it('when nobody can tell whether it came before', async () => {
    const desks = await withNodes('web1');
    desks.failing = ['request'];
    expect(refusal(desks, id)).to.equal('STORE_UNUSABLE');
  });

  it('but not for a bug of ours', async () => {
    const desks = await withNodes('web1');
    desks.requests.find = () => {
      throw new TypeError('a bug');
    };
    expect(() => desks.take(checkedRequest(id))).to.throw(TypeError, 'a bug');
  });
});

describe('a request with the id of another one', () => {
  const verdict = (desks: ManagerDesks, changes = {}) => {
    const { kind, reply } = desks.take(checkedRequest(id, changes));
    return kind === 'refused' ? reply.code : kind;
  };
  const other = { service: 'redis' };

  it('is refused while that is open, when it is over, and by the next manager on the same store', async () => {
    const store = new MemoryStore();
    const desks = await ManagerDesks.open(store);
    desks.join('web1');
    expect([verdict(desks), verdict(desks, other)]).to.deep.equal(['opened', 'REPLAYED']);
    desks.answer('web1', id);
    await desks.clock.advanceAsync(5);
    expect([desks.requests.openCount, verdict(desks, other)]).to.deep.equal([0, 'REPLAYED']);
    const next = await ManagerDesks.open(store, desks.clock);
    expect([verdict(next, other), verdict(next)]).to.deep.equal(['REPLAYED', 'repeated']);
    expect(
      [...desks.dispatched, ...next.dispatched].filter((sent) => sent.endsWith('request')),
    ).to.have.length(1);
  });

  it('is refused although it says the same, where it does not say it in the same words', async () => {
    const desks = await withNodes('web1');
    const request = checkedRequest(id);
    desks.take(request);
    const bodyBytes = Buffer.from(`${request.bodyBytes} `);
    const { kind, reply } = desks.take({ ...request, bodyBytes });
    expect([kind, kind === 'refused' && reply.code]).to.deep.equal(['refused', 'REPLAYED']);
  });

  it('is refused when that is gone from the history and may still be good, and taken afterwards', async () => {
    const store = new MemoryStore();
    const desks = await ManagerDesks.open(store);
    desks.join('web1');
    const notAfterMs = desks.clock.wallMs() + 60_000;
    verdict(desks, { notAfterMs });
    desks.answer('web1', id);
    await desks.clock.advanceAsync(5);
    const nothing = { maxAgeMs: 0, maxRequests: 0, maxBytes: 0 };
    expect(store.prune(nothing, desks.clock.wallMs(), 10)).to.equal(1);
    // It is still in memory here, and not in the next one.
    expect([verdict(desks, { notAfterMs }), verdict(desks, other)]).to.deep.equal(['REPLAYED', 'REPLAYED']);
    const next = await ManagerDesks.open(store, desks.clock);
    next.join('web1');
    expect([verdict(next, { notAfterMs }), verdict(next, other)]).to.deep.equal(['REPLAYED', 'REPLAYED']);
    next.clock.advance(120_000);
    expect(verdict(next, other)).to.equal('opened');
  });

  it('is told apart by its id also where the other one could not be stored', async () => {
    const desks = await withNodes('web1');
    desks.failing = ['openRequest'];
    expect(verdict(desks, { cmd: 'status' })).to.equal('opened');
    expect(verdict(desks, { cmd: 'status' })).to.equal('repeated');
    expect(verdict(desks, { cmd: 'restart' })).to.equal('REPLAYED');
    desks.answer('web1', id);
    expect(verdict(desks, { cmd: 'status' })).to.equal('repeated');
  });
});

describe('the open requests of one operator', () => {
  const alice = senderOf(keyOwner('operator', 'alice'));
  const bob = senderOf(keyOwner('operator', 'bob'));
  const verdict = (desks: ManagerDesks, number: number, sender?: Sender, changes = {}) => {
    const { kind, reply } = desks.take(checkedRequest(idOf(number) as RequestId, changes), sender);
    return kind === 'refused' ? reply.code : kind;
  };

  it('are so many at most, whatever they ask for, and those of others do not count', async () => {
    const desks = await withNodes('web1');
    expect([1, 2, 3].map((number) => verdict(desks, number, alice, { cmd: 'status' }))).to.deep.equal([
      'opened',
      'opened',
      'TOO_BUSY',
    ]);
    expect(verdict(desks, 4, bob)).to.equal('opened');
    const { reply } = desks.take(checkedRequest(idOf(3)), alice);
    expect(reply).to.include({ msg: '2 requests of alice are open already; try again later' });
    expect([desks.requests.openCountOf(alice.fingerprint), desks.requests.openCount]).to.deep.equal([2, 3]);
  });

  it('make room when one is over', async () => {
    const desks = await withNodes('web1');
    for (const number of [1, 2]) verdict(desks, number, alice);
    desks.answer('web1', idOf(1));
    expect([verdict(desks, 3, alice), verdict(desks, 4, alice)]).to.deep.equal(['opened', 'TOO_BUSY']);
  });

  it('may be asked for again when there are as many as may be', async () => {
    const desks = await withNodes('web1');
    for (const number of [1, 2]) verdict(desks, number, alice);
    expect(verdict(desks, 2, alice)).to.equal('repeated');
  });

  it('leave no trace of one that was refused or over at once', async () => {
    const desks = await withNodes('web1');
    for (const number of [1, 2, 3]) verdict(desks, number, alice, { topic: 'nosuch,web1' });
    for (const number of [4, 5, 6]) verdict(desks, number, alice, { topic: 'role:nobody' });
    desks.failing = ['openRequest'];
    for (const number of [7, 8, 9]) expect(verdict(desks, number, alice)).to.equal('STORE_UNUSABLE');
    expect(desks.requests.openCountOf(alice.fingerprint)).to.equal(0);
  });

  it('are not counted where nobody signs', async () => {
    const desks = await withNodes('web1');
    for (let number = 1; number <= 10; number += 1) expect(verdict(desks, number)).to.equal('opened');
  });
});
