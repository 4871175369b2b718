import { expect } from 'chai';
import { Signatures } from '../../../src/manager/signatures.ts';
import { KeyRing } from '../../../src/security/key-ring.ts';
import type { SignedKind } from '../../../src/security/signature.ts';
import { openQuery, type Query, type QueryName, queryNames, sealQuery } from '../../../src/wire/query.ts';
import { openRequest, RequestBody, sealRequest } from '../../../src/wire/request.ts';
import { type KeyOwner, keyEntryOf, keyOwner, signedBy } from '../../fakes/key-owners.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { idOf } from '../../fakes/stored-requests.ts';
import { refusalOf } from '../security/refusal.ts';

const alice = keyOwner('operator', 'alice');
const bob = keyOwner('operator', 'bob');
const watch = keyOwner('monitor', 'watch');
const web1 = keyOwner('agent', 'web1');
const stranger = keyOwner('operator', 'mallory');

function desk(requestsPerSecond = 100) {
  const clock = new ManualClock();
  const ring = new KeyRing();
  ring.restore(
    [alice, bob, watch, web1].map((owner) => keyEntryOf(owner)),
    [],
  );
  return { clock, ring, signatures: new Signatures({ ring, clock, requestsPerSecond }) };
}

type Desk = ReturnType<typeof desk>;

function bodyOf({ clock }: Desk, changes: Readonly<Record<string, unknown>> = {}): RequestBody {
  const nowMs = clock.wallMs();
  const dates = { notAfterMs: nowMs + 60_000, sentAtMs: nowMs };
  return RequestBody.parse({
    ...{ id: idOf(1), cmd: 'restart', topic: 'any', service: 'nginx', ...dates },
    ...changes,
  });
}

/** As it arrives at the manager, signed by this one over what is said to be this kind. */
function request(at: Desk, by: KeyOwner, changes = {}, kind: SignedKind = 'request') {
  const frame = sealRequest(bodyOf(at, changes), (bytes) => signedBy(by, kind, bytes));
  return openRequest(frame, () => idOf(9));
}

function query(at: Desk, by: KeyOwner, changes: Partial<Query> = {}, kind: SignedKind = 'query') {
  const nowMs = at.clock.wallMs();
  const whole: Query = {
    ...{ v: 2, query: 'nodes', nonce: idOf(1), notAfterMs: nowMs + 60_000, sentAtMs: nowMs },
    ...changes,
  };
  return openQuery(sealQuery(whole, (bytes) => signedBy(by, kind, bytes)));
}

function refusal(action: () => unknown): string {
  const { code, message } = refusalOf(action);
  return `${code}: ${message}`;
}

function without(field: string, { body, ...rest }: ReturnType<typeof request>) {
  const { [field as 'notAfterMs']: _, ...others } = body;
  return { ...rest, body: others };
}

describe('who signed a request', () => {
  it('is an operator or a monitor that the manager has accepted', () => {
    const at = desk();
    for (const owner of [alice, bob, watch]) {
      const { role, name, fingerprint } = owner;
      expect(at.signatures.ofRequest(request(at, owner))).to.deep.equal({
        asker: { role, name },
        fingerprint,
      });
    }
  });

  it('is asked of a query as well', () => {
    const at = desk();
    const { fingerprint } = watch;
    expect(at.signatures.ofQuery(query(at, watch))).to.deep.equal({
      asker: { role: 'monitor', name: 'watch' },
      fingerprint,
    });
  });

  it('may retire, and is known all the same', () => {
    const at = desk();
    at.ring.restore([keyEntryOf(alice, { state: 'retiring', untilWallMs: at.clock.wallMs() + 1 })], []);
    expect(at.signatures.ofRequest(request(at, alice)).asker.name).to.equal('alice');
  });
});

