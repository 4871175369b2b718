import { expect } from 'chai';
import { KeyRing, keyRingBounds } from '../../../src/security/key-ring.ts';
import { newSignKeys } from '../../../src/security/keys.ts';
import { askOf, KeptKeys, shortly, somebody, tokenEntry, withToken } from './key-ring-fakes.ts';
import { refusalOf } from './refusal.ts';

const web1 = somebody('agent', 'web1');
const web2 = somebody('agent', 'web2');
const clone = somebody('agent', 'web1');
const next = somebody('agent', 'web1');
const alice = somebody('operator', 'alice');
const watch = somebody('monitor', 'watch');
const day = 86_400_000;

/** A ring in which these are accepted. */
function ringOf(...accepted: Array<typeof web1>): KeyRing {
  const ring = new KeyRing();
  for (const each of accepted) {
    ring.join(askOf(each), 0);
    ring.accept(each.fingerprint, 0);
  }
  return ring;
}

function states(ring: KeyRing): string[] {
  return ring.keys().map(({ name, state }) => `${name} ${state}`);
}

function codeOf(action: () => unknown): string {
  return refusalOf(action).code;
}

describe('an unknown key', () => {
  it('waits for a decision, is not let in meanwhile, and is to be stored', () => {
    const ring = new KeyRing();
    const verdict = ring.join(askOf(web1), 5);
    const entry = {
      ...{ fingerprint: web1.fingerprint, role: 'agent', name: 'web1', keys: web1.keys, state: 'pending' },
      ...{ address: '10.0.0.1', sinceWallMs: 5, untilWallMs: 5 + day, refusedOthers: 0 },
    };
    expect(verdict).to.deep.equal({
      kind: 'pending',
      entry,
      isNew: true,
      effects: [{ kind: 'key', entry }],
    });
    expect(ring.byCurve(web1.keys.curve)).to.equal(undefined);
    expect(ring.byFingerprint(web1.fingerprint)).to.equal(undefined);
    expect(ring.ofAgent('web1')).to.deep.equal([]);
  });

  it('that asks again is the same one, with the time of its first asking, and waits longer', () => {
    const ring = new KeyRing();
    ring.join(askOf(web1), 5);
    const again = ring.join(askOf(web1, { address: '10.0.0.2' }), 1_000);
    expect(again).to.deep.include({ kind: 'pending', isNew: false });
    expect(again.kind === 'pending' && again.entry).to.deep.include({
      address: '10.0.0.2',
      sinceWallMs: 5,
      untilWallMs: 1_000 + day,
    });
    expect(ring.keys()).to.have.length(1);
  });

  it('is forgotten when nobody has decided for a day', () => {
    const ring = new KeyRing();
    ring.join(askOf(web1), 5);
    expect(ring.tick(4 + day)).to.deep.equal([]);
    expect(ring.tick(5 + day)).to.deep.equal([{ kind: 'key-removed', fingerprint: web1.fingerprint }]);
    expect(ring.keys()).to.deep.equal([]);
  });

  it('may have the name of another one that waits: one of them will be decided for', () => {
    const ring = new KeyRing();
    ring.join(askOf(web1), 0);
    expect(shortly(ring.join(askOf(clone), 0))).to.equal('pending');
  });

  it('may not have the CURVE key of another one', () => {
    const ring = ringOf(alice);
    const thief = { ...alice, name: 'mallory', keys: { ...alice.keys, sign: newSignKeys().publicKey } };
    expect(ring.join(askOf(thief), 0)).to.deep.equal({
      kind: 'refused',
      code: 'KEY_REFUSED',
      reason: 'another key has the same CURVE key',
      effects: [],
    });
  });

  for (const changed of [{ name: 'web9' }, { role: 'monitor' as const }]) {
    it(`keeps its name and role while it waits (${Object.values(changed)})`, () => {
      const ring = new KeyRing();
      ring.join(askOf(web1), 0);
      const verdict = ring.join(askOf({ ...web1, ...changed }), 0);
      expect(verdict).to.deep.include({ code: 'KEY_REFUSED', reason: 'this key is known as agent web1' });
      expect(states(ring)).to.deep.equal(['web1 pending']);
    });
  }
});

