import { expect } from 'chai';
import { bindSockets } from '../../../src/manager/bound-sockets.ts';
import { newTally } from '../../../src/manager/counters.ts';
import { Desks } from '../../../src/manager/desks.ts';
import type { Gatehouse } from '../../../src/manager/gatehouse.ts';
import { Closing } from '../../../src/platform/closing.ts';
import { sha256 } from '../../../src/platform/node/hash.ts';
import { serve } from '../../../src/platform/serve.ts';
import { parsePolicy } from '../../../src/security/policy-parser.ts';
import { MemoryStore } from '../../../src/store/memory-store.ts';
import { type Dispatch, openDispatch } from '../../../src/wire/dispatch.ts';
import type { ServiceManagerError } from '../../../src/wire/errors.ts';
import type { Topic } from '../../../src/wire/fields.ts';
import { NodesReply, openQuery, sealQuery } from '../../../src/wire/query.ts';
import { openRequest, RequestBody, sealRequest } from '../../../src/wire/request.ts';
import { TestGate } from '../../fakes/gatehouses.ts';
import { keyOwner, signedBy } from '../../fakes/key-owners.ts';
import { helloOf } from '../../fakes/manager-desks.ts';
import { MemorySockets } from '../../fakes/memory-sockets.ts';
import { idOf } from '../../fakes/stored-requests.ts';

const web1 = keyOwner('agent', 'web1');
const alice = keyOwner('operator', 'alice');
const endpoints = {
  frontendEndpoint: 'tcp://*:5500',
  backendEndpoint: 'tcp://*:5600',
  sinkEndpoint: 'tcp://*:5700',
  mgmtEndpoint: 'tcp://*:5800',
  publisherEndpoint: 'tcp://*:5750',
};

/** The desks of a manager with one node, with security or without. */
async function open(isSecure: boolean) {
  const test = new TestGate([web1, alice]);
  const { clock, log, auditor, audit } = test;
  const gate: Gatehouse | undefined = isSecure ? test.gate : undefined;
  const memory = new MemorySockets({ clock });
  const store = new MemoryStore();
  const plain = { sockets: memory, store, securityOf: undefined, joinEndpoint: undefined };
  const sockets = await bindSockets(endpoints, plain, new Closing());
  const rejected: ServiceManagerError[] = [];
  const desks = new Desks({
    ...{ clock, log, store, sha256, sockets, auditor, tally: newTally(), gate },
    reject: (error) => rejected.push(error),
  });
  const dispatched: Dispatch[] = [];
  const agent = memory.connectSubscriber('tcp://localhost:5600');
  agent.subscribe('');
  void serve(agent, (frames) => dispatched.push(openDispatch(frames)));
  void serve(sockets.backend, () => {});
  desks.presence.message({ type: 'hello', hello: helloOf('web1') });
  desks.presence.subscription({ version: 'v2', topic: 'any' as Topic, isSubscribed: true });
  await clock.advanceAsync(10);
  return { test, desks, clock, audit, dispatched, rejected };
}

type Open = Awaited<ReturnType<typeof open>>;

function ask({ desks, clock }: Open, number: number, isSigned: boolean, changes: Partial<RequestBody> = {}) {
  const notAfterMs = clock.wallMs() + 60_000;
  const whole = { id: idOf(number), cmd: 'restart', topic: 'any', service: 'nginx', notAfterMs, ...changes };
  const sign = isSigned ? (bytes: Buffer) => signedBy(alice, 'request', bytes) : undefined;
  return desks.front.request(openRequest(sealRequest(RequestBody.parse(whole), sign), () => idOf(9)));
}

function show({ desks, clock }: Open, isSigned: boolean) {
  const query = { v: 2, query: 'nodes', notAfterMs: clock.wallMs() } as const;
  const sign = isSigned ? (bytes: Buffer) => signedBy(alice, 'query', bytes) : undefined;
  return NodesReply.parse(JSON.parse(JSON.stringify(desks.front.query(openQuery(sealQuery(query, sign))))));
}

describe('the desks of a manager with security', () => {
  it('hand on what somebody known has signed, in his words', async () => {
    const at = await open(true);
    expect(ask(at, 1, true)).to.include({ uuid: idOf(1), expected: 1 });
    await at.clock.advanceAsync(10);
    const [request] = at.dispatched.filter(({ type }) => type === 'request');
    if (request?.type !== 'request' || request.signed === undefined) throw new Error('it was not sent');
    expect(request.signed.signature).to.equal(signedBy(alice, 'request', request.signed.bytes));
    expect(at.audit.named('request.accepted')[0]).to.include({ operator: 'alice' });
  });

  it('take nothing that nobody has signed', async () => {
    const at = await open(true);
    expect(ask(at, 1, false)).to.include({ code: 'UNAUTHENTICATED' });
    await at.clock.advanceAsync(10);
    expect(at.dispatched.filter(({ type }) => type === 'request')).to.deep.equal([]);
    expect(at.rejected.map(({ code }) => code)).to.deep.equal(['UNAUTHENTICATED']);
  });

  it('go by the policy and the limits of the gatehouse, also when these are replaced', async () => {
    const at = await open(true);
    const { gate } = at.test;
    expect(
      [1, 2, 3].map((number) => ask(at, number, true)).map((reply) => 'code' in reply && reply.code),
    ).to.deep.equal([false, false, 'TOO_BUSY']);
    gate.reconfigure({ requestsPerSecond: 100, openRequests: 10 });
    gate.policy.replace(parsePolicy('deny restart *', { fileName: 'policy', checkTarget: () => {} }));
    expect(ask(at, 4, true)).to.include({ expected: 1 });
    expect(at.desks.requests.find(idOf(4))?.entries()).to.deep.include({
      ...{ node: 'web1', phase: 'done', outcome: 'refused', isAnonymous: false },
    });
  });

  it('show the nodes with the fingerprints of their keys', async () => {
    const at = await open(true);
    expect(show(at, true).nodes.map(({ fingerprint }) => fingerprint)).to.deep.equal([web1.fingerprint]);
  });

  it('tell the agents which key the manager is going to have', async () => {
    const at = await open(true);
    at.test.gate.keys.handlers()['manager.keys.rotate']?.({ overlapMs: 60_000 });
    at.clock.advance(10_000);
    at.desks.presence.tick();
    await at.clock.advanceAsync(10);
    const { nextKey } = at.test.gate.own;
    expect(at.dispatched.filter(({ type }) => type === 'pulse')).to.deep.equal([{ type: 'pulse', nextKey }]);
  });
});

describe('the desks of a manager without security', () => {
  it('take everything from everybody, as many at a time as there is room for', async () => {
    const at = await open(false);
    for (let number = 1; number <= 20; number += 1)
      expect(ask(at, number, false)).to.include({ expected: 1 });
    expect(show(at, false).nodes[0]).to.not.have.property('fingerprint');
  });

  it('tell the agents of no key', async () => {
    const at = await open(false);
    at.desks.presence.tick();
    await at.clock.advanceAsync(10);
    expect(at.dispatched.filter(({ type }) => type === 'pulse')).to.deep.equal([{ type: 'pulse' }]);
  });
});