describe('a request without a good signature is refused', () => {
  it('when it is of 2014, which has none', () => {
    const at = desk();
    const frame = Buffer.from(JSON.stringify({ cmd: 'stop', topic: 'any', service: 'sshd' }));
    const opened = openRequest(frame, () => idOf(9));
    expect(refusal(() => at.signatures.ofRequest(opened))).to.match(/^UNAUTHENTICATED: a request of 2014/);
  });

  it('when it is of 2014 and somebody put a signature beside it', () => {
    const at = desk();
    const v1 = { ...request(at, alice), version: 'v1' as const };
    expect(refusal(() => at.signatures.ofRequest(v1))).to.match(/^UNAUTHENTICATED: a request of 2014/);
  });

  it('when nobody has signed it', () => {
    const at = desk();
    const opened = openRequest(sealRequest(bodyOf(at)), () => idOf(9));
    expect(refusal(() => at.signatures.ofRequest(opened))).to.match(/^UNAUTHENTICATED: .* no operator/);
    const asked = openQuery(sealQuery({ v: 2, query: 'nodes' }, undefined));
    expect(refusal(() => at.signatures.ofQuery(asked))).to.match(/^UNAUTHENTICATED: the query nodes/);
    const empty = openQuery(sealQuery({ v: 2, query: 'nodes' }, () => ''));
    expect(refusal(() => at.signatures.ofQuery(empty))).to.match(/^UNAUTHENTICATED: .* without a signature/);
  });

  for (const signature of ['x', '1..', `1.${alice.fingerprint}.${'A'.repeat(85)}`, `2.${alice.fingerprint}.`])
    it(`when that is of no known form (${signature.slice(0, 12)})`, () => {
      const at = desk();
      expect(refusal(() => at.signatures.ofRequest({ ...request(at, alice), signature }))).to.equal(
        'UNAUTHENTICATED: the signature of the request is of no known form',
      );
    });

  it('when the manager does not know the key', () => {
    const at = desk();
    for (const kind of ['pending', 'rejected', 'revoked'] as const) {
      at.ring.restore([keyEntryOf(stranger, { state: kind })], []);
      expect(refusal(() => at.signatures.ofRequest(request(at, stranger)))).to.equal(
        `UNAUTHENTICATED: the request is signed with ${stranger.fingerprint}, which may not come in (any more)`,
      );
    }
  });

  it('from the moment on in which its key is revoked, and no other key with it', () => {
    const at = desk();
    at.signatures.ofRequest(request(at, alice));
    at.ring.revoke(alice.fingerprint, at.clock.wallMs());
    expect(refusal(() => at.signatures.ofRequest(request(at, alice)))).to.match(/^UNAUTHENTICATED/);
    expect(refusal(() => at.signatures.ofQuery(query(at, alice)))).to.match(/^UNAUTHENTICATED/);
    expect(at.signatures.ofRequest(request(at, bob)).asker.name).to.equal('bob');
  });

  it('when an agent has signed it', () => {
    const at = desk();
    expect(refusal(() => at.signatures.ofRequest(request(at, web1)))).to.match(/^UNAUTHENTICATED/);
    expect(refusal(() => at.signatures.ofQuery(query(at, web1)))).to.match(/^UNAUTHENTICATED/);
  });

  it('when one byte of its body is another, whichever it is', () => {
    const at = desk();
    const good = request(at, alice);
    for (let place = 0; place < good.bodyBytes.length; place += 1) {
      const bodyBytes = Buffer.from(good.bodyBytes);
      bodyBytes[place] = (bodyBytes[place] ?? 0) ^ 1;
      expect(refusal(() => at.signatures.ofRequest({ ...good, bodyBytes }))).to.equal(
        `UNAUTHENTICATED: the request is not what ${alice.fingerprint} has signed`,
      );
    }
  });

  it('when it bears the name of another operator', () => {
    const at = desk();
    const good = request(at, alice);
    const signature = good.signature.replace(alice.fingerprint, bob.fingerprint);
    expect(refusal(() => at.signatures.ofRequest({ ...good, signature }))).to.match(/^UNAUTHENTICATED/);
  });

  it('when its signature is that of a query, and the other way round', () => {
    const at = desk();
    expect(refusal(() => at.signatures.ofRequest(request(at, alice, {}, 'query')))).to.match(
      /^UNAUTHENTICATED: the request is not what/,
    );
    expect(refusal(() => at.signatures.ofQuery(query(at, alice, {}, 'request')))).to.match(
      /^UNAUTHENTICATED: the query is not what/,
    );
  });
});

