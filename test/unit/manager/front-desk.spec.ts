import { expect } from 'chai';
import { newTally } from '../../../src/manager/counters.ts';
import { FrontDesk } from '../../../src/manager/front-desk.ts';
import { Signatures } from '../../../src/manager/signatures.ts';
import { KeyRing } from '../../../src/security/key-ring.ts';
import { parsePolicy } from '../../../src/security/policy-parser.ts';
import { Auditor } from '../../../src/store/auditor.ts';
import { isServiceManagerError, type ServiceManagerError } from '../../../src/wire/errors.ts';
import { openQuery, type Query, sealQuery } from '../../../src/wire/query.ts';
import { openRequest, RequestBody, sealRequest } from '../../../src/wire/request.ts';
import { type KeyOwner, keyEntryOf, keyOwner, signedBy } from '../../fakes/key-owners.ts';
import { ManagerDesks } from '../../fakes/manager-desks.ts';
import { idOf } from '../../fakes/stored-requests.ts';

const alice = keyOwner('operator', 'alice');
const watch = keyOwner('monitor', 'watch');
const mallory = keyOwner('operator', 'mallory');
const id = idOf(1);

/** A desk with two nodes behind it; with security it knows alice, and watch who may only look. */
async function open(isSecure = true) {
  const desks = await ManagerDesks.open();
  desks.join('web1', 'web2');
  await desks.settle();
  const { clock, log, audit, intake, queries } = desks;
  const ring = new KeyRing();
  ring.restore(
    [alice, watch].map((owner) => keyEntryOf(owner)),
    [],
  );
  const tally = newTally();
  const rejected: ServiceManagerError[] = [];
  const desk = new FrontDesk({
    ...{ clock, log, intake, queries, tally, auditor: new Auditor(audit, log, clock) },
    signatures: isSecure ? new Signatures({ ring, clock, requestsPerSecond: 100 }) : undefined,
    addressOf: ({ asker }) => (asker.name === 'alice' ? '10.0.0.7' : undefined),
    reject: (error) => rejected.push(error),
  });
  audit.events.length = 0;
  log.events.length = 0;
  return { desks, desk, tally, rejected, ring, audit, log, clock };
}

type Open = Awaited<ReturnType<typeof open>>;

function request(
  { desk, clock }: Open,
  by: KeyOwner | undefined,
  changes: Partial<RequestBody> = {},
): object {
  const nowMs = clock.wallMs();
  const body = RequestBody.parse({
    ...{ id, cmd: 'restart', topic: 'any', service: 'nginx' },
    ...{ windowMs: 5_000, notAfterMs: nowMs + 60_000, sentAtMs: nowMs, ...changes },
  });
  const sign = by === undefined ? undefined : (bytes: Buffer) => signedBy(by, 'request', bytes);
  return desk.request(openRequest(sealRequest(body, sign), () => idOf(9)));
}

function query({ desk, clock }: Open, by: KeyOwner | undefined, fields: Partial<Query>): object {
  const nowMs = clock.wallMs();
  const whole: Query = { v: 2, query: 'nodes', nonce: idOf(1), notAfterMs: nowMs + 60_000, ...fields };
  const sign = by === undefined ? undefined : (bytes: Buffer) => signedBy(by, 'query', bytes);
  return desk.query(openQuery(sealQuery(whole, sign)));
}

function policed(at: Open, ...rules: string[]): void {
  at.desks.policy.replace(parsePolicy(rules.join('\n'), { fileName: 'policy', checkTarget: () => {} }));
}

