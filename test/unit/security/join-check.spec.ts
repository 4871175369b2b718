import { expect } from 'chai';
import { checkJoin, type JoinCheck } from '../../../src/security/join-check.ts';
import { tokenVerifier } from '../../../src/security/join-proof.ts';
import { type JoinOrder, joinRequestOf } from '../../../src/security/join-request.ts';
import type { JoinToken } from '../../../src/security/join-token.ts';
import { newCurveKeys } from '../../../src/security/keys.ts';
import { encodeZ85 } from '../../../src/security/z85.ts';
import type { NodeName } from '../../../src/wire/fields.ts';
import type { JoinRequest } from '../../../src/wire/join.ts';
import { type KeyOwner, keyEntryOf, keyFileOf, keyOwner } from '../../fakes/key-owners.ts';
import { refusalOf } from './refusal.ts';

const manager = newCurveKeys();
const nowWallMs = 10_000_000;
const web1 = keyOwner('agent', 'web1');
const oldWeb1 = keyOwner('agent', 'web1');
const alice = keyOwner('operator', 'alice');
const oldAlice = keyOwner('operator', 'alice');
const mallory = keyOwner('agent', 'mallory');
const mallorys = keyOwner('operator', 'mallory');

const token: JoinToken = {
  ...{ id: 'ab'.repeat(8), secret: Buffer.alloc(24, 7), role: 'agent' },
  ...{ manager: manager.publicKey, expiresAtMs: nowWallMs + 1 },
};

function orderOf({ role, name, ...owner }: KeyOwner, more: Partial<JoinOrder> = {}): JoinOrder {
  const keys = keyFileOf({ role, name, ...owner });
  return { role, name: name as NodeName, keys, manager: manager.publicKey, nowWallMs, ...more };
}

/** Those that may come in already. */
function check(...known: KeyOwner[]): JoinCheck {
  const keyOf: JoinCheck['keyOf'] = (fingerprint) => {
    const owner = known.find((one) => one.fingerprint === fingerprint);
    return owner === undefined ? undefined : keyEntryOf(owner);
  };
  return { manager, nowWallMs, address: undefined, keyOf };
}

/** `taken`, or the code of the refusal and which field it is about. */
function verdict(request: JoinRequest, at = check(oldWeb1, oldAlice)): string {
  try {
    checkJoin(request, at);
    return 'taken';
  } catch {
    const { code, message } = refusalOf(() => checkJoin(request, at));
    return `${code} ${/field (\w+)/.exec(message)?.[1] ?? ''}`.trim();
  }
}

function without(request: JoinRequest, ...fields: (keyof JoinRequest)[]): JoinRequest {
  const left = Object.entries(request).filter(([field]) => !fields.some((gone) => gone === field));
  return Object.fromEntries(left) as JoinRequest;
}

const forAgent = joinRequestOf(orderOf(web1, { token, replaces: keyFileOf(oldWeb1) }));
const forOperator = joinRequestOf(orderOf(alice, { replaces: keyFileOf(oldAlice) }));
const byMallory = joinRequestOf(orderOf(mallory, { token: { ...token, secret: Buffer.alloc(24, 8) } }));
const byMallorys = joinRequestOf(orderOf(mallorys));

describe('whoever joins', () => {
  it('is believed when each of his proofs is good', () => {
    expect([verdict(forAgent), verdict(forOperator)]).to.deep.equal(['taken', 'taken']);
  });

  const changes: Partial<JoinRequest> = {
    ...{ role: 'operator', name: 'web2' as NodeName, curve: byMallory.curve, sentAtMs: nowWallMs + 1 },
    ...{ mac: byMallory.mac, token: 'cd'.repeat(8), replaces: mallory.fingerprint },
    ...{ replaceProof: byMallory.mac },
  };
  // A role that signs has another key, too.
  const others: Readonly<Record<string, string>> = {
    role: 'INVALID_MESSAGE sign',
    replaceProof: 'UNAUTHENTICATED replaces',
  };
  for (const field of Object.keys(changes))
    it(`is refused when ${field} is not what he proved`, () => {
      const changed = { ...forAgent, [field]: changes[field as keyof JoinRequest] };
      expect(verdict(changed)).to.equal(others[field] ?? 'UNAUTHENTICATED curve');
    });

  const changesOfPeople: Partial<JoinRequest> = {
    ...{ role: 'monitor', name: 'bob' as NodeName, curve: byMallorys.curve, sentAtMs: nowWallMs - 1 },
    ...{ sign: byMallorys.sign ?? '', mac: byMallorys.mac, signature: byMallorys.signature ?? '' },
    ...{ token: token.id, replaces: mallorys.fingerprint, replaceProof: byMallorys.signature ?? '' },
  };
  for (const field of Object.keys(changesOfPeople))
    it(`is refused as an operator when ${field} is not what he proved`, () => {
      const changed = { ...forOperator, [field]: changesOfPeople[field as keyof JoinRequest] };
      expect(verdict(changed)).to.match(/^UNAUTHENTICATED (curve|sign|replaces)$/);
    });

  for (const field of ['token', 'replaces'] as const)
    it(`is refused when somebody has taken ${field} away`, () => {
      expect(verdict(without(forAgent, field))).to.equal('UNAUTHENTICATED curve');
    });

  it('is refused when a proof is missing', () => {
    expect(verdict(without(forOperator, 'signature'))).to.equal('UNAUTHENTICATED sign');
    expect(verdict(without(forOperator, 'replaceProof'))).to.equal('UNAUTHENTICATED replaces');
    expect(verdict(without(forAgent, 'replaceProof'))).to.equal('UNAUTHENTICATED replaces');
  });

  it('is refused when he meant another manager', () => {
    const other = joinRequestOf(orderOf(web1, { manager: newCurveKeys().publicKey }));
    expect(verdict(other)).to.equal('UNAUTHENTICATED curve');
  });

  it('is refused with the key of somebody else, whose secret he does not have', () => {
    const [stolen, own] = [oldWeb1.curve.publicKey, mallory.curve.secretKey];
    const keys = keyFileOf({ ...mallory, curve: { publicKey: stolen, secretKey: own } });
    expect(verdict(joinRequestOf(orderOf(mallory, { keys })))).to.equal('UNAUTHENTICATED curve');
  });
});

