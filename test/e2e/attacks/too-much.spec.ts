import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { newCurveKeys } from '../../../src/security/keys.ts';
import { topicFrame } from '../../../src/wire/topic.ts';
import { eventually } from '../../fakes/eventually.ts';
import { isObject, type JsonObject } from '../harness/management.ts';
import { cleanUp } from '../harness/processes.ts';
import {
  clientOf,
  keysOf,
  type Member,
  newName,
  type SecuredManager,
  securityOf,
  startSecuredAgent,
  startSecuredManager,
} from '../harness/secured-fleet.ts';
import { ask, attackerSockets, bodyOf, entry, joinAs, proved, signed } from './attacker.ts';
import { cutOff, dripping, ended, exchange, inTurns, opened, tally } from './flood.ts';

const mebibyte = 1024 * 1024;

describe('somebody who asks for too much', function () {
  this.timeout(120_000);

  let manager: SecuredManager;
  let alice: Member;
  let agent: Member;

  before(async () => {
    manager = await startSecuredManager({ security: { requests_per_second: 40 } });
    alice = await manager.enrol('operator', 'alice');
    agent = await manager.enrol('agent', 'web1');
    await startSecuredAgent({ manager, nodeName: 'web1', member: agent });
    await manager.waitForSubscribers(1);
  });
  after(cleanUp);

  /** A good client, again and again until `flood` is over. Resolves with how often it was served. */
  async function servedDuring(flood: Promise<unknown>): Promise<number> {
    const client = clientOf(alice);
    let isOver = false;
    let served = 0;
    const over = flood.finally(() => {
      isOver = true;
    });
    // Awaited below, but it may fail first.
    over.catch(() => {});
    do {
      const request = await client.send({
        topic: 'web1',
        action: 'status',
        service: 'cron',
        windowMs: 5_000,
      });
      let answers = 0;
      for await (const _ of request) answers += 1;
      expect(answers, `answers to request ${served + 1} of the good client`).to.equal(1);
      served += 1;
    } while (!isOver);
    await over;
    return served;
  }

  /** An agent of its own that listens to so many topics. libzmq keeps each of their bytes. */
  async function subscribing(topics: number) {
    const evil = await manager.enrol('agent', newName('evil'));
    const sockets = attackerSockets();
    const security = securityOf(evil.keys.curve, manager.keys.publicKey);
    const subscriber = sockets.connectSubscriber(manager.endpoints.backend, { security });
    void (async () => {
      for await (const _ of subscriber);
    })();
    for (let index = 0; index < topics; index += 1) {
      const topic = createHash('sha512').update(`${index}`).digest('hex').repeat(2).slice(0, 250);
      subscriber.subscribe(topicFrame(topic, 'v2'));
    }
    return sockets;
  }

  async function count(name: string): Promise<number> {
    const { counters } = await manager.status();
    return isObject(counters) ? Number(counters[name]) : Number.NaN;
  }

  function isAudited(event: string, fields: JsonObject): boolean {
    return manager
      .audited(event)
      .some((line) => isObject(line['fields']) && includes(line['fields'], fields));
  }

  it('with hundreds of connections that say nothing, or only half of it, is cut off after some seconds', async () => {
    const before = await count('handshakesRefused');
    const { frontend, backend, sink, publisher, mgmt } = manager.endpoints;
    const doors = [frontend, backend, sink, publisher, mgmt, manager.joinEndpoint];
    const silent = doors.flatMap((endpoint) => Array.from({ length: 100 }, () => opened(endpoint)));
    const slow = doors.map((endpoint) => dripping(endpoint));
    const all = await Promise.all([...silent, ...slow]);
    expect(await servedDuring(Promise.all(all.map((socket) => ended(socket))))).to.be.above(0);
    expect(await count('handshakesRefused')).to.be.at.least(before + 6);
    await eventually(() => isAudited('handshake.refused', { reason: 'timeout' }), 'an audited refusal');
  });

  it('with a flood of keys that want to be let in fills no more than its part of the list, and no owner is asked to read more', async () => {
    const order = { manager, role: 'agent' } as const;
    const fates = inTurns(
      Array.from({ length: 60 }, () => newName('stranger')),
      10,
      (name) => joinAs({ ...order, name }),
    );
    expect(await servedDuring(fates)).to.be.above(0);
    // All come from one address, which has twenty places.
    expect(tally(await fates)).to.deep.equal({ pending: 20, TOO_BUSY: 40 });
    const { keys } = await manager.admin('manager.keys.list');
    const pending = (keys as JsonObject[]).filter(({ state }) => state === 'pending');
    expect(pending).to.have.lengthOf(20);
    expect(isAudited('key.refused', { code: 'TOO_BUSY' })).to.equal(true);
    // Who has a token comes in all the same.
    await manager.enrol('agent', newName('invited'));
  });

  it('with a token that is used up, past, for another role or name, or made up, is refused', async () => {
    const used = await manager.token('agent');
    expect(await joinAs({ manager, role: 'agent', name: newName('first'), token: used })).to.equal(
      'accepted',
    );
    const named = await manager.token('agent', { name: 'db1' });
    const short = await manager.token('agent', { ttlMs: 1_000 });
    const madeUp = { ...used, secret: named.secret };
    await eventually(async () => {
      const { tokens } = await manager.admin('manager.tokens.list');
      return !(tokens as JsonObject[]).some(({ id }) => id === short.id);
    }, 'the short token is past');
    for (const [role, token] of [
      ['agent', used],
      ['agent', short],
      ['operator', named],
      ['agent', named],
      ['agent', madeUp],
    ] as const)
      expect(await joinAs({ manager, role, name: newName('late'), token })).to.equal('BAD_TOKEN');
    expect(isAudited('key.refused', { code: 'BAD_TOKEN', token: used.id })).to.equal(true);
  });

  it('with a flood of keys that nobody knows is turned away, and each of them is counted', async () => {
    const before = await count('handshakesRefused');
    const strangers = Array.from({ length: 300 }, () => securityOf(newCurveKeys(), manager.keys.publicKey));
    const flood = inTurns(strangers, 20, (security) => entry('push', manager.endpoints.sink, security));
    expect(await servedDuring(flood)).to.be.above(0);
    expect(tally(await flood)).to.deep.equal({ refused: 300 });
    expect(await count('handshakesRefused')).to.be.at.least(before + 300);
    const lines = manager.audited('handshake.refused').filter(({ fields }) => {
      return isObject(fields) && fields['door'] === 'sink' && fields['reason'] === 'unknown key';
    });
    // A flood does not fill the disk: one line a minute for what comes from one place for one reason.
    expect(lines).to.have.lengthOf.within(1, 3);
  });

  it('with huge frames is cut off, at each socket, and the manager does not grow', async () => {
    const before = residentBytes(manager);
    const huge = Buffer.alloc(100 * mebibyte, 'a');
    const { frontend, sink, mgmt } = manager.endpoints;
    const asAlice = securityOf(alice.keys.curve, manager.keys.publicKey);
    const asAgent = securityOf(agent.keys.curve, manager.keys.publicKey);
    const asStranger = securityOf(newCurveKeys(), manager.keys.publicKey);
    const asOwner = securityOf(manager.keys, manager.keys.publicKey);
    const floods = [
      cutOff('dealer', frontend, asAlice, huge),
      cutOff('push', sink, asAgent, huge),
      cutOff('dealer', mgmt, asOwner, huge),
      cutOff('dealer', manager.joinEndpoint, asStranger, huge.subarray(0, mebibyte)),
    ];
    await servedDuring(Promise.all(floods));
    expect(residentBytes(manager) - before, 'bytes more').to.be.below(150 * mebibyte);
    // Large, but not too large for the socket: it gets an answer that says so.
    const long = bodyOf({
      service: 'cron',
      nodes: Array.from({ length: 10_000 }, (_, index) => `${'n'.repeat(150)}${index}`),
    });
    const fate = await ask(frontend, signed(long, alice.keys), asAlice);
    expect(fate).to.have.nested.property('reply.code', 'FRAME_TOO_LARGE');
  });

  it('with thousands of subscriptions gets no more than all agents together may have', async () => {
    const flood = await subscribing(5_000);
    const refused = async () => (await count('framesRejected')) > 2_000;
    expect(await servedDuring(eventually(refused, 'refused topics', 60_000))).to.be.above(0);
    expect(isAudited('message.rejected', { door: 'backend', code: 'TOO_BUSY' })).to.equal(true);
    await flood.close();
    // Its topics have gone with it.
    await startSecuredAgent({ manager, nodeName: newName('late') });
    await manager.waitForSubscribers(2);
  });

  it('with so many subscriptions that ZeroMQ has to keep too much of them is cut off, with all others, again and again', async () => {
    const flood = await subscribing(25_000);
    const cuts = (most: number) => () => manager.events('door.flooded').length > most;
    await eventually(cuts(2), 'cut off', 60_000);
    const resident = residentBytes(manager);
    await eventually(cuts(6), 'cut off again', 60_000);
    expect(residentBytes(manager) - resident, 'bytes more').to.be.below(100 * mebibyte);
    expect(isAudited('door.flooded', { door: 'backend' })).to.equal(true);
    await flood.close();
    // It is busy with what is left of the flood for a moment.
    const isServed = () => servedDuring(Promise.resolve()).then(Boolean, () => false);
    await eventually(isServed, 'everybody is back', 60_000);
  });

  it('with more requests a second than an operator may send is told so, and the others are not', async () => {
    const mallory = await manager.enrol('operator', newName('mallory'));
    const security = securityOf(mallory.keys.curve, manager.keys.publicKey);
    const frames = Array.from({ length: 600 }, () =>
      signed(bodyOf({ topic: 'web1', cmd: 'status' }), mallory.keys),
    );
    const flood = exchange(manager.endpoints.frontend, security, frames);
    expect(await servedDuring(flood)).to.be.above(0);
    const codes = tally((await flood).map(({ code }) => String(code ?? 'taken')));
    expect(codes['TOO_BUSY'], JSON.stringify(codes)).to.be.above(200);
    expect(isAudited('request.refused', { code: 'TOO_BUSY' })).to.equal(true);
  });

  it('with a flood of forged results is counted, and written down once a minute', async () => {
    const before = await count('framesRejected');
    const sockets = attackerSockets();
    const security = securityOf(agent.keys.curve, manager.keys.publicKey);
    const push = sockets.connectPush(manager.endpoints.sink, { security, lingerMs: 5_000 });
    const payload = JSON.stringify({
      success: -1,
      msg: 'lie',
      node: 'db1',
      uuid: '0'.repeat(32),
      code: 'TOO_BUSY',
    });
    const frames = proved(keysOf('agent', 'db1'), manager, ['result', '0'.repeat(32), 'db1', '1', payload]);
    const flood = (async () => {
      for (let index = 0; index < 5_000; index += 1) push.send(frames);
      await eventually(async () => (await count('framesRejected')) >= before + 5_000, 'all counted', 30_000);
    })();
    expect(await servedDuring(flood)).to.be.above(0);
    const lines = manager.audited('message.rejected').filter(({ fields }) => {
      return isObject(fields) && fields['door'] === 'sink' && fields['code'] === 'UNAUTHENTICATED';
    });
    expect(lines).to.have.lengthOf.within(1, 2);
  });

  it('has changed nothing: the audit log is whole, and everybody good is still there', async () => {
    expect(await manager.status()).to.include({ status: 'running' });
    expect(await servedDuring(Promise.resolve())).to.equal(1);
  });
});

function residentBytes({ program: { pid } }: SecuredManager): number {
  const kibibytes = /^VmRSS:\s*(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kibibytes) * 1_024;
}

function includes(fields: JsonObject, expected: JsonObject): boolean {
  return Object.entries(expected).every(([name, value]) => fields[name] === value);
}
