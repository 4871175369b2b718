import { expect } from 'chai';
import { type BoundSockets, bindSockets, socketsOfDoors } from '../../../src/manager/bound-sockets.ts';
import { type Door, mayEnter, type Visitor } from '../../../src/manager/doors.ts';
import { Closing } from '../../../src/platform/closing.ts';
import { serve } from '../../../src/platform/serve.ts';
import type { ClientSecurity, HandshakeFailure } from '../../../src/platform/socket-security.ts';
import { agentProofKey, sinkMac } from '../../../src/security/agent-proof.ts';
import { joinRequestOf } from '../../../src/security/join-request.ts';
import { type CurveKeys, curveBytes, newCurveKeys } from '../../../src/security/keys.ts';
import { MemoryStore } from '../../../src/store/memory-store.ts';
import { ServiceManagerError } from '../../../src/wire/errors.ts';
import type { NodeName } from '../../../src/wire/fields.ts';
import { JoinReply, JoinRequest } from '../../../src/wire/join.ts';
import { openQuery, sealQuery } from '../../../src/wire/query.ts';
import { helloFrames, withMac } from '../../../src/wire/sink.ts';
import { TestGate } from '../../fakes/gatehouses.ts';
import { type KeyOwner, keyFileOf, keyOwner, signedBy } from '../../fakes/key-owners.ts';
import { helloOf } from '../../fakes/manager-desks.ts';
import { MemorySockets } from '../../fakes/memory-sockets.ts';
import { refusalOf } from '../security/refusal.ts';

const web1 = keyOwner('agent', 'web1');
const web2 = keyOwner('agent', 'web2');
const alice = keyOwner('operator', 'alice');
const watch = keyOwner('monitor', 'watch');
const everybody = [web1, web2, alice, watch];

const endpoints = {
  frontendEndpoint: 'tcp://*:5500',
  backendEndpoint: 'tcp://*:5600',
  sinkEndpoint: 'tcp://*:5700',
  mgmtEndpoint: 'tcp://*:5800',
  publisherEndpoint: 'tcp://*:5750',
};
const portOfDoor: Readonly<Record<Door, number>> = {
  ...{ frontend: 5_500, backend: 5_600, sink: 5_700, management: 5_800, publisher: 5_750, join: 5_850 },
};
const allDoors = Object.keys(portOfDoor) as Door[];

/** One end of a connection to a door, and what became of it. */
class Client {
  handshakes = 0;
  readonly failures: HandshakeFailure[] = [];

  constructor(sockets: MemorySockets, door: Door, security: ClientSecurity | undefined) {
    const endpoint = `tcp://localhost:${portOfDoor[door]}`;
    const options = {
      onHandshakeDone: () => {
        this.handshakes += 1;
      },
      onHandshakeFailed: (failure: HandshakeFailure) => this.failures.push(failure),
      ...(security === undefined ? {} : { security }),
    };
    if (door === 'sink') sockets.connectPush(endpoint, options);
    else if (door === 'backend' || door === 'publisher') sockets.connectSubscriber(endpoint, options);
    else sockets.connectDealer(endpoint, options);
  }
}

/** A gatehouse with its doors open. */
async function open(known: readonly KeyOwner[] = everybody) {
  const test = new TestGate(known);
  const { gate, clock } = test;
  const sockets = new MemorySockets({ clock, refusalBurst: 10_000 });
  sockets.authenticate(gate.admission.decide, gate.admission);
  const doors = { securityOf: gate.securityOf, joinEndpoint: 'tcp://*:5850' };
  const bound = await bindSockets(endpoints, { sockets, store: new MemoryStore(), ...doors }, new Closing());
  for (const socket of socketsOfDoors(bound).values()) void serve(socket, () => {});
  gate.opened(bound);
  const securityOf = (own: CurveKeys, ...managers: CurveKeys[]): ClientSecurity => ({
    kind: 'client',
    ...{ publicKey: curveBytes(own.publicKey), secretKey: curveBytes(own.secretKey) },
    serverKeys: (managers.length > 0 ? managers : [gate.own.current]).map(({ publicKey }) =>
      curveBytes(publicKey),
    ),
  });
  const connect = (door: Door, security: ClientSecurity | undefined) => new Client(sockets, door, security);
  const run = (command: string, args?: unknown) => gate.keys.handlers()[`manager.${command}`]?.(args);
  const pass = async (ms: number) => {
    for (let leftMs = ms; leftMs > 0; leftMs -= 100) {
      await clock.advanceAsync(100);
      gate.tick(clock.now());
    }
    await clock.advanceAsync(0);
  };
  return { ...test, test, bound, connect, securityOf, run, pass };
}

type Open = Awaited<ReturnType<typeof open>>;

function reopened({ log }: Open): unknown[] {
  return log.named('socket.reopened').map(({ fields }) => fields['door']);
}