describe('the keys of whoever joins', () => {
  it('are of the form of keys', () => {
    expect(verdict({ ...forAgent, curve: '#'.repeat(40) })).to.equal('INVALID_MESSAGE curve');
    expect(verdict({ ...forOperator, sign: `${'A'.repeat(42)}B` })).to.equal('INVALID_MESSAGE sign');
  });

  it('do not agree with everybody on the same secret', () => {
    expect(verdict({ ...forAgent, curve: encodeZ85(Buffer.alloc(32)) })).to.equal('BAD_KEY');
  });

  it('are two of people, and one of agents', () => {
    expect(verdict({ ...forAgent, sign: forOperator.sign ?? '' })).to.equal('INVALID_MESSAGE sign');
    expect(verdict(without(forOperator, 'sign'))).to.equal('INVALID_MESSAGE sign');
  });
});

describe('the token of whoever joins', () => {
  const isProved = (request: JoinRequest, verifier = tokenVerifier(token)) =>
    checkJoin(request, check(oldWeb1)).token?.isProved(verifier);

  it('is proved by who has it, for his name and keys', () => {
    expect(isProved(forAgent)).to.equal(true);
    expect(isProved(forAgent, tokenVerifier({ ...token, id: 'cd'.repeat(8) }))).to.equal(false);
  });

  it('is not proved by a proof that somebody else made, or by none', () => {
    const joined = joinRequestOf(orderOf(mallory, { token }));
    expect(isProved(joined)).to.equal(true);
    expect(isProved({ ...joined, tokenProof: forAgent.tokenProof ?? '' })).to.equal(false);
    expect(isProved({ ...joined, tokenProof: 'A'.repeat(86) })).to.equal(false);
    expect(isProved(without(joined, 'tokenProof'))).to.equal(false);
  });

  it('is not needed', () => {
    expect(checkJoin(byMallorys, check()).token).to.equal(undefined);
  });
});

describe('a key that is to be replaced', () => {
  it('is one that may come in', () => {
    expect(verdict(forAgent, check())).to.equal('UNAUTHENTICATED replaces');
    expect(verdict(forOperator, check(oldWeb1))).to.equal('UNAUTHENTICATED replaces');
  });

  it('is proved by the key that people sign with, not by the one that they connect with', () => {
    // Whoever has stolen the one must not get a new other one with it.
    const half = keyFileOf({ ...oldAlice, sign: mallorys.sign });
    const forged = { ...joinRequestOf(orderOf(alice, { replaces: half })), replaces: oldAlice.fingerprint };
    expect(verdict(forged)).to.equal('UNAUTHENTICATED curve');
    const asAgent = keyFileOf({ ...oldAlice, sign: undefined });
    const { replaceProof: mac = '' } = joinRequestOf(orderOf(alice, { replaces: asAgent }));
    expect(verdict({ ...forOperator, replaceProof: mac })).to.equal('UNAUTHENTICATED replaces');
  });

  it('is named by a fingerprint', () => {
    const named = joinRequestOf(orderOf(web1));
    expect(verdict({ ...named, replaces: `SHA256:${'A'.repeat(42)}B` })).to.match(/^UNAUTHENTICATED/);
  });
});

describe('the time of whoever joins', () => {
  const at = (sentAtMs: number) => verdict(joinRequestOf(orderOf(web1, { nowWallMs: sentAtMs })));

  it('may be off by an hour, because a new host may not have the time yet', () => {
    expect([at(nowWallMs - 3_600_000), at(nowWallMs + 3_600_000)]).to.deep.equal(['taken', 'taken']);
  });

  it('is refused when it is off by more, with the clock that is to be set', () => {
    expect([at(nowWallMs - 3_600_001), at(nowWallMs + 3_600_001)]).to.deep.equal([
      'REQUEST_EXPIRED',
      'REQUEST_EXPIRED',
    ]);
    const told = (offsetMs: number) =>
      refusalOf(() => checkJoin(joinRequestOf(orderOf(web1, { nowWallMs: nowWallMs + offsetMs })), check()))
        .message;
    expect(told(-7_200_000)).to.include('the clock of this host is 2.0 h behind that of the manager');
    expect(told(7_200_000)).to.include('2.0 h ahead of that of the manager (30 s are allowed)');
  });
});
