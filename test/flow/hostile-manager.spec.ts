import { expect } from 'chai';
import { outcomeOfAnswer } from '../../src/core/outcome.ts';
import { controlFrames, dispatchFramesV2, type Signed } from '../../src/wire/dispatch.ts';
import type { RequestId } from '../../src/wire/fields.ts';
import { Query } from '../../src/wire/query.ts';
import { RequestBody } from '../../src/wire/request.ts';
import { addressFrame, everyAgent, topicFrame } from '../../src/wire/topic.ts';
import { signedBy } from '../fakes/key-owners.ts';
import { signedQuery, signedRequest } from '../fakes/signed-words.ts';
import { Fleet } from './fleet.ts';
import { HostileManager } from './hostile-manager.ts';

const second = 1_000;
const day = 86_400_000;
const web = ['web1', 'web2'] as const;

interface Sent {
  readonly id: RequestId;
  readonly signed: Signed;
}

/** Two nodes that obey alice alone, all that a manager ever sent them, and how to put somebody else in its place. */
async function obeying(policy?: Parameters<typeof Fleet.start>[0]) {
  const nodes = web.map((name) => ({ name, trust: 'operators' as const }));
  const fleet = await Fleet.start({ nodes, isSecure: true, ...policy });
  const sent: Sent[] = [];
  fleet.network.count(({ from, kind, frames: [, , bytes, signature] }) => {
    if (from !== 'm1' || kind !== 'request' || !bytes || !signature) return false;
    sent.push({ id: RequestBody.decode(bytes).id, signed: { bytes, signature: `${signature}` } });
    return false;
  });
  return {
    ...{ fleet, sent },
    runs: () => fleet.nodes.flatMap(({ name, processes }) => processes.runs.map((run) => `${name} ${run}`)),
    steal: () => HostileManager.inPlaceOf(fleet.manager(), fleet),
    bodyOf: (changes: Partial<RequestBody> = {}) =>
      RequestBody.parse({
        ...{ id: fleet.newId(), cmd: 'stop', topic: 'any', service: 'nginx' },
        notAfterMs: fleet.clock.wallMs() + 5 * second,
        ...changes,
      }),
  };
}

