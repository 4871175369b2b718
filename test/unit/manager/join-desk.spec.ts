import { expect } from 'chai';
import type { JoinDesk } from '../../../src/manager/join-desk.ts';
import { type JoinOrder, joinRequestOf } from '../../../src/security/join-request.ts';
import { readJoinToken } from '../../../src/security/join-token.ts';
import { curveBytes } from '../../../src/security/keys.ts';
import type { TokenOrder } from '../../../src/wire/admin.ts';
import type { NodeName } from '../../../src/wire/fields.ts';
import { JoinReply, JoinRequest } from '../../../src/wire/join.ts';
import { Failure } from '../../../src/wire/reply.ts';
import { TestGate } from '../../fakes/gatehouses.ts';
import { type KeyOwner, keyFileOf, keyOwner } from '../../fakes/key-owners.ts';

const web1 = keyOwner('agent', 'web1');
const web2 = keyOwner('agent', 'web2');
const alice = keyOwner('operator', 'alice');

function open(known: readonly KeyOwner[] = []) {
  const test = new TestGate(known);
  return { ...test, test, ...test.gate, desk: test.gate.join };
}

type Open = ReturnType<typeof open>;

function answerOf(desk: JoinDesk, ...frames: Buffer[]) {
  // As it would arrive at whoever joins.
  const reply = Buffer.from(JSON.stringify(desk.answer(frames)));
  return JoinReply.tryDecode(reply) ?? Failure.decode(reply);
}

/** Connects from there and asks. */
function asks(at: Open, owner: KeyOwner, more: Partial<JoinOrder> = {}, address = '10.0.0.1') {
  const publicKey = curveBytes(owner.curve.publicKey);
  if (!at.admission.decide({ domain: 'join', address, publicKey }))
    throw new Error('not even the door is open');
  const manager = at.own.current.publicKey;
  const { role, name } = owner;
  const order = { role, name: name as NodeName, keys: keyFileOf(owner), manager, ...more };
  const request = joinRequestOf({ nowWallMs: at.clock.wallMs(), ...order });
  return answerOf(at.desk, JoinRequest.encode(request));
}

/** `accepted`, `pending` or the code of the refusal. */
function said(...given: Parameters<typeof asks>): string | undefined {
  const reply = asks(...given);
  return reply.success === 0 ? reply.state : reply.code;
}

function tokenFor(at: Open, order: Partial<TokenOrder> = {}) {
  const handler = at.keys.handlers()['manager.tokens.create'];
  const reply = handler?.({ role: 'agent', ttlMs: 60_000, uses: 1, ...order });
  at.audit.events.length = 0;
  at.log.events.length = 0;
  return readJoinToken(String(reply?.result?.['token']));
}

