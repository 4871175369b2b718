import { expect } from 'chai';
import { type Door, doors, isDoor } from '../../../src/manager/doors.ts';
import type { RefusedHandshake } from '../../../src/platform/socket-security.ts';
import { fingerprintOf } from '../../../src/security/fingerprint.ts';
import type { KeyEntry } from '../../../src/security/key-index.ts';
import { type CurvePublic, curveBytes, curvePublicFrom, newCurveKeys } from '../../../src/security/keys.ts';
import { TestGate } from '../../fakes/gatehouses.ts';
import { type KeyOwner, keyEntryOf, keyOwner } from '../../fakes/key-owners.ts';

const web1 = keyOwner('agent', 'web1');
const alice = keyOwner('operator', 'alice');
const watch = keyOwner('monitor', 'watch');
const stranger = newCurveKeys().publicKey;
const allDoors = Object.keys(doors).filter(isDoor);

function open(known: readonly KeyOwner[] = [web1, alice, watch]) {
  const test = new TestGate(known);
  return { ...test, test, desk: test.gate.admission, own: test.gate.own, ring: test.gate.ring };
}

type Open = ReturnType<typeof open>;

function comesIn({ desk }: Open, domain: string, curve: CurvePublic, address = '10.0.0.1'): boolean {
  return desk.decide({ domain, address, publicKey: curveBytes(curve) });
}

/** The doors that a key opens. */
function opened(at: Open, curve: CurvePublic): Door[] {
  return allDoors.filter((door) => comesIn(at, door, curve));
}

describe('a key', () => {
  it('of an agent opens the doors for agents', () => {
    expect(opened(open(), web1.keys.curve)).to.have.members(['backend', 'sink', 'join']);
  });

  it('of an operator or a monitor opens the doors for people', () => {
    for (const { keys } of [alice, watch])
      expect(opened(open(), keys.curve)).to.have.members(['frontend', 'publisher', 'join']);
  });

  it('of the manager itself opens the door to manage it, and no other', () => {
    const at = open();
    expect(opened(at, at.own.current.publicKey)).to.deep.equal(['management']);
  });

  it('that the manager had before, or will have, opens no more than that of a stranger', () => {
    const at = open();
    const before = at.own.current.publicKey;
    const after = newCurveKeys();
    at.own.rotate(after, 1);
    expect(opened(at, after.publicKey)).to.deep.equal(['join']);
    at.own.switchOver(1);
    expect(opened(at, before)).to.deep.equal(['join']);
    expect(opened(at, after.publicKey)).to.deep.equal(['management']);
  });

  it('that nobody knows opens the door for strangers only', () => {
    expect(opened(open(), stranger)).to.deep.equal(['join']);
  });

  for (const state of ['pending', 'rejected', 'revoked'] as const)
    it(`that is ${state} opens no more than that of a stranger`, () => {
      const at = open([]);
      at.ring.restore(
        [web1, alice].map((owner): KeyEntry => keyEntryOf(owner, { state })),
        [],
      );
      for (const { keys } of [web1, alice]) expect(opened(at, keys.curve)).to.deep.equal(['join']);
    });

  it('that is replaced by its owner opens his doors until it has retired', () => {
    const at = open([]);
    at.ring.restore([keyEntryOf(web1, { state: 'retiring', untilWallMs: 5 })], []);
    expect(comesIn(at, 'sink', web1.keys.curve)).to.equal(true);
    at.ring.tick(5);
    expect(comesIn(at, 'sink', web1.keys.curve)).to.equal(false);
  });

  it('that is revoked opens nothing from the next connection on', () => {
    const at = open();
    expect(comesIn(at, 'frontend', alice.keys.curve)).to.equal(true);
    at.ring.revoke(alice.fingerprint, 1);
    expect(comesIn(at, 'frontend', alice.keys.curve)).to.equal(false);
    expect(comesIn(at, 'frontend', watch.keys.curve)).to.equal(true);
  });

  it('opens no door that there is not', () => {
    const at = open();
    for (const domain of ['', 'Frontend', 'frontend ', '__proto__', 'constructor', 'global'])
      for (const curve of [web1.keys.curve, alice.keys.curve, at.own.current.publicKey, stranger])
        expect(comesIn(at, domain, curve), domain).to.equal(false);
  });
});