describe('a manager that was taken over, and nodes that obey nobody but operators', () => {
  it('runs nothing that it makes up, in whichever form', async () => {
    const { fleet, steal, bodyOf, runs } = await obeying();
    const hostile = await steal();
    const body = bodyOf();
    const [bob, eyes] = [fleet.keys.operator('bob'), fleet.keys.monitor()];
    // Unsigned, by an operator and by a monitor that the manager knows, by an operator that it made up, and by an agent.
    const agent = { ...fleet.keys.agent('web2'), sign: bob.sign };
    const words = [bob, eyes, agent].map((who) => signedRequest(body, who));
    for (const signed of [{ ...signedRequest(body, bob), signature: '' }, ...words]) {
      await hostile.request('web1', body.id, signed);
      expect(hostile.heard()).to.deep.equal(['web1 UNAUTHENTICATED']);
    }
    // To all at once, and in the form of 2014.
    const { bytes: bodyBytes, signature } = signedRequest(body, bob);
    await hostile.send(dispatchFramesV2(topicFrame('any', 'v2'), { id: body.id, bodyBytes, signature }));
    expect(hostile.heard().sort()).to.deep.equal(['web1 UNAUTHENTICATED', 'web2 UNAUTHENTICATED']);
    expect(runs()).to.deep.equal([]);
  });

  it('runs nothing that it alters of what was signed', async () => {
    const { fleet, sent, steal, runs } = await obeying();
    await fleet.ask({ action: 'reload' });
    const before = runs();
    const hostile = await steal();
    const [{ id, signed } = { id: fleet.newId(), signed: undefined }] = sent;
    if (signed === undefined) throw new Error('nothing was sent');
    const said = RequestBody.decode(signed.bytes);
    const others: Array<Partial<RequestBody>> = [
      { cmd: 'stop' as never },
      { service: 'redis' as never },
      { id: fleet.newId() },
      { notAfterMs: said.notAfterMs === undefined ? 0 : said.notAfterMs + day },
    ];
    for (const change of others) {
      const altered = { ...said, ...change };
      await hostile.request('web1', altered.id, { ...signed, bytes: RequestBody.encode(altered) });
      expect(hostile.heard()).to.deep.equal(['web1 UNAUTHENTICATED']);
    }
    // Under a header that says another request.
    await hostile.request('web1', fleet.newId(), signed);
    expect(hostile.heard()).to.deep.equal(['web1 BODY_MISMATCH']);
    expect(id).to.equal(said.id);
    expect(runs()).to.deep.equal(before);
  });

  it('runs nothing where it was not meant to run', async () => {
    const { fleet, sent, steal, runs } = await obeying();
    for (const order of [{ topic: 'web2' }, { topic: 'any', exclude: 'web1' }, { nodes: ['web2'] }])
      await fleet.ask({ ...order, action: 'status' });
    const before = runs();
    const hostile = await steal();
    for (const { id, signed } of sent) await hostile.request('web1', id, signed);
    expect(hostile.heard()).to.deep.equal(['web1 NOT_MEANT', 'web1 NOT_MEANT', 'web1 NOT_MEANT']);
    expect(runs()).to.deep.equal(before);
  });

  it('runs nothing a second time, also at agents that were started anew', async () => {
    const { fleet, sent, steal, runs } = await obeying();
    await fleet.ask({});
    const before = runs();
    expect(before).to.have.members(['web1 service nginx restart', 'web2 service nginx restart']);
    const hostile = await steal();
    const [{ id, signed } = { id: fleet.newId(), signed: undefined }] = sent;
    if (signed === undefined) throw new Error('nothing was sent');
    await hostile.request('web1', id, signed);
    expect(hostile.heard()).to.deep.equal(['web1 0']);
    fleet.node('web1').kill();
    await fleet.node('web1').start();
    await fleet.pass(second);
    hostile.heard();
    await hostile.request('web1', id, signed);
    expect(hostile.heard()).to.include('web1 0');
    expect(runs()).to.deep.equal(before);
  });

  it('runs nothing that it has kept back until its time was over, whatever it says about that', async () => {
    const { fleet, steal, bodyOf, runs } = await obeying();
    const body = bodyOf({ cmd: 'restart' as never });
    const timeless = bodyOf({ cmd: 'restart' as never });
    delete (timeless as { notAfterMs?: number }).notAfterMs;
    const eternal = bodyOf({ notAfterMs: fleet.clock.wallMs() + 30 * day });
    const words = [body, timeless, eternal].map((each) => signedRequest(each, fleet.keys.operator()));
    const hostile = await steal();
    await fleet.pass(40 * second);
    const soon = fleet.clock.wallMs() + second;
    for (const [index, each] of [body, timeless, eternal].entries()) {
      const signed = words[index];
      if (signed !== undefined) await hostile.request('web1', each.id, signed, soon);
    }
    expect(hostile.answers.map(outcomeOfAnswer)).to.deep.equal(['expired', 'refused', 'refused']);
    expect(hostile.heard()).to.deep.equal([
      ...['web1 REQUEST_EXPIRED', 'web1 INVALID_MESSAGE', 'web1 INVALID_MESSAGE'],
    ]);
    expect(runs()).to.deep.equal([]);
  });

  it('ends nothing that runs without the word of an operator', async () => {
    const { fleet, steal, runs } = await obeying();
    fleet.node('web1').hold('nginx restart');
    const run = fleet.send({ topic: 'web1' });
    await fleet.pass(500);
    const hostile = await steal();
    const to = addressFrame('web1' as never);
    const alice = fleet.keys.operator();
    const words = [
      undefined,
      signedQuery({ id: run.id }, fleet.keys.operator('bob')),
      signedQuery({ id: fleet.newId() }, alice),
      signedQuery({ id: run.id, query: 'request' }, alice),
      { bytes: signedQuery({ id: run.id }, alice).bytes, signature: '' },
      // What she has signed as a request is no word to end one.
      ofRequest(signedQuery({ id: run.id }, alice).bytes, (bytes) => signedBy(alice, 'request', bytes)),
    ];
    for (const signed of words) await hostile.send(controlFrames(to, { type: 'cancel', id: run.id, signed }));
    expect([hostile.heard(), fleet.node('web1').processes.held]).to.deep.equal([
      [],
      ['service nginx restart'],
    ]);
    expect(fleet.node('web1').audit.named('cancel.refused')).to.have.length(words.length);
    fleet.node('web1').release('nginx restart');
    await fleet.pass(100);
    expect(hostile.heard()).to.deep.equal(['web1 0']);
    expect(runs()).to.deep.equal(['web1 service nginx restart']);
  });

  it('is written down at each node, with what it wanted and why it was refused', async () => {
    const { steal, bodyOf, fleet } = await obeying();
    const hostile = await steal();
    const body = bodyOf();
    await hostile.request('web1', body.id, signedRequest(body, fleet.keys.operator('bob')));
    await hostile.request('web1', fleet.newId(), signedRequest(body, fleet.keys.operator()));
    const { audit } = fleet.node('web1');
    const [refused] = audit.named('request.refused');
    expect(refused).to.include({
      ...{ id: body.id, action: 'stop', service: 'nginx', target: 'any', manager: 'm1' },
      code: 'UNAUTHENTICATED',
    });
    const [rejected] = audit.named('message.rejected');
    expect(rejected).to.include({ door: 'backend', code: 'BODY_MISMATCH' });
  });

  it('can stop no agent, and make none believe that another one has its name for long', async () => {
    const { fleet, steal } = await obeying();
    const hostile = await steal();
    const boots = ['a'.repeat(32), 'b'.repeat(32)] as never[];
    await hostile.send(controlFrames(addressFrame(everyAgent), { type: 'conflict', boots }));
    const garbage = [Buffer.from('x'), Buffer.alloc(0), Buffer.from('{"v":2,"type":"shutdown"}')];
    for (const header of garbage)
      await hostile.send([addressFrame('web1' as never), header, Buffer.alloc(0), Buffer.alloc(0)]);
    await fleet.pass(25 * second);
    const body = RequestBody.parse({
      ...{ id: fleet.newId(), cmd: 'status', topic: 'any', service: 'nginx' },
      notAfterMs: fleet.clock.wallMs() + second,
    });
    hostile.heard();
    await hostile.request('web1', body.id, signedRequest(body, fleet.keys.operator()));
    expect(hostile.heard()).to.deep.equal(['web1 0']);
  });
});