describe('the time of a request', () => {
  it('is in what was signed, or it is refused', () => {
    const at = desk();
    const dateless = without('notAfterMs', request(at, alice));
    expect(refusal(() => at.signatures.ofRequest(dateless))).to.equal(
      'INVALID_MESSAGE: RequestBody: field notAfterMs is missing, expected with a signature',
    );
    const undated = openQuery(
      sealQuery({ v: 2, query: 'nodes' }, (bytes) => signedBy(alice, 'query', bytes)),
    );
    expect(refusal(() => at.signatures.ofQuery(undated))).to.match(/^INVALID_MESSAGE: Query: .* notAfterMs/);
  });

  it('may be over for 30 s, because clocks differ, and for no longer', () => {
    const at = desk();
    const notAfterMs = at.clock.wallMs() - 30_000;
    at.signatures.ofRequest(request(at, alice, { notAfterMs }));
    at.signatures.ofQuery(query(at, alice, { query: 'cancel', notAfterMs }));
    expect(
      refusal(() => at.signatures.ofRequest(request(at, alice, { notAfterMs: notAfterMs - 1 }))),
    ).to.equal('REQUEST_EXPIRED: RequestBody: its time was over 30.0 s before it came');
    expect(refusal(() => at.signatures.ofQuery(query(at, alice, { notAfterMs: notAfterMs - 1 })))).to.match(
      /^REQUEST_EXPIRED: Query/,
    );
  });

  it('is a day ahead at most, and 30 s more', () => {
    const at = desk();
    const notAfterMs = at.clock.wallMs() + 86_400_000 + 30_000;
    at.signatures.ofRequest(request(at, alice, { notAfterMs }));
    expect(
      refusal(() => at.signatures.ofRequest(request(at, alice, { notAfterMs: notAfterMs + 1 }))),
    ).to.equal(
      'INVALID_MESSAGE: RequestBody: field notAfterMs is 86430.0 s ahead, expected at most 86400.0 s',
    );
  });

  it('comes with a hint when the clock of the client is far off, and how far', () => {
    const at = desk();
    const nowMs = at.clock.wallMs();
    const told = (notAfterMs: number, sentAtMs: number) =>
      refusal(() => at.signatures.ofRequest(request(at, alice, { notAfterMs, sentAtMs })));
    expect(told(nowMs - 60_000, nowMs - 120_000)).to.match(
      /; the clock of the client is 120\.0 s behind that of the manager, or it was kept for later$/,
    );
    expect(told(nowMs + 90_000_000, nowMs + 90_000_000)).to.match(
      /; the clock of the client is 90000\.0 s ahead of that of the manager/,
    );
    expect(told(nowMs - 60_000, nowMs - 30_000)).to.not.include('clock');
  });

  it('is looked at only when the signature is good', () => {
    const at = desk();
    const late = request(at, stranger, { notAfterMs: 1 });
    expect(refusal(() => at.signatures.ofRequest(late))).to.match(/^UNAUTHENTICATED/);
  });
});

describe('a monitor', () => {
  it('may ask for everything that only looks', () => {
    const at = desk();
    const looking = queryNames.filter((name) => name !== 'forget' && name !== 'cancel');
    for (const name of looking) at.signatures.ofQuery(query(at, watch, { query: name }));
    at.signatures.ofRequest(request(at, watch));
  });

  for (const name of ['forget', 'cancel'] as const)
    it(`may not ${name}`, () => {
      const at = desk();
      expect(refusal(() => at.signatures.ofQuery(query(at, watch, { query: name })))).to.equal(
        `NOT_PERMITTED: monitor watch may not send query ${name}`,
      );
    });
});

describe('the number of requests a second', () => {
  const isBusy = (at: Desk, by: KeyOwner) => {
    try {
      at.signatures.ofQuery(query(at, by));
      return false;
    } catch {
      return true;
    }
  };
  const takenAtOnce = (at: Desk, by: KeyOwner) => {
    let taken = 0;
    while (!isBusy(at, by)) taken += 1;
    return taken;
  };

  it('is limited for each operator by himself, with five seconds of them at once', () => {
    const at = desk(2);
    expect(takenAtOnce(at, alice)).to.equal(10);
    expect(refusal(() => at.signatures.ofRequest(request(at, alice)))).to.equal(
      'TOO_BUSY: operator alice sends too many requests a second',
    );
    expect(takenAtOnce(at, bob)).to.equal(10);
  });

  it('fills again with time', () => {
    const at = desk(2);
    takenAtOnce(at, alice);
    at.clock.advance(1_500);
    expect(takenAtOnce(at, alice)).to.equal(3);
  });

  it('is not used up by who pretends to be somebody else', () => {
    const at = desk(1);
    const good = request(at, alice);
    const pretended = { ...good, bodyBytes: Buffer.from('{}') };
    for (let count = 0; count < 50; count += 1)
      expect(refusal(() => at.signatures.ofRequest(pretended))).to.match(/^UNAUTHENTICATED/);
    expect(takenAtOnce(at, alice)).to.equal(5);
  });

  it('can be another one from now on', () => {
    const at = desk(1);
    takenAtOnce(at, alice);
    at.signatures.reconfigure(3);
    expect(takenAtOnce(at, alice)).to.equal(10);
    at.clock.advance(1_000);
    expect(takenAtOnce(at, alice)).to.equal(3);
  });
});

