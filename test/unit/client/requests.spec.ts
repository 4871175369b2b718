import { expect } from 'chai';
import { type Order, ServiceManager } from '../../../src/client/index.ts';
import { statusAnswer, troubleAnswer } from '../../fakes/answers.ts';
import { Run } from '../../fakes/client-run.ts';
import { requestId, type Script, ScriptedManager } from '../../fakes/scripted-manager.ts';

const order: Order = { topic: 'any', action: 'status', service: 'nginx' };

/** Sends the order to a manager that follows the script, and collects in the background. */
async function sending(script: Script, changes: Partial<Order> = {}, options: { endpoints?: string[] } = {}) {
  const manager = await new ScriptedManager(script).start();
  const { clock } = manager;
  const client = new ServiceManager(options, manager.deps);
  const run = new Run(client.send({ ...order, ...changes }), clock);
  await clock.advanceAsync(0);
  return { manager, clock, client, run };
}

describe('an order', () => {
  it('is sent with an id, its window, and until when it is good', async () => {
    const { manager, clock } = await sending({}, { windowMs: 7_000 });
    expect(manager.requests).to.deep.equal([
      {
        ...{ id: requestId, cmd: 'status', topic: 'any', service: 'nginx', windowMs: 7_000 },
        ...{ notAfterMs: clock.wallMs() + 7_000, sentAtMs: clock.wallMs() },
      },
    ]);
  });

  it('has a window of 5 s, and names nodes and a time limit, if it should', async () => {
    const { manager } = await sending({}, { nodes: ['web1', 'web2'], actionTimeoutMs: 60_000 });
    expect(manager.requests[0]).to.deep.include({
      windowMs: 5_000,
      nodes: ['web1', 'web2'],
      timeoutMs: 60_000,
    });
  });

  for (const [what, changes] of [
    ['a service that is a path', { service: '../nginx' }],
    ['an action that is an option', { action: '-h' }],
    ['an empty topic', { topic: '' }],
    ['no node', { nodes: [] }],
    ['a window of nothing', { windowMs: 0 }],
  ] as const) {
    it(`with ${what} is refused before anything is sent`, async () => {
      const { manager, run } = await sending({}, changes);
      expect([run.code, manager.requests]).to.deep.equal(['INVALID_MESSAGE', []]);
    });
  }

  it('leaves nothing behind when it is over, however many managers there are', async () => {
    const endpoints = ['tcp://localhost:5500', 'tcp://localhost:5501'];
    const { run, clock } = await sending({ end: {} }, {}, { endpoints });
    expect([run.isOver, clock.pending]).to.deep.equal([true, []]);
  });

  it('that a manager refuses is rejected with its code', async () => {
    const { run, clock } = await sending({ reply: { success: -1, msg: 'no', code: 'UNKNOWN_NODE' } });
    expect(run.code).to.equal('UNKNOWN_NODE');
    expect(clock.pending).to.deep.equal([]);
  });
});

describe('the summary of a request', () => {
  it('is the word of the manager, amended by what was heard', async () => {
    const { run } = await sending({
      accepted: { expected: 3, nodes: ['web1', 'web2', 'web3'], unreachable: [], withheld: 2 },
      answers: [statusAnswer('web1'), statusAnswer('web2', { returncode: 1 })],
      end: {
        outcomes: [
          { node: 'web1', outcome: 'no-answer' },
          { node: 'web2', outcome: 'failed' },
          { node: 'web3', outcome: 'running' },
        ] as never,
        unnamed: 1,
        isCancelled: true,
      },
    });
    expect(run.isOver).to.equal(true);
    expect(run.summary).to.deep.equal({
      id: requestId,
      outcomes: [
        { node: 'web1', outcome: 'ok' },
        { node: 'web2', outcome: 'failed' },
        { node: 'web3', outcome: 'running' },
      ],
      ...{ unnamed: 1, withheld: 2, isOver: true, isCancelled: true, isAimKnown: true, unreadable: 0 },
    });
  });

  it('without that word says of who was asked and did not answer that they did not', async () => {
    const { run, clock } = await sending({
      accepted: {
        expected: 4,
        nodes: ['web1', 'web2'],
        unreachable: [{ node: 'web3', lastSeenAgoMs: 60_000 }],
      },
      answers: [statusAnswer('web2'), statusAnswer('old1')],
    });
    await clock.advanceAsync(4_999);
    expect(run.isOver).to.equal(false);
    await clock.advanceAsync(151);
    expect([run.isOver, run.tookMs]).to.deep.equal([true, 5_150]);
    expect(run.outcomes).to.deep.equal({
      ...{ web1: 'no-answer', web2: 'ok' },
      ...{ web3: 'unreachable', old1: 'ok' },
    });
    // Four were asked, two of them by name, and one of the others has answered.
    expect(run.summary).to.include({ unnamed: 1, isOver: false, isAimKnown: true });
  });

  it('counts answers without a name each for itself', async () => {
    const { run, clock } = await sending({
      accepted: { expected: 2, nodes: [] },
      answers: [troubleAnswer(undefined, '', 'no'), troubleAnswer(undefined, '', 'no')],
    });
    await clock.advanceAsync(6_000);
    expect(run.outcomes).to.deep.equal({ 'unnamed-1': 'failed', 'unnamed-2': 'failed' });
    expect(run.summary.unnamed).to.equal(0);
  });
});