describe('one of two managers that was taken over', () => {
  it('cannot keep a node from the other one by a warning of a name that is used twice', async () => {
    const fleet = await Fleet.start({ managers: ['m1', 'm2'], nodes: ['web1'], isSecure: true });
    const hostile = await HostileManager.inPlaceOf(fleet.manager('m1'), fleet);
    await hostile.send(controlFrames(addressFrame('web1' as never), { type: 'conflict', boots: [] }));
    const run = await fleet.ask({}, fleet.client({ managers: ['m2'] }));
    expect(run.outcomes).to.deep.equal({ web1: 'ok' });
  });
});

describe('a manager that lets in an operator of its own', () => {
  it('sees in its ledger that the nodes refuse him', async () => {
    const { fleet, runs } = await obeying();
    // The manager knows bob, and the nodes do not.
    const run = await fleet.ask({}, fleet.client({ as: fleet.keys.operator('bob') }));
    expect(run.outcomes).to.deep.equal({ web1: 'refused', web2: 'refused' });
    const { request } = await fleet.settled(fleet.client().history.show(run.id));
    expect([request.by, request.counts]).to.deep.equal(['operator bob', { refused: 2 }]);
    expect(run.answers.map((answer) => 'code' in answer && answer.code)).to.deep.equal([
      ...['UNAUTHENTICATED', 'UNAUTHENTICATED'],
    ]);
    expect((await fleet.ask({})).outcomes).to.deep.equal({ web1: 'ok', web2: 'ok' });
    expect(runs()).to.have.length(2);
  });

  it('cannot have him end what another one began', async () => {
    const { fleet } = await obeying();
    fleet.node('web1').hold('nginx restart');
    const run = fleet.send({ topic: 'web1', windowMs: 20 * second });
    await fleet.pass(500);
    const { history } = fleet.client({ as: fleet.keys.operator('bob') });
    await fleet.settled(history.cancel(run.id));
    await fleet.pass(second);
    expect(fleet.node('web1').processes.held).to.deep.equal(['service nginx restart']);
    fleet.node('web1').release('nginx restart');
    await fleet.until(() => run.isOver, 'the request is over');
    expect(run.outcomes).to.deep.equal({ web1: 'ok' });
  });
});

function ofRequest(bytes: Buffer, sign: (bytes: Buffer) => string): Signed {
  expect(Query.tryDecode(bytes)).not.to.equal(undefined);
  return { bytes, signature: sign(bytes) };
}
