import { expect } from 'chai';
import { fingerprintOf } from '../../../src/security/fingerprint.ts';
import { isGoodJoin, proveJoin } from '../../../src/security/join-proof.ts';
import { readJoinToken } from '../../../src/security/join-token.ts';
import type { KeyEntry } from '../../../src/security/key-index.ts';
import type { JoinAsk } from '../../../src/security/key-ring.ts';
import {
  CreatedToken,
  KeyList,
  keyStates,
  RotationInfo,
  TokenList,
  type TokenOrder,
} from '../../../src/wire/admin.ts';
import type { NodeName } from '../../../src/wire/fields.ts';
import { TestGate } from '../../fakes/gatehouses.ts';
import { type KeyOwner, keyEntryOf, keyOwner } from '../../fakes/key-owners.ts';
import { refusalOf } from '../security/refusal.ts';

const web1 = keyOwner('agent', 'web1');
const web2 = keyOwner('agent', 'web2');
const alice = keyOwner('operator', 'alice');

function open(known: readonly KeyOwner[] = [web1, alice]) {
  const test = new TestGate(known);
  const { ring, keys, own } = test.gate;
  const run = (command: string, args?: unknown) => {
    const handler = keys.handlers()[`manager.${command}`];
    if (handler === undefined) throw new Error(`no command ${command}`);
    // As it would arrive at whoever asked.
    return JSON.parse(JSON.stringify(handler(args)));
  };
  const codeOf = (command: string, args?: unknown) => refusalOf(() => run(command, args)).code;
  return { test, ring, keys, own, run, codeOf, ...test };
}

type Open = ReturnType<typeof open>;

function wantsIn(
  { ring, clock, keys }: Open,
  { role, name, keys: own }: KeyOwner,
  more: Partial<JoinAsk> = {},
) {
  const verdict = ring.join({ role, name, keys: own, address: '10.0.0.1', ...more }, clock.wallMs());
  keys.store(verdict.effects);
  return verdict;
}

function listed({ run }: Open) {
  return KeyList.parse(run('keys.list').result).keys;
}

function stateOf(at: Open, { fingerprint }: KeyOwner): string | undefined {
  return listed(at).find((info) => info.fingerprint === fingerprint)?.state;
}

describe('the list of keys', () => {
  it('shows all that is known of each, and no key itself', () => {
    const at = open([web1]);
    const nowMs = at.clock.wallMs();
    wantsIn(at, web2);
    expect(listed(at)).to.deep.equal([
      {
        ...{ fingerprint: web1.fingerprint, role: 'agent', name: 'web1', state: 'accepted' },
        ...{ sinceMs: 1, refusedOthers: 0 },
      },
      {
        ...{ fingerprint: web2.fingerprint, role: 'agent', name: 'web2', state: 'pending' },
        ...{ address: '10.0.0.1', sinceMs: nowMs, untilMs: nowMs + 86_400_000, refusedOthers: 0 },
      },
    ]);
    at.run('keys.accept', { fingerprint: web2.fingerprint });
    const shown = JSON.stringify(listed(at));
    expect(listed(at)[1]).to.include({ by: 'accepted', decidedMs: nowMs }).and.not.have.property('untilMs');
    for (const { curve } of [web1, web2]) expect(shown).to.not.include(curve.publicKey);
  });

  it('shows a key in each state that there is', () => {
    const at = open([]);
    at.ring.restore(
      keyStates.map((state): KeyEntry => keyEntryOf(keyOwner('agent', `web-${state}`), { state })),
      [],
    );
    expect(listed(at).map(({ state }) => state)).to.have.members(keyStates);
  });
});

