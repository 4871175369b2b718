import { connect, type Socket as TcpSocket } from 'node:net';
import { expect } from 'chai';
import * as zmq from 'zeromq';
import type { Socket, Sockets } from '../../src/platform/sockets.ts';
import { ZmqSockets } from '../../src/platform/zmq/sockets.ts';
import { eventually } from '../fakes/eventually.ts';
import { expectUnusable, frames, Inbox, numbers, rejection, texts, within } from '../fakes/inbox.ts';
import { MemorySockets } from '../fakes/memory-sockets.ts';

const anyPort = 'tcp://127.0.0.1:*';
const deadlineMs = 5_000;
const empty = Buffer.alloc(0);
const subscribed = '\x01';
const unsubscribed = '\x00';

/** An endpoint that nobody is bound to, but somebody can be. */
async function freeEndpoint(sockets: Sockets): Promise<string> {
  const socket = await sockets.bindPull(anyPort);
  await socket.close();
  return socket.endpoint;
}

interface Opened extends Sockets {
  close(): Promise<void>;
}

const implementations: { readonly name: string; open(): Opened }[] = [
  { name: 'ZmqSockets', open: () => new ZmqSockets() },
  { name: 'MemorySockets', open: () => new MemorySockets() },
];

for (const { name, open } of implementations) {
  describe(`Sockets as ${name}`, () => {
    let sockets: Opened;
    beforeEach(() => {
      sockets = open();
    });
    afterEach(() => sockets.close());

    describe('router and dealer', () => {
      it('brings a request and its answer through the envelope that REQ uses', async () => {
        const router = await sockets.bindRouter(anyPort);
        const requests = new Inbox(router);
        const dealer = sockets.connectDealer(router.endpoint);
        const answers = new Inbox(dealer);
        expect(dealer.send([empty, Buffer.from('ask')])).to.equal(true);
        const [peer = empty, delimiter, question] = await requests.next();
        expect(texts([delimiter ?? peer, question ?? peer])).to.deep.equal(['', 'ask']);
        expect(router.send([peer, empty, Buffer.from('answer')])).to.equal(true);
        expect(texts(await answers.next())).to.deep.equal(['', 'answer']);
      });

      it('answers the one who asked', async () => {
        const router = await sockets.bindRouter(anyPort);
        const dealers = numbers(5).map(() => sockets.connectDealer(router.endpoint));
        const inboxes = dealers.map((dealer) => new Inbox(dealer));
        for (const [index, dealer] of dealers.entries()) dealer.send(frames('', `question ${index}`));
        const requests = new Inbox(router);
        for (const _ of dealers) {
          const [peer = empty, , question = empty] = await requests.next();
          router.send([peer, empty, Buffer.from(`answer to ${question}`)]);
        }
        for (const [index, inbox] of inboxes.entries())
          expect(await inbox.text()).to.equal(`|answer to question ${index}`);
      });

      it('drops an answer to nobody, and goes on', async () => {
        const router = await sockets.bindRouter(anyPort);
        const dealer = sockets.connectDealer(router.endpoint);
        const answers = new Inbox(dealer);
        dealer.send(frames('', 'ask'));
        const [peer = empty] = await new Inbox(router).next();
        router.send(frames('nobody', '', 'lost'));
        router.send([peer, empty, Buffer.from('answer')]);
        expect(await answers.text()).to.equal('|answer');
      });

      it('keeps the order of 10,000 messages each way', async () => {
        const router = await sockets.bindRouter(anyPort);
        const requests = new Inbox(router);
        const dealer = sockets.connectDealer(router.endpoint);
        const answers = new Inbox(dealer);
        for (const number of numbers(10_000)) expect(dealer.send(frames(`${number}`))).to.equal(true);
        for (const number of numbers(10_000)) {
          const [peer = empty, text = empty] = await requests.next();
          expect(text.toString()).to.equal(`${number}`);
          router.send([peer, text]);
        }
        const came = await answers.take(10_000);
        expect(came).to.deep.equal(numbers(10_000).map((number) => [`${number}`]));
        expect(dealer.dropped + router.dropped).to.equal(0);
      });
    });

    describe('publisher and subscriber', () => {
      it('shows every subscription of every peer, and that a peer has gone', async () => {
        const publisher = await sockets.bindPublisher(anyPort);
        const changes = new Inbox(publisher);
        const one = sockets.connectSubscriber(publisher.endpoint);
        const other = sockets.connectSubscriber(publisher.endpoint);
        const inboxes = [new Inbox(one), new Inbox(other)];
        one.subscribe('any');
        expect(await changes.text()).to.equal(`${subscribed}any`);
        other.subscribe(Buffer.from('any'));
        expect(await changes.text()).to.equal(`${subscribed}any`);
        other.subscribe(Buffer.from([2, 0, 255]));
        expect((await changes.next())[0]).to.deep.equal(Buffer.from([1, 2, 0, 255]));
        await one.close();
        expect(await changes.text()).to.equal(`${unsubscribed}any`);
        await other.close();
        const left = [(await changes.next())[0], (await changes.next())[0]];
        expect(left).to.deep.include(Buffer.from([0, 2, 0, 255]));
        expect(left).to.deep.include(Buffer.from(`${unsubscribed}any`));
        await Promise.all(inboxes.map((inbox) => inbox.ended));
      });

      it('brings what begins with the topic, each message once', async () => {
        const publisher = await sockets.bindPublisher(anyPort);
        const changes = new Inbox(publisher);
        const everything = sockets.connectSubscriber(publisher.endpoint);
        const web = sockets.connectSubscriber(publisher.endpoint);
        const [all, some] = [new Inbox(everything), new Inbox(web)];
        everything.subscribe('');
        web.subscribe('web1');
        web.subscribe('web10');
        web.subscribe('end');
        await changes.take(4);
        for (const topic of ['web', 'web1', 'web10', 'web2', 'WEB1', '', 'end'])
          publisher.send(frames(topic, 'body'));
        expect((await some.take(3)).map(([topic]) => topic)).to.deep.equal(['web1', 'web10', 'end']);
        expect((await all.take(7)).map(([topic]) => topic)).to.include.members(['', 'WEB1', 'web2']);
      });

      it('brings to a late subscriber only what comes later', async () => {
        const publisher = await sockets.bindPublisher(anyPort);
        const changes = new Inbox(publisher);
        const early = sockets.connectSubscriber(publisher.endpoint);
        early.subscribe('t');
        const first = new Inbox(early);
        await changes.next();
        publisher.send(frames('t', 'before'));
        expect(await first.text()).to.equal('t|before');
        const late = sockets.connectSubscriber(publisher.endpoint);
        late.subscribe('t');
        const second = new Inbox(late);
        await changes.next();
        publisher.send(frames('t', 'after'));
        expect(await second.text()).to.equal('t|after');
        expect(await first.text()).to.equal('t|after');
      });

      it('brings what is sent in the moment in which the subscription is seen', async () => {
        const publisher = await sockets.bindPublisher(anyPort);
        const replay = (async () => {
          for await (const [change = empty] of publisher)
            if (change[0] === 1) publisher.send([change.subarray(1), Buffer.from('kept')]);
        })();
        for (const number of numbers(50)) {
          const subscriber = sockets.connectSubscriber(publisher.endpoint);
          subscriber.subscribe(`request ${number}.`);
          expect(await new Inbox(subscriber).text()).to.equal(`request ${number}.|kept`);
        }
        await publisher.close();
        await replay;
      });

      it('loses none of many topics', async () => {
        const publisher = await sockets.bindPublisher(anyPort);
        const changes = new Inbox(publisher);
        const subscriber = sockets.connectSubscriber(publisher.endpoint);
        for (const number of numbers(3_000)) subscriber.subscribe(`${number}.`);
        new Inbox(subscriber);
        const seen = await changes.take(3_000);
        expect(seen.at(-1)).to.deep.equal([`${subscribed}2999.`]);
      });

      it('subscribes again by itself when the publisher comes back', async () => {
        const before = await sockets.bindPublisher(anyPort);
        const subscriber = sockets.connectSubscriber(before.endpoint);
        const inbox = new Inbox(subscriber);
        subscriber.subscribe('t');
        await new Inbox(before).next();
        await before.close();
        const after = await sockets.bindPublisher(before.endpoint);
        expect(await new Inbox(after).text()).to.equal(`${subscribed}t`);
        after.send(frames('t', 'again'));
        expect(await inbox.text()).to.equal('t|again');
      });
    });

    describe('push and pull', () => {
      it('delivers what was sent before anybody was there', async () => {
        const endpoint = await freeEndpoint(sockets);
        const push = sockets.connectPush(endpoint);
        push.send(frames('one'));
        push.send(frames('two'));
        const pulled = new Inbox(await sockets.bindPull(endpoint));
        expect(await pulled.take(2)).to.deep.equal([['one'], ['two']]);
      });

      it('takes from many, and keeps the order of each', async () => {
        const pull = await sockets.bindPull(anyPort);
        const pulled = new Inbox(pull);
        for (const sender of numbers(10)) {
          const push = sockets.connectPush(pull.endpoint);
          for (const number of numbers(100)) push.send(frames(`${sender}`, `${number}`));
        }
        const came = await pulled.take(1_000);
        for (const sender of numbers(10)) {
          const own = came.filter(([from]) => from === `${sender}`).map(([, number]) => Number(number));
          expect(own).to.deep.equal(numbers(100));
        }
      });

      it('keeps the order of 10,000 messages sent at once', async () => {
        const pull = await sockets.bindPull(anyPort);
        const pulled = new Inbox(pull);
        const push = sockets.connectPush(pull.endpoint);
        for (const number of numbers(10_000)) push.send(frames(`${number}`));
        expect((await pulled.take(10_000)).flat().map(Number)).to.deep.equal(numbers(10_000));
      });

      it('goes on when the receiver comes back', async () => {
        const before = await sockets.bindPull(anyPort);
        const push = sockets.connectPush(before.endpoint);
        push.send(frames('one'));
        expect(await new Inbox(before).text()).to.equal('one');
        await before.close();
        const after = await sockets.bindPull(before.endpoint);
        const pulled = new Inbox(after);
        // What was on its way when the connection broke may be lost; what is sent after it may not.
        await eventually(() => push.send(frames('again')) && pulled.waiting > 0, 'a message to arrive');
        expect(await pulled.text()).to.equal('again');
      });

      it('says and counts what it drops when nobody takes it', async () => {
        const endpoint = await freeEndpoint(sockets);
        const push = sockets.connectPush(endpoint, { highWaterMark: 10 });
        const accepted = numbers(100).filter((number) => push.send(frames(`${number}`)));
        expect(accepted.length).to.be.within(10, 99);
        expect(push.dropped).to.equal(100 - accepted.length);
        const pulled = new Inbox(await sockets.bindPull(endpoint));
        const came = await pulled.take(accepted.length);
        expect(came.flat().map(Number)).to.deep.equal(accepted);
      });
    });

    describe('reply', () => {
      it('answers one after the other, each to the one who asked', async () => {
        const reply = await sockets.bindReply(anyPort);
        const serving = (async () => {
          for await (const [question = empty] of reply) {
            await new Promise(setImmediate);
            reply.send(frames(`answer to ${question}`));
          }
        })();
        const dealers = numbers(5).map(() => sockets.connectDealer(reply.endpoint));
        const inboxes = dealers.map((dealer) => new Inbox(dealer));
        for (const round of [1, 2])
          for (const [index, dealer] of dealers.entries()) dealer.send(frames('', `${index}.${round}`));
        for (const [index, inbox] of inboxes.entries()) {
          expect(await inbox.text()).to.equal(`|answer to ${index}.1`);
          expect(await inbox.text()).to.equal(`|answer to ${index}.2`);
        }
        await reply.close();
        await serving;
      });

      it('takes no question before the answer to the last, and only one answer to each', async () => {
        const reply = await sockets.bindReply(anyPort);
        const questions = new Inbox(reply);
        const dealer = sockets.connectDealer(reply.endpoint);
        const answers = new Inbox(dealer);
        expect(reply.send(frames('too early'))).to.equal(false);
        dealer.send(frames('', 'one'));
        dealer.send(frames('', 'two'));
        expect(await questions.text()).to.equal('one');
        await new Promise(setImmediate);
        expect(questions.waiting).to.equal(0);
        expect(reply.send(frames('first'))).to.equal(true);
        expect(reply.send(frames('second'))).to.equal(false);
        expect(reply.dropped).to.equal(2);
        expect(await questions.text()).to.equal('two');
        expect(reply.send(frames('third'))).to.equal(true);
        expect((await answers.take(2)).map(([, answer]) => answer)).to.deep.equal(['first', 'third']);
      });
    });

    describe('frames', () => {
      it('may be empty, many, and of any bytes', async () => {
        const pull = await sockets.bindPull(anyPort);
        const pulled = new Inbox(pull);
        const push = sockets.connectPush(pull.endpoint);
        const bytes = Buffer.from(numbers(256));
        const messages = [[empty], [empty, empty], [bytes, empty, bytes], numbers(100).map(() => bytes)];
        for (const message of messages) push.send(message);
        for (const message of messages) expect(await pulled.next()).to.deep.equal(message);
      });

      it('may have 1 MiB', async () => {
        const pull = await sockets.bindPull(anyPort);
        const pulled = new Inbox(pull);
        const push = sockets.connectPush(pull.endpoint);
        for (const byte of numbers(8)) push.send([Buffer.alloc(1024 * 1024, byte)]);
        for (const byte of numbers(8)) {
          const [body = empty] = await pulled.next();
          expect(body.equals(Buffer.alloc(1024 * 1024, byte))).to.equal(true);
        }
      });
    });

    describe('endpoints', () => {
      it('show the port that was found, and every host leads to tcp://*', async () => {
        const pull = await sockets.bindPull('tcp://*:*');
        const pulled = new Inbox(pull);
        const port = /^tcp:\/\/0\.0\.0\.0:(\d+)$/.exec(pull.endpoint)?.[1];
        expect(Number(port)).to.be.within(1, 65_535);
        for (const host of ['localhost', '127.0.0.1']) {
          const push = sockets.connectPush(`tcp://${host}:${port}`);
          expect(push.endpoint).to.equal(`tcp://${host}:${port}`);
          push.send(frames(host));
          expect(await pulled.text()).to.equal(host);
        }
      });

      it('are taken once', async () => {
        const first = await sockets.bindPull(anyPort);
        const port = first.endpoint.split(':').at(-1);
        for (const endpoint of [first.endpoint, `tcp://*:${port}`, `tcp://localhost:${port}`])
          expectUnusable(await rejection(sockets.bindPull(endpoint)), endpoint);
      });

      it('are free again when close is through', async () => {
        const first = await sockets.bindPublisher(anyPort);
        for (const _ of numbers(20)) {
          const again = await rejection(sockets.bindPublisher(first.endpoint));
          expectUnusable(again, first.endpoint);
        }
        await first.close();
        for (const _ of numbers(20)) await (await sockets.bindPublisher(first.endpoint)).close();
      });

      for (const endpoint of [
        'nonsense',
        '',
        'tcp://',
        'tcp://localhost',
        'tcp://localhost:port',
        'tcp://localhost:5500x',
        'tcp://localhost:99999',
        'tcp://localhost:-1',
        'tcp://:5500',
        'tcp://a b:5500',
        'carrier-pigeon://localhost',
      ]) {
        it(`are refused when they are malformed: '${endpoint}'`, async () => {
          expectUnusable(await rejection(sockets.bindReply(endpoint)), endpoint);
          expectUnusable(await rejection(sockets.bindPublisher(endpoint)), endpoint);
          const connects = [sockets.connectPush, sockets.connectSubscriber, sockets.connectDealer];
          for (const open of connects) {
            const attempt = rejection((async () => open.call(sockets, endpoint))());
            expectUnusable(await attempt, endpoint);
          }
        });
      }

      it('with a wildcard cannot be connected to', () => {
        for (const endpoint of ['tcp://*:5500', 'tcp://127.0.0.1:*', 'tcp://127.0.0.1:0'])
          expect(() => sockets.connectPush(endpoint))
            .to.throw(endpoint)
            .with.property('code', 'ENDPOINT_UNUSABLE');
      });
    });

    describe('close', () => {
      async function openOneOfEach(): Promise<Socket[]> {
        const router = await sockets.bindRouter(anyPort);
        const publisher = await sockets.bindPublisher(anyPort);
        const pull = await sockets.bindPull(anyPort);
        return [
          router,
          publisher,
          pull,
          await sockets.bindReply(anyPort),
          sockets.connectDealer(router.endpoint),
          sockets.connectSubscriber(publisher.endpoint),
          sockets.connectPush(pull.endpoint),
        ];
      }

      it('ends the loop of each kind without an error, and does no harm twice', async () => {
        for (const socket of await openOneOfEach()) {
          const inbox = new Inbox(socket);
          await Promise.all([socket.close(), socket.close()]);
          await within(inbox.ended, `the end of the loop of ${socket.endpoint}`);
          await socket.close();
          await within(new Inbox(socket).ended, 'the end of a loop begun after the end');
        }
      });

      it('makes every further send be refused and counted', async () => {
        for (const socket of await openOneOfEach()) {
          const { dropped } = socket;
          const closing = socket.close();
          expect(socket.send(frames('late'))).to.equal(false);
          await closing;
          expect(socket.send(frames('later'))).to.equal(false);
          expect(socket.dropped).to.equal(dropped + 2);
        }
      });

      it('hands over what is queued', async () => {
        const pull = await sockets.bindPull(anyPort);
        const pulled = new Inbox(pull);
        const push = sockets.connectPush(pull.endpoint, { lingerMs: deadlineMs });
        for (const number of numbers(5_000)) push.send(frames(`${number}`));
        await within(push.close(), 'the end of close, since all could be handed over', deadlineMs / 2);
        expect((await pulled.take(5_000)).flat().map(Number)).to.deep.equal(numbers(5_000));
      });

      it('hands over also what the receiver has no room for yet, once', async () => {
        const pull = await sockets.bindPull(anyPort, { highWaterMark: 10 });
        const push = sockets.connectPush(pull.endpoint, { lingerMs: deadlineMs });
        for (const number of numbers(100)) push.send(frames(`${number}`));
        const closing = push.close();
        const pulled = new Inbox(pull);
        expect((await pulled.take(100)).flat().map(Number)).to.deep.equal(numbers(100));
        await closing;
        sockets.connectPush(pull.endpoint).send(frames('from another'));
        expect(await pulled.text()).to.equal('from another');
      });

      it('hands over the answer that it comes after', async () => {
        const reply = await sockets.bindReply(anyPort, { lingerMs: deadlineMs });
        const serving = (async () => {
          for await (const _ of reply) {
            reply.send(frames('goodbye'));
            await reply.close();
          }
        })();
        const dealer = sockets.connectDealer(reply.endpoint);
        const answers = new Inbox(dealer);
        dealer.send(frames('', 'shutdown'));
        expect(await answers.text()).to.equal('|goodbye');
        await within(serving, 'the end of the loop');
      });

      it('may come at any moment of a stream of messages', async () => {
        for (const moment of [1, 511, 512, 513, 600, 1_024, 2_000]) {
          const pull = await sockets.bindPull(anyPort);
          const push = sockets.connectPush(pull.endpoint);
          for (const number of numbers(3_000)) push.send(frames(`${number}`));
          let came = 0;
          const stopped = new Promise<void>((resolve, reject) => {
            (async () => {
              for await (const _ of pull) {
                came += 1;
                if (came === moment) setImmediate(() => pull.close().then(resolve, reject));
              }
            })().catch(reject);
          });
          await within(stopped, `the end at message ${moment}`);
          await push.close();
        }
      });
    });

    it('goes on where a loop was left', async () => {
      const pull = await sockets.bindPull(anyPort);
      const push = sockets.connectPush(pull.endpoint);
      for (const text of ['one', 'two', 'three']) push.send(frames(text));
      const came: string[] = [];
      for (const _ of numbers(3)) {
        for await (const message of pull) {
          came.push(...texts(message));
          break;
        }
      }
      expect(came).to.deep.equal(['one', 'two', 'three']);
    });

    it('has one loop at a time', async () => {
      const pull = await sockets.bindPull(anyPort);
      const first = new Inbox(pull);
      const second = new Inbox(pull);
      await within(rejection(second.ended), 'the refusal of the second loop');
      sockets.connectPush(pull.endpoint).send(frames('still here'));
      expect(await first.text()).to.equal('still here');
    });
  });
}