describe('keys that wait', () => {
  const bounds = { ...keyRingBounds, maxPending: 4, maxPendingEach: 2 };
  const many = Array.from({ length: 6 }, (_, index) => somebody('agent', `n${index}`));
  const from = (ring: KeyRing, index: number, address?: string) =>
    shortly(ring.join(askOf(many[index] ?? web1, { address }), 0));

  it('are a few of one address, and more of others', () => {
    const ring = new KeyRing(bounds);
    expect([0, 1, 2].map((index) => from(ring, index, '10.0.0.1'))).to.deep.equal([
      'pending',
      'pending',
      'TOO_BUSY',
    ]);
    expect(from(ring, 2, '10.0.0.2')).to.equal('pending');
    const verdict = ring.join(askOf(web2), 0);
    expect(verdict.kind === 'refused' && verdict.reason).to.equal(
      'too many keys from 10.0.0.1 wait to be accepted',
    );
  });

  it('of nobody knows where are of one place', () => {
    const ring = new KeyRing(bounds);
    expect([0, 1, 2].map((index) => from(ring, index))).to.deep.equal(['pending', 'pending', 'TOO_BUSY']);
  });

  it('are a few of all addresses that one stranger may have', () => {
    const ring = new KeyRing(bounds, (address) => address.slice(0, 4));
    expect(
      ['net1.1', 'net1.2', 'net1.3', 'net2.1'].map((address, index) => from(ring, index, address)),
    ).to.deep.equal(['pending', 'pending', 'TOO_BUSY', 'pending']);
  });

  it('are limited in all', () => {
    const ring = new KeyRing(bounds);
    const verdicts = [0, 1, 2, 3, 4].map((index) => from(ring, index, `10.0.0.${index}`));
    expect(verdicts).to.deep.equal(['pending', 'pending', 'pending', 'pending', 'TOO_BUSY']);
    const verdict = ring.join(askOf(web2, { address: '10.0.0.9' }), 0);
    expect(verdict.kind === 'refused' && verdict.reason).to.equal('too many keys wait to be accepted');
  });

  it('may ask again when there are as many as may be, but not from an address that has its share', () => {
    const ring = new KeyRing(bounds);
    for (const [index, address] of ['a', 'a', 'b', 'b'].entries()) from(ring, index, address);
    expect(from(ring, 0, 'a')).to.equal('pending');
    expect(from(ring, 0, 'b')).to.equal('TOO_BUSY');
    expect(from(ring, 0, 'c')).to.equal('pending');
    expect(from(ring, 4, 'a')).to.equal('TOO_BUSY');
  });

  it('make room when they are decided on or forgotten', () => {
    const ring = new KeyRing(bounds);
    for (const index of [0, 1]) from(ring, index, 'a');
    ring.reject(many[0]?.fingerprint ?? '', 0);
    expect(from(ring, 2, 'a')).to.equal('pending');
    ring.remove(many[1]?.fingerprint ?? '');
    expect(from(ring, 3, 'a')).to.equal('pending');
  });

  it('do not keep out who has a token', () => {
    const ring = new KeyRing({ ...bounds, maxPending: 0 });
    ring.addToken(tokenEntry('t1'));
    expect(shortly(ring.join(askOf(web1, withToken('t1')), 0))).to.equal('accepted');
  });
});

