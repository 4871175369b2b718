import { expect } from 'chai';
import type { Sender } from '../../../src/manager/signatures.ts';
import { parsePolicy } from '../../../src/security/policy-parser.ts';
import type { NodeName, Topic } from '../../../src/wire/fields.ts';
import { keyOwner, senderOf } from '../../fakes/key-owners.ts';
import { bootOf, checkedRequest, helloOf, ManagerDesks } from '../../fakes/manager-desks.ts';
import { idOf } from '../../fakes/stored-requests.ts';

const id = idOf(1);

/** Nodes with more topics than `any` and their name. */
async function fleet(topics: Readonly<Record<string, readonly string[]>>): Promise<ManagerDesks> {
  const desks = await ManagerDesks.open();
  desks.join(...Object.keys(topics));
  for (const [node, more] of Object.entries(topics)) {
    desks.presence.message({
      type: 'hello',
      hello: helloOf(node, { topics: ['any', node, ...more] as Topic[] }),
    });
  }
  desks.dispatched.length = 0;
  return desks;
}

function connectV1(desks: ManagerDesks, ...topics: string[]): void {
  for (const topic of topics)
    desks.presence.subscription({ version: 'v1', topic: topic as Topic, isSubscribed: true });
}

async function sentFor(
  desks: ManagerDesks,
  changes: Readonly<Record<string, unknown>>,
  sender?: Sender,
): Promise<string[]> {
  const { reply } = desks.take(checkedRequest(id, changes), sender);
  if ('success' in reply) throw new Error(`${reply.code}: ${reply.msg}`);
  await desks.settle();
  return desks.dispatched.filter((sent) => sent.endsWith('request'));
}

function refusal(desks: ManagerDesks, changes: Readonly<Record<string, unknown>>, version?: 'v1') {
  const { reply } = desks.take(checkedRequest(id, changes, version));
  return 'success' in reply ? `${reply.code}: ${reply.msg}` : undefined;
}

const web = { web1: ['role:web'], web2: ['role:web'], db1: ['role:db'] };

describe('a request is aimed', () => {
  it('at a topic, and sent to it once', async () => {
    expect(await sentFor(await fleet(web), { topic: 'any' })).to.deep.equal(['any request']);
  });

  it('at the nodes in an expression, each of them by its name', async () => {
    const sent = await sentFor(await fleet(web), { topic: 'role:web and not web2 or db1' });
    expect(sent).to.deep.equal(['db1 request', 'web1 request']);
  });

  it('at a list of names', async () => {
    expect(await sentFor(await fleet(web), { topic: 'web[1-2]' })).to.deep.equal([
      'web1 request',
      'web2 request',
    ]);
  });

  it('at a topic of several words as in 2014', async () => {
    const desks = await fleet({ web1: ['Debian GNU/Linux'] });
    desks.presence.subscription({ version: 'v2', topic: 'Debian GNU/Linux' as Topic, isSubscribed: true });
    expect(await sentFor(desks, { topic: 'Debian GNU/Linux' })).to.deep.equal(['Debian GNU/Linux request']);
  });

  it('at a topic in quotes', async () => {
    const desks = await fleet({ web1: ['Debian GNU/Linux'] });
    desks.presence.subscription({ version: 'v2', topic: 'Debian GNU/Linux' as Topic, isSubscribed: true });
    expect(await sentFor(desks, { topic: "'Debian GNU/Linux'" })).to.deep.equal(['Debian GNU/Linux request']);
  });

  it('without the nodes that are excluded', async () => {
    const sent = await sentFor(await fleet(web), { topic: 'any', exclude: 'role:db' });
    expect(sent).to.deep.equal(['web1 request', 'web2 request']);
  });

  it('at so many of them, the same ones for the same seed', async () => {
    const once = await sentFor(await fleet(web), { topic: 'any', limit: '2', seed: 7 });
    const again = await sentFor(await fleet(web), { topic: 'any', limit: '2', seed: 7 });
    expect(once).to.have.length(2);
    expect(again).to.deep.equal(once);
  });

  it('at nodes by name where it was planned, whoever else is on the topic', async () => {
    const desks = await fleet(web);
    connectV1(desks, 'any');
    const body = JSON.stringify(checkedRequest(id).body);
    const plan = desks.ask({ v: 2, query: 'plan', body });
    if (!('plan' in plan)) throw new Error('it is no plan');
    const sent = await sentFor(desks, { plan: plan.plan });
    expect(sent.sort()).to.deep.equal(['any request', 'db1 request', 'web1 request', 'web2 request']);
  });
});

