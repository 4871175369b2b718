import { expect } from 'chai';
import { parsePolicy } from '../../../src/security/policy-parser.ts';
import { MemoryStore } from '../../../src/store/memory-store.ts';
import { ServiceManagerError } from '../../../src/wire/errors.ts';
import type { NodeName, Topic } from '../../../src/wire/fields.ts';
import {
  AnswersReply,
  ForgetReply,
  NodesReply,
  Query,
  RequestReply,
  RequestsReply,
} from '../../../src/wire/query.ts';
import { keyOwner, senderOf } from '../../fakes/key-owners.ts';
import { bootOf, checkedRequest, ManagerDesks } from '../../fakes/manager-desks.ts';
import { idOf } from '../../fakes/stored-requests.ts';

const id = idOf(1);

async function withNodes(...nodes: string[]): Promise<ManagerDesks> {
  const desks = await ManagerDesks.open(new MemoryStore());
  desks.join(...nodes);
  await desks.clock.advanceAsync(5);
  return desks;
}

function ask<Reply>(
  desks: ManagerDesks,
  reply: { parse(value: unknown): Reply },
  query: Readonly<Record<string, unknown>>,
): Reply {
  // As it would arrive at a client.
  return reply.parse(JSON.parse(JSON.stringify(desks.ask(Query.parse({ v: 2, ...query })))));
}

function codeOf(desks: ManagerDesks, query: Readonly<Record<string, unknown>>): string {
  try {
    ask(desks, RequestReply, query);
    return '';
  } catch (error) {
    if (!(error instanceof ServiceManagerError)) throw error;
    return error.code;
  }
}

function nodesOf(answers: readonly string[]): string[] {
  return answers.map((text) => JSON.parse(text).result.node);
}

describe('the nodes', () => {
  it('are shown with what is known of them, and v1 agents by their number', async () => {
    const desks = await withNodes('web1', 'web2');
    desks.presence.subscription({ version: 'v1', topic: 'any' as Topic, isSubscribed: true });
    await desks.clock.advanceAsync(1_995);
    const { nodes, unnamed, port } = ask(desks, NodesReply, { query: 'nodes' });
    expect([nodes.map(({ node }) => node), unnamed, port]).to.deep.equal([['web1', 'web2'], 1, 5_750]);
    expect(nodes[0]).to.deep.include({
      ...{ node: 'web1', presence: 'alive', conflictingAgents: 0, lastSeenAgoMs: 2_000 },
      ...{ roles: ['web'], topics: ['any', 'web1'], agentStartedMs: 1 },
      lastSeenMs: desks.clock.wallMs() - 2_000,
    });
  });

  it('are those on a topic, if one is given', async () => {
    const desks = await withNodes('web1', 'web2');
    desks.presence.subscription({ version: 'v1', topic: 'any' as Topic, isSubscribed: true });
    const { nodes, unnamed } = ask(desks, NodesReply, { query: 'nodes', topic: 'web2' });
    expect([nodes.map(({ node }) => node), unnamed]).to.deep.equal([['web2'], 0]);
  });
});

describe('a node', () => {
  it('is forgotten, when it is known', async () => {
    const desks = await withNodes('web1', 'web2');
    expect(ask(desks, ForgetReply, { query: 'forget', node: 'web1' })).to.deep.equal({
      success: 0,
      node: 'web1',
    });
    expect(codeOf(desks, { query: 'forget', node: 'web1' })).to.equal('UNKNOWN_NODE');
  });
});

describe('a question without what it is about', () => {
  for (const query of ['forget', 'request', 'answers', 'cancel']) {
    it(`is refused (${query})`, async () => {
      expect(codeOf(await withNodes(), { query })).to.equal('INVALID_MESSAGE');
    });
  }
});

