import { expect } from 'chai';
import { type Order, type RolloutInfo, ServiceManager } from '../../../src/client/index.ts';
import { startAnswer } from '../../fakes/answers.ts';
import { Run } from '../../fakes/client-run.ts';
import { requestId, requestInfo, type Script, ScriptedManager } from '../../fakes/scripted-manager.ts';

const order: Order = { topic: 'any', action: 'restart', service: 'nginx', rollout: { batch: '1' } };
const begun: RolloutInfo = { batch: 1, batches: 2, started: 1 };
const second: RolloutInfo = { batch: 2, batches: 2, started: 2 };
const reply = (rollout: RolloutInfo, changes: object = {}) => ({
  request: requestInfo({ endedMs: undefined, rollout, ...changes }),
  progress: [
    { node: 'web1', phase: 'done', outcome: 'ok' },
    { node: 'web2', phase: 'done', outcome: 'failed' },
  ],
  ...{ unreachable: [], unnamed: 0 },
});
const answers = (...nodes: string[]) => ({ answers: nodes.map((node) => JSON.stringify(startAnswer(node))) });
const over = reply({ ...second, stopped: '1 node failed' }, { endedMs: Date.UTC(2026, 0, 1) });

async function rolling(script: Script = {}, changes: Partial<Order> = {}) {
  const manager = await new ScriptedManager({
    accepted: { nodes: ['web1', 'web2'], expected: 2 },
    queries: { request: reply(begun), answers: answers() },
    ...script,
  }).start();
  const { clock } = manager;
  const endpoints = ['tcp://localhost:5500', 'tcp://localhost:5501'];
  const client = new ServiceManager({ endpoints }, manager.deps);
  const run = new Run(client.send({ ...order, ...changes }), clock);
  await clock.advanceAsync(0);
  const seen: string[] = [];
  run.pending.onChange(() => {
    const { rollout, silentManager } = run.pending;
    seen.push(silentManager ?? `${rollout?.batch}/${rollout?.batches}`);
  });
  return { manager, clock, client, run, seen };
}

describe('who waits for a rollout', () => {
  it('sees how far it is', async () => {
    const { manager, clock, run, seen } = await rolling();
    expect(run.pending.rollout).to.equal(undefined);
    for (const progress of [begun, second]) manager.publish(`rollout/${requestId}`, progress);
    manager.publish(`rollout/${requestId}`, { no: 'progress' });
    await clock.advanceAsync(0);
    expect([run.pending.rollout, seen]).to.deep.equal([second, ['1/2', '2/2']]);
    expect(run.summary).to.deep.include({ rollout: second, unreadable: 1 });
  });

  it('takes no step back when news are overtaken', async () => {
    const { manager, clock, run } = await rolling();
    for (const progress of [second, begun]) manager.publish(`rollout/${requestId}`, progress);
    await clock.advanceAsync(0);
    expect(run.pending.rollout).to.deep.equal(second);
  });

  it('is not bound by the window of a batch', async () => {
    const { clock, run } = await rolling({}, { windowMs: 2_000 });
    await clock.advanceAsync(20 * 3_600_000);
    expect(run.isOver).to.equal(false);
  });

  it('leaves at once when told so', async () => {
    const leaving = new AbortController();
    const { clock, run } = await rolling({}, { signal: leaving.signal });
    leaving.abort();
    await clock.advanceAsync(0);
    expect([run.isOver, clock.pending]).to.deep.equal([true, []]);
  });

  it('learns why it stopped', async () => {
    const outcomes = [{ node: 'web1', outcome: 'failed' }] as never;
    const { run } = await rolling({ end: { outcomes, stopped: '1 node failed' } });
    expect([run.isOver, run.summary.rollout?.stopped]).to.deep.equal([true, '1 node failed']);
  });
});

describe('the manager of a rollout', () => {
  it('is asked how far it is, never again to run it, and no other one is', async () => {
    const { manager, clock } = await rolling();
    const heard: string[] = [];
    const other = await manager.deps.sockets.bindRouter('tcp://127.0.0.1:5501');
    void (async () => {
      for await (const frames of other) heard.push(String(frames[2]));
    })();
    manager.isSilent = true;
    await clock.advanceAsync(60_000);
    manager.isSilent = false;
    await clock.advanceAsync(60_000);
    expect(manager.requests).to.have.lengthOf(1);
    expect(manager.queries.map(({ query }) => query))
      .to.include('request')
      .and.not.include('cancel');
    expect(heard).to.deep.equal([]);
  });

  it('that goes is waited for, and what was missed is fetched when it is back', async () => {
    const { manager, clock, run, seen } = await rolling({
      queries: { request: reply(second), answers: answers('web1') },
    });
    manager.isSilent = true;
    await clock.advanceAsync(60_000);
    expect([run.isOver, run.pending.silentManager]).to.deep.equal([false, 'tcp://localhost:5500']);
    manager.isSilent = false;
    await clock.advanceAsync(10_000);
    expect([run.answeredBy, run.pending.silentManager]).to.deep.equal([['web1'], undefined]);
    expect(seen).to.deep.equal(['tcp://localhost:5500', 'tcp://localhost:5500', '2/2']);
  });

  it('says that it is over also to who missed the end', async () => {
    const { clock, run } = await rolling({ queries: { request: over, answers: answers('web1') } });
    await clock.advanceAsync(5_000);
    expect([run.isOver, run.answeredBy, clock.pending]).to.deep.equal([true, ['web1'], []]);
    expect(run.outcomes).to.deep.equal({ web1: 'ok', web2: 'failed' });
    expect(run.summary.rollout?.stopped).to.equal('1 node failed');
  });

  it('that has lost its history is not waited for', async () => {
    const { clock, run } = await rolling({
      queries: { request: { success: -1, msg: 'no', code: 'UNKNOWN_REQUEST' } },
    });
    await clock.advanceAsync(5_000);
    expect([run.isOver, run.summary.isOver, run.pending.isForgotten]).to.deep.equal([true, false, true]);
  });
});

describe('who attaches to a rollout', () => {
  it('sees how far it is at once, and what comes', async () => {
    const { manager, clock, client } = await rolling();
    const run = new Run(client.history.attach(requestId), clock);
    await clock.advanceAsync(0);
    expect(run.pending.rollout).to.deep.equal(begun);
    manager.publish(`rollout/${requestId}`, second);
    await clock.advanceAsync(0);
    expect(run.pending.rollout).to.deep.equal(second);
  });

  it('waits for its manager too', async () => {
    const { manager, clock, client } = await rolling();
    const run = new Run(client.history.attach(requestId), clock);
    await clock.advanceAsync(0);
    manager.isSilent = true;
    await clock.advanceAsync(60_000);
    expect([run.isOver, run.pending.silentManager]).to.deep.equal([false, 'tcp://localhost:5500']);
  });
});
