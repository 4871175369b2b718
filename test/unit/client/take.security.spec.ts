import { expect } from 'chai';
import type { AskDeps, AskOptions } from '../../../src/client/ask.ts';
import { Collection } from '../../../src/client/collection.ts';
import { Connections } from '../../../src/client/connections.ts';
import { History } from '../../../src/client/history.ts';
import { Identity } from '../../../src/client/identity.ts';
import { askPlan, queryFrame, requestFrame, take } from '../../../src/client/take.ts';
import { watchByTakeover } from '../../../src/client/takeover.ts';
import { newCurveKeys } from '../../../src/security/keys.ts';
import { verifyBody } from '../../../src/security/signature.ts';
import { isTooFarAhead, longestLifeMs } from '../../../src/security/skew.ts';
import { isServiceManagerError } from '../../../src/wire/errors.ts';
import { openQuery } from '../../../src/wire/query.ts';
import { openRequest, RequestBody } from '../../../src/wire/request.ts';
import { keyFileOf, keyOwner } from '../../fakes/key-owners.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { MemorySockets } from '../../fakes/memory-sockets.ts';
import { SecuredFrontend } from '../../fakes/secured-frontend.ts';
import { idOf } from '../../fakes/stored-requests.ts';

const alice = keyOwner('operator', 'alice');
const keyOf = () => alice.keys.sign;
const planToken = '0123456789abcdef';

/** Alice, or nobody in particular, with managers that she has joined. */
async function asking(isSecure = true) {
  const clock = new ManualClock();
  const sockets = new MemorySockets({ clock });
  const m1 = await new SecuredFrontend(sockets, clock, 1).start();
  const m2 = await new SecuredFrontend(sockets, clock, 2).start();
  const managers = [m1.known, m2.known];
  const identity = new Identity({ keys: keyFileOf(alice), managers, keep: () => {} });
  const connections = new Connections(sockets, clock, identity);
  let ids = 100;
  const newId = () => {
    ids += 1;
    return idOf(ids);
  };
  const deps: AskDeps = { connections, clock, newId, identity: isSecure ? identity : undefined };
  const options: AskOptions = { endpoints: [m1.endpoint, m2.endpoint], timeoutMs: 1_000, retries: 3 };
  const body = RequestBody.parse({
    ...{ id: idOf(1), cmd: 'restart', topic: 'any', service: 'nginx' },
    notAfterMs: clock.wallMs() + 5_000,
  });
  const patience = { deadlineMs: clock.now() + 5_000, signal: undefined };
  return { clock, m1, m2, deps, options, body, patience };
}

describe('a request of somebody who has keys', () => {
  it('is signed by him, byte for byte as a manager passes it on', async () => {
    const { body, deps } = await asking();
    const opened = openRequest(requestFrame(body, deps), () => idOf(9));
    expect([opened.version, opened.body]).to.deep.equal(['v2', body]);
    expect(verifyBody('request', opened.bodyBytes, opened.signature, keyOf)).to.deep.equal({
      isGood: true,
      fingerprint: alice.fingerprint,
    });
  });

  it('is the same frame however often it is sent, and to whom', async () => {
    const { clock, m1, m2, body, patience, options, deps } = await asking();
    m1.reply = undefined;
    const taking = take(body, patience, { ...options, retries: 2 }, deps);
    m2.reply = undefined;
    await clock.advanceAsync(2_500);
    m2.reply = { uuid: body.id, port: 5_752 };
    await clock.advanceAsync(2_500);
    expect((await taking).endpoint).to.equal(m2.endpoint);
    const frames = [...m1.asked, ...m2.asked];
    expect(frames).to.deep.equal(Array.from({ length: 4 }, () => String(requestFrame(body, deps))));
  });

  it('is not signed where nobody has keys', async () => {
    const { body, deps } = await asking(false);
    expect(JSON.parse(String(requestFrame(body, deps)))).to.deep.equal({
      ...{ cmd: 'restart', topic: 'any', service: 'nginx', v: 2 },
      ...{ body: JSON.stringify(body), signature: '' },
    });
  });

  it('is planned by a signed question before it is sent, when it has limits', async () => {
    const { clock, m1, body, patience, options, deps } = await asking();
    m1.reply = { success: 0, plan: planToken, nodes: ['web1'], absent: [], unnamed: 0, withheld: 0 };
    const planning = askPlan({ ...body, limit: '1' }, patience, options, deps);
    await clock.advanceAsync(0);
    expect((await planning).reply.plan).to.equal(planToken);
    const { query, signed } = openQuery(Buffer.from(m1.asked[0] ?? ''));
    expect(query.query).to.equal('plan');
    expect(JSON.parse(query.body ?? '')).to.deep.equal({ ...body, limit: '1' });
    expect(signed && verifyBody('query', signed.bytes, signed.signature, keyOf).isGood).to.equal(true);
  });
});

