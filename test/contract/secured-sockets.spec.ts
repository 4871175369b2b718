import { Session } from 'node:inspector';
import { connect, createServer, type Socket as TcpSocket } from 'node:net';
import { expect } from 'chai';
import * as zmq from 'zeromq';
import type { AdmissionOptions } from '../../src/platform/admission.ts';
import type {
  CurveKeys,
  HandshakeFailure,
  Peer,
  RefusedHandshake,
  ServerSecurity,
} from '../../src/platform/socket-security.ts';
import type { BoundSocket, ConnectOptions, Socket, Sockets } from '../../src/platform/sockets.ts';
import { ZmqSockets } from '../../src/platform/zmq/sockets.ts';
import { clientOf, newCurveKeys, serverOf } from '../fakes/curve-keys.ts';
import { eventually } from '../fakes/eventually.ts';
import { expectUnusable, frames, Inbox, numbers, rejection, within } from '../fakes/inbox.ts';
import { MemorySockets } from '../fakes/memory-sockets.ts';

const anyPort = 'tcp://127.0.0.1:*';
const empty = Buffer.alloc(0);

interface Opened extends Sockets {
  close(): Promise<void>;
}

type Limits = Partial<Omit<AdmissionOptions, 'clock'>> & { readonly maxConnections?: number };

const implementations: { readonly name: string; open(limits: Limits): Opened }[] = [
  { name: 'ZmqSockets', open: (limits) => new ZmqSockets(limits) },
  { name: 'MemorySockets', open: (limits) => new MemorySockets(limits) },
];

const manager = newCurveKeys();
const other = newCurveKeys();
const alice = newCurveKeys();
const mallory = newCurveKeys();

const isOf =
  (...owners: CurveKeys[]) =>
  ({ publicKey }: Peer): boolean =>
    owners.some((owner) => owner.publicKey.equals(publicKey));

/** Answers each question with itself and an exclamation mark, until closed. */
async function echo(router: BoundSocket): Promise<void> {
  for await (const [peer = empty, question = empty] of router)
    router.send([peer, Buffer.from(`${question}!`)]);
}

/** What is on its way when a connection breaks is lost, so it asks again until it is answered. */
async function insist(dealer: Socket, answers: Inbox, question: string): Promise<void> {
  const asking = setInterval(() => dealer.send(frames(question)), 20);
  dealer.send(frames(question));
  try {
    while ((await answers.text()) !== `${question}!`);
  } finally {
    clearInterval(asking);
  }
}