describe('a join token', () => {
  it('lets in, with a note of which it was', () => {
    const ring = new KeyRing();
    ring.addToken(tokenEntry('t1', { usesLeft: 2 }));
    const verdict = ring.join(askOf(web1, withToken('t1')), 7);
    expect(verdict).to.deep.include({ kind: 'accepted', isNew: true });
    expect(ring.byCurve(web1.keys.curve)).to.deep.include({
      state: 'accepted',
      by: 'token t1',
      sinceWallMs: 7,
      decidedWallMs: 7,
    });
    expect(ring.tokens()).to.deep.equal([tokenEntry('t1', { usesLeft: 1 })]);
  });

  it('is used up before who used it is in, for whoever stores both one after the other', () => {
    const ring = new KeyRing();
    ring.addToken(tokenEntry('t1', { usesLeft: 2 }));
    const { effects } = ring.join(askOf(web1, withToken('t1')), 7);
    expect(effects.map(({ kind }) => kind)).to.deep.equal(['token', 'key']);
  });

  it('lets in as many keys as it has uses, and is gone then', () => {
    const ring = new KeyRing();
    ring.addToken(tokenEntry('t1', { usesLeft: 2 }));
    const verdicts = ['a', 'b', 'c'].map((name) =>
      ring.join(askOf(somebody('agent', name), withToken('t1')), 0),
    );
    expect(verdicts.map(shortly)).to.deep.equal(['accepted', 'accepted', 'BAD_TOKEN']);
    expect(verdicts[1]?.effects[0]).to.deep.equal({ kind: 'token-removed', id: 't1' });
    expect(ring.tokens()).to.deep.equal([]);
  });

  it('is used once by a key that asks again', () => {
    const ring = new KeyRing();
    ring.addToken(tokenEntry('t1', { usesLeft: 2 }));
    ring.join(askOf(web1, withToken('t1')), 0);
    const again = ring.join(askOf(web1, withToken('t1')), 1);
    expect(again).to.deep.include({ kind: 'accepted', isNew: false }).and.have.deep.property('effects', []);
    expect(ring.tokens()[0]?.usesLeft).to.equal(1);
  });

  it('lets in who waits already', () => {
    const ring = new KeyRing();
    ring.join(askOf(web1), 3);
    ring.addToken(tokenEntry('t1'));
    const verdict = ring.join(askOf(web1, withToken('t1')), 8);
    expect(verdict.kind === 'accepted' && verdict.entry).to.deep.include({
      state: 'accepted',
      sinceWallMs: 3,
    });
    expect(verdict.kind === 'accepted' && verdict.entry).to.not.have.property('untilWallMs');
  });

  const bad: ReadonlyArray<[what: string, token: Parameters<typeof tokenEntry>[1], nowMs: number]> = [
    ['of another role', { role: 'operator' }, 0],
    ['of another name', { name: 'web2' }, 0],
    ['whose time is over', {}, 1_000_000],
  ];
  for (const [what, token, nowMs] of bad) {
    it(`${what} lets nobody in, and is not used`, () => {
      const ring = new KeyRing();
      ring.addToken(tokenEntry('t1', token));
      const verdict = ring.join(askOf(web1, withToken('t1')), nowMs);
      expect(verdict).to.deep.equal({
        kind: 'refused',
        code: 'BAD_TOKEN',
        reason: 'the join token is unknown, past, used up, or for another role or name',
        effects: [],
      });
      expect(ring.tokens()[0]?.usesLeft).to.equal(1);
      expect(ring.keys()).to.deep.equal([]);
    });
  }

  it('of its own name lets in', () => {
    const ring = new KeyRing();
    ring.addToken(tokenEntry('t1', { name: 'web1' }));
    expect(shortly(ring.join(askOf(web1, withToken('t1')), 999_999))).to.equal('accepted');
  });

  it('is worth nothing without its proof, or when it is not known', () => {
    const ring = new KeyRing();
    ring.addToken(tokenEntry('t1'));
    for (const token of [withToken('t1', false), withToken('t2')])
      expect(shortly(ring.join(askOf(web1, token), 0))).to.equal('BAD_TOKEN');
    expect(ring.keys()).to.deep.equal([]);
  });

  it('is removed by its id, or when its time is over', () => {
    const ring = new KeyRing();
    for (const id of ['t1', 't2', 't3'])
      ring.addToken(tokenEntry(id, { expiresWallMs: id === 't3' ? 20 : 10 }));
    expect(ring.removeToken('t1')).to.deep.equal([{ kind: 'token-removed', id: 't1' }]);
    expect(ring.tick(9)).to.deep.equal([]);
    expect(ring.tick(10)).to.deep.equal([{ kind: 'token-removed', id: 't2' }]);
    expect(ring.tokens().map(({ id }) => id)).to.deep.equal(['t3']);
    expect(codeOf(() => ring.removeToken('t2'))).to.equal('UNKNOWN_KEY');
  });

  it('is not made when there are too many', () => {
    const ring = new KeyRing({ ...keyRingBounds, maxTokens: 1 });
    expect(ring.addToken(tokenEntry('t1'))).to.deep.equal([{ kind: 'token', entry: tokenEntry('t1') }]);
    const refusal = refusalOf(() => ring.addToken(tokenEntry('t2')));
    expect([refusal.code, refusal.message]).to.deep.equal([
      'TOO_BUSY',
      'there are 1 join tokens already: remove some',
    ]);
    expect(ring.tokens()).to.have.length(1);
  });
});

