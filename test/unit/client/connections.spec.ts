import { expect } from 'chai';
import { Connections } from '../../../src/client/connections.ts';
import { serve } from '../../../src/platform/serve.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { MemorySockets } from '../../fakes/memory-sockets.ts';

const endpoint = 'tcp://localhost:5500';

/** A manager that says what it was asked, when the test lets it. */
async function connected() {
  const clock = new ManualClock();
  const connects: string[] = [];
  class Watched extends MemorySockets {
    override connectDealer(...args: Parameters<MemorySockets['connectDealer']>) {
      connects.push(`dealer ${args[0]}`);
      return super.connectDealer(...args);
    }
    override connectSubscriber(...args: Parameters<MemorySockets['connectSubscriber']>) {
      connects.push(`subscriber ${args[0]}`);
      return super.connectSubscriber(...args);
    }
  }
  const sockets = new Watched();
  const frontend = await sockets.bindRouter('tcp://*:5500');
  const waiting: Array<() => void> = [];
  void serve(frontend, (frames) => waiting.push(() => frontend.send(frames)));
  const connections = new Connections(sockets, clock);
  return {
    ...{ clock, connects, connections, sockets, waiting },
    reply: async () => {
      await clock.advanceAsync(0);
      for (const say of waiting.splice(0)) say();
      await clock.advanceAsync(0);
    },
    exchange: (text: string, signal?: AbortSignal) =>
      connections.exchange(endpoint, Buffer.from(text), 1_000, signal).then((frame) => frame?.toString()),
  };
}

describe('an exchange', () => {
  it('gives the reply', async () => {
    const { exchange, reply, clock } = await connected();
    const one = exchange('one');
    await reply();
    expect(await one).to.equal('one');
    expect(clock.pending).to.deep.equal([]);
  });

  it('takes the connection of the last one', async () => {
    const { exchange, reply, connects } = await connected();
    for (const text of ['one', 'two', 'three']) {
      const said = exchange(text);
      await reply();
      expect(await said).to.equal(text);
    }
    expect(connects).to.deep.equal([`dealer ${endpoint}`]);
  });

  it('never gets the reply to another one that runs at the same time', async () => {
    const { exchange, reply, connects } = await connected();
    const both = Promise.all([exchange('one'), exchange('two')]);
    await reply();
    expect(await both).to.deep.equal(['one', 'two']);
    expect(connects).to.have.length(2);
    const said = exchange('three');
    await reply();
    expect(await said).to.equal('three');
    expect(connects).to.have.length(2);
  });

  it('never gets the reply to an earlier one that came too late', async () => {
    const { exchange, reply, clock, connects } = await connected();
    const late = exchange('late');
    await clock.advanceAsync(1_000);
    expect(await late).to.equal(undefined);
    await reply();
    const next = exchange('next');
    await reply();
    expect(await next).to.equal('next');
    expect(connects).to.have.length(2);
  });

  it('ends when its signal is aborted, also when that was before', async () => {
    const { exchange, clock } = await connected();
    const leaving = new AbortController();
    const one = exchange('one', leaving.signal);
    await clock.advanceAsync(0);
    leaving.abort();
    expect(await one).to.equal(undefined);
    expect(await exchange('two', leaving.signal)).to.equal(undefined);
    expect(clock.pending).to.deep.equal([]);
  });

  it('with an endpoint that is none fails', async () => {
    const { connections } = await connected();
    const error: unknown = await connections
      .exchange('nonsense', Buffer.alloc(0), 1_000, undefined)
      .catch((thrown: unknown) => thrown);
    expect(error).to.include({ code: 'ENDPOINT_UNUSABLE' });
  });
});

describe('the publisher of a manager', () => {
  it('is on the host of its frontend', async () => {
    const { connections } = await connected();
    expect(connections.publisherOf('tcp://manager:5500', 5_750)).to.equal('tcp://manager:5750');
    expect(connections.publisherOf('tcp://[::1]:5500', 5_750)).to.equal('tcp://[::1]:5750');
    expect(connections.publisherOf('ipc:///run/frontend', 5_750)).to.equal('tcp://localhost:5750');
  });

  it('is known when it was heard of once', async () => {
    const { connections } = await connected();
    expect(connections.knownPublisher(endpoint)).to.equal(undefined);
    connections.publisherOf(endpoint, 5_750);
    connections.publisherOf(endpoint, 5_751);
    expect(connections.knownPublisher(endpoint)).to.equal('tcp://localhost:5751');
  });

  it('is connected to once, whoever listens', async () => {
    const { connections, connects } = await connected();
    const feeds = [1, 2].map(() => connections.feed('tcp://localhost:5750'));
    expect(feeds[0]).to.equal(feeds[1]);
    expect(connects).to.deep.equal(['subscriber tcp://localhost:5750']);
  });
});

describe('connections that are closed', () => {
  it('may be closed twice, and are not kept open by what still ran', async () => {
    const { connections, exchange, reply, sockets, clock } = await connected();
    const publisher = await sockets.bindPublisher('tcp://*:5750');
    connections.feed('tcp://localhost:5750').listen('id', () => {});
    const seen: string[] = [];
    void serve(publisher, ([frame]) => seen.push(`${frame}`));
    const running = exchange('one');
    await clock.advanceAsync(0);
    await Promise.all([connections.close(), connections.close()]);
    await reply();
    expect(await running).to.equal('one');
    expect(seen).to.deep.equal(['\u0001id', '\u0000id']);
    expect(clock.pending).to.deep.equal([]);
  });
});
