import { expect } from 'chai';
import type { NodeName, Topic } from '../../../src/wire/fields.ts';
import type { Accepted } from '../../../src/wire/reply.ts';
import { Answer } from '../../../src/wire/result.ts';
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