describe('a name', () => {
  it('belongs to one key, and others that ask for it are refused and counted', () => {
    const ring = ringOf(web1);
    ring.addToken(tokenEntry('t1'));
    for (const [count, token] of [{}, withToken('t1'), {}].entries()) {
      const verdict = ring.join(askOf(clone, token), 9);
      const entry = { ...ring.byCurve(web1.keys.curve), refusedOthers: count + 1 };
      expect(verdict).to.deep.equal({
        kind: 'refused',
        code: 'NAME_TAKEN',
        reason: `the name web1 belongs to the key ${web1.fingerprint}: is this a cloned machine?`,
        effects: [{ kind: 'key', entry }],
      });
    }
    expect(ring.byCurve(web1.keys.curve)?.refusedOthers).to.equal(3);
    expect(ring.tokens()[0]?.usesLeft).to.equal(1);
    expect(ring.ofAgent('web1')).to.have.length(1);
  });

  it('is refused to one that waited for it when another one was given it', () => {
    const ring = new KeyRing();
    for (const each of [web1, clone]) ring.join(askOf(each), 0);
    ring.accept(web1.fingerprint, 1);
    expect(codeOf(() => ring.accept(clone.fingerprint, 2))).to.equal('NAME_TAKEN');
    const verdict = ring.join(askOf(clone), 3);
    expect(shortly(verdict)).to.equal('NAME_TAKEN');
    expect(verdict.effects[1]).to.deep.equal({ kind: 'key-removed', fingerprint: clone.fingerprint });
    expect(states(ring)).to.deep.equal(['web1 accepted']);
  });

  it('may be that of an agent and of a person', () => {
    const both = [somebody('agent', 'backup'), somebody('operator', 'backup')];
    const ring = ringOf(...both);
    expect(ring.ofAgent('backup').map(({ fingerprint }) => fingerprint)).to.deep.equal([
      both[0]?.fingerprint,
    ]);
    expect(ring.person('backup')?.fingerprint).to.equal(both[1]?.fingerprint);
  });

  it('may not be that of an operator and of a monitor', () => {
    const ring = ringOf(alice);
    expect(shortly(ring.join(askOf(somebody('monitor', 'alice')), 0))).to.equal('NAME_TAKEN');
    expect(ring.person('alice')?.role).to.equal('operator');
  });

  it('of a person says which keys sign, operators and monitors alike', () => {
    const ring = ringOf(alice, watch);
    expect([ring.person('alice')?.keys, ring.person('watch')?.keys]).to.deep.equal([alice.keys, watch.keys]);
    expect([ring.person('bob'), ring.person('web1')]).to.deep.equal([undefined, undefined]);
  });
});

