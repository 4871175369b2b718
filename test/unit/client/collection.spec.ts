import { expect } from 'chai';
import { Collection } from '../../../src/client/collection.ts';
import { Connections } from '../../../src/client/connections.ts';
import { serve } from '../../../src/platform/serve.ts';
import { RequestEnd } from '../../../src/wire/end.ts';
import { Answer, nodeOfAnswer } from '../../../src/wire/result.ts';
import { statusAnswer, troubleAnswer } from '../../fakes/answers.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { MemorySockets } from '../../fakes/memory-sockets.ts';
import { requestId as id } from '../../fakes/scripted-manager.ts';

const end = RequestEnd.parse({ uuid: id, outcomes: [], unnamed: 0, withheld: 0, isCancelled: false });

/** A collection of what two managers publish. */
async function collecting(deadlineMs = 5_000, signal?: AbortSignal, isRollout = false, isFollowed = false) {
  const sockets = new MemorySockets();
  const clock = new ManualClock();
  const subscriptions: string[] = [];
  const publish: Array<(topic: string, payload: string | Buffer) => Promise<void>> = [];
  for (const port of [5_751, 5_752]) {
    const publisher = await sockets.bindPublisher(`tcp://*:${port}`);
    void serve(publisher, ([frame]) => subscriptions.push(`${port} ${frame}`));
    publish.push(async (topic, payload) => {
      publisher.send([Buffer.from(topic), Buffer.from(payload)]);
      await clock.advanceAsync(0);
    });
  }
  const connections = new Connections(sockets, clock);
  const collection = new Collection({ id, isRollout, isFollowed, deadlineMs, signal, connections, clock });
  const [first, second] = publish;
  if (first === undefined || second === undefined) throw new Error('no publishers');
  return {
    ...{ clock, collection, subscriptions },
    listen: async (...ports: number[]) => {
      for (const port of ports) collection.listen(`tcp://localhost:${port}`);
      await clock.advanceAsync(0);
    },
    ...{ first, second },
    answers: { first: (answer: Answer) => first(id, Answer.encode(answer)) },
    /** Iterates in the background. */
    iterate: () => {
      const state = { nodes: [] as (string | undefined)[], answers: [] as Answer[], isOver: false };
      void (async () => {
        for await (const answer of collection.answers()) {
          state.answers.push(answer);
          state.nodes.push(nodeOfAnswer(answer));
        }
        state.isOver = true;
      })();
      return state;
    },
  };
}