describe('a v1 manager', () => {
  it('is listened to by the id that it gives, until the window ends', async () => {
    const id = 'a'.repeat(32);
    const { run, manager, clock } = await sending({ reply: { uuid: id, port: 5_750 } });
    manager.publish(requestId, statusAnswer('nobody'));
    manager.publish(id, { ...statusAnswer('web1'), uuid: id });
    await clock.advanceAsync(0);
    expect(run.answeredBy).to.deep.equal(['web1']);
    await clock.advanceAsync(5_000);
    expect([run.isOver, run.tookMs, run.id]).to.deep.equal([true, 5_000, id]);
    expect(run.summary).to.deep.include({
      outcomes: [{ node: 'web1', outcome: 'ok' }],
      ...{ isAimKnown: false, isOver: false, unnamed: 0 },
    });
    expect(run.pending.expected).to.equal(undefined);
  });

  it('gets a request once, because it would run it each time', async () => {
    const endpoints = ['tcp://localhost:5500', 'tcp://localhost:5501'];
    const reply = { uuid: 'a'.repeat(32), port: 5_750 };
    const { manager, clock } = await sending({ reply }, {}, { endpoints });
    await clock.advanceAsync(6_000);
    expect(manager.requests).to.have.lengthOf(1);
  });

  it('of which nobody answers says that at least one did not', async () => {
    const { run, clock } = await sending({ reply: { uuid: 'a'.repeat(32), port: 5_750 } });
    await clock.advanceAsync(6_000);
    expect(run.summary).to.deep.include({ outcomes: [], unnamed: 1, isAimKnown: false });
  });
});

describe('a client', () => {
  it('that has more than one manager looks after the one that took its order', async () => {
    const endpoints = ['tcp://localhost:5500', 'tcp://localhost:5501'];
    const { manager, clock, run } = await sending({ accepted: { nodes: ['web1'] } }, {}, { endpoints });
    await clock.advanceAsync(3_500);
    expect(manager.requests).to.have.length(4);
    expect(new Set(manager.requests.map(({ id }) => id)).size).to.equal(1);
    await clock.advanceAsync(5_000);
    const count = manager.requests.length;
    await clock.advanceAsync(5_000);
    expect([run.isOver, manager.requests.length]).to.deep.equal([true, count]);
  });

  it('that has one manager does not', async () => {
    const { manager, clock } = await sending({ accepted: { nodes: ['web1'] } });
    await clock.advanceAsync(4_000);
    expect(manager.requests).to.have.length(1);
  });

  it('listens before it asks, where it knows who will answer', async () => {
    const { client, manager, clock } = await sending({ answers: [statusAnswer('web1')], end: {} });
    const second = new Run(client.send(order), clock);
    await clock.advanceAsync(0);
    expect([second.isOver, second.answeredBy, manager.requests.length]).to.deep.equal([true, ['web1'], 2]);
  });

  it('that is closed waits for no answer any more', async () => {
    const { client, clock, manager } = await sending({});
    await Promise.all([client.close(), client.close()]);
    manager.publish(requestId, statusAnswer('web1'));
    await clock.advanceAsync(10_000);
    expect(clock.pending).to.deep.equal([]);
  });

  it('may be left by the end of its block', async () => {
    const manager = await new ScriptedManager({}).start();
    {
      await using client = new ServiceManager({}, manager.deps);
      expect(client.history).to.be.an('object');
    }
  });
});