describe('somebody who decides', () => {
  it('accepts a key, by the beginning of its fingerprint', () => {
    const ring = new KeyRing();
    ring.join(askOf(web1), 3);
    const { entry, effects } = ring.accept(web1.fingerprint.slice(7, 20), 8);
    expect(entry).to.deep.include({ state: 'accepted', by: 'accepted', sinceWallMs: 3, decidedWallMs: 8 });
    expect(entry).to.not.have.property('untilWallMs');
    expect(effects).to.deep.equal([{ kind: 'key', entry }]);
    expect(ring.byCurve(web1.keys.curve)).to.equal(entry);
    expect(ring.byFingerprint(web1.fingerprint)).to.equal(entry);
    expect(ring.ofAgent('web1')).to.deep.equal([entry]);
    expect(ring.tick(9 + day)).to.deep.equal([]);
  });

  it('accepts one that is in already once more, and nothing changes', () => {
    const ring = ringOf(web1);
    expect(ring.accept(web1.fingerprint, 9)).to.deep.equal({ entry: ring.keys()[0], effects: [] });
  });

  it('rejects a key, which may not ask again, and may be accepted later', () => {
    const ring = new KeyRing();
    ring.join(askOf(web1), 0);
    const { entry, effects } = ring.reject(web1.fingerprint, 8);
    expect(entry).to.deep.include({ state: 'rejected', decidedWallMs: 8 });
    expect(effects).to.deep.equal([{ kind: 'key', entry }]);
    expect(ring.join(askOf(web1), 9)).to.deep.include({
      code: 'KEY_REFUSED',
      reason: 'this key was rejected',
    });
    expect(ring.tick(9 + day)).to.deep.equal([]);
    ring.accept(web1.fingerprint, 10);
    expect(states(ring)).to.deep.equal(['web1 accepted']);
  });

  it('rejects as many as are remembered; of more, the one that was rejected longest ago is forgotten', () => {
    const ring = new KeyRing({ ...keyRingBounds, maxRejected: 2 });
    const [one, two, three] = ['a', 'b', 'c'].map((name) => somebody('agent', name));
    if (one === undefined || two === undefined || three === undefined) throw new Error('there are three');
    for (const each of [one, two, three]) ring.join(askOf(each), 0);
    ring.reject(three.fingerprint, 1);
    ring.reject(two.fingerprint, 2);
    const { effects } = ring.reject(one.fingerprint, 3);
    expect(effects[1]).to.deep.equal({ kind: 'key-removed', fingerprint: three.fingerprint });
    expect(states(ring)).to.deep.equal(['a rejected', 'b rejected']);
  });

  it('never forgets the one that is rejected now, whichever was rejected at the same time', () => {
    const ring = new KeyRing({ ...keyRingBounds, maxRejected: 1 });
    for (const each of [web1, web2]) ring.join(askOf(each), 0);
    ring.reject(web2.fingerprint, 1);
    ring.reject(web1.fingerprint, 1);
    expect(states(ring)).to.deep.equal(['web1 rejected']);
  });

  it('revokes a key, which is refused from then on, and whose name stays reserved until it is removed', () => {
    const ring = ringOf(web1);
    const { entries, effects } = ring.revoke(web1.fingerprint, 5);
    expect(entries).to.deep.equal(ring.keys());
    expect(effects).to.deep.equal([{ kind: 'key', entry: entries[0] }]);
    expect(ring.byCurve(web1.keys.curve)).to.equal(undefined);
    expect(ring.byFingerprint(web1.fingerprint)).to.equal(undefined);
    expect(ring.ofAgent('web1')).to.deep.equal([]);
    expect(ring.join(askOf(web1), 6)).to.deep.include({ reason: 'this key was revoked' });
    expect(ring.join(askOf(clone), 6)).to.deep.include({
      code: 'NAME_TAKEN',
      reason: `the name web1 belongs to the key ${web1.fingerprint}: it was revoked, and its name stays reserved until it is removed`,
    });
    expect(ring.tick(7 + 400 * day)).to.deep.equal([]);
    expect(ring.remove(web1.fingerprint).effects).to.deep.equal([
      { kind: 'key-removed', fingerprint: web1.fingerprint },
    ]);
    expect(shortly(ring.join(askOf(clone), 8))).to.equal('pending');
    expect(shortly(ring.join(askOf(web1), 8))).to.equal('pending');
  });

  it('revokes a person likewise', () => {
    const ring = ringOf(alice);
    ring.revoke(alice.fingerprint, 5);
    expect(ring.person('alice')).to.equal(undefined);
    expect(shortly(ring.join(askOf(somebody('monitor', 'alice')), 6))).to.equal('NAME_TAKEN');
  });

  it('revokes one that was revoked, and nothing changes', () => {
    const ring = ringOf(web1);
    ring.revoke(web1.fingerprint, 5);
    expect(ring.revoke(web1.fingerprint, 6)).to.deep.equal({ entries: ring.keys(), effects: [] });
    expect(ring.keys()[0]?.decidedWallMs).to.equal(5);
  });

  it('revokes the other keys of an owner by one that was revoked, as when that was interrupted', () => {
    const ring = ringOf(web1);
    ring.join(askOf(next, { replaces: web1.fingerprint }), 5);
    const kept = new KeptKeys();
    kept.take(ring.keys().map((entry) => ({ kind: 'key', entry })));
    kept.take(ring.revoke(web1.fingerprint, 6).effects.slice(0, 1));
    const restored = new KeyRing();
    restored.restore(kept.keys.values(), []);
    expect(states(restored)).to.deep.equal(['web1 revoked', 'web1 accepted']);
    restored.revoke(web1.fingerprint, 7);
    expect(states(restored)).to.deep.equal(['web1 revoked', 'web1 revoked']);
  });

  const wrong: ReadonlyArray<[what: string, act: (ring: KeyRing) => unknown, code: string, message: string]> =
    [
      [
        'accepts none that was revoked',
        (ring) => ring.accept(web1.fingerprint, 9),
        'KEY_REFUSED',
        'the key of agent web1 was revoked: remove it first',
      ],
      [
        'rejects none that is in',
        (ring) => ring.reject(web2.fingerprint, 9),
        'BAD_USAGE',
        'the key of agent web2 is accepted: revoke it instead',
      ],
      [
        'rejects none that was revoked',
        (ring) => ring.reject(web1.fingerprint, 9),
        'BAD_USAGE',
        'the key of agent web1 is revoked: revoke it instead',
      ],
      [
        'revokes none that waits, which would take a name that is not its own',
        (ring) => ring.revoke(alice.fingerprint, 9),
        'BAD_USAGE',
        'the key of operator alice is pending: reject it instead',
      ],
      [
        'removes none that is in',
        (ring) => ring.remove(web2.fingerprint),
        'BAD_USAGE',
        'the key of agent web2 is accepted: revoke it first',
      ],
    ];
  for (const [what, act, code, message] of wrong) {
    it(what, () => {
      const ring = ringOf(web1, web2);
      ring.revoke(web1.fingerprint, 1);
      ring.join(askOf(alice), 2);
      const before = ring.keys();
      const refusal = refusalOf(() => act(ring));
      expect([refusal.code, refusal.message]).to.deep.equal([code, message]);
      expect(ring.keys()).to.deep.equal(before);
    });
  }

  it('is told of a fingerprint that nobody or everybody has', () => {
    const ring = ringOf(web1);
    const acts = [
      (typed: string) => ring.accept(typed, 0),
      (typed: string) => ring.reject(typed, 0),
      (typed: string) => ring.revoke(typed, 0),
      (typed: string) => ring.remove(typed),
      (typed: string) => ring.find(typed),
    ];
    for (const act of acts) {
      expect(codeOf(() => act(web2.fingerprint))).to.equal('UNKNOWN_KEY');
      expect(codeOf(() => act('SHA256:'))).to.equal('BAD_USAGE');
    }
  });
});

