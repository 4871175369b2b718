import { expect } from 'chai';
import { Publisher } from '../../../src/manager/publisher.ts';
import { serve } from '../../../src/platform/serve.ts';
import { message } from '../../../src/wire/codec.ts';
import { RequestEnd } from '../../../src/wire/end.ts';
import { RequestId } from '../../../src/wire/fields.ts';
import { endTopic } from '../../../src/wire/topic.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { MemorySockets } from '../../fakes/memory-sockets.ts';

const ids = message('id', 64, RequestId);
const id = ids.parse('0123456789abcdef0123456789abcdef');
const other = ids.parse('f'.repeat(32));
const end = RequestEnd.parse({ uuid: id, outcomes: [], unnamed: 0, withheld: 0, isCancelled: false });
const endText = RequestEnd.encode(end).toString();

/** A publisher on a socket that clients subscribe to. */
async function publishing(endpoint = 'tcp://*:5750') {
  const sockets = new MemorySockets();
  const socket = await sockets.bindPublisher(endpoint);
  const publisher = new Publisher(socket);
  const understood: boolean[] = [];
  void serve(socket, (frames) => understood.push(publisher.subscription(frames) === undefined));
  const settle = () => new ManualClock().advanceAsync(0);
  return {
    publisher,
    understood,
    settle,
    answer: (text: string, to = id) => publisher.answer(to, Buffer.from(text)),
    /** Subscribes to these topics, in this order; gives what arrives. */
    client: async (...topics: string[]) => {
      const client = sockets.connectSubscriber(socket.endpoint.replace('*', 'localhost'));
      const received: string[][] = [];
      void serve(client, (frames) => received.push(frames.map(String)));
      for (const topic of topics) client.subscribe(topic);
      await settle();
      return { received, leave: () => client.close().then(settle) };
    },
  };
}

describe('an answer', () => {
  it('goes to who subscribed to the id of the request, byte for byte', async () => {
    const { publisher, client, answer, settle } = await publishing();
    publisher.open(id, 0);
    const { received } = await client(id);
    answer('{ "as": "it came" }');
    await settle();
    expect(received).to.deep.equal([[id, '{ "as": "it came" }']]);
  });

  it('goes at once to who subscribed before the request was opened', async () => {
    const { publisher, client, answer, settle } = await publishing();
    const { received } = await client(id);
    publisher.open(id, 0);
    answer('one');
    await settle();
    expect(received).to.deep.equal([[id, 'one']]);
  });

  it('is kept from a subscription that only looks like the id', async () => {
    const { publisher, client, answer } = await publishing();
    publisher.open(id, 0);
    answer('one');
    await client(`\u0002${id}\u0000`);
    expect((await client(id)).received).to.deep.equal([[id, 'one']]);
  });

  it('that was quicker than the subscription is not lost', async () => {
    const { publisher, client, answer, settle } = await publishing();
    publisher.open(id, 0);
    answer('one');
    answer('two');
    await settle();
    const { received } = await client(id);
    answer('three');
    await settle();
    expect(received).to.deep.equal([
      [id, 'one'],
      [id, 'two'],
      [id, 'three'],
    ]);
    expect(publisher.unclaimed).to.equal(0);
  });

  it('reaches every client that subscribed in time once', async () => {
    const { publisher, client, answer, settle } = await publishing();
    publisher.open(id, 0);
    const first = await client(id);
    const second = await client(id);
    answer('one');
    await settle();
    expect([first.received, second.received]).to.deep.equal([[[id, 'one']], [[id, 'one']]]);
  });

  it('reaches who listens also when another client pretends that he does not, and who comes back', async () => {
    const { publisher, client, answer, settle } = await publishing();
    publisher.open(id, 0);
    const { received } = await client(id, endTopic(id));
    publisher.subscription([Buffer.from(`\0${id}`)]);
    answer('one');
    await settle();
    expect(received).to.deep.equal([[id, 'one']]);
    const back = await client(id);
    expect(back.received).to.deep.equal([[id, 'one']]);
    publisher.subscription([Buffer.from(`\0${id}`)]);
    publisher.end(end);
    await settle();
    expect(received.at(-1)).to.deep.equal([endTopic(id), endText]);
  });

  it('is replayed to the first subscription only', async () => {
    const { publisher, client, answer } = await publishing();
    publisher.open(id, 0);
    answer('one');
    const first = await client(id);
    const second = await client(id);
    expect([first.received, second.received]).to.deep.equal([[[id, 'one']], []]);
  });

  it('does not reach who waits for another request', async () => {
    const { publisher, client, answer, settle } = await publishing();
    publisher.open(id, 0);
    publisher.open(other, 0);
    answer('one');
    const { received } = await client(other);
    answer('two');
    await settle();
    expect(received).to.deep.equal([]);
  });

  it('to a request that was never opened here goes out at once', async () => {
    const { client, answer, settle } = await publishing();
    const { received } = await client(id);
    answer('late');
    await settle();
    expect(received).to.deep.equal([[id, 'late']]);
  });

  it('that nobody subscribes to for a minute is given up and counted', async () => {
    const { publisher, client, answer } = await publishing();
    publisher.open(id, 1_000);
    answer('one');
    publisher.tick(60_999);
    expect(publisher.unclaimed).to.equal(0);
    publisher.tick(61_000);
    expect([publisher.unclaimed, publisher.dropped]).to.deep.equal([1, 0]);
    expect((await client(id)).received).to.deep.equal([]);
  });

  it('goes out at once when its client was there before the request', async () => {
    const { publisher, client, answer, settle } = await publishing();
    const { received } = await client(id);
    publisher.open(id, 0);
    answer('one');
    await settle();
    expect(received).to.deep.equal([[id, 'one']]);
  });

  it('waits again when that client has left before the request', async () => {
    const { publisher, client, answer, settle } = await publishing();
    await (await client(id)).leave();
    publisher.open(id, 0);
    answer('one');
    await settle();
    expect((await client(id)).received).to.deep.equal([[id, 'one']]);
  });
});