for (const { name, open } of implementations) {
  describe(`Sockets with keys, as ${name}`, () => {
    let sockets: Opened;
    let refusals: RefusedHandshake[];
    let opened: Opened[];
    beforeEach(() => {
      opened = [];
      refusals = [];
      sockets = openWith({});
    });
    afterEach(async () => {
      for (const one of opened) await one.close();
    });

    function openWith(limits: Limits): Opened {
      const { maxConnections, ...others } = limits;
      const one = open(others);
      const onRefused = (refusal: RefusedHandshake) => refusals.push(refusal);
      one.authenticate(() => false, {
        onRefused,
        ...(maxConnections === undefined ? {} : { maxConnections: () => maxConnections }),
      });
      opened.push(one);
      return one;
    }

    const reasons = (): string[] => [...new Set(refusals.map(({ reason }) => reason))];

    function bindRouter(keys = manager, domain = 'frontend'): Promise<BoundSocket> {
      return sockets.bindRouter(anyPort, { security: serverOf(keys, domain) });
    }

    /** A dealer that has asked something, and what it gets and learns. */
    function ask(endpoint: string, options: ConnectOptions) {
      const failures: HandshakeFailure[] = [];
      const onHandshakeFailed = (failure: HandshakeFailure) => failures.push(failure);
      const dealer = sockets.connectDealer(endpoint, { ...options, onHandshakeFailed });
      dealer.send(frames('question'));
      return { dealer, failures, answers: new Inbox(dealer) };
    }

    describe('who comes in', () => {
      it('is who owns a key that the decider knows', async () => {
        sockets.authenticate(isOf(alice));
        const router = await bindRouter();
        void echo(router);
        const { answers, failures } = ask(router.endpoint, { security: clientOf(alice, manager) });
        expect(await answers.text()).to.equal('question!');
        expect(failures).to.deep.equal([]);
        expect(refusals).to.deep.equal([]);
      });

      it('is nobody without a decider', async () => {
        const router = await bindRouter();
        void echo(router);
        const { answers, failures } = ask(router.endpoint, { security: clientOf(alice, manager) });
        await eventually(() => failures.length >= 2, 'two refusals');
        expect(new Set(failures)).to.deep.equal(new Set(['refused']));
        expect(answers.waiting).to.equal(0);
        expect(reasons()).to.deep.equal(['unknown key']);
      });

      it('is not who owns another key, and both sides learn it', async () => {
        sockets.authenticate(isOf(alice));
        const router = await bindRouter();
        const requests = new Inbox(router);
        const stranger = ask(router.endpoint, { security: clientOf(mallory, manager) });
        await eventually(() => stranger.failures.length >= 2, 'two refusals');
        const [failure] = stranger.failures;
        expect(failure).to.equal('refused');
        const [refusal] = refusals;
        expect(refusal).to.deep.include({
          domain: 'frontend',
          reason: 'unknown key',
          address: '127.0.0.1',
          publicKey: mallory.publicKey,
        });
        ask(router.endpoint, { security: clientOf(alice, manager) });
        await requests.next();
        expect(requests.waiting).to.equal(0);
      });

      it('says nothing to a server with another key', async () => {
        sockets.authenticate(() => true);
        const router = await bindRouter(other);
        const requests = new Inbox(router);
        const { failures } = ask(router.endpoint, { security: clientOf(alice, manager) });
        await eventually(() => failures.length >= 2, 'two failures');
        expect(new Set(failures)).to.deep.equal(new Set(['cut off']));
        await eventually(() => refusals.length > 0, 'a refusal');
        expect(reasons()).to.deep.equal(['wrong server key']);
        expect(requests.waiting).to.equal(0);
      });

      it('is not who speaks without a key', async () => {
        sockets.authenticate(() => true);
        const router = await bindRouter();
        const requests = new Inbox(router);
        ask(router.endpoint, {});
        await eventually(() => refusals.length > 0, 'a refusal');
        expect(refusals[0]).to.deep.equal({ domain: 'frontend', reason: 'mechanism' });
        ask(router.endpoint, { security: clientOf(alice, manager) });
        await requests.next();
        expect(requests.waiting).to.equal(0);
      });

      it('says nothing to a server that speaks without a key', async () => {
        const router = await sockets.bindRouter(anyPort);
        const requests = new Inbox(router);
        const { failures } = ask(router.endpoint, { security: clientOf(alice, manager) });
        await eventually(() => failures.length >= 2, 'two failures');
        expect(new Set(failures)).to.deep.equal(new Set(['mechanism']));
        expect(requests.waiting).to.equal(0);
      });

      it('is decided by domain, address and key, once for each connection', async () => {
        const asked: Peer[] = [];
        sockets.authenticate((peer) => asked.push(peer) > 0);
        const router = await bindRouter(manager, 'backend');
        void echo(router);
        const { dealer, answers } = ask(router.endpoint, { security: clientOf(alice, manager) });
        dealer.send(frames('another'));
        expect(await answers.take(2)).to.deep.equal([['question!'], ['another!']]);
        expect(asked).to.deep.equal([
          { domain: 'backend', address: '127.0.0.1', publicKey: alice.publicKey },
        ]);
      });

      it('may differ from domain to domain', async () => {
        sockets.authenticate((peer) => peer.domain === 'backend' || isOf(alice)(peer));
        const frontend = await bindRouter(manager, 'frontend');
        const backend = await bindRouter(manager, 'backend');
        void echo(frontend);
        void echo(backend);
        const security = clientOf(mallory, manager);
        const refused = ask(frontend.endpoint, { security });
        expect(await ask(backend.endpoint, { security }).answers.text()).to.equal('question!');
        await eventually(() => refused.failures.length > 0, 'a refusal');
        expect(refused.answers.waiting).to.equal(0);
        expect(new Set(refusals.map(({ domain }) => domain))).to.deep.equal(new Set(['frontend']));
      });

      it('is nobody while the decider throws, and it is said why', async () => {
        const cause = new Error('the list of keys cannot be read');
        sockets.authenticate(() => {
          throw cause;
        });
        const router = await bindRouter();
        void echo(router);
        const { answers, failures } = ask(router.endpoint, { security: clientOf(alice, manager) });
        await eventually(() => failures.length > 0, 'a refusal');
        expect(refusals[0]).to.deep.include({ reason: 'decider failed', cause });
        sockets.authenticate(isOf(alice));
        expect(await answers.text()).to.equal('question!');
      });

      it('is who was refused before, as soon as the decider says so, with all that waited', async () => {
        const router = await bindRouter();
        const requests = new Inbox(router);
        const { dealer, failures } = ask(router.endpoint, { security: clientOf(alice, manager) });
        for (const number of numbers(100)) dealer.send(frames(`${number}`));
        await eventually(() => failures.length > 0, 'a refusal');
        sockets.authenticate(isOf(alice));
        const came = (await requests.take(101)).map(([, text]) => text);
        expect(came).to.deep.equal(['question', ...numbers(100).map(String)]);
        expect(dealer.dropped).to.equal(0);
      });

      it('stays in when its key is revoked, but does not come in again', async () => {
        sockets.authenticate(isOf(alice));
        const router = await bindRouter();
        void echo(router);
        const security = clientOf(alice, manager);
        const { dealer, answers } = ask(router.endpoint, { security });
        expect(await answers.text()).to.equal('question!');
        sockets.authenticate(() => false);
        dealer.send(frames('still in'));
        expect(await answers.text()).to.equal('still in!');
        const again = ask(router.endpoint, { security });
        await eventually(() => again.failures.length >= 2, 'two refusals');
        expect(again.answers.waiting).to.equal(0);
      });

      it('may be many at once', async () => {
        const owners = numbers(50).map(newCurveKeys);
        sockets.authenticate(isOf(...owners));
        const router = await bindRouter();
        void echo(router);
        const all = owners.map((owner) => ask(router.endpoint, { security: clientOf(owner, manager) }));
        for (const { answers } of all) expect(await answers.text()).to.equal('question!');
        expect(refusals).to.deep.equal([]);
      });

      it('is told when it is in, and by which key the server is known', async () => {
        sockets.authenticate(isOf(alice));
        const router = await bindRouter();
        const security = clientOf(alice, other, manager);
        const proved = await within(
          new Promise<Buffer>((onHandshakeDone) => {
            new Inbox(sockets.connectDealer(router.endpoint, { security, onHandshakeDone }));
          }),
          'the end of the handshake',
        );
        expect(proved).to.deep.equal(manager.publicKey);
      });
    });

    describe('limits', () => {
      it('refuse an address that was refused too often, unasked, but not who came in before', async () => {
        sockets = openWith({ refusalBurst: 3, refusalsPerSecond: 0 });
        let asked = 0;
        sockets.authenticate((peer) => {
          asked += isOf(mallory)(peer) ? 1 : 0;
          return isOf(alice)(peer);
        });
        const router = await bindRouter();
        void echo(router);
        const security = clientOf(alice, manager);
        const before = ask(router.endpoint, { security });
        expect(await before.answers.text()).to.equal('question!');
        ask(router.endpoint, { security: clientOf(mallory, manager) });
        await eventually(() => reasons().includes('too often'), 'a refusal unasked');
        expect(asked).to.equal(3);
        expect(await ask(router.endpoint, { security }).answers.text()).to.equal('question!');
      });

      it('refuse who comes when the domain is full, until somebody leaves', async () => {
        sockets = openWith({ maxConnections: 2 });
        sockets.authenticate(isOf(alice));
        const router = await bindRouter();
        void echo(router);
        const security = clientOf(alice, manager);
        const first = ask(router.endpoint, { security });
        const second = ask(router.endpoint, { security });
        expect(await first.answers.text()).to.equal('question!');
        expect(await second.answers.text()).to.equal('question!');
        const third = ask(router.endpoint, { security });
        await eventually(() => third.failures.length > 0, 'a refusal');
        expect(reasons()).to.deep.equal(['too many connections']);
        await first.dealer.close();
        expect(await third.answers.text()).to.equal('question!');
      });
    });

    describe('patterns', () => {
      it('carry subscriptions and what is published', async () => {
        sockets.authenticate(isOf(alice));
        const publisher = await sockets.bindPublisher(anyPort, { security: serverOf(manager) });
        const changes = new Inbox(publisher);
        const subscriber = sockets.connectSubscriber(publisher.endpoint, {
          security: clientOf(alice, manager),
        });
        const inbox = new Inbox(subscriber);
        subscriber.subscribe('t');
        subscriber.subscribe('u');
        subscriber.unsubscribe('u');
        subscriber.subscribe('v');
        const seen = new Set<string>();
        while (!seen.has('\x01v')) seen.add(await changes.text());
        expect(seen).to.include('\x01t');
        publisher.send(frames('u', 'not this'));
        publisher.send(frames('t', 'this'));
        expect(await inbox.text()).to.equal('t|this');
      });

      it('carry what is pushed, in order', async () => {
        sockets.authenticate(isOf(alice));
        const pull = await sockets.bindPull(anyPort, { security: serverOf(manager) });
        const pulled = new Inbox(pull);
        const push = sockets.connectPush(pull.endpoint, { security: clientOf(alice, manager) });
        for (const number of numbers(10_000)) push.send(frames(`${number}`));
        expect((await pulled.take(10_000)).flat().map(Number)).to.deep.equal(numbers(10_000));
      });

      it('carry questions and their answers', async () => {
        sockets.authenticate(isOf(alice));
        const reply = await sockets.bindReply(anyPort, { security: serverOf(manager) });
        void (async () => {
          for await (const [question = empty] of reply) reply.send(frames(`${question}!`));
        })();
        const dealer = sockets.connectDealer(reply.endpoint, { security: clientOf(alice, manager) });
        const answers = new Inbox(dealer);
        dealer.send(frames('', 'one'));
        dealer.send(frames('', 'two'));
        expect(await answers.take(2)).to.deep.equal([
          ['', 'one!'],
          ['', 'two!'],
        ]);
      });

      it('hand over at close what waits for a handshake', async () => {
        sockets.authenticate(isOf(alice));
        const pull = await sockets.bindPull(anyPort, { security: serverOf(manager) });
        const pulled = new Inbox(pull);
        const push = sockets.connectPush(pull.endpoint, {
          security: clientOf(alice, manager),
          lingerMs: 5_000,
        });
        for (const number of numbers(1_000)) push.send(frames(`${number}`));
        await within(push.close(), 'the end of close');
        expect((await pulled.take(1_000)).flat().map(Number)).to.deep.equal(numbers(1_000));
      });
    });

    describe('a server that changes its key', () => {
      it('is found again by who knows both', async () => {
        sockets.authenticate(isOf(alice));
        const router = await bindRouter(manager);
        void echo(router);
        const { endpoint } = router;
        const { dealer, answers } = ask(endpoint, { security: clientOf(alice, manager, other) });
        expect(await answers.text()).to.equal('question!');
        await router.rekey(serverOf(other));
        expect(router.endpoint).to.equal(endpoint);
        await insist(dealer, answers, 'after');
        await router.rekey(serverOf(manager));
        await insist(dealer, answers, 'back');
      });

      it('answers everything that is asked meanwhile, by who asks again when an answer is late', async () => {
        sockets.authenticate(isOf(alice));
        const router = await bindRouter(manager);
        void echo(router);
        const { dealer, answers } = ask(router.endpoint, { security: clientOf(alice, manager, other) });
        let isChanging = true;
        const changing = (async () => {
          for (const keys of [other, manager, other, manager]) {
            await new Promise((resolve) => setTimeout(resolve, 30));
            await router.rekey(serverOf(keys));
          }
          isChanging = false;
        })();
        let asked = 0;
        for (; isChanging; asked += 1) {
          await insist(dealer, answers, `question ${asked}`);
          await new Promise(setImmediate);
        }
        await changing;
        expect(asked).to.be.greaterThan(4);
        expect(dealer.dropped + router.dropped).to.equal(0);
      });

      it('is not talked to by who knows only the old one, until it learns the new one', async () => {
        sockets.authenticate(isOf(alice));
        const router = await bindRouter(manager);
        void echo(router);
        const { dealer, answers, failures } = ask(router.endpoint, { security: clientOf(alice, manager) });
        expect(await answers.text()).to.equal('question!');
        await router.rekey(serverOf(other));
        await eventually(() => failures.length > 0, 'a failure');
        dealer.send(frames('waits'));
        await eventually(() => failures.length > 2, 'more of them');
        expect(new Set(failures)).to.deep.equal(new Set(['cut off']));
        expect(answers.waiting).to.equal(0);
        dealer.rekey(clientOf(alice, other));
        expect(await answers.text()).to.equal('waits!');
      });

      it('keeps what has come, and tells the end of every subscription before they come anew', async () => {
        sockets.authenticate(isOf(alice));
        const security = clientOf(alice, manager, other);
        const publisher = await sockets.bindPublisher(anyPort, { security: serverOf(manager) });
        const changes = new Inbox(publisher);
        const subscribers = numbers(3).map(() => sockets.connectSubscriber(publisher.endpoint, { security }));
        const inboxes = subscribers.map((subscriber) => new Inbox(subscriber));
        for (const subscriber of subscribers) subscriber.subscribe('t');
        await changes.take(3);
        await publisher.rekey(serverOf(other));
        const came = (await changes.take(6)).flat();
        let balance = 3;
        for (const change of came) {
          balance += change === '\x01t' ? 1 : -1;
          expect(balance).to.be.within(0, 3);
        }
        expect(balance).to.equal(3);
        publisher.send(frames('t', 'news'));
        for (const inbox of inboxes) expect(await inbox.text()).to.equal('t|news');
      });

      it('loses nothing that had come and waits to be received', async () => {
        sockets.authenticate(isOf(alice));
        const pull = await sockets.bindPull(anyPort, { security: serverOf(manager) });
        const security = clientOf(alice, manager, other);
        const push = sockets.connectPush(pull.endpoint, { security });
        const slow = pull[Symbol.asyncIterator]();
        for (const number of numbers(100)) push.send(frames(`${number}`));
        expect((await slow.next()).value?.toString()).to.equal('0');
        // Nothing but its own loop could tell that all of them have come.
        await new Promise((resolve) => setTimeout(resolve, 200));
        await pull.rekey(serverOf(other));
        const ending = setInterval(() => push.send(frames('end')), 20);
        const came: string[] = [];
        while (came.at(-1) !== 'end') came.push(String((await slow.next()).value));
        clearInterval(ending);
        expect(came).to.deep.equal([...numbers(100).slice(1).map(String), 'end']);
      });

      it('may do it while it is closed, and at the same time twice', async () => {
        const router = await bindRouter();
        const inbox = new Inbox(router);
        const both = [router.rekey(serverOf(other)), router.rekey(serverOf(manager))];
        const closing = router.close();
        await within(Promise.all([...both, closing]), 'the end of all of it');
        await within(inbox.ended, 'the end of the loop');
        await (await sockets.bindRouter(router.endpoint)).close();
      });
    });

    describe('a client that changes its key', () => {
      it('comes in again with the new one', async () => {
        const asked: Peer[] = [];
        sockets.authenticate((peer) => asked.push(peer) > 0);
        const router = await bindRouter();
        void echo(router);
        const { dealer, answers } = ask(router.endpoint, { security: clientOf(alice, manager) });
        expect(await answers.text()).to.equal('question!');
        dealer.rekey(clientOf(mallory, manager));
        await insist(dealer, answers, 'again');
        const keys = asked.map(({ publicKey }) => publicKey);
        expect(keys).to.deep.equal([alice.publicKey, mallory.publicKey]);
      });

      it('hears again what comes after each change, also when something comes in the same moment', async () => {
        sockets.authenticate(() => true);
        const publisher = await sockets.bindPublisher(anyPort, { security: serverOf(manager) });
        void new Inbox(publisher);
        const subscriber = sockets.connectSubscriber(publisher.endpoint, {
          security: clientOf(alice, manager),
        });
        const inbox = new Inbox(subscriber);
        subscriber.subscribe('t');
        let sent = 0;
        const publishing = setInterval(() => {
          sent += 1;
          publisher.send(frames('t', `${sent}`));
        }, 1);
        try {
          for (const change of numbers(20)) {
            const before = sent;
            while (Number((await inbox.text()).slice('t|'.length)) <= before);
            publisher.send(frames('t', '0'));
            // It has come when the key is changed, and nobody had the time to see it.
            for (const untilMs = performance.now() + 2; performance.now() < untilMs; );
            subscriber.rekey(clientOf(change % 2 === 0 ? mallory : alice, manager));
          }
        } finally {
          clearInterval(publishing);
        }
      });

      it('keeps its connection when it only learns another key of the server', async () => {
        let asked = 0;
        sockets.authenticate(() => {
          asked += 1;
          return true;
        });
        const router = await bindRouter();
        void echo(router);
        const { dealer, answers } = ask(router.endpoint, { security: clientOf(alice, manager) });
        expect(await answers.text()).to.equal('question!');
        dealer.rekey(clientOf(alice, other, manager));
        dealer.send(frames('same'));
        expect(await answers.text()).to.equal('same!');
        expect(asked).to.equal(1);
      });
    });

    describe('keys', () => {
      const short = { ...manager, publicKey: Buffer.alloc(31) };
      const wrong: [string, ServerSecurity][] = [
        ['of another length', serverOf(short)],
        ['without a domain', serverOf(manager, '')],
      ];
      for (const [sentence, security] of wrong) {
        it(`${sentence} are refused at a bound socket`, async () => {
          expectUnusable(await rejection(sockets.bindPull(anyPort, { security })), anyPort);
          const pull = await sockets.bindPull(anyPort, { security: serverOf(manager) });
          expectUnusable(await rejection(pull.rekey(security)), pull.endpoint);
          sockets.authenticate(() => true);
          sockets
            .connectPush(pull.endpoint, { security: clientOf(alice, manager) })
            .send(frames('it goes on'));
          expect(await new Inbox(pull).text()).to.equal('it goes on');
        });
      }

      it('of another length, or of no server, are refused at a connecting socket', () => {
        for (const security of [clientOf(alice), clientOf(alice, short), clientOf(short, manager)])
          expect(() => sockets.connectPush('tcp://127.0.0.1:5500', { security }))
            .to.throw('tcp://127.0.0.1:5500')
            .with.property('code', 'ENDPOINT_UNUSABLE');
      });

      it('cannot come to a socket that was opened without', async () => {
        const pull = await sockets.bindPull(anyPort);
        expectUnusable(await rejection(pull.rekey(serverOf(manager))), pull.endpoint);
        const push = sockets.connectPush(pull.endpoint);
        expect(() => push.rekey(clientOf(alice, manager))).to.throw('without security');
        push.send(frames('it goes on'));
        expect(await new Inbox(pull).text()).to.equal('it goes on');
      });
    });
  });
}

