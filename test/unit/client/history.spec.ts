import { expect } from 'chai';
import { ServiceManager } from '../../../src/client/index.ts';
import { statusAnswer } from '../../fakes/answers.ts';
import { Run } from '../../fakes/client-run.ts';
import {
  nodeInfo,
  requestId,
  requestInfo,
  type Script,
  ScriptedManager,
} from '../../fakes/scripted-manager.ts';

async function asking(queries: NonNullable<Script['queries']>, script: Script = {}) {
  const manager = await new ScriptedManager({ ...script, queries }).start();
  const { history } = new ServiceManager({ retries: 1 }, manager.deps);
  return { manager, history, clock: manager.clock };
}

const page = (nodes: string[], nextNode?: string) => ({
  answers: nodes.map((node) => JSON.stringify(statusAnswer(node))),
  ...(nextNode === undefined ? {} : { nextNode }),
});
const open = { request: requestInfo({ endedMs: undefined }), progress: [], unreachable: [], unnamed: 0 };
const begun = { batch: 1, batches: 2, started: 1 };
const over = { ...open, request: requestInfo() };

describe('a question', () => {
  it('says what it is about, and nothing else', async () => {
    const { manager, history } = await asking({
      ...{ nodes: { nodes: [], unnamed: 0 }, forget: { node: 'web1' }, requests: { requests: [] } },
      ...{ request: open, cancel: open, answers: { answers: [] } },
    });
    await history.nodes();
    await history.nodes('role:web');
    await history.forget('web1');
    await history.list({ service: 'nginx', limit: 3 });
    await history.show(requestId);
    await history.answers(requestId);
    await history.cancel(requestId);
    expect(manager.queries).to.deep.equal([
      { v: 2, query: 'nodes' },
      { v: 2, query: 'nodes', topic: 'role:web' },
      { v: 2, query: 'forget', node: 'web1' },
      { v: 2, query: 'requests', service: 'nginx', limit: 3 },
      { v: 2, query: 'request', id: requestId },
      { v: 2, query: 'answers', id: requestId },
      { v: 2, query: 'cancel', id: requestId },
    ]);
  });

  it('that is no good is refused before it is sent', async () => {
    const { manager, history } = await asking({});
    const questions = [() => history.show('x'), () => history.forget(''), () => history.nodes('\n')];
    for (const ask of questions) {
      const error: unknown = await ask().catch((thrown: unknown) => thrown);
      expect(error).to.include({ code: 'INVALID_MESSAGE' });
    }
    expect(manager.queries).to.deep.equal([]);
  });

  it('is given up when the client is left', async () => {
    const manager = await new ScriptedManager({}).start();
    const leaving = new AbortController();
    const { history } = new ServiceManager({ signal: leaving.signal }, manager.deps);
    const question = history.nodes().catch((thrown: unknown) => thrown);
    await manager.clock.advanceAsync(100);
    leaving.abort();
    expect(await question).to.include({ code: 'MANAGER_UNREACHABLE' });
  });
});

describe('the answers to a request', () => {
  it('are read page by page, and what is no answer is left out', async () => {
    const broken = { answers: ['{}', JSON.stringify(statusAnswer('web3', { stdout: ['a', 'b'] }))] };
    const { manager, history } = await asking({
      answers: [page(['web1'], 'web1'), page(['web2'], 'web2'), broken],
    });
    const answers = await history.answers(requestId);
    expect(answers.map((answer) => 'result' in answer && answer.result.node)).to.deep.equal([
      'web1',
      'web2',
      'web3',
    ]);
    expect(answers[2]).to.have.property('result').that.includes({ stdout: 'a\nb' });
    expect(manager.queries.map(({ node }) => node)).to.deep.equal([undefined, 'web1', 'web2']);
  });
});