describe('the end of a request', () => {
  it('is published on end/ and its id, behind the answers', async () => {
    const { publisher, client, answer } = await publishing();
    publisher.open(id, 0);
    answer('one');
    publisher.end(end);
    const { received } = await client(endTopic(id), id);
    expect(received).to.deep.equal([
      [id, 'one'],
      [`end/${id}`, endText],
    ]);
  });

  it('is never seen by a v1 client, which subscribes to the id alone', async () => {
    const { publisher, client, answer, settle } = await publishing();
    publisher.open(id, 0);
    answer('one');
    publisher.end(end);
    const { received } = await client(id);
    publisher.end(end);
    await settle();
    expect(received).to.deep.equal([[id, 'one']]);
  });

  it('waits for the subscription to the id, not for that to the end', async () => {
    const { publisher, client } = await publishing();
    publisher.open(id, 0);
    publisher.end(end);
    expect((await client(endTopic(id))).received).to.deep.equal([]);
    expect((await client(endTopic(id), id)).received).to.deep.equal([[`end/${id}`, endText]]);
  });
});

describe('what a publishing socket receives', () => {
  it('is understood when it is a subscription or the end of one, to whatever topic', async () => {
    const { client, understood } = await publishing();
    const { leave } = await client('', 'nonsense', id);
    await leave();
    expect(understood).to.deep.equal([true, true, true, true, true, true]);
  });

  for (const [what, frames] of [
    ['no frame', []],
    ['an empty frame', ['']],
    ['two frames', [`\x01${id}`, '']],
    ['a text', ['hello']],
  ] as const) {
    it(`is not understood when it is ${what}`, async () => {
      const { publisher } = await publishing();
      const refusal = publisher.subscription(frames.map((frame) => Buffer.from(frame)));
      expect(refusal).to.deep.equal({ code: 'INVALID_MESSAGE', reason: 'expected a subscription' });
    });
  }

  it('replays nothing when a subscription ends', async () => {
    const { publisher, client, answer } = await publishing();
    publisher.open(id, 0);
    answer('one');
    publisher.subscription([Buffer.from(`\x00${id}`)]);
    expect((await client(id)).received).to.deep.equal([[id, 'one']]);
  });
});

describe('the port of the publisher', () => {
  it('is that of its socket, also when the system chose it', async () => {
    expect((await publishing('tcp://*:5750')).publisher.port).to.equal(5_750);
    expect((await publishing('tcp://127.0.0.1:*')).publisher.port).to.be.within(1_024, 65_535);
    expect((await publishing('tcp://[::1]:5751')).publisher.port).to.equal(5_751);
  });
});