describe('the requests', () => {
  it('are listed with what was noted a moment ago', async () => {
    const desks = await withNodes('web1', 'web2');
    desks.take(checkedRequest(id, { nodes: ['web1'] }));
    desks.answer('web1', id);
    const { requests } = ask(desks, RequestsReply, { query: 'requests' });
    const wallMs = desks.clock.wallMs();
    expect(requests).to.deep.equal([
      {
        ...{ id, action: 'restart', topic: 'any', service: 'nginx', nodes: ['web1'] },
        ...{ openedMs: wallMs, endedMs: wallMs, endsMs: wallMs + 5_000 },
        ...{ isCancelled: false, withheld: 0, counts: { ok: 1 } },
      },
    ]);
  });

  it('are at most a hundred, unless more or fewer are asked for', async () => {
    const desks = await withNodes('web1');
    for (let count = 1; count <= 120; count += 1) desks.take(checkedRequest(idOf(count)));
    for (const [limit, count] of [
      [undefined, 100],
      [7, 7],
      [1_000, 120],
    ] as const) {
      const { requests } = ask(desks, RequestsReply, { query: 'requests', ...(limit ? { limit } : {}) });
      expect(requests).to.have.length(count);
    }
  });

  it('are listed without the names of thousands of nodes, and without the plan of a rollout', async () => {
    const nodes = Array.from({ length: 10_000 }, (_, index) => `web${index + 1}.${'x'.repeat(20)}`);
    const desks = await withNodes(...nodes);
    for (let count = 1; count <= 9; count += 1)
      desks.take(checkedRequest(idOf(count), { nodes, rollout: { batch: '1' } }));
    const reply = ask(desks, RequestsReply, { query: 'requests' });
    expect(JSON.stringify(reply).length).to.be.below(10_000);
    expect(reply.requests.at(-1)?.nodes).to.deep.equal(nodes.slice(0, 20));
    expect(reply.requests.at(-1)).to.deep.include({
      ...{ moreNodes: 9_980, rollout: { batch: 1, batches: 10_000, started: 1 } },
    });
    const topic = nodes.slice(0, 1_000).join(' or ');
    desks.take(checkedRequest(idOf(10), { topic, rollout: { batch: '1' } }));
    const [latest] = ask(desks, RequestsReply, { query: 'requests', limit: 1 }).requests;
    expect(latest?.topic).to.equal(`${topic.slice(0, 255)}...`);
    expect(ask(desks, RequestReply, { query: 'request', id: idOf(9) }).request.nodes).to.have.length(10_000);
  }).timeout(20_000);

  it('are refused when the store cannot be read', async () => {
    const desks = await withNodes();
    desks.failing = ['visit'];
    expect(codeOf(desks, { query: 'requests' })).to.equal('STORE_UNUSABLE');
  });
});

describe('one request', () => {
  it('shows how far each node is, and who was not there', async () => {
    const desks = await withNodes('web1', 'web2', 'web3', 'web4');
    desks.presence.message({ type: 'bye', node: 'web4' as NodeName, boot: bootOf('b') });
    desks.take(checkedRequest(id));
    desks.requests.acknowledged({ type: 'ack', id, node: 'web1' as NodeName, phase: 'running' });
    desks.answer('web2', id, { returncode: 1 });
    const shown = ask(desks, RequestReply, { query: 'request', id });
    expect(shown.progress).to.deep.equal([
      { node: 'web1', phase: 'running' },
      { node: 'web2', phase: 'done', outcome: 'failed' },
      { node: 'web3', phase: 'asked' },
      { node: 'web4', phase: 'asked', outcome: 'unreachable' },
    ]);
    expect(shown.request.counts).to.deep.equal({ failed: 1, unreachable: 1 });
    expect(shown.unreachable).to.deep.equal([{ node: 'web4', lastSeenAgoMs: 0, hasLeft: true }]);
    expect(shown.request).to.not.have.property('endedMs');
    expect(shown).to.include({ unnamed: 0, port: 5_750 });
  });

  it('that is cancelled shows so at once', async () => {
    const desks = await withNodes('web1');
    desks.take(checkedRequest(id, { windowMs: 60_000 }));
    const shown = ask(desks, RequestReply, { query: 'cancel', id });
    expect(shown.request).to.include({ isCancelled: true, endsMs: desks.clock.wallMs() + 10_000 });
    await desks.settle();
    expect(desks.dispatched).to.include('web1 cancel');
  });

  it('that nobody knows is refused', async () => {
    const desks = await withNodes('web1');
    for (const query of ['request', 'answers', 'cancel'])
      expect(codeOf(desks, { query, id })).to.equal('UNKNOWN_REQUEST');
  });
});

describe('the answers to a request', () => {
  async function answered(count: number, stdout = '') {
    const names = Array.from({ length: count }, (_, index) => `node${String(index).padStart(5, '0')}`);
    const desks = await withNodes(...names);
    desks.take(checkedRequest(id, { cmd: 'status' }));
    for (const name of names) desks.answer(name, id, { stdout });
    return { desks, names };
  }

  /** Page by page, as a client reads them. */
  function pages(desks: ManagerDesks, limit?: number): string[][] {
    const found: string[][] = [];
    let node: string | undefined;
    do {
      const from = node === undefined ? {} : { node };
      const reply = ask(desks, AnswersReply, { query: 'answers', id, ...from, ...(limit ? { limit } : {}) });
      found.push(nodesOf(reply.answers));
      node = reply.nextNode;
    } while (node !== undefined && found.length < 100);
    return found;
  }

  it('come in pages of a thousand, by node, each answer once', async () => {
    const { desks, names } = await answered(2_500);
    const found = pages(desks);
    expect(found.map((page) => page.length).filter((length) => length > 0)).to.deep.equal([
      1_000, 1_000, 500,
    ]);
    expect(found.flat()).to.deep.equal(names);
  });

  it('come in pages that are not too large', async () => {
    const { desks, names } = await answered(10, 'x'.repeat(1_500_000));
    const found = pages(desks).filter((page) => page.length > 0);
    expect(found.map((page) => page.length)).to.deep.equal([2, 2, 2, 2, 2]);
    expect(found.flat()).to.deep.equal(names);
  });

  it('come in pages as small as is asked for', async () => {
    const { desks, names } = await answered(5);
    expect(pages(desks, 2).flat()).to.deep.equal(names);
  });

  it('leave out who has not answered', async () => {
    const desks = await withNodes('web1', 'web2', 'web3');
    desks.take(checkedRequest(id));
    desks.answer('web2', id);
    expect(pages(desks).flat()).to.deep.equal(['web2']);
  });

  it('are none when nobody was aimed at', async () => {
    const desks = await withNodes();
    desks.take(checkedRequest(id));
    expect(ask(desks, AnswersReply, { query: 'answers', id })).to.deep.equal({ success: 0, answers: [] });
  });

  it('can be read also when the nodes have names that only v1 agents may have', async () => {
    const desks = await withNodes('web1');
    desks.take(checkedRequest(id));
    for (const node of ['Old Host 1', 'web1', 'zwölf']) desks.answer(node, id);
    expect(pages(desks, 1).flat()).to.have.members(['Old Host 1', 'web1', 'zwölf']);
  });
});