describe('who attaches to a request', () => {
  it('subscribes first, then reads what is there, then looks whether it is over', async () => {
    const { manager, history, clock } = await asking(
      { request: [open, open], answers: page(['web1']) },
      { answers: [statusAnswer('web1'), statusAnswer('web2')] },
    );
    const run = new Run(history.attach(requestId), clock);
    await clock.advanceAsync(0);
    expect(manager.queries.map(({ query }) => query)).to.deep.equal(['request', 'answers', 'request']);
    expect(run.answeredBy).to.have.members(['web1', 'web2']);
    expect(run.isOver).to.equal(false);
    await clock.advanceAsync(3_600_000);
    expect(run.isOver).to.equal(false);
  });

  it('learns that it ended meanwhile', async () => {
    const progress = [
      { node: 'web1', phase: 'done', outcome: 'ok' },
      { node: 'web2', phase: 'asked', outcome: 'unreachable' },
    ];
    const unreachable = [{ node: 'web2', lastSeenAgoMs: 9_000 }];
    const { history, clock } = await asking({
      request: [
        { ...open, progress, unreachable, unnamed: 1 },
        { ...over, request: requestInfo({ isCancelled: true, withheld: 1 }), progress, unnamed: 1 },
      ],
      answers: page(['web1']),
    });
    const run = new Run(history.attach(requestId), clock);
    await clock.advanceAsync(0);
    expect([run.isOver, run.answeredBy]).to.deep.equal([true, ['web1']]);
    expect(run.pending.expected).to.equal(2);
    expect(run.pending.nodes).to.deep.equal(['web1']);
    expect(run.pending.unreachable).to.deep.equal(unreachable);
    expect(run.outcomes).to.deep.equal({ web1: 'ok', web2: 'unreachable' });
    expect(run.summary).to.include({ unnamed: 1, isCancelled: true, isOver: true });
    expect(clock.pending).to.deep.equal([]);
  });

  it('gets the answers so far also when the end came first', async () => {
    const { history, clock } = await asking(
      { request: over, answers: page(['web1', 'web2']) },
      { answers: [statusAnswer('web2')], end: {} },
    );
    const run = new Run(history.attach(requestId), clock);
    await clock.advanceAsync(0);
    expect([run.isOver, run.answeredBy.length]).to.deep.equal([true, 2]);
  });

  it('leaves nothing behind when what was answered so far cannot be had', async () => {
    for (const request of [open, { ...open, request: requestInfo({ endedMs: undefined, rollout: begun }) }]) {
      const refused = { success: -1, msg: 'the disk is full', code: 'STORE_UNUSABLE' };
      const { history, clock } = await asking({ request, answers: refused });
      const attaching = history.attach(requestId).catch((thrown: unknown) => thrown);
      await clock.advanceAsync(0);
      expect(await attaching).to.include({ code: 'STORE_UNUSABLE' });
      expect(clock.pending).to.deep.equal([]);
    }
  });

  it('may leave', async () => {
    const { history, clock } = await asking({ request: open, answers: page([]) });
    const leaving = new AbortController();
    const run = new Run(history.attach(requestId, leaving.signal), clock);
    await clock.advanceAsync(0);
    leaving.abort();
    await clock.advanceAsync(0);
    expect([run.isOver, clock.pending]).to.deep.equal([true, []]);
  });
});

describe('who watches the nodes', () => {
  it('gets them as they are, then each that changes and is on the topic', async () => {
    const { manager, history, clock } = await asking({ nodes: { nodes: [nodeInfo('web1')], unnamed: 0 } });
    const leaving = new AbortController();
    const seen: string[] = [];
    const watching = (async () => {
      for await (const { node, presence } of history.watchNodes('role:web', leaving.signal))
        seen.push(`${node} ${presence}`);
    })();
    await clock.advanceAsync(0);
    expect(seen).to.deep.equal(['web1 alive']);
    manager.publish('nodes/', nodeInfo('web2', { topics: ['role:web'], presence: 'lost' }));
    manager.publish('nodes/', nodeInfo('db1', { topics: ['role:db'] }));
    manager.publish('nodes/', { no: 'node' });
    await clock.advanceAsync(0);
    expect(seen).to.deep.equal(['web1 alive', 'web2 lost']);
    leaving.abort();
    await watching;
    expect(clock.pending).to.deep.equal([]);
  });

  it('gets nothing but what is there when it has left already', async () => {
    const { history } = await asking({ nodes: { nodes: [nodeInfo('web1')], unnamed: 0 } });
    const seen: string[] = [];
    for await (const { node } of history.watchNodes(undefined, AbortSignal.abort())) seen.push(node);
    expect(seen).to.deep.equal(['web1']);
  });
});