describe('a key', () => {
  it('that waits is accepted, stored, logged and audited', () => {
    const at = open([]);
    wantsIn(at, web2);
    const { msg, result } = at.run('keys.accept', { fingerprint: web2.fingerprint });
    expect(msg).to.equal('key.accepted: agent web2');
    expect(KeyList.parse(result).keys).to.deep.equal(listed(at));
    expect(at.store.writes).to.deep.equal(['key web2 pending', 'key web2 accepted']);
    const fields = { role: 'agent', name: 'web2', fingerprint: web2.fingerprint };
    expect(at.audit.events).to.deep.equal([['key.accepted', fields]]);
    expect(at.log.named('key.accepted').map((event) => event.fields)).to.deep.equal([fields]);
    expect(at.ring.byCurve(web2.keys.curve)?.name).to.equal('web2');
  });

  it('is meant by the beginning of its fingerprint', () => {
    const at = open([]);
    wantsIn(at, web2);
    at.run('keys.accept', { fingerprint: web2.fingerprint.slice(7, 15) });
    expect(stateOf(at, web2)).to.equal('accepted');
  });

  it('that waits is rejected, stored and audited', () => {
    const at = open([]);
    wantsIn(at, web2);
    at.run('keys.reject', { fingerprint: web2.fingerprint });
    expect([stateOf(at, web2), at.store.writes.at(-1)]).to.deep.equal(['rejected', 'key web2 rejected']);
    expect(at.audit.names).to.deep.equal(['key.rejected']);
    expect(at.ring.byCurve(web2.keys.curve)).to.equal(undefined);
  });

  it('is revoked, stored and audited, and then removed', () => {
    const at = open();
    const { msg, result } = at.run('keys.revoke', { fingerprint: web1.fingerprint });
    expect(msg).to.equal('key.revoked: web1');
    expect(KeyList.parse(result).keys.map(({ state }) => state)).to.deep.equal(['revoked']);
    expect(at.ring.byFingerprint(web1.fingerprint)).to.equal(undefined);
    at.run('keys.remove', { fingerprint: web1.fingerprint });
    expect(stateOf(at, web1)).to.equal(undefined);
    expect(at.store.writes).to.deep.equal(['key web1 revoked', `remove ${web1.fingerprint}`]);
    expect(at.audit.names).to.deep.equal(['key.revoked', 'key.removed']);
  });

  it('is revoked with all others of its owner, and each is audited', () => {
    const at = open([]);
    const next = keyOwner('operator', 'alice');
    at.ring.restore([keyEntryOf(alice, { state: 'retiring', untilWallMs: 1 }), keyEntryOf(next)], []);
    at.run('keys.revoke', { fingerprint: next.fingerprint });
    expect([stateOf(at, alice), stateOf(at, next)]).to.deep.equal(['revoked', 'revoked']);
    expect(at.audit.named('key.revoked').map(({ fingerprint }) => fingerprint)).to.have.members([
      alice.fingerprint,
      next.fingerprint,
    ]);
  });

  for (const command of ['accept', 'reject', 'revoke', 'remove']) {
    it(`is not found where nobody knows it, or too little of it is given (${command})`, () => {
      const at = open();
      expect(at.codeOf(`keys.${command}`, { fingerprint: web2.fingerprint })).to.equal('UNKNOWN_KEY');
      expect(at.codeOf(`keys.${command}`, { fingerprint: web1.fingerprint.slice(7, 14) })).to.equal(
        'BAD_USAGE',
      );
      expect(at.codeOf(`keys.${command}`, { fingerprint: '' })).to.equal('BAD_USAGE');
      expect(at.codeOf(`keys.${command}`, { fingerprint: 'x'.repeat(65) })).to.equal('INVALID_MESSAGE');
      expect(at.codeOf(`keys.${command}`, {})).to.equal('INVALID_MESSAGE');
      expect(at.codeOf(`keys.${command}`)).to.equal('INVALID_MESSAGE');
      expect([at.store.writes, at.audit.names]).to.deep.equal([[], []]);
    });
  }

  it('is not treated as what it is not', () => {
    const at = open();
    const of = { fingerprint: web1.fingerprint };
    expect(at.codeOf('keys.reject', of)).to.equal('BAD_USAGE');
    expect(at.codeOf('keys.remove', of)).to.equal('BAD_USAGE');
    at.run('keys.revoke', of);
    expect(at.codeOf('keys.accept', of)).to.equal('KEY_REFUSED');
    wantsIn(at, web2);
    expect(at.codeOf('keys.revoke', { fingerprint: web2.fingerprint })).to.equal('BAD_USAGE');
  });

  it('is not accepted when its name was given to another one meanwhile', () => {
    const at = open([]);
    const clone = keyOwner('agent', 'web2');
    for (const owner of [web2, clone]) wantsIn(at, owner);
    at.run('keys.accept', { fingerprint: web2.fingerprint });
    expect(at.codeOf('keys.accept', { fingerprint: clone.fingerprint })).to.equal('NAME_TAKEN');
    expect(at.audit.names).to.deep.equal(['key.accepted']);
  });
});

const order: TokenOrder = { role: 'agent', ttlMs: 3_600_000, uses: 2 };