describe('whoever joins with a token', () => {
  it('is let in at once, and told by what the manager is known', () => {
    const at = open();
    const token = tokenFor(at);
    expect(asks(at, web1, { token })).to.deep.equal({
      ...{ success: 0, state: 'accepted', fingerprint: web1.fingerprint, manager: 'manager1' },
      ports: { frontend: 0, backend: 0, sink: 0, publisher: 0 },
    });
    expect(at.ring.byCurve(web1.keys.curve)?.name).to.equal('web1');
    expect(at.store.writes.slice(-2)).to.deep.equal([`remove ${token.id}`, 'key web1 accepted']);
  });

  it('is logged and audited with the token and where he came from', () => {
    const at = open();
    const token = tokenFor(at, { role: 'operator' });
    asks(at, alice, { token }, '10.0.0.9');
    const fields = {
      ...{ role: 'operator', name: 'alice', address: '10.0.0.9', token: token.id },
      fingerprint: alice.fingerprint,
    };
    expect(at.audit.events).to.deep.equal([['key.accepted', fields]]);
    expect(at.log.named('key.accepted').map((event) => event.fields)).to.deep.equal([fields]);
  });

  it('may ask again when the answer was lost, which uses up nothing and is no news', () => {
    const at = open();
    const token = tokenFor(at, { uses: 2 });
    for (let count = 0; count < 5; count += 1) expect(said(at, web1, { token })).to.equal('accepted');
    expect(at.audit.names).to.deep.equal(['key.accepted']);
    expect(at.ring.tokens()[0]?.usesLeft).to.equal(1);
    expect(said(at, web1)).to.equal('accepted');
  });

  it('is one of as many as the token is good for', () => {
    const at = open();
    const token = tokenFor(at, { uses: 2 });
    const owners = [web1, web2, keyOwner('agent', 'web3')];
    expect(owners.map((owner) => said(at, owner, { token }))).to.deep.equal([
      'accepted',
      'accepted',
      'BAD_TOKEN',
    ]);
  });

  it('is refused when it is past, removed, for another role or for another name', () => {
    const at = open();
    const past = tokenFor(at, { ttlMs: 1_000 });
    at.clock.advance(1_000);
    expect(said(at, web1, { token: past })).to.equal('BAD_TOKEN');
    const removed = tokenFor(at);
    at.keys.handlers()['manager.tokens.remove']?.({ id: removed.id });
    expect(said(at, web1, { token: removed })).to.equal('BAD_TOKEN');
    expect(said(at, web1, { token: tokenFor(at, { role: 'operator' }) })).to.equal('BAD_TOKEN');
    expect(said(at, alice, { token: tokenFor(at, { role: 'monitor' }) })).to.equal('BAD_TOKEN');
    expect(said(at, web1, { token: tokenFor(at, { name: 'web2' as NodeName }) })).to.equal('BAD_TOKEN');
    expect([at.ring.keys(), at.desk.refused]).to.deep.equal([[], 5]);
  });

  it('is refused when he knows the id of a token and not its secret', () => {
    const at = open();
    const token = tokenFor(at);
    expect(said(at, web1, { token: { ...token, secret: Buffer.alloc(24, 99) } })).to.equal('BAD_TOKEN');
    expect(at.audit.events).to.deep.equal([
      [
        'key.refused',
        {
          ...{ role: 'agent', name: 'web1', address: '10.0.0.1', token: token.id, code: 'BAD_TOKEN' },
          reason: 'the join token is unknown, past, used up, or for another role or name',
        },
      ],
    ]);
    expect(said(at, web1, { token })).to.equal('accepted');
  });
});

describe('whoever joins without a token', () => {
  it('waits until somebody decides, and is told once however often he asks', () => {
    const at = open();
    for (let count = 0; count < 3; count += 1) expect(said(at, web1)).to.equal('pending');
    expect(at.audit.events).to.deep.equal([
      ['key.pending', { role: 'agent', name: 'web1', address: '10.0.0.1', fingerprint: web1.fingerprint }],
    ]);
    expect(at.ring.keys()[0]).to.include({ address: '10.0.0.1', state: 'pending' });
    at.keys.handlers()['manager.keys.accept']?.({ fingerprint: web1.fingerprint });
    expect(said(at, web1)).to.equal('accepted');
  });

  it('is refused when his key was rejected or revoked', () => {
    const at = open([web2]);
    said(at, web1);
    at.keys.handlers()['manager.keys.reject']?.({ fingerprint: web1.fingerprint });
    at.keys.handlers()['manager.keys.revoke']?.({ fingerprint: web2.fingerprint });
    expect([said(at, web1), said(at, web2)]).to.deep.equal(['KEY_REFUSED', 'KEY_REFUSED']);
  });

  it('is refused when too many wait, of one network or in all', () => {
    const at = open();
    const from = (address: string) => said(at, keyOwner('agent', 'many'), {}, address);
    for (let host = 1; host <= 5; host += 1) expect(from(`10.0.0.${host}`)).to.equal('pending');
    expect(from('10.0.0.6')).to.equal('TOO_BUSY');
    const wide = new TestGate([], { maxPending: 1_000 });
    const door = { ...at, ...wide, ...wide.gate, desk: wide.gate.join, test: wide };
    const verdicts = Array.from({ length: 21 }, (_, host) =>
      said(door, keyOwner('agent', `n${host}`), {}, `2001:db8::${host + 1}`),
    );
    expect(verdicts.slice(-2)).to.deep.equal(['pending', 'TOO_BUSY']);
  });
});