describe('a request is refused', () => {
  it('when it names a node that nobody knows', async () => {
    expect(refusal(await fleet(web), { topic: 'web[1-3]' })).to.match(/^UNKNOWN_NODE: .*web3/);
  });

  it('when nobody is left of an expression', async () => {
    expect(refusal(await fleet(web), { topic: 'role:web and role:db' })).to.equal(
      'NO_NODE: no node is in the target "role:web and role:db"',
    );
  });

  it('when its target cannot be read, with the place', async () => {
    const told = refusal(await fleet(web), { topic: 'web1 and' });
    expect(told).to.match(/^BAD_TARGET: /);
    expect(told?.split('\n')[2]).to.match(/^ *\^$/);
  });

  it('when the target is an expression and also the name of a topic', async () => {
    const desks = await fleet({ ...web, db2: ['role:web and not web2'] });
    expect(refusal(desks, { topic: 'role:web and not web2' })).to.match(/^BAD_TARGET: .*quote/s);
    expect(await sentFor(desks, { topic: "'role:web and not web2'" })).to.deep.equal([]);
  });

  for (const check of [{ health: 'tcp:80' }, { settleMs: 2_000 }]) {
    it(`when v1 agents would answer it that cannot check ${Object.keys(check)[0]}`, async () => {
      const desks = await fleet(web);
      connectV1(desks, 'any');
      expect(refusal(desks, check)).to.match(/^INVALID_MESSAGE: .*1 v1 agents .* cannot check that/);
      expect(refusal(desks, { ...check, topic: 'web[1-2]' })).to.equal(undefined);
    });
  }

  it('is not when nothing is to be checked', async () => {
    const desks = await fleet(web);
    connectV1(desks, 'any');
    expect(refusal(desks, { settleMs: 0 })).to.equal(undefined);
  });

  it('never for what only expressions know when it is v1', async () => {
    expect(refusal(await fleet(web), { topic: 'web1 and' }, 'v1')).to.equal(undefined);
  });
});

describe('a plan', () => {
  const planOf = (desks: ManagerDesks, changes: Readonly<Record<string, unknown>> = {}) => {
    const body = JSON.stringify(checkedRequest(id, changes).body);
    const plan = desks.ask({ v: 2, query: 'plan', body });
    if (!('plan' in plan)) throw new Error('it is no plan');
    return plan;
  };

  it('says who would be reached and who is not there, and sends nothing', async () => {
    const desks = await fleet(web);
    desks.presence.message({ type: 'bye', node: 'web2' as NodeName, boot: bootOf('b') });
    const { plan, ...rest } = planOf(desks);
    expect(plan).to.match(/^[0-9a-f]{16}$/);
    expect(rest).to.deep.equal({
      ...{ success: 0, nodes: ['db1', 'web1'], unnamed: 0, withheld: 0 },
      absent: [{ node: 'web2', lastSeenAgoMs: 0, hasLeft: true }],
    });
    await desks.settle();
    expect([desks.dispatched, desks.requests.openCount]).to.deep.equal([[], 0]);
  });

  it('says the batches of a rollout, in the order of their turns', async () => {
    const desks = await fleet(web);
    const { nodes, batches } = planOf(desks, { rollout: { batch: '1', canary: 2, order: 'name' } });
    expect([nodes, batches]).to.deep.equal([
      ['db1', 'web1', 'web2'],
      [2, 1],
    ]);
  });

  it('holds while the nodes are the same, also when one of them is lost', async () => {
    const desks = await fleet(web);
    const { plan } = planOf(desks);
    desks.presence.message({ type: 'bye', node: 'web2' as NodeName, boot: bootOf('b') });
    expect(refusal(desks, { plan })).to.equal(undefined);
  });

  it('does not hold when another node is there, and says which', async () => {
    const desks = await fleet(web);
    const { plan } = planOf(desks, { topic: 'role:web or db1' });
    desks.presence.message({
      type: 'hello',
      hello: helloOf('web9', { topics: ['any', 'web9', 'role:web'] as Topic[] }),
    });
    desks.presence.forget('db1' as NodeName);
    desks.presence.message({ type: 'hello', hello: helloOf('db2', { topics: ['db1'] as Topic[] }) });
    expect(refusal(desks, { topic: 'role:web or db1', plan })).to.equal(
      `PLAN_CHANGED: plan ${plan}: now +db2,web9 -db1`,
    );
  });

  it('does not hold for another action or service', async () => {
    const desks = await fleet(web);
    const { plan } = planOf(desks);
    for (const change of [{ cmd: 'stop' }, { service: 'redis' }]) {
      expect(refusal(desks, { plan, ...change })).to.match(/^PLAN_CHANGED: .* the action, the service/);
    }
  });

  it('does not hold when it is none of this manager, and says that it cannot tell the difference', async () => {
    expect(refusal(await fleet(web), { plan: '0'.repeat(16) })).to.match(
      /^PLAN_CHANGED: .* does not know it/,
    );
  });

  it('is refused as the request would be', async () => {
    const desks = await fleet(web);
    expect(() => planOf(desks, { topic: 'nosuch,web1' })).to.throw('nosuch');
    expect(() => planOf(desks, { expect: 4 })).to.throw('aimed at 3 nodes, expected 4');
  });
});