describe('a join token', () => {
  it('that is printed reads back as what was ordered, for the key of the manager', () => {
    const at = open();
    for (const change of [{}, { role: 'monitor' }, { name: 'web7' }] as const) {
      const { token } = CreatedToken.parse(at.run('tokens.create', { ...order, ...change }).result);
      const { role, name, manager, expiresAtMs } = readJoinToken(token);
      expect({ role, name, manager, expiresAtMs }).to.deep.equal({
        ...{ role: 'agent', name: undefined, ...change },
        manager: at.own.current.publicKey,
        expiresAtMs: at.clock.wallMs() + 3_600_000,
      });
    }
  });

  it('is stored as what proves it, and without its secret', () => {
    const at = open();
    const token = readJoinToken(at.run('tokens.create', order).result.token);
    const [stored] = at.store.tokens();
    if (stored === undefined) throw new Error('it was not stored');
    const proof = proveJoin(token, 'web7', web2.keys);
    const join = { tokenId: token.id, manager: token.manager, role: 'agent', name: 'web7' } as const;
    expect(isGoodJoin(stored.verifier, { ...join, keys: web2.keys }, proof)).to.equal(true);
    expect(isGoodJoin(stored.verifier, { ...join, name: 'web8', keys: web2.keys }, proof)).to.equal(false);
    const secret = Buffer.from(token.secret);
    for (const text of [secret.toString('hex'), secret.toString('base64url'), secret.toString('base64')])
      expect(JSON.stringify(at.store.tokens())).to.not.include(text);
  });

  it('is told once: no list, log or audit log has it', () => {
    const at = open();
    const { token, info } = CreatedToken.parse(at.run('tokens.create', { ...order, name: 'web7' }).result);
    const list = TokenList.parse(at.run('tokens.list').result);
    expect(list.tokens).to.deep.equal([info]);
    expect(info).to.deep.equal({
      ...{ id: readJoinToken(token).id, role: 'agent', name: 'web7', usesLeft: 2 },
      expiresMs: at.clock.wallMs() + 3_600_000,
    });
    const fields = { token: info.id, role: 'agent', name: 'web7', ttlMs: 3_600_000, uses: 2 };
    expect(at.audit.events).to.deep.equal([['token.created', fields]]);
    expect(at.log.named('token.created').map((event) => event.fields)).to.deep.equal([fields]);
    const told = JSON.stringify([list, at.log.events, at.audit.events]);
    for (const secret of [token, token.slice(60)]) expect(told).to.not.include(secret);
  });

  it('is for the key that the manager has now, and past when that is changed', () => {
    const at = open();
    at.run('keys.rotate', { overlapMs: 60_000 });
    const { token, info } = CreatedToken.parse(at.run('tokens.create', order).result);
    expect(readJoinToken(token).manager).to.equal(at.own.current.publicKey);
    const switchesMs = at.clock.wallMs() + 60_000;
    expect([info.expiresMs, readJoinToken(token).expiresAtMs]).to.deep.equal([switchesMs, switchesMs]);
    const { info: early } = CreatedToken.parse(at.run('tokens.create', { ...order, ttlMs: 1_000 }).result);
    expect(early.expiresMs).to.equal(at.clock.wallMs() + 1_000);
  });

  it('is another one each time', () => {
    const at = open();
    const tokens = [1, 2, 3].map(() => at.run('tokens.create', order).result.token);
    expect(new Set(tokens).size).to.equal(3);
    expect(at.run('tokens.list').result.tokens).to.have.length(3);
  });

  it('is removed by its id, stored and audited', () => {
    const at = open();
    const { id } = at.run('tokens.create', order).result.info;
    expect(at.run('tokens.remove', { id }).result).to.deep.equal({ id });
    expect(at.run('tokens.list').result.tokens).to.deep.equal([]);
    expect(at.store.tokens()).to.deep.equal([]);
    expect(at.audit.events.at(-1)).to.deep.equal(['token.removed', { token: id }]);
    expect(at.codeOf('tokens.remove', { id })).to.equal('UNKNOWN_KEY');
  });

  for (const [field, value] of [
    ['role', 'manager'],
    ['role', 'owner'],
    ['name', '../x'],
    ['name', '-x'],
    ['ttlMs', 999],
    ['ttlMs', 31 * 86_400_000 + 1],
    ['ttlMs', 1_000.5],
    ['uses', 0],
    ['uses', 100_001],
  ] as const)
    it(`is refused for ${field} ${value}`, () => {
      const at = open();
      const { code, message } = refusalOf(() => at.run('tokens.create', { ...order, [field]: value }));
      expect([code, message.includes(`field ${field}`)]).to.deep.equal(['INVALID_MESSAGE', true]);
      expect([at.store.writes, at.audit.names]).to.deep.equal([[], []]);
    });

  it('is refused when its id has not the form of one', () => {
    for (const args of [{ id: 'x' }, { id: 'A'.repeat(16) }, {}, undefined])
      expect(open().codeOf('tokens.remove', args)).to.equal('INVALID_MESSAGE');
  });
});