describe('ZmqSockets with keys', () => {
  let sockets: ZmqSockets;
  let refusals: RefusedHandshake[];
  let tcp: { destroy(): void }[];
  let strangers: zmq.Socket[];
  beforeEach(() => {
    refusals = [];
    tcp = [];
    strangers = [];
    sockets = new ZmqSockets({ handshakeIntervalMs: 300 });
    sockets.authenticate(isOf(alice), { onRefused: (refusal) => refusals.push(refusal) });
  });
  afterEach(async () => {
    for (const peer of tcp) peer.destroy();
    for (const stranger of strangers) stranger.close();
    await sockets.close();
  });

  const portOf = (endpoint: string): number => Number(endpoint.split(':').at(-1));

  function tcpPeer(port: number): TcpSocket {
    const peer = connect(port, '127.0.0.1');
    // Being cut off is what it should expect.
    peer.on('error', () => {});
    tcp.push(peer);
    return peer;
  }

  /** Passes on every byte, and keeps it. */
  async function listenIn(port: number): Promise<{ readonly port: number; heard(): Buffer }> {
    const heard: Buffer[] = [];
    const proxy = createServer((near) => {
      const far = tcpPeer(port);
      tcp.push(near);
      near.on('error', () => {});
      near.on('data', (bytes) => heard.push(bytes) && far.write(bytes));
      far.on('data', (bytes) => heard.push(bytes) && near.write(bytes));
    });
    tcp.push({ destroy: () => proxy.close() });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const address = proxy.address();
    const proxyPort = typeof address === 'object' ? (address?.port ?? 0) : 0;
    return { port: proxyPort, heard: () => Buffer.concat(heard) };
  }

  for (const [sentence, isSecret] of [
    ['show nothing on the wire', true],
    ['would show all of it without keys', false],
  ] as const) {
    it(sentence, async () => {
      const router = await sockets.bindRouter(anyPort, isSecret ? { security: serverOf(manager) } : {});
      void echo(router);
      const wire = await listenIn(portOf(router.endpoint));
      const options = isSecret ? { security: clientOf(alice, manager) } : {};
      const dealer = sockets.connectDealer(`tcp://127.0.0.1:${wire.port}`, options);
      const answers = new Inbox(dealer);
      dealer.send(frames('the plain text'));
      expect(await answers.text()).to.equal('the plain text!');
      expect(wire.heard().includes('plain text')).to.equal(!isSecret);
      expect(wire.heard().includes('CURVE')).to.equal(isSecret);
    });
  }

  it('cut off who takes too long, and serve the others meanwhile', async () => {
    const router = await sockets.bindRouter(anyPort, { security: serverOf(manager) });
    void echo(router);
    const silent = numbers(20).map(() => tcpPeer(portOf(router.endpoint)).resume());
    const cut = silent.map((peer) => new Promise((resolve) => peer.once('close', resolve)));
    const dealer = sockets.connectDealer(router.endpoint, { security: clientOf(alice, manager) });
    const answers = new Inbox(dealer);
    dealer.send(frames('in time'));
    expect(await answers.text()).to.equal('in time!');
    await within(Promise.all(cut), 'the end of the silent ones');
    await eventually(() => refusals.length === 20, 'twenty refusals');
    expect(refusals[0]).to.deep.equal({ domain: 'frontend', reason: 'timeout' });
  });

  it('refuse who speaks for itself with a password or without, though the decider says yes to all', async () => {
    sockets.authenticate(() => true);
    const router = await sockets.bindRouter(anyPort, { security: serverOf(manager) });
    const requests = new Inbox(router);
    const plain = new zmq.Dealer({ linger: 0, plainUsername: 'root', plainPassword: 'root' });
    const none = new zmq.Dealer({ linger: 0 });
    for (const stranger of [plain, none]) {
      strangers.push(stranger);
      stranger.connect(router.endpoint);
      await stranger.send('let me in');
    }
    await eventually(() => refusals.length >= 2, 'both refusals');
    // Who sees first that the mechanisms differ leaves before the server has said so, or is cut off by time.
    for (const { reason } of refusals) expect(reason).to.be.oneOf(['mechanism', 'timeout']);
    sockets.connectDealer(router.endpoint, { security: clientOf(alice, manager) }).send(frames('sense'));
    await requests.next();
    expect(requests.waiting).to.equal(0);
  });

  it('do not come to a socket within the process, which nobody could keep anybody from', async () => {
    const security = serverOf(manager);
    const endpoint = 'inproc://frontend';
    expectUnusable(await rejection(sockets.bindRouter(endpoint, { security })), endpoint);
  });

  it('close with somebody refused, somebody waiting and somebody in the middle of it', async () => {
    const router = await sockets.bindRouter(anyPort, { security: serverOf(manager) });
    const dealers = numbers(20).map((number) =>
      sockets.connectDealer(router.endpoint, {
        lingerMs: 100,
        security: clientOf(number % 2 === 0 ? alice : mallory, number % 3 === 0 ? other : manager),
      }),
    );
    const inboxes = dealers.map((dealer) => new Inbox(dealer));
    for (const dealer of dealers) dealer.send(frames('ask'));
    await within(sockets.close(), 'the end of close');
    await within(Promise.all(inboxes.map(({ ended }) => ended)), 'the end of the loops');
  });

  it('are not disturbed by thousands of signals a second', async () => {
    const router = await sockets.bindRouter(anyPort, { security: serverOf(manager) });
    void echo(router);
    // A profiler sends them to look where the program is.
    const profiler = new Session();
    profiler.connect();
    profiler.post('Profiler.enable');
    profiler.post('Profiler.setSamplingInterval', { interval: 50 });
    profiler.post('Profiler.start');
    try {
      for (const _ of numbers(50)) {
        const security = clientOf(alice, manager);
        const pushes = numbers(40).map(() => sockets.connectPush(router.endpoint, { security }));
        await Promise.all(pushes.map((push) => push.close()));
      }
      for (const round of numbers(20)) {
        const dealers = numbers(20).map(() =>
          sockets.connectDealer(router.endpoint, { security: clientOf(alice, manager) }),
        );
        const inboxes = dealers.map((dealer) => new Inbox(dealer));
        for (const dealer of dealers) dealer.send(frames(`${round}`));
        for (const answers of inboxes) expect(await answers.text()).to.equal(`${round}!`);
        await Promise.all(dealers.map((dealer) => dealer.close()));
      }
    } finally {
      profiler.disconnect();
    }
  });

  it('can be opened, closed and opened again', async () => {
    for (const round of numbers(10)) {
      const router = await sockets.bindRouter(anyPort, { security: serverOf(manager) });
      void echo(router);
      const dealer = sockets.connectDealer(router.endpoint, { security: clientOf(alice, manager) });
      const answers = new Inbox(dealer);
      dealer.send(frames(`${round}`));
      expect(await answers.text()).to.equal(`${round}!`);
      await Promise.all([dealer.close(), router.close()]);
    }
  });

  it('count as connections only those that are there', async () => {
    const router = await sockets.bindRouter(anyPort, { security: serverOf(manager) });
    void echo(router);
    const few = new ZmqSockets();
    try {
      few.authenticate(isOf(alice), { maxConnections: () => 1 });
      const small = await few.bindRouter(anyPort, { security: serverOf(manager) });
      void echo(small);
      for (const round of numbers(5)) {
        tcpPeer(portOf(small.endpoint)).end('GET / HTTP/1.1\r\n\r\n');
        sockets.connectDealer(small.endpoint, { security: clientOf(mallory, manager) });
        const dealer = sockets.connectDealer(small.endpoint, { security: clientOf(alice, manager) });
        const answers = new Inbox(dealer);
        dealer.send(frames(`${round}`));
        expect(await answers.text()).to.equal(`${round}!`);
        await dealer.close();
      }
    } finally {
      await few.close();
    }
  });
});