describe('whoever joins with a name that another key has', () => {
  const clone = keyOwner('agent', 'web1');

  it('is refused as the clone that he most likely is, with a token or without, and is told of', () => {
    const at = open([web1]);
    const token = tokenFor(at);
    const reply = asks(at, clone, { token }, '10.0.0.66');
    const reason = `the name web1 belongs to the key ${web1.fingerprint}: is this a cloned machine?`;
    expect(reply).to.deep.equal({ success: -1, code: 'NAME_TAKEN', msg: reason });
    expect(said(at, clone)).to.equal('NAME_TAKEN');
    const fields = {
      ...{ role: 'agent', name: 'web1', address: '10.0.0.66', token: token.id },
      ...{ code: 'NAME_TAKEN', reason },
    };
    expect(at.audit.events[0]).to.deep.equal(['key.name_taken', fields]);
    expect(at.log.named('key.name_taken')[0]).to.deep.include({
      level: 'warn',
      fields: { ...fields, heldBack: 0 },
    });
    expect(at.ring.tokens()[0]?.usesLeft).to.equal(1);
    expect(at.store.keys()[0]?.refusedOthers).to.equal(2);
  });

  it('is refused also while that key is revoked, until it is removed', () => {
    const at = open([web1]);
    at.keys.handlers()['manager.keys.revoke']?.({ fingerprint: web1.fingerprint });
    expect(said(at, clone)).to.equal('NAME_TAKEN');
    at.keys.handlers()['manager.keys.remove']?.({ fingerprint: web1.fingerprint });
    expect(said(at, clone)).to.equal('pending');
  });

  it('is no clone when the other one is of a person', () => {
    const at = open([keyOwner('operator', 'web1')]);
    expect(said(at, clone)).to.equal('pending');
    expect(said(at, keyOwner('monitor', 'web1'))).to.equal('NAME_TAKEN');
  });
});

describe('whoever has a new key', () => {
  it('gets it in by proving the old one, with no decision and no token', () => {
    for (const old of [web1, alice]) {
      const at = open([old]);
      const next = keyOwner(old.role, old.name);
      const replaces = keyFileOf(old);
      expect(said(at, next, { replaces })).to.equal('accepted');
      expect(at.audit.events).to.deep.equal([
        [
          'key.accepted',
          {
            ...{ role: old.role, name: old.name, address: '10.0.0.1', replaces: old.fingerprint },
            fingerprint: next.fingerprint,
          },
        ],
      ]);
      expect(at.store.writes).to.deep.equal([`key ${old.name} retiring`, `key ${old.name} accepted`]);
      expect(at.ring.byCurve(old.keys.curve)?.state).to.equal('retiring');
    }
  });

  it('is refused when he comes with one after the other, of which each would be written down', () => {
    const at = open([web1, web2]);
    let last = web1;
    const next = () => {
      const [before, owner] = [last, keyOwner('agent', 'web1')];
      last = owner;
      return said(at, owner, { replaces: keyFileOf(before) });
    };
    for (let count = 0; count < 10; count += 1) expect(next()).to.equal('accepted');
    const { curve } = last;
    expect(next()).to.equal('TOO_BUSY');
    expect(at.ring.byCurve(curve.publicKey)?.state).to.equal('accepted');
    expect(said(at, keyOwner('agent', 'web2'), { replaces: keyFileOf(web2) }), 'others').to.equal('accepted');
  });

  it('is refused when the old one may not come in any more', () => {
    const at = open([web1]);
    at.keys.handlers()['manager.keys.revoke']?.({ fingerprint: web1.fingerprint });
    expect(said(at, keyOwner('agent', 'web1'), { replaces: keyFileOf(web1) })).to.equal('UNAUTHENTICATED');
  });

  it('is refused when the old one is of somebody else', () => {
    const at = open([web1, web2]);
    const next = keyOwner('agent', 'web1');
    expect(said(at, next, { replaces: keyFileOf(web2) })).to.equal('KEY_REFUSED');
    const promoted = keyOwner('operator', 'web1');
    expect(said(at, promoted, { replaces: keyFileOf(web1) })).to.equal('KEY_REFUSED');
  });
});