describe('each door of a manager', () => {
  const visitors: Readonly<Record<Exclude<Visitor, 'owner'>, CurveKeys>> = {
    agent: web1.curve,
    operator: alice.curve,
    monitor: watch.curve,
    stranger: newCurveKeys(),
  };

  for (const door of allDoors)
    it(`lets in those that have an entry in the table, and nobody else (${door})`, async () => {
      const at = await open();
      const guests = { ...visitors, owner: at.gate.own.current };
      const clients = Object.entries(guests).map(
        ([name, keys]) => [name as Visitor, at.connect(door, at.securityOf(keys))] as const,
      );
      await at.pass(100);
      for (const [name, { handshakes }] of clients) {
        // At the door for strangers nobody is known, except whoever may come in everywhere on the host itself.
        const isLetIn = door === 'join' ? name !== 'owner' : mayEnter(door, name);
        expect(handshakes > 0, name).to.equal(isLetIn);
      }
      const refused = clients.filter(([, { failures }]) => failures.includes('refused'));
      expect(refused.length).to.be.above(0);
      expect(at.gate.admission.refused).to.be.at.least(refused.length);
      expect(at.audit.named('handshake.refused')[0]).to.include({ door, reason: 'unknown key' });
    });

  it('stays shut for who speaks no CURVE, or knows another manager', async () => {
    const at = await open();
    for (const door of allDoors) {
      const plain = at.connect(door, undefined);
      const misled = at.connect(door, at.securityOf(alice.curve, newCurveKeys()));
      await at.pass(100);
      expect([plain.handshakes, misled.handshakes], door).to.deep.equal([0, 0]);
      expect(misled.failures).to.include('cut off');
    }
    const reasons = at.audit.named('handshake.refused').map(({ reason }) => reason);
    expect(new Set(reasons)).to.deep.equal(new Set(['mechanism', 'wrong server key']));
  });
});

describe('a key that is revoked', () => {
  it('of an agent ends the connections of agents: it stays out, and the others are back', async () => {
    const at = await open();
    const clients = [web1, web2].map(({ curve }) => at.connect('backend', at.securityOf(curve)));
    const person = at.connect('publisher', at.securityOf(alice.curve));
    await at.pass(100);
    at.run('keys.revoke', { fingerprint: web1.fingerprint });
    await at.pass(1_000);
    expect(reopened(at)).to.deep.equal(['backend', 'sink']);
    expect(clients.map(({ handshakes }) => handshakes)).to.deep.equal([1, 2]);
    expect(clients.map(({ failures }) => failures.includes('refused'))).to.deep.equal([true, false]);
    expect(person.handshakes).to.equal(1);
  });

  it('of a person ends the connections of people', async () => {
    const at = await open();
    const clients = [alice, watch].map(({ curve }) => at.connect('publisher', at.securityOf(curve)));
    await at.pass(100);
    at.run('keys.revoke', { fingerprint: watch.fingerprint });
    await at.pass(1_000);
    expect(reopened(at)).to.deep.equal(['frontend', 'publisher']);
    expect(clients.map(({ handshakes }) => handshakes)).to.deep.equal([2, 1]);
  });

  it('does so also when that cannot be stored', async () => {
    const at = await open();
    at.store.writesLeft = 0;
    expect(refusalOf(() => at.run('keys.revoke', { fingerprint: web1.fingerprint })).code).to.equal(
      'STORE_UNUSABLE',
    );
    await at.pass(100);
    expect(reopened(at)).to.deep.equal(['backend', 'sink']);
  });

  it('takes with it what was counted of its node, so that a new key may begin anew', async () => {
    const at = await open();
    const said = (owner: KeyOwner, sequence: number) => {
      const frames = helloFrames(helloOf('web1'), sequence);
      const [type, uuid, node, number, payload] = frames;
      if (!type || !uuid || !node || !number || !payload) throw new Error('it is no sink message');
      const key = agentProofKey(owner.curve, at.gate.own.current.publicKey);
      at.gate.proofs.check(withMac(frames, sinkMac(key, { type, uuid, node, sequence: number, payload })));
    };
    said(web1, 90_000);
    at.run('keys.revoke', { fingerprint: web1.fingerprint });
    at.run('keys.remove', { fingerprint: web1.fingerprint });
    const next = keyOwner('agent', 'web1');
    at.gate.ring.join({ ...next, address: '10.0.0.1' }, 1);
    at.run('keys.accept', { fingerprint: next.fingerprint });
    said(next, 1);
    expect(refusalOf(() => said(next, 1)).code).to.equal('REPLAYED');
  });
});