describe('a key that is replaced by its owner', () => {
  const hour = 3_600_000;

  it('is good for an hour more, beside its successor', () => {
    const ring = ringOf(web1);
    const verdict = ring.join(askOf(next, { replaces: web1.fingerprint }), 5);
    expect(verdict).to.deep.include({ kind: 'accepted', isNew: true });
    expect(ring.ofAgent('web1').map(({ state, untilWallMs, by }) => [state, untilWallMs, by])).to.deep.equal([
      ['retiring', 5 + hour, 'accepted'],
      ['accepted', undefined, 'rotation'],
    ]);
    expect(verdict.effects).to.deep.equal(ring.keys().map((entry) => ({ kind: 'key', entry })));
    expect(ring.tick(4 + hour)).to.deep.equal([]);
    expect(ring.tick(5 + hour)).to.deep.equal([{ kind: 'key-removed', fingerprint: web1.fingerprint }]);
    expect(ring.ofAgent('web1').map(({ fingerprint }) => fingerprint)).to.deep.equal([next.fingerprint]);
  });

  it('of a person does not speak for him beside its successor, but comes in', () => {
    const ring = ringOf(alice);
    const successor = somebody('operator', 'alice');
    ring.join(askOf(successor, { replaces: alice.fingerprint }), 5);
    expect(ring.person('alice')?.fingerprint).to.equal(successor.fingerprint);
    expect(ring.byFingerprint(alice.fingerprint)?.state).to.equal('retiring');
  });

  it('may not bring in another one: it may have been stolen before', () => {
    const ring = ringOf(web1);
    ring.join(askOf(next, { replaces: web1.fingerprint }), 5);
    expect(ring.join(askOf(clone, { replaces: web1.fingerprint }), 6)).to.deep.equal({
      kind: 'refused',
      code: 'KEY_REFUSED',
      reason: 'the key that is to be replaced was replaced already',
      effects: [],
    });
    expect(ring.byFingerprint(clone.fingerprint)).to.equal(undefined);
    expect(ring.byFingerprint(next.fingerprint)?.state).to.equal('accepted');
  });

  it('may bring in another one where its successor was not stored any more', () => {
    const [ring, kept] = [ringOf(web1), new KeptKeys()];
    kept.take(ring.join(askOf(next, { replaces: web1.fingerprint }), 5).effects.slice(0, 1));
    const restored = new KeyRing();
    restored.restore(kept.keys.values(), []);
    expect(states(restored)).to.deep.equal(['web1 retiring']);
    expect(shortly(restored.join(askOf(next, { replaces: web1.fingerprint }), 6))).to.equal('accepted');
    expect(states(restored)).to.deep.equal(['web1 retiring', 'web1 accepted']);
  });

  it('is forgotten when its successor is replaced, too, so that there are never many', () => {
    const ring = ringOf(web1);
    let last = web1;
    for (let count = 0; count < 10; count += 1) {
      const successor = somebody('agent', 'web1');
      const { effects } = ring.join(askOf(successor, { replaces: last.fingerprint }), count);
      expect(effects.filter(({ kind }) => kind === 'key-removed')).to.have.length(count === 0 ? 0 : 1);
      last = successor;
      expect(ring.keys().map(({ state }) => state)).to.deep.equal(['retiring', 'accepted']);
    }
  });

  it('is revoked together with its successor, by either of them', () => {
    for (const named of [web1, next]) {
      const ring = ringOf(web1);
      ring.join(askOf(next, { replaces: web1.fingerprint }), 5);
      expect(ring.revoke(named.fingerprint, 6).entries).to.have.length(2);
      expect(states(ring)).to.deep.equal(['web1 revoked', 'web1 revoked']);
      expect(ring.tick(7 + hour)).to.deep.equal([]);
    }
  });

  it('does not let its successor in twice as new', () => {
    const ring = ringOf(web1);
    ring.join(askOf(next, { replaces: web1.fingerprint }), 5);
    const again = ring.join(askOf(next, { replaces: web1.fingerprint }), 6);
    expect(again).to.deep.include({ kind: 'accepted', isNew: false });
    expect(ring.byFingerprint(web1.fingerprint)?.untilWallMs).to.equal(5 + hour);
  });

  it('keeps the name from others as long as it is good', () => {
    const ring = ringOf(web1);
    ring.join(askOf(next, { replaces: web1.fingerprint }), 5);
    expect(ring.join(askOf(clone), 6)).to.deep.include({ code: 'NAME_TAKEN' });
    expect(ring.byFingerprint(next.fingerprint)?.refusedOthers).to.equal(1);
  });

  for (const [what, replaces] of [
    ['of somebody else', web2.fingerprint],
    ['of a person of this name', alice.fingerprint],
    ['that nobody knows', clone.fingerprint],
  ] as const) {
    it(`is none ${what}`, () => {
      const ring = ringOf(web1, web2, alice);
      const asker = replaces === alice.fingerprint ? somebody('agent', 'alice') : next;
      expect(ring.join(askOf(asker, { replaces }), 5)).to.deep.equal({
        kind: 'refused',
        code: 'KEY_REFUSED',
        reason: 'the key that is to be replaced may not come in, or is of somebody else',
        effects: [],
      });
    });
  }

  for (const [what, prepare] of [
    ['waits', () => new KeyRing()],
    ['was rejected', (ring: KeyRing) => ring.reject(web1.fingerprint, 1)],
    ['was revoked', (ring: KeyRing) => [ring.accept(web1.fingerprint, 1), ring.revoke(web1.fingerprint, 2)]],
  ] as const) {
    it(`is none that ${what}`, () => {
      const ring = new KeyRing();
      ring.join(askOf(web1), 0);
      prepare(ring);
      expect(shortly(ring.join(askOf(next, { replaces: web1.fingerprint }), 5))).to.equal('KEY_REFUSED');
      expect(ring.byFingerprint(next.fingerprint)).to.equal(undefined);
    });
  }
});

describe('a key ring that was stored', () => {
  it('knows the same keys and tokens', () => {
    const [ring, kept] = [new KeyRing(), new KeptKeys()];
    kept.take(ring.addToken(tokenEntry('t1', { usesLeft: 2 })));
    kept.take(ring.join(askOf(web1, withToken('t1')), 0).effects);
    kept.take(ring.join(askOf(web2), 1).effects);
    kept.take(ring.join(askOf(clone), 2).effects);
    const restored = new KeyRing();
    restored.restore(kept.keys.values(), kept.tokens.values());
    expect(restored.keys()).to.deep.equal(ring.keys());
    expect(restored.tokens()).to.deep.equal([tokenEntry('t1', { usesLeft: 1 })]);
    expect(restored.byCurve(web1.keys.curve)?.refusedOthers).to.equal(1);
    expect(restored.byCurve(web2.keys.curve)).to.equal(undefined);
  });
});