describe('MemorySockets', () => {
  it('loses the messages it is told to lose', async () => {
    const lost: string[] = [];
    const sockets = new MemorySockets({
      drop(from, to, message) {
        if (!texts(message).includes('lose me')) return false;
        lost.push(`${from} to ${to}`);
        return true;
      },
    });
    const router = await sockets.bindRouter('tcp://*:5500');
    const requests = new Inbox(router);
    const dealer = sockets.connectDealer('tcp://web1:5500');
    const answers = new Inbox(dealer);
    dealer.send(frames('lose me'));
    dealer.send(frames('one'));
    const [peer = empty, question = empty] = await requests.next();
    expect(question.toString()).to.equal('one');
    router.send([peer, Buffer.from('lose me')]);
    router.send([peer, Buffer.from('two')]);
    expect(await answers.text()).to.equal('two');
    expect(lost).to.deep.equal(['dealer-1 to tcp://0.0.0.0:5500', 'tcp://0.0.0.0:5500 to dealer-1']);
    await sockets.close();
  });

  it('keeps what is sent while the receiver is away', async () => {
    const sockets = new MemorySockets();
    const before = await sockets.bindPull(anyPort);
    const push = sockets.connectPush(before.endpoint);
    await before.close();
    push.send(frames('kept'));
    const pulled = new Inbox(await sockets.bindPull(before.endpoint));
    expect(await pulled.text()).to.equal('kept');
    await sockets.close();
  });

  it('has brought everything before the next turn of the event loop', async () => {
    const sockets = new MemorySockets();
    const pull = await sockets.bindPull(anyPort);
    const pulled = new Inbox(pull);
    for (const number of numbers(100)) sockets.connectPush(pull.endpoint).send(frames(`${number}`));
    await new Promise(setImmediate);
    expect(pulled.waiting).to.equal(100);
    await sockets.close();
  });

  it('keeps messages apart from the buffers they were made of', async () => {
    const sockets = new MemorySockets();
    const pull = await sockets.bindPull(anyPort);
    const pulled = new Inbox(pull);
    const body = Buffer.from('as sent');
    sockets.connectPush(pull.endpoint).send([body]);
    body.fill(0);
    expect(await pulled.text()).to.equal('as sent');
    await sockets.close();
  });
});