describe('a request', () => {
  it('of somebody who may is taken, counted, and logged with who it was', async () => {
    const at = await open();
    expect(request(at, alice)).to.include({ uuid: id, expected: 2 });
    expect(at.tally).to.include({ requests: 1, requestsRepeated: 0, requestsRefused: 0 });
    expect(at.log.named('request.opened').map(({ fields }) => fields)).to.deep.equal([
      {
        ...{ id, action: 'restart', topic: 'any', service: 'nginx', by: 'operator alice' },
        ...{ form: 'v2', expected: 2, withheld: 0 },
      },
    ]);
    expect(at.audit.names).to.deep.equal(['request.accepted']);
  });

  it('that comes again is counted as that, and no news', async () => {
    const at = await open();
    const first = request(at, alice);
    expect(request(at, alice)).to.deep.equal(first);
    expect(at.tally).to.include({ requests: 1, requestsRepeated: 1 });
    expect([at.audit.names, at.log.named('request.opened').length]).to.deep.equal([['request.accepted'], 1]);
  });

  it('that is refused is answered, counted, logged and audited with who asked from where', async () => {
    const at = await open();
    const msg = 'no node is in the target "web1 and not web1"';
    const topic = 'web1 and not web1';
    expect(request(at, alice, { topic })).to.deep.equal({ success: -1, code: 'NO_NODE', msg });
    expect(at.tally).to.include({ requests: 0, requestsRefused: 1 });
    const about = { id, action: 'restart', service: 'nginx' };
    expect(at.log.named('request.refused').map(({ fields }) => fields)).to.deep.equal([
      { ...about, topic, by: 'operator alice', code: 'NO_NODE', reason: msg },
    ]);
    expect(at.audit.events).to.deep.equal([
      [
        'request.refused',
        {
          ...{ ...about, target: topic, code: 'NO_NODE', reason: msg },
          ...{ operator: 'alice', fingerprint: alice.fingerprint, address: '10.0.0.7' },
        },
      ],
    ]);
  });

  it('without a good proof is refused, counted and audited as what strangers do', async () => {
    const at = await open();
    expect(request(at, mallory)).to.include({ success: -1, code: 'UNAUTHENTICATED' });
    expect([at.tally.requestsRefused, at.rejected.map(({ code }) => code)]).to.deep.equal([
      1,
      ['UNAUTHENTICATED'],
    ]);
    expect(at.audit.events).to.deep.equal([
      [
        'request.refused',
        {
          ...{ id, action: 'restart', service: 'nginx', target: 'any', code: 'UNAUTHENTICATED' },
          reason: `the request is signed with ${mallory.fingerprint}, which may not come in (any more)`,
          claimed: mallory.fingerprint,
        },
      ],
    ]);
    await at.desks.settle();
    expect([at.desks.dispatched, at.desks.requests.openCount]).to.deep.equal([[], 0]);
    for (let count = 0; count < 1_000; count += 1) request(at, undefined);
    expect(at.audit.events).to.have.length(500);
    expect(at.audit.events.at(-1)?.[1]).to.not.have.property('claimed');
    expect(at.tally.requestsRefused).to.equal(1_001);
  });

  it('that came too late is audited with whose signature it bears', async () => {
    const at = await open();
    expect(request(at, alice, { notAfterMs: 1 })).to.include({ code: 'REQUEST_EXPIRED' });
    expect(at.audit.named('request.refused')[0]).to.include({
      code: 'REQUEST_EXPIRED',
      claimed: alice.fingerprint,
    });
  });

  it('is taken from everybody where there is no security', async () => {
    const at = await open(false);
    expect(request(at, undefined)).to.include({ expected: 2 });
    expect(at.log.named('request.opened')[0]?.fields).to.not.have.property('by');
    expect(request(at, undefined, { id: idOf(2), topic: 'nosuch,web1' })).to.include({
      code: 'UNKNOWN_NODE',
    });
    expect(at.audit.named('request.refused')[0]).to.not.have.any.keys('operator', 'fingerprint', 'address');
  });

  it('is no way to hide a fault of ours', async () => {
    const at = await open();
    at.desks.requests.find = () => {
      throw new TypeError('a bug');
    };
    expect(() => request(at, alice)).to.throw(TypeError, 'a bug');
    at.ring.byFingerprint = () => {
      throw new TypeError('another bug');
    };
    expect(() => request(at, alice)).to.throw(TypeError, 'another bug');
  });
});