describe('a question of somebody who has keys', () => {
  it('is signed, says when it was made and until when it is good, and is another one each time', async () => {
    const { clock, deps, patience } = await asking();
    const frames = [1, 2].map(() => openQuery(queryFrame({ query: 'cancel', id: idOf(1) }, patience, deps)));
    for (const { query, signed } of frames) {
      expect(signed && verifyBody('query', signed.bytes, signed.signature, keyOf).isGood).to.equal(true);
      expect(query).to.deep.include({
        ...{ v: 2, query: 'cancel', id: idOf(1), sentAtMs: clock.wallMs() },
        notAfterMs: clock.wallMs() + 5_000 + 30_000,
      });
    }
    expect(frames.map(({ query }) => query.nonce)).to.deep.equal([idOf(101), idOf(102)]);
  });

  it('is good for no longer than a manager takes, however long it is waited for', async () => {
    const { clock, deps } = await asking();
    for (const waitMs of [longestLifeMs, 10 * longestLifeMs, Number.POSITIVE_INFINITY]) {
      const patience = { deadlineMs: clock.now() + waitMs, signal: undefined };
      const { query } = openQuery(queryFrame({ query: 'nodes' }, patience, deps));
      // Also by the clock of a manager that is behind.
      expect(isTooFarAhead(query.notAfterMs ?? 0, clock.wallMs() - 30_000), String(waitMs)).to.equal(false);
    }
  });

  it('is good for a moment also when nobody waits for it any more', async () => {
    const { clock, deps } = await asking();
    const patience = { deadlineMs: clock.now() - 60_000, signal: undefined };
    const { query } = openQuery(queryFrame({ query: 'nodes' }, patience, deps));
    expect(query.notAfterMs).to.equal(clock.wallMs() + 30_000);
  });

  it('is another one when it is asked again, so that a manager does not refuse it as a copy', async () => {
    const { clock, m1, deps, options } = await asking();
    m1.reply = undefined;
    const history = new History({ ...options, endpoints: [m1.endpoint] }, deps);
    const asked = history
      .forget('web1')
      .catch((error: unknown) => isServiceManagerError(error) && error.code);
    await clock.advanceAsync(3_000);
    expect(await asked).to.equal('MANAGER_UNREACHABLE');
    const queries = m1.asked.map((frame) => openQuery(Buffer.from(frame)).query);
    expect(queries.map(({ nonce }) => nonce)).to.deep.equal([idOf(101), idOf(102), idOf(103)]);
    // Good for as long as the client waits, and no longer each time.
    expect(queries.map(({ notAfterMs = 0 }) => notAfterMs - clock.wallMs())).to.deep.equal([
      ...[30_000, 30_000, 30_000],
    ]);
  });

  it('is refused before it is signed when it is no good', async () => {
    const { m1, deps, options } = await asking();
    const error: unknown = await new History(options, deps).show('x').catch((thrown: unknown) => thrown);
    expect(error).to.include({ code: 'INVALID_MESSAGE' });
    expect(m1.asked).to.deep.equal([]);
  });
});

describe('a request that is watched', () => {
  it('is handed to the next manager in the same words, when the first one goes', async () => {
    const { clock, m1, m2, body, options, deps } = await asking();
    const { connections } = deps;
    const patience = { deadlineMs: clock.now() + 60_000, signal: undefined };
    const collection = new Collection({
      ...{ id: body.id, isRollout: false, isFollowed: false, deadlineMs: clock.now() + 60_000 },
      ...{ signal: undefined, connections, clock },
    });
    watchByTakeover(m1.endpoint, body, collection, patience, options, deps);
    await clock.advanceAsync(1_000);
    expect([m1.asked.length, m2.asked.length]).to.deep.equal([1, 0]);
    m1.reply = undefined;
    m2.reply = { uuid: body.id, port: m2.publisherPort };
    await clock.advanceAsync(2_500);
    expect(m2.asked[0]).to.equal(m1.asked[0]);
    expect(m2.subscriptions).to.include(`+${body.id}`);
    collection.close();
  });

  it('is not lost when its manager gets another key meanwhile', async () => {
    const { clock, m1, body, options, deps } = await asking();
    const { connections } = deps;
    const patience = { deadlineMs: clock.now() + 60_000, signal: undefined };
    const collection = new Collection({
      ...{ id: body.id, isRollout: false, isFollowed: false, deadlineMs: clock.now() + 60_000 },
      ...{ signal: undefined, connections, clock },
    });
    collection.listen(connections.publisherOf(m1.endpoint, m1.publisherPort));
    watchByTakeover(m1.endpoint, body, collection, patience, options, deps);
    const next = newCurveKeys();
    m1.nextKeys = next;
    await clock.advanceAsync(1_000);
    m1.subscriptions.length = 0;
    await m1.reopen(next);
    await clock.advanceAsync(0);
    expect(m1.subscriptions.filter((line) => line.startsWith('+'))).to.include(`+${body.id}`);
    collection.close();
  });
});