describe('what arrives at the door for strangers', () => {
  it('is answered with a code whatever it is, and counted', () => {
    const at = open();
    const good = JoinRequest.encode(
      joinRequestOf({
        ...{ role: 'agent', name: 'web1' as NodeName, keys: keyFileOf(web1) },
        ...{ manager: at.own.current.publicKey, nowWallMs: at.clock.wallMs() },
      }),
    );
    const codes = [[], [good, good], [Buffer.alloc(0)], [Buffer.from('{}')], [Buffer.alloc(17_000, 32)]].map(
      (frames) => {
        const reply = answerOf(at.desk, ...frames);
        return reply.success === -1 ? reply.code : 'taken';
      },
    );
    expect(codes).to.deep.equal([
      'FRAME_COUNT',
      'FRAME_COUNT',
      'NOT_JSON',
      'INVALID_MESSAGE',
      'FRAME_TOO_LARGE',
    ]);
    expect(at.desk.refused).to.equal(5);
  });

  it('is refused when its time is far off, or it was meant for another manager', () => {
    const at = open();
    expect(said(at, web1, { nowWallMs: at.clock.wallMs() - 3_600_001 })).to.equal('REQUEST_EXPIRED');
    expect(said(at, web1, { manager: web2.keys.curve })).to.equal('UNAUTHENTICATED');
    expect([at.ring.keys(), at.desk.refused]).to.deep.equal([[], 2]);
  });

  it('is not hidden from us when it is a fault of ours', () => {
    const at = open();
    at.ring.join = () => {
      throw new TypeError('a bug');
    };
    expect(() => asks(at, web1)).to.throw(TypeError, 'a bug');
  });
});

describe('the number of those who want to join', () => {
  /** How many of so many at once are not told to come again. */
  const answered = (at: Open, count: number, address: string) => {
    let codes = 0;
    for (let number = 0; number < count; number += 1)
      if (said(at, web1, {}, address) !== 'TOO_BUSY') codes += 1;
    return codes;
  };

  it('is limited of each network and in all, so that one does not keep the others out', () => {
    const at = open();
    expect(answered(at, 260, '10.0.0.1')).to.equal(250);
    expect(answered(at, 10, '10.0.0.2')).to.equal(10);
    at.clock.advance(1_000);
    expect(answered(at, 30, '10.0.0.1')).to.equal(20);
  }).timeout(20_000);

  it('is limited in all', () => {
    const at = open();
    const counts = ['10.0.0.1', '10.0.0.2', '10.0.0.3'].map((address) => answered(at, 255, address));
    expect(counts).to.deep.equal([250, 250, 0]);
    at.clock.advance(1_000);
    expect(answered(at, 60, '10.0.0.4')).to.equal(50);
  }).timeout(20_000);
});

describe('refusals', () => {
  it('are logged once a minute for each code and network, with how many there were', () => {
    const at = open([web1]);
    const clone = keyOwner('agent', 'web1');
    const token = { ...tokenFor(at), secret: Buffer.alloc(24) };
    for (let count = 0; count < 50; count += 1) said(at, clone, {}, `2001:db8::${count + 1}`);
    for (const owner of [clone, clone, web2, web2]) said(at, owner, { token }, '10.0.0.1');
    at.clock.advance(60_000);
    said(at, clone, {}, '2001:db8::1');
    const logged = (event: string) => at.log.named(event).map(({ fields }) => fields['heldBack']);
    expect([logged('key.name_taken'), logged('key.refused')]).to.deep.equal([[0, 0, 49], [0]]);
    expect(at.desk.refused).to.equal(55);
  });

  it('are audited as what strangers do, who must not fill the disk', () => {
    const at = open([web1]);
    const clone = keyOwner('agent', 'web1');
    const ask = (count: number) => {
      for (let number = 0; number < count; number += 1) said(at, clone, {}, `10.0.${number}.1`);
    };
    ask(500);
    expect(at.audit.named('key.name_taken')).to.have.length(500);
    at.clock.advance(500);
    ask(25);
    expect(at.audit.named('key.name_taken')).to.have.length(500);
    at.clock.advance(500);
    ask(1);
    expect(at.audit.named('key.name_taken').at(-1)).to.include({ leftOut: 25 });
  }).timeout(20_000);
});

describe('a door whose store fails', () => {
  it('says so, and audits whom it let in all the same', () => {
    const at = open();
    const token = tokenFor(at);
    at.store.writesLeft = 0;
    expect(said(at, web1, { token })).to.equal('STORE_UNUSABLE');
    expect(at.audit.names).to.deep.equal(['key.accepted']);
    at.store.writesLeft = Number.POSITIVE_INFINITY;
    expect(said(at, web1, { token })).to.equal('accepted');
    expect(at.store.writes.slice(-2)).to.deep.equal([`remove ${token.id}`, 'key web1 accepted']);
  });
});

describe('a manager that is going to have another key', () => {
  it('says which to whoever joins', () => {
    const at = open();
    at.keys.handlers()['manager.keys.rotate']?.({ overlapMs: 60_000 });
    const reply = asks(at, web1);
    expect('nextKey' in reply && reply.nextKey).to.equal(at.own.nextKey);
  });
});