describe('the address of a key', () => {
  it('is where its owner came in last', () => {
    const at = open();
    comesIn(at, 'frontend', alice.keys.curve, '10.0.0.1');
    comesIn(at, 'publisher', alice.keys.curve, '10.0.0.2');
    comesIn(at, 'join', stranger, '10.0.0.3');
    expect(at.desk.addressOf(alice.keys.curve)).to.equal('10.0.0.2');
    expect(at.desk.addressOf(stranger)).to.equal('10.0.0.3');
    expect(at.desk.addressOf(web1.keys.curve)).to.equal(undefined);
  });

  it('is none of who was refused', () => {
    const at = open();
    comesIn(at, 'frontend', stranger, '10.0.0.1');
    comesIn(at, 'frontend', web1.keys.curve, '10.0.0.2');
    expect([at.desk.addressOf(stranger), at.desk.addressOf(web1.keys.curve)]).to.deep.equal([
      undefined,
      undefined,
    ]);
  });

  it('of one of ten thousand strangers is remembered, and no flood of them takes that of an operator away', () => {
    const at = open();
    comesIn(at, 'frontend', alice.keys.curve, '10.0.0.1');
    const keyOf = (number: number) => {
      const bytes = Buffer.alloc(32);
      bytes.writeUInt32BE(number);
      return curvePublicFrom(bytes);
    };
    for (let number = 1; number <= 60_000; number += 1) comesIn(at, 'join', keyOf(number), '10.9.9.9');
    expect(at.desk.addressOf(alice.keys.curve)).to.equal('10.0.0.1');
    expect(at.desk.addressOf(keyOf(50_000))).to.equal(undefined);
    for (const number of [50_001, 60_001]) comesIn(at, 'join', keyOf(number), '10.9.9.8');
    // The one that was seen longest ago had to go.
    expect(at.desk.addressOf(keyOf(50_001))).to.equal('10.9.9.8');
    expect(at.desk.addressOf(keyOf(50_002))).to.equal(undefined);
  }).timeout(20_000);
});

describe('the number of connections', () => {
  it('is that of the configuration, but for strangers, who stay for one question', () => {
    const { desk } = open();
    expect(desk.maxConnections('frontend')).to.equal(50);
    expect(desk.maxConnections('sink')).to.equal(50);
    expect(desk.maxConnections('join')).to.equal(200);
  });
});

describe('a handshake that was refused', () => {
  const refusal: RefusedHandshake = {
    domain: 'frontend',
    reason: 'unknown key',
    address: '10.0.0.1',
    publicKey: curveBytes(stranger),
  };

  it('is counted, logged and audited with what is known of who it was', () => {
    const at = open();
    at.desk.onRefused(refusal);
    const curve = fingerprintOf({ curve: stranger });
    const fields = { door: 'frontend', reason: 'unknown key', address: '10.0.0.1', curve, heldBack: 0 };
    expect(at.desk.refused).to.equal(1);
    expect(
      at.log.named('handshake.refused').map(({ level, fields: logged }) => [level, logged]),
    ).to.deep.equal([['warn', fields]]);
    expect(at.audit.events).to.deep.equal([['handshake.refused', fields]]);
  });

  it('of an agent bears the fingerprint by which its key is listed', () => {
    const at = open();
    at.desk.onRefused({ ...refusal, publicKey: curveBytes(web1.keys.curve) });
    expect(at.audit.named('handshake.refused')[0]?.['curve']).to.equal(web1.fingerprint);
  });

  it('may be of somebody who never came so far as to show an address or a key', () => {
    const at = open();
    at.desk.onRefused({ domain: 'sink', reason: 'timeout' });
    expect(at.audit.events).to.deep.equal([
      ['handshake.refused', { door: 'sink', reason: 'timeout', heldBack: 0 }],
    ]);
  });

  it('is told once a minute for each door, reason and address, with how many there were', () => {
    const at = open();
    for (let count = 0; count < 100; count += 1) at.desk.onRefused(refusal);
    at.clock.advance(59_999);
    at.desk.onRefused(refusal);
    expect(at.audit.events).to.have.length(1);
    at.clock.advance(1);
    at.desk.onRefused(refusal);
    expect(at.audit.named('handshake.refused').map(({ heldBack }) => heldBack)).to.deep.equal([0, 100]);
    expect(at.log.named('handshake.refused')).to.have.length(2);
    expect(at.desk.refused).to.equal(102);
    at.desk.onRefused({ ...refusal, domain: 'sink' });
    at.desk.onRefused({ ...refusal, reason: 'too often' });
    at.desk.onRefused({ ...refusal, address: '10.0.0.2' });
    expect(at.audit.events).to.have.length(5);
  });

  it('is told once for all addresses of one IPv6 network, of which anybody has as many as he likes', () => {
    const at = open();
    for (let host = 1; host <= 100; host += 1)
      at.desk.onRefused({ ...refusal, address: `2001:db8::${host.toString(16)}` });
    expect(at.audit.events).to.have.length(1);
    at.desk.onRefused({ ...refusal, address: '2001:db8:0:1::1' });
    expect(at.audit.events).to.have.length(2);
  });

  it('is refused all the same when it cannot be audited, and that is counted', () => {
    const at = open();
    at.audit.isFailing = true;
    at.desk.onRefused(refusal);
    expect([at.desk.refused, at.test.auditor.lost]).to.deep.equal([1, 1]);
    expect(at.log.named('audit.failed')[0]?.fields).to.include({ event: 'handshake.refused' });
  });

  it('because of a fault of ours says which in the log', () => {
    const at = open();
    const cause = new TypeError('a bug');
    at.desk.onRefused({ ...refusal, reason: 'decider failed', cause });
    expect(at.log.named('handshake.refused')[0]?.fields).to.include({ error: cause });
  });
});