describe('an expected number of nodes', () => {
  it('counts all nodes, there or not, and v1 agents', async () => {
    const desks = await fleet(web);
    connectV1(desks, 'any');
    desks.presence.message({ type: 'bye', node: 'web2' as NodeName, boot: bootOf('b') });
    expect(refusal(desks, { expect: 3 })).to.equal(
      'EXPECTATION_FAILED: the request is aimed at 4 nodes, expected 3',
    );
    expect(refusal(desks, { expect: 4 })).to.equal(undefined);
  });
});

describe('a request that names thousands of nodes', () => {
  const nodes = Array.from({ length: 4_000 }, (_, index) => `web${index + 1}.${'x'.repeat(20)}`);
  const list = { nodes };

  async function large(): Promise<ManagerDesks> {
    const desks = await ManagerDesks.open();
    for (const node of nodes) desks.presence.message({ type: 'hello', hello: helloOf(node) });
    return desks;
  }

  it('is refused when it would be sent to each of them, before anything is sent', async () => {
    const desks = await large();
    const why =
      'INVALID_MESSAGE: RequestBody: 121 KiB for each of 4000 nodes, expected 256 MiB in all at most: ' +
      'fewer nodes at once (in batches), or a shorter way to name them such as web[1-40]';
    expect(refusal(desks, list)).to.equal(why);
    const body = JSON.stringify(checkedRequest(id, list).body);
    expect(() => desks.ask({ v: 2, query: 'plan', body })).to.throw(why.slice(why.indexOf(' ') + 1));
    await desks.settle();
    expect([desks.dispatched, desks.requests.openCount]).to.deep.equal([[], 0]);
  });

  it('may go to as many of them as that allows, and to all of them in batches', async () => {
    const some = { nodes: nodes.slice(0, 2_000) };
    expect(await sentFor(await large(), some)).to.have.length(2_000);
    expect(await sentFor(await large(), { ...list, rollout: { batch: '2000' } })).to.have.length(2_000);
    expect(refusal(await large(), { ...list, rollout: { batch: '1', canary: 4_000 } })).to.include('121 KiB');
  });

  it('may go to all of them when it names them in a short way', async () => {
    const topic = `web[1-4000].${'x'.repeat(20)}`;
    expect(await sentFor(await large(), { topic })).to.have.length(4_000);
  });
}).timeout(20_000);