describe('a query', () => {
  it('that looks is answered and counted, and not audited', async () => {
    const at = await open();
    expect(query(at, watch, { query: 'nodes' })).to.include({ success: 0 });
    expect(query(at, alice, { query: 'requests' })).to.include({ success: 0 });
    expect([at.tally.queries, at.audit.events]).to.deep.equal([2, []]);
  });

  it('that looks for what is not there is refused, and not audited', async () => {
    const at = await open();
    expect(query(at, alice, { query: 'request', id })).to.include({ code: 'UNKNOWN_REQUEST' });
    expect(at.audit.events).to.deep.equal([]);
  });

  it('that changes something is audited with who asked from where', async () => {
    const at = await open();
    request(at, alice, { windowMs: 60_000 });
    at.audit.events.length = 0;
    const by = { operator: 'alice', fingerprint: alice.fingerprint, address: '10.0.0.7' };
    expect(query(at, alice, { query: 'cancel', id })).to.include({ success: 0 });
    expect(query(at, alice, { query: 'forget', node: 'web2' as never, nonce: idOf(2) })).to.include({
      success: 0,
    });
    expect(at.audit.events).to.deep.equal([
      ['query.cancel', { query: 'cancel', id, ...by }],
      ['query.forget', { query: 'forget', node: 'web2', ...by }],
    ]);
    await at.desks.settle();
    const [cancel] = at.desks.cancels;
    expect(JSON.parse(`${cancel?.bytes}`)).to.include({ query: 'cancel', id });
    expect(cancel?.signature).to.equal(signedBy(alice, 'query', cancel?.bytes ?? Buffer.alloc(0)));
  });

  it('that changes something and is refused is audited with why', async () => {
    const at = await open();
    expect(query(at, alice, { query: 'cancel', id })).to.include({ code: 'UNKNOWN_REQUEST' });
    policed(at, 'deny operator:alice * *', 'allow operator * *');
    at.desks.take(openRequest(sealRequest({ ...bodyOf(at), id: idOf(5) }), () => idOf(9)));
    const refused = query(at, alice, { query: 'cancel', id: idOf(5), nonce: idOf(2) });
    expect(refused).to.include({ code: 'POLICY_DENIED' });
    expect(at.audit.named('query.refused').map(({ code, operator }) => [code, operator])).to.deep.equal([
      ['UNKNOWN_REQUEST', 'alice'],
      ['POLICY_DENIED', 'alice'],
    ]);
  });

  it('of somebody who may not, or of nobody, is refused, and audited as what strangers do', async () => {
    const at = await open();
    expect(query(at, watch, { query: 'cancel', id })).to.include({ code: 'NOT_PERMITTED' });
    expect(query(at, mallory, { query: 'nodes' })).to.include({ code: 'UNAUTHENTICATED' });
    expect(query(at, undefined, { query: 'nodes' })).to.include({ code: 'UNAUTHENTICATED' });
    expect(
      at.audit.named('query.refused').map(({ query: name, code, claimed }) => [name, code, claimed]),
    ).to.deep.equal([
      ['cancel', 'NOT_PERMITTED', watch.fingerprint],
      ['nodes', 'UNAUTHENTICATED', mallory.fingerprint],
      ['nodes', 'UNAUTHENTICATED', undefined],
    ]);
    expect(at.rejected).to.have.length(3);
    for (const error of at.rejected) expect(isServiceManagerError(error)).to.equal(true);
  });

  it('is not carried out twice for a copy', async () => {
    const at = await open();
    request(at, alice, { windowMs: 60_000 });
    const changing = { query: 'forget', node: 'web2' as never } as const;
    expect(query(at, alice, changing)).to.include({ success: 0 });
    at.desks.join('web2');
    expect(query(at, alice, changing)).to.include({ code: 'REPLAYED' });
    expect(at.desks.presence.roster.get('web2')?.presence).to.equal('alive');
  });

  it('is answered to everybody where there is no security, and audited without a name', async () => {
    const at = await open(false);
    request(at, undefined, { windowMs: 60_000 });
    at.audit.events.length = 0;
    expect(query(at, undefined, { query: 'cancel', id })).to.include({ success: 0 });
    expect(at.audit.events).to.deep.equal([['query.cancel', { query: 'cancel', id }]]);
    await at.desks.settle();
    expect(at.desks.cancels).to.deep.equal([undefined, undefined]);
  });

  it('is no way to hide a fault of ours', async () => {
    const at = await open();
    at.desks.presence.roster.all = () => {
      throw new TypeError('a bug');
    };
    expect(() => query(at, alice, { query: 'nodes' })).to.throw(TypeError, 'a bug');
  });
});

function bodyOf({ clock }: Open): RequestBody {
  const notAfterMs = clock.wallMs() + 60_000;
  return RequestBody.parse({
    id,
    cmd: 'restart',
    topic: 'any',
    service: 'nginx',
    windowMs: 5_000,
    notAfterMs,
  });
}