describe('a new key of the manager', () => {
  it('is announced with the time of the change, and audited', () => {
    const at = open();
    const result = RotationInfo.parse(at.run('keys.rotate', { overlapMs: 60_000 }).result);
    const { nextKey = at.own.current.publicKey } = at.own;
    expect(result).to.deep.equal({
      fingerprint: at.test.ownFingerprint,
      nextFingerprint: fingerprintOf({ curve: nextKey }),
      switchesMs: at.clock.wallMs() + 60_000,
    });
    expect(result.nextFingerprint).to.not.equal(result.fingerprint);
    expect(at.audit.events).to.deep.equal([
      [
        'key.rotating',
        {
          ...{ fingerprint: result.fingerprint, nextFingerprint: result.nextFingerprint },
          switchesWallMs: at.clock.wallMs() + 60_000,
        },
      ],
    ]);
    expect(at.keeper.calls).to.deep.equal([`next ${nextKey} at ${at.clock.wallMs() + 60_000}`]);
  });

  it('is refused when it cannot be kept, and nobody is told', () => {
    const at = open();
    at.keeper.isFailing = true;
    expect(at.codeOf('keys.rotate', { overlapMs: 60_000 })).to.equal('BAD_CONFIG');
    expect([at.own.nextKey, at.audit.names, at.log.named('key.rotating')]).to.deep.equal([undefined, [], []]);
  });

  it('needs to know for how long both are good', () => {
    for (const args of [
      undefined,
      {},
      { overlapMs: -1 },
      { overlapMs: 1.5 },
      { overlapMs: 366 * 86_400_001 },
    ])
      expect(open().codeOf('keys.rotate', args)).to.equal('INVALID_MESSAGE');
  });

  it('is used when its time has come, once, and audited', () => {
    const at = open();
    const before = at.test.ownFingerprint;
    at.run('keys.rotate', { overlapMs: 60_000 });
    const switchesMs = at.clock.wallMs() + 60_000;
    expect(at.keys.switchOverIfDue(switchesMs - 1)).to.equal(false);
    expect(at.keys.switchOverIfDue(switchesMs)).to.equal(true);
    expect(at.keys.switchOverIfDue(switchesMs)).to.equal(false);
    const fields = { before, fingerprint: at.test.ownFingerprint };
    expect(at.audit.events.at(-1)).to.deep.equal(['key.rotated', fields]);
    expect(fields.fingerprint).to.not.equal(before);
  });

  it('is not used when that cannot be kept, which is logged, and then tried again', () => {
    const at = open();
    at.run('keys.rotate', { overlapMs: 0 });
    at.keeper.isFailing = true;
    expect(at.keys.switchOverIfDue(at.clock.wallMs())).to.equal(false);
    expect(at.log.named('key.not_rotated')).to.have.length(1);
    expect(at.audit.names).to.deep.equal(['key.rotating']);
    at.keeper.isFailing = false;
    expect(at.keys.switchOverIfDue(at.clock.wallMs())).to.equal(true);
  });

  it('lets the one before prove for ten minutes more', () => {
    const at = open();
    at.run('keys.rotate', { overlapMs: 0 });
    at.keys.switchOverIfDue(at.clock.wallMs());
    at.clock.advance(599_999);
    at.keys.tick();
    expect(at.own.proving).to.have.length(2);
    at.clock.advance(1);
    at.keys.tick();
    expect(at.own.proving).to.deep.equal([at.own.current]);
  });
});