describe('where people sign', () => {
  const alice = senderOf(keyOwner('operator', 'alice'));
  const bob = senderOf(keyOwner('operator', 'bob'));

  async function policed(...rules: string[]): Promise<ManagerDesks> {
    const desks = await withNodes('web1', 'web2');
    desks.policy.replace(parsePolicy(rules.join('\n'), { fileName: 'policy', checkTarget: () => {} }));
    return desks;
  }

  /** The code of the refusal, or undefined once it is cancelled. */
  function cancel(desks: ManagerDesks, sender: typeof alice): string | undefined {
    try {
      desks.ask(Query.parse({ v: 2, query: 'cancel', id }), sender);
      return undefined;
    } catch (error) {
      if (!(error instanceof ServiceManagerError)) throw error;
      return `${error.code}: ${error.message}`;
    }
  }

  it('requests are listed with who asked, and shown with the words in which he did', async () => {
    const desks = await policed();
    const request = checkedRequest(id);
    desks.take(request, alice);
    desks.take(checkedRequest(idOf(2)));
    const { requests } = ask(desks, RequestsReply, { query: 'requests' });
    expect(requests.map(({ by }) => by)).to.have.members(['operator alice', undefined]);
    const shown = ask(desks, RequestReply, { query: 'request', id });
    expect([shown.request.by, shown.body]).to.deep.equal(['operator alice', request.bodyBytes.toString()]);
  });

  it('nodes are shown with the fingerprints of their keys', async () => {
    const desks = await withNodes('known', 'web1');
    const { nodes } = ask(desks, NodesReply, { query: 'nodes' });
    expect(nodes.map(({ fingerprint }) => fingerprint)).to.deep.equal([
      ManagerDesks.knownFingerprint,
      undefined,
    ]);
  });

  it('who may not begin something may not end it either, and is told by which rule', async () => {
    const desks = await policed('deny operator:bob restart nginx at web2');
    desks.take(checkedRequest(id), alice);
    expect(cancel(desks, bob)).to.equal(
      `POLICY_DENIED: request ${id} on web2: refused by line 1: deny operator:bob restart nginx at web2`,
    );
    expect(desks.requests.find(id)?.isCancelled).to.equal(false);
    expect(cancel(desks, alice)).to.equal(undefined);
    expect(desks.requests.find(id)?.isCancelled).to.equal(true);
  });

  it('who may begin something may end it, whoever has begun it', async () => {
    const desks = await policed('deny operator:bob stop nginx');
    desks.take(checkedRequest(id), alice);
    expect(cancel(desks, bob)).to.equal(undefined);
  });

  it('who was refused some nodes may end what runs on the others', async () => {
    const desks = await policed('deny restart nginx at web2');
    desks.take(checkedRequest(id), alice);
    expect(cancel(desks, alice)).to.equal(undefined);
    await desks.settle();
    expect(desks.dispatched.filter((sent) => sent.endsWith('cancel'))).to.deep.equal(['web1 cancel']);
  });

  it('who may not begin something somewhere may not end it after he has had the node forgotten', async () => {
    for (const rule of ['deny operator:bob restart nginx at web2', 'deny operator:bob restart nginx']) {
      const desks = await policed(rule);
      desks.take(checkedRequest(id), alice);
      for (const node of ['web1', 'web2']) desks.ask(Query.parse({ v: 2, query: 'forget', node }), bob);
      expect(cancel(desks, bob), rule).to.include('POLICY_DENIED: ');
      expect(cancel(desks, alice), rule).to.equal(undefined);
    }
  });

  it("a rule about a node that has answered stands in nobody's way", async () => {
    const desks = await policed('deny operator:bob restart nginx at web2');
    desks.take(checkedRequest(id), alice);
    desks.answer('web2', id);
    expect(cancel(desks, bob)).to.equal(undefined);
  });

  it('nobody is asked where nobody signs', async () => {
    const desks = await policed('deny * *');
    desks.take(checkedRequest(id));
    ask(desks, RequestReply, { query: 'cancel', id });
    expect(desks.requests.find(id)?.isCancelled).to.equal(true);
  });
});
