import { expect } from 'chai';
import { Feed } from '../../../src/client/feed.ts';
import { serve } from '../../../src/platform/serve.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { MemorySockets } from '../../fakes/memory-sockets.ts';

async function feeding() {
  const sockets = new MemorySockets();
  const publisher = await sockets.bindPublisher('tcp://*:5750');
  const subscriptions: string[] = [];
  void serve(publisher, ([frame]) => subscriptions.push(`${frame}`));
  const feed = new Feed(sockets, 'tcp://localhost:5750', undefined);
  const settle = () => new ManualClock().advanceAsync(0);
  return {
    ...{ feed, subscriptions, settle },
    publish: async (...frames: string[]) => {
      publisher.send(frames.map((frame) => Buffer.from(frame)));
      await settle();
    },
  };
}

describe('who listens to a topic', () => {
  it('gets what is published on it, and on no other', async () => {
    const { feed, publish, settle } = await feeding();
    const heard: string[] = [];
    feed.listen('ab', (payload) => heard.push(`${payload}`));
    await settle();
    await publish('ab', 'one');
    await publish('abc', 'a longer topic');
    await publish('a', 'a shorter topic');
    await publish('ab');
    expect(heard).to.deep.equal(['one', '']);
  });

  it('shares its subscription with others', async () => {
    const { feed, publish, settle, subscriptions } = await feeding();
    const heard: string[] = [];
    const stops = ['first', 'second'].map((who) =>
      feed.listen('ab', (payload) => heard.push(`${who} ${payload}`)),
    );
    await settle();
    await publish('ab', 'one');
    stops[0]?.();
    stops[0]?.();
    await publish('ab', 'two');
    expect(heard).to.deep.equal(['first one', 'second one', 'second two']);
    expect(subscriptions).to.deep.equal(['\u0001ab']);
    stops[1]?.();
    await settle();
    await publish('ab', 'three');
    expect(heard).to.have.length(3);
    expect(subscriptions).to.deep.equal(['\u0001ab', '\u0000ab']);
  });

  it('may come back', async () => {
    const { feed, publish, settle } = await feeding();
    const heard: string[] = [];
    for (const round of ['one', 'two']) {
      const stop = feed.listen('ab', (payload) => heard.push(`${payload}`));
      await settle();
      await publish('ab', round);
      stop();
      await settle();
    }
    expect(heard).to.deep.equal(['one', 'two']);
  });

  it('may stop while it is told', async () => {
    const { feed, publish, settle } = await feeding();
    const heard: string[] = [];
    const stop = feed.listen('ab', (payload) => {
      heard.push(`${payload}`);
      stop();
    });
    await settle();
    await publish('ab', 'one');
    await publish('ab', 'two');
    expect(heard).to.deep.equal(['one']);
  });
});

describe('a feed that is closed', () => {
  it('tells nobody any more, and may be closed twice', async () => {
    const { feed, publish, settle } = await feeding();
    const heard: string[] = [];
    const stop = feed.listen('ab', (payload) => heard.push(`${payload}`));
    await settle();
    await Promise.all([feed.close(), feed.close()]);
    await publish('ab', 'one');
    stop();
    expect(heard).to.deep.equal([]);
  });
});