describe('a desk whose store fails', () => {
  it('lets a revocation count at once, audits it, and says that it is not stored', () => {
    const at = open();
    at.store.writesLeft = 0;
    expect(at.codeOf('keys.revoke', { fingerprint: web1.fingerprint })).to.equal('STORE_UNUSABLE');
    expect(at.ring.byFingerprint(web1.fingerprint)).to.equal(undefined);
    expect([at.audit.names, at.log.named('key.revoked').length]).to.deep.equal([['key.revoked'], 1]);
    expect(at.store.keys()[0]?.state).to.equal('accepted');
  });

  it('audits all other decisions as well', () => {
    const at = open();
    const { id } = at.run('tokens.create', order).result.info;
    at.run('keys.revoke', { fingerprint: alice.fingerprint });
    at.audit.events.length = 0;
    at.store.writesLeft = 0;
    expect(at.codeOf('keys.remove', { fingerprint: alice.fingerprint })).to.equal('STORE_UNUSABLE');
    expect(at.codeOf('tokens.remove', { id })).to.equal('STORE_UNUSABLE');
    expect(at.codeOf('tokens.create', order)).to.equal('STORE_UNUSABLE');
    expect(at.audit.names).to.deep.equal(['key.removed', 'token.removed', 'token.created']);
  });

  it('stores it as soon as that is possible', () => {
    const at = open();
    at.store.writesLeft = 0;
    at.codeOf('keys.revoke', { fingerprint: web1.fingerprint });
    at.keys.tick();
    expect(at.log.named('store.failed')).to.have.length(1);
    at.store.writesLeft = Number.POSITIVE_INFINITY;
    at.keys.tick();
    at.keys.tick();
    expect(at.store.writes).to.deep.equal(['key web1 revoked']);
  });

  it('stores what was undone first before what is decided next', () => {
    const at = open();
    at.store.writesLeft = 0;
    at.codeOf('keys.revoke', { fingerprint: web1.fingerprint });
    at.store.writesLeft = Number.POSITIVE_INFINITY;
    at.run('keys.revoke', { fingerprint: alice.fingerprint });
    expect(at.store.writes).to.deep.equal(['key web1 revoked', 'key alice revoked']);
  });

  it('goes on behind what was stored when it fails in the middle', () => {
    const at = open([]);
    const { id } = at.run('tokens.create', order).result.info;
    at.store.writes.length = 0;
    at.store.writesLeft = 1;
    expect(() => wantsIn(at, web2, { token: { id, isProved: () => true } })).to.throw('disk full');
    // One use too few rather than one too many, should the manager be killed now.
    expect(at.store.writes).to.deep.equal([`token ${id} 1`]);
    at.store.writesLeft = Number.POSITIVE_INFINITY;
    at.keys.tick();
    expect(at.store.writes).to.deep.equal([`token ${id} 1`, 'key web2 accepted']);
  });

  it('keeps in mind no more than the last of each key and token, and tokens before the keys that used them', () => {
    const at = open([]);
    wantsIn(at, web2);
    const { id } = at.run('tokens.create', order).result.info;
    at.store.writes.length = 0;
    at.store.writesLeft = 0;
    const token = { id, isProved: () => true };
    for (let count = 0; count < 1_000; count += 1) expect(() => wantsIn(at, web2)).to.throw('disk full');
    expect(() => wantsIn(at, web1, { token })).to.throw('disk full');
    expect(() => wantsIn(at, web2, { token })).to.throw('disk full');
    at.store.writesLeft = Number.POSITIVE_INFINITY;
    at.keys.tick();
    expect(at.store.writes).to.deep.equal([`remove ${id}`, 'key web1 accepted', 'key web2 accepted']);
  });

  it('is no excuse for a fault of ours', () => {
    const at = open();
    at.store.removeKey = () => {
      throw new TypeError('a bug');
    };
    wantsIn(at, web2);
    at.clock.advance(86_400_000);
    expect(() => at.keys.tick()).to.throw(TypeError, 'a bug');
  });
});

describe('time', () => {
  it('takes away what is past, also from the store', () => {
    const at = open([]);
    wantsIn(at, web2);
    const { id } = at.run('tokens.create', order).result.info;
    at.clock.advance(3_600_000);
    at.keys.tick();
    expect([at.run('tokens.list').result.tokens, at.store.tokens()]).to.deep.equal([[], []]);
    expect(at.store.writes.at(-1)).to.equal(`remove ${id}`);
    at.clock.advance(86_400_000);
    at.keys.tick();
    expect([listed(at), at.store.keys()]).to.deep.equal([[], []]);
  });
});

describe('a desk that starts', () => {
  it('knows whom the store knows, and the tokens', () => {
    const at = open([web1]);
    const { id } = at.run('tokens.create', { ...order, name: 'web9' as NodeName }).result.info;
    const next = new TestGate([], { store: at.store });
    expect(next.gate.ring.byCurve(web1.keys.curve)?.name).to.equal('web1');
    expect(next.gate.ring.tokens().map((token) => token.id)).to.deep.equal([id]);
  });
});