describe('a collection', () => {
  it('subscribes to the end first: the manager begins to replay when it sees the id', async () => {
    const { listen, subscriptions } = await collecting();
    await listen(5_751, 5_751);
    expect(subscriptions).to.deep.equal([`5751 \u0001end/${id}`, `5751 \u0001${id}`]);
  });

  it('subscribes to the progress of a rollout before the id, too', async () => {
    const { listen, subscriptions } = await collecting(5_000, undefined, true);
    await listen(5_751);
    expect(subscriptions).to.have.members([
      ...[`5751 \u0001rollout/${id}`, `5751 \u0001end/${id}`, `5751 \u0001${id}`],
    ]);
    expect(subscriptions.at(-1)).to.equal(`5751 \u0001${id}`);
  });

  it('gives the answers as they come, until a manager says that it is over', async () => {
    const { collection, listen, first, answers, iterate, clock, subscriptions } = await collecting();
    const state = iterate();
    await listen(5_751);
    await answers.first(statusAnswer('web1'));
    expect(state.nodes).to.deep.equal(['web1']);
    await answers.first(statusAnswer('web2'));
    await first(`end/${id}`, RequestEnd.encode(end));
    expect(state).to.include({ isOver: true });
    expect(state.nodes).to.deep.equal(['web1', 'web2']);
    expect([collection.isOver, collection.end]).to.deep.equal([true, end]);
    expect(subscriptions.slice(2)).to.have.members([`5751 \u0000end/${id}`, `5751 \u0000${id}`]);
    expect(clock.pending).to.deep.equal([]);
  });

  it('gives the answer of each node once, whoever publishes it', async () => {
    const { listen, first, second, iterate } = await collecting();
    const state = iterate();
    await listen(5_751, 5_752);
    for (const publish of [first, second, first]) {
      for (const node of ['web1', 'web2']) await publish(id, Answer.encode(statusAnswer(node)));
    }
    expect(state.nodes).to.deep.equal(['web1', 'web2']);
  });

  it('gives every answer that names no node', async () => {
    const { listen, answers, iterate } = await collecting();
    const state = iterate();
    await listen(5_751);
    for (let count = 0; count < 2; count += 1) await answers.first(troubleAnswer(undefined, 'REFUSED', 'no'));
    expect(state.nodes).to.deep.equal([undefined, undefined]);
  });

  it('gives output as text, whichever way it came', async () => {
    const { listen, answers, iterate } = await collecting();
    const state = iterate();
    await listen(5_751);
    await answers.first(statusAnswer('web1', { stdout: ['one', 'two'] }));
    expect(state.answers[0]).to.have.property('result').that.includes({ stdout: 'one\ntwo', stderr: '' });
  });

  it('counts what it cannot read, and goes on', async () => {
    const { collection, listen, first, answers, iterate } = await collecting();
    const state = iterate();
    await listen(5_751);
    for (const [topic, payload] of [
      [id, 'nonsense'],
      [id, '{}'],
      [`end/${id}`, '{}'],
    ] as const)
      await first(topic, payload);
    await answers.first(statusAnswer('web1'));
    expect([collection.unreadable, state.nodes, state.isOver]).to.deep.equal([3, ['web1'], false]);
  });

  it('ends at its deadline without a word of the manager', async () => {
    const { collection, listen, clock, answers, iterate } = await collecting(5_000);
    const state = iterate();
    await listen(5_751);
    await clock.advanceAsync(4_999);
    expect(state.isOver).to.equal(false);
    await clock.advanceAsync(1);
    await answers.first(statusAnswer('late'));
    expect([state.isOver, state.nodes, collection.end]).to.deep.equal([true, [], undefined]);
  });

  it('ends when its signal is aborted, also when it was before', async () => {
    const leaving = new AbortController();
    const { clock, iterate } = await collecting(5_000, leaving.signal);
    const state = iterate();
    leaving.abort();
    await clock.advanceAsync(0);
    expect([state.isOver, clock.pending]).to.deep.equal([true, []]);
    const { collection, listen, subscriptions } = await collecting(5_000, leaving.signal);
    await listen(5_751);
    expect([collection.isOver, subscriptions]).to.deep.equal([true, []]);
  });

  it('gives what had come before it was iterated, also when it is over', async () => {
    const { collection, listen, answers, iterate, clock } = await collecting();
    await listen(5_751);
    await answers.first(statusAnswer('web1'));
    collection.finish(end);
    collection.add(statusAnswer('web2'));
    const state = iterate();
    await clock.advanceAsync(0);
    expect(state).to.include({ isOver: true });
    expect(state.nodes).to.deep.equal(['web1', 'web2']);
  });

  it('believes the first word of an end', async () => {
    const { collection } = await collecting();
    collection.finish(end);
    collection.finish({ ...end, isCancelled: true });
    expect(collection.end).to.equal(end);
  });

  it('may be left in the middle, and listens no more then', async () => {
    const { collection, listen, answers, subscriptions, clock } = await collecting();
    await listen(5_751);
    await answers.first(statusAnswer('web1'));
    for await (const answer of collection.answers()) {
      expect(nodeOfAnswer(answer)).to.equal('web1');
      break;
    }
    await clock.advanceAsync(0);
    expect(collection.isOver).to.equal(true);
    expect(subscriptions).to.have.length(4);
    collection.close();
  });
});

describe('what actions print', () => {
  it('waits for who watches it, but not all of it for somebody who never does', async () => {
    const { collection, listen, first } = await collecting(5_000, undefined, false, true);
    await listen(5_751);
    const [count, most] = [1_200, 1_000];
    for (let index = 0; index < count; index += 1)
      await first(`output/${id}`, JSON.stringify({ node: 'web1', source: 'stdout', text: 'x', index }));
    const seen: number[] = [];
    collection.onOutput(({ index }) => seen.push(index));
    expect(seen).to.have.length(most);
    await first(`output/${id}`, JSON.stringify({ node: 'web1', source: 'stdout', text: 'x', index: count }));
    expect([seen[most - 1], seen[most]]).to.deep.equal([most - 1, count]);
  });
});