describe('a copy of a query', () => {
  const changing: readonly QueryName[] = ['forget', 'cancel'];

  for (const name of changing) {
    it(`that changes something (${name}) is refused`, () => {
      const at = desk();
      const asked = query(at, alice, { query: name });
      at.signatures.ofQuery(asked);
      expect(refusal(() => at.signatures.ofQuery(asked))).to.equal('REPLAYED: Query: it was taken before');
    });

    it(`is told by its nonce, which ${name} must have`, () => {
      const at = desk();
      const { nonce: _, ...nonceless } = query(at, alice, { query: name }).query;
      const asked = openQuery(sealQuery(nonceless, (bytes) => signedBy(alice, 'query', bytes)));
      expect(refusal(() => at.signatures.ofQuery(asked))).to.match(/^INVALID_MESSAGE: Query: field nonce/);
      at.signatures.ofQuery(query(at, alice, { query: name, nonce: idOf(1) }));
      at.signatures.ofQuery(query(at, alice, { query: name, nonce: idOf(2) }));
    });
  }

  it('that only looks is answered again', () => {
    const at = desk();
    for (const name of queryNames.filter((each) => !changing.includes(each))) {
      const asked = query(at, alice, { query: name });
      at.signatures.ofQuery(asked);
      expect(at.signatures.ofQuery(asked).asker.name, name).to.equal('alice');
    }
  });

  it('is refused for as long as it is good, and after that for its age', () => {
    const at = desk();
    const asked = query(at, alice, { query: 'cancel' });
    at.signatures.ofQuery(asked);
    at.clock.advance(90_000);
    expect(refusal(() => at.signatures.ofQuery(asked))).to.match(/^REPLAYED/);
    at.clock.advance(1);
    expect(refusal(() => at.signatures.ofQuery(asked))).to.match(/^REQUEST_EXPIRED/);
  });

  it('is refused also when the clock of the manager is set back meanwhile', () => {
    const at = desk();
    const asked = query(at, alice, { query: 'cancel' });
    at.signatures.ofQuery(asked);
    at.clock.advance(115_000);
    // Whoever comes now lets the manager forget what is past.
    at.signatures.ofQuery(query(at, bob, { query: 'cancel', nonce: idOf(2) }));
    at.clock.jumpWall(-30_000);
    expect(refusal(() => at.signatures.ofQuery(asked))).to.match(/^REPLAYED/);
  });

  it('of a query that was refused takes no room', () => {
    const at = desk();
    const nonce = idOf(1);
    expect(refusal(() => at.signatures.ofQuery(query(at, watch, { query: 'cancel', nonce })))).to.match(
      /^NOT_P/,
    );
    at.signatures.ofQuery(query(at, alice, { query: 'cancel', nonce }));
  });

  it('is forgotten with the key that it was signed with', () => {
    const at = desk();
    at.signatures.ofQuery(query(at, alice, { query: 'cancel' }));
    at.ring.revoke(alice.fingerprint, at.clock.wallMs());
    at.signatures.ofQuery(query(at, bob, { query: 'cancel' }));
    expect(at.signatures.rememberedKeys).to.equal(1);
  });

  it('is not forgotten for want of room: then no more changes are taken', () => {
    const at = desk();
    const few = { ...at, signatures: new Signatures({ ...at, requestsPerSecond: 100, maxChanges: 3 }) };
    const cancel = (count: number) =>
      few.signatures.ofQuery(query(few, alice, { query: 'cancel', nonce: idOf(count) }));
    for (const count of [1, 2, 3]) cancel(count);
    expect(refusal(() => cancel(4))).to.equal('TOO_BUSY: too many changes at once; try again later');
    expect(refusal(() => cancel(1))).to.match(/^REPLAYED/);
    few.signatures.ofQuery(query(few, alice, { query: 'nodes' }));
    // Others have room of their own.
    few.signatures.ofQuery(query(few, bob, { query: 'cancel', nonce: idOf(4) }));
    few.clock.advance(120_000);
    cancel(4);
  });
});