describe('a manager that changes its key', () => {
  it('opens all its doors anew when the time has come, and whoever has heard of the next key is back', async () => {
    const at = await open();
    const before = at.gate.own.current;
    at.run('keys.rotate', { overlapMs: 5_000 });
    const [next] = [at.gate.own.nextKey];
    if (next === undefined) throw new Error('there is no next key');
    const informed = at.connect('backend', at.securityOf(web1.curve, before, { ...before, publicKey: next }));
    const ignorant = at.connect('backend', at.securityOf(web2.curve, before));
    await at.pass(4_000);
    expect([reopened(at), informed.handshakes, ignorant.handshakes]).to.deep.equal([[], 1, 1]);
    await at.pass(2_000);
    expect(reopened(at)).to.have.members(allDoors);
    expect([informed.handshakes, ignorant.handshakes]).to.deep.equal([2, 1]);
    expect(ignorant.failures).to.include('cut off');
    expect(at.gate.own.current.publicKey).to.equal(next);
  });

  it('changes nothing when it cannot keep the new one', async () => {
    const at = await open();
    at.run('keys.rotate', { overlapMs: 0 });
    at.keeper.isFailing = true;
    await at.pass(3_000);
    expect(reopened(at)).to.deep.equal([]);
    at.keeper.isFailing = false;
    await at.pass(2_000);
    expect(reopened(at)).to.have.members(allDoors);
  });

  it('goes on with one that an earlier run was told to change', () => {
    const pair = newCurveKeys();
    const { clock } = new TestGate();
    const keys = { current: newCurveKeys(), next: { pair, switchesWallMs: clock.wallMs() + 3_000 } };
    const test = new TestGate([], { keys });
    test.pass(2_000);
    expect(test.gate.own.current).to.equal(keys.current);
    test.pass(2_000);
    expect(test.gate.own.current).to.equal(pair);
  });

  it('says so when it has lost a socket over that', async () => {
    const test = new TestGate(everybody);
    const taken = new ServiceManagerError('ENDPOINT_UNUSABLE', 'somebody took it');
    const socket = { endpoint: 'tcp://0.0.0.0:1', rekey: () => Promise.reject(taken) };
    const names = ['frontend', 'backend', 'sink', 'publisher', 'management'] as const;
    const bound = Object.fromEntries(names.map((name) => [name, socket]));
    test.gate.opened({ ...bound, join: undefined } as unknown as BoundSockets);
    test.gate.keys.handlers()['manager.keys.revoke']?.({ fingerprint: web1.fingerprint });
    await test.clock.advanceAsync(0);
    expect(test.failures).to.deep.equal([taken]);
  });
});

describe('a gatehouse', () => {
  it('tells whoever joins at which ports the other doors are', async () => {
    const at = await open();
    const web9 = keyOwner('agent', 'web9');
    const request = joinRequestOf({
      ...{ role: 'agent', name: 'web9' as NodeName, keys: keyFileOf(web9) },
      ...{ manager: at.gate.own.current.publicKey, nowWallMs: at.clock.wallMs() },
    });
    const reply = JoinReply.parse(at.gate.join.answer([JoinRequest.encode(request)]));
    expect(reply.ports).to.deep.equal({ frontend: 5_500, backend: 5_600, sink: 5_700, publisher: 5_750 });
    expect(reply.manager).to.equal('manager1');
  });

  it('forgets what is past once a second', () => {
    const test = new TestGate();
    test.gate.keys.handlers()['manager.tokens.create']?.({ role: 'agent', ttlMs: 1_500, uses: 1 });
    test.gate.tick(test.clock.now());
    test.clock.advance(999);
    test.gate.tick(test.clock.now());
    test.clock.advance(501);
    test.gate.tick(test.clock.now());
    expect(test.gate.ring.tokens()).to.deep.equal([]);
    test.gate.keys.handlers()['manager.tokens.create']?.({ role: 'agent', ttlMs: 1_000, uses: 1 });
    test.clock.jumpWall(5_000);
    test.clock.advance(499);
    test.gate.tick(test.clock.now());
    expect(test.gate.ring.tokens()).to.have.length(1);
  });

  it('goes by other limits from now on', () => {
    const { gate, clock } = new TestGate(everybody);
    expect(gate.maxOpenEach).to.equal(2);
    gate.reconfigure({ requestsPerSecond: 1, openRequests: 7 });
    expect(gate.maxOpenEach).to.equal(7);
    const query = { v: 2, query: 'nodes', notAfterMs: clock.wallMs() } as const;
    const signed = openQuery(sealQuery(query, (bytes) => signedBy(alice, 'query', bytes)));
    for (let count = 1; count <= 5; count += 1) gate.signatures.ofQuery(signed);
    expect(refusalOf(() => gate.signatures.ofQuery(signed)).code).to.equal('TOO_BUSY');
  });

  it('lets its agents listen to fifty topics each, and a thousand more in all', () => {
    const { gate } = new TestGate(everybody);
    expect([gate.maxTopics('backend'), gate.maxTopics('publisher')]).to.deep.equal([1_100, 50_000]);
  });

  it('knows from where somebody signs', () => {
    const { gate } = new TestGate(everybody);
    const { role, name, fingerprint } = alice;
    const sender = { asker: { role: role as 'operator', name }, fingerprint };
    expect(gate.addressOf(sender)).to.equal(undefined);
    gate.admission.decide({
      domain: 'frontend',
      address: '10.0.0.9',
      publicKey: curveBytes(alice.keys.curve),
    });
    expect(gate.addressOf(sender)).to.equal('10.0.0.9');
    gate.ring.revoke(fingerprint, 1);
    expect(gate.addressOf(sender)).to.equal(undefined);
  });
});