describe('ZmqSockets', () => {
  let sockets: ZmqSockets;
  let strangers: zmq.Socket[];
  let tcpPeers: TcpSocket[];
  beforeEach(() => {
    sockets = new ZmqSockets();
    strangers = [];
    tcpPeers = [];
  });
  afterEach(async () => {
    for (const stranger of strangers) stranger.close();
    for (const peer of tcpPeers) peer.destroy();
    await sockets.close();
  });

  it('is not stopped by a peer that speaks something else', async () => {
    const router = await sockets.bindRouter(anyPort);
    const requests = new Inbox(router);
    const port = Number(router.endpoint.split(':').at(-1));
    const garbage = ['GET / HTTP/1.1\r\n\r\n', '', Buffer.alloc(100_000, 0xff), Buffer.alloc(64), '\xff'];
    for (const bytes of garbage) {
      const peer = connect(port, '127.0.0.1');
      tcpPeers.push(peer);
      // Being cut off is what it should expect.
      peer.on('error', () => {});
      await within(new Promise((resolve) => peer.write(bytes, resolve)), 'the garbage to be sent');
    }
    sockets.connectDealer(router.endpoint).send(frames('sense'));
    expect((await requests.next()).at(-1)?.toString()).to.equal('sense');
    expect(requests.waiting).to.equal(0);
  });

  it('cuts off the one peer whose message is too large', async () => {
    const router = await sockets.bindRouter(anyPort, { maxMessageBytes: 1_000 });
    const requests = new Inbox(router);
    const large = new zmq.Dealer({ linger: 0 });
    strangers.push(large);
    const cut = new Promise<void>((resolve) => large.events.on('disconnect', () => resolve()));
    large.connect(router.endpoint);
    const good = sockets.connectDealer(router.endpoint);
    good.send(frames('good'));
    const [goodPeer = empty] = await requests.next();
    await large.send(Buffer.alloc(1_000, 'x'));
    const [largePeer = empty, body = empty] = await requests.next();
    expect(body.length).to.equal(1_000);
    await large.send(Buffer.alloc(1_001));
    await within(cut, 'the end of the connection');
    good.send(frames('still here'));
    await large.send('back');
    const came = [await requests.next(), await requests.next()];
    const peerOf = (text: string) => came.find((message) => message[1]?.toString() === text)?.[0];
    expect(peerOf('still here')).to.deep.equal(goodPeer);
    expect(peerOf('back')).to.be.an.instanceOf(Buffer).and.not.deep.equal(largePeer);
  });

  it('lets no subscriber suffer from one that does not read', async () => {
    const publisher = await sockets.bindPublisher(anyPort, { highWaterMark: 10 });
    const changes = new Inbox(publisher);
    const frozen = new zmq.Subscriber({ linger: 0, receiveHighWaterMark: 10, receiveBufferSize: 65_536 });
    strangers.push(frozen);
    frozen.connect(publisher.endpoint);
    frozen.subscribe('any');
    const healthy = sockets.connectSubscriber(publisher.endpoint);
    healthy.subscribe('any');
    const inbox = new Inbox(healthy);
    await changes.take(2);
    const count = 400;
    const body = Buffer.alloc(65_536);
    for (const number of numbers(count)) {
      publisher.send([Buffer.from('any'), Buffer.from(`${number}`), body]);
      expect((await inbox.next())[1]?.toString()).to.equal(`${number}`);
    }
    // Otherwise it was not full, and nothing is shown.
    frozen.receiveTimeout = 200;
    let read = 0;
    try {
      for (; read < count; read += 1) await frozen.receive();
    } catch (error) {
      expect(error).to.have.property('code', 'EAGAIN');
    }
    expect(read).to.be.lessThan(count);
  });

  it('gives up handing over at the end of its linger time, and not before', async () => {
    const endpoint = await freeEndpoint(sockets);
    for (const queued of [1, 100]) {
      const push = sockets.connectPush(endpoint, { lingerMs: 300, highWaterMark: 10 });
      const inbox = new Inbox(push);
      for (const number of numbers(queued)) push.send(frames(`${number}`));
      // After a turn libzmq has its share, and there is room again.
      await new Promise(setImmediate);
      for (const number of numbers(queued)) push.send(frames(`${number}`));
      const begun = performance.now();
      await within(push.close(), 'the end of close');
      expect(performance.now() - begun).to.be.within(290, 1_500);
      expect(push.dropped).to.equal(Math.max(0, 2 * queued - 10));
      await inbox.ended;
    }
  });

  it('waits at close for a peer that comes in time', async () => {
    const endpoint = await freeEndpoint(sockets);
    const push = sockets.connectPush(endpoint, { lingerMs: deadlineMs, highWaterMark: 10 });
    const accepted = numbers(100).filter((number) => push.send(frames(`${number}`)));
    const closing = push.close();
    const pulled = new Inbox(await sockets.bindPull(endpoint));
    expect((await pulled.take(accepted.length)).flat().map(Number)).to.deep.equal(accepted);
    await within(closing, 'the end of close');
  });

  it('opens more than 1,000 sockets', async () => {
    const pull = await sockets.bindPull(anyPort);
    const pulled = new Inbox(pull);
    for (const number of numbers(1_200)) sockets.connectPush(pull.endpoint).send(frames(`${number}`));
    const came = await pulled.take(1_200);
    expect(new Set(came.flat()).size).to.equal(1_200);
  });
});