describe('a request under a policy', () => {
  const alice = senderOf(keyOwner('operator', 'alice'));
  const watch = senderOf(keyOwner('monitor', 'watch'));

  /** Three nodes, and a policy of these rules. */
  async function policed(...rules: string[]): Promise<ManagerDesks> {
    const desks = await fleet(web);
    desks.policy.replace(parsePolicy(rules.join('\n'), { fileName: 'policy', checkTarget: () => {} }));
    return desks;
  }

  const outcomesOf = (desks: ManagerDesks) =>
    Object.fromEntries(
      desks.requests
        .find(id)
        ?.entries()
        .map(({ node, outcome }) => [node, outcome]) ?? [],
    );

  it('goes to its topic as a whole where no rule is about places', async () => {
    const desks = await policed('deny stop *', 'deny operator:bob restart *');
    expect(await sentFor(desks, {}, alice)).to.deep.equal(['any request']);
  });

  it('goes to each node by its name where one is, even if it refuses nobody', async () => {
    const desks = await policed('deny restart nginx at nosuch');
    expect(await sentFor(desks, {}, alice)).to.have.members(['web1 request', 'web2 request', 'db1 request']);
  });

  it('goes to nobody of whom it is refused, and is refused there', async () => {
    const desks = await policed('deny restart nginx at role:db');
    expect(await sentFor(desks, {}, alice)).to.have.members(['web1 request', 'web2 request']);
    expect(outcomesOf(desks)).to.deep.equal({ web1: undefined, web2: undefined, db1: 'refused' });
  });

  it('goes to nobody of whom nothing is known, as nothing can be decided of them', async () => {
    const rules = [[], ['deny restart nginx at role:db']];
    for (const each of rules) {
      const desks = await policed(...each);
      desks.presence.subscription({ version: 'v2', topic: 'hidden' as Topic, isSubscribed: true });
      expect(await sentFor(desks, { topic: 'hidden' }, alice)).to.deep.equal([]);
      expect([desks.requests.openCount, desks.requests.endedCount]).to.deep.equal([0, 1]);
    }
  });

  it('goes to who has subscribed and not yet said hello only where the rules say the same of everybody', async () => {
    for (const [rule, sent] of [
      ['deny stop * at web1', ['any request']],
      ['deny restart * at nosuch', ['web1 request', 'web2 request', 'db1 request']],
    ] as const) {
      const desks = await policed(rule);
      desks.presence.subscription({ version: 'v2', topic: 'any' as Topic, isSubscribed: true });
      expect(await sentFor(desks, {}, alice)).to.have.members(sent);
    }
  });

  it('is over at once where it is refused of everybody', async () => {
    const desks = await policed('deny restart nginx');
    for (const changes of [{}, { topic: 'web[1-2]' }, { nodes: ['web1'] }, { rollout: { batch: '1' } }]) {
      const other = await policed('deny restart nginx');
      expect(await sentFor(other, changes, alice)).to.deep.equal([]);
      expect([other.requests.openCount, other.requests.endedCount]).to.deep.equal([0, 1]);
    }
    await sentFor(desks, {}, alice);
    expect(outcomesOf(desks)).to.deep.equal({ web1: 'refused', web2: 'refused', db1: 'refused' });
  });

  it('of a monitor goes nowhere unless it only looks', async () => {
    expect(await sentFor(await policed(), { cmd: 'status' }, watch)).to.deep.equal(['any request']);
    expect(await sentFor(await policed(), { cmd: 'restart' }, watch)).to.deep.equal([]);
    expect(await sentFor(await policed(), { cmd: 'purge-cache' }, watch)).to.deep.equal([]);
  });

  it('that runs in batches goes on without those of whom it is refused', async () => {
    const desks = await policed('deny restart nginx at web1');
    expect(await sentFor(desks, { rollout: { batch: '1', order: 'name' } }, alice)).to.deep.equal([
      'db1 request',
    ]);
    desks.answer('db1', id);
    await desks.settle();
    expect(desks.dispatched).to.include('web2 request').and.not.include('web1 request');
    desks.answer('web2', id);
    expect(outcomesOf(desks)).to.deep.equal({ db1: 'ok', web1: 'refused', web2: 'ok' });
    expect(desks.requests.endedCount).to.equal(1);
  });

  it('is planned with those of whom it would be refused, and the plan holds', async () => {
    const desks = await policed('', 'deny restart nginx at role:db');
    const plan = (changes = {}) => {
      const body = JSON.stringify(checkedRequest(id, changes).body);
      const reply = desks.ask({ v: 2, query: 'plan', body }, alice);
      if (!('plan' in reply)) throw new Error('it is no plan');
      return reply;
    };
    const denied = [{ node: 'db1', reason: 'refused by line 2: deny restart nginx at role:db' }];
    expect(plan().denied).to.deep.equal(denied);
    expect(plan({ rollout: { batch: '1' } })).to.deep.include({ denied, batches: [1, 1] });
    expect(plan({ cmd: 'stop' })).to.not.have.property('denied');
    expect(await sentFor(desks, { plan: plan().plan }, alice)).to.have.members([
      'web1 request',
      'web2 request',
    ]);
  });

  it('still has to be one that can be', async () => {
    const desks = await policed('deny * *');
    const { reply } = desks.take(checkedRequest(id, { topic: 'web1 and' }), alice);
    expect(reply).to.include({ code: 'BAD_TARGET' });
  });

  it('is asked about only where there is somebody who signed it', async () => {
    expect(await sentFor(await policed('deny * *'), {})).to.deep.equal(['any request']);
  });

  it('never goes to v1 agents, which know nothing of signatures', async () => {
    const desks = await policed();
    connectV1(desks, 'any');
    expect(await sentFor(desks, {}, alice)).to.deep.equal(['any request']);
    expect(desks.requests.find(id)?.anonymous).to.equal(0);
  });
});
