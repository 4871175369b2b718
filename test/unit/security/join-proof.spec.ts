import { expect } from 'chai';
import { isGoodJoin, type Join, proveJoin, tokenVerifier } from '../../../src/security/join-proof.ts';
import type { JoinToken } from '../../../src/security/join-token.ts';
import { newCurveKeys, newSignKeys } from '../../../src/security/keys.ts';

const manager = newCurveKeys().publicKey;
const token: JoinToken = {
  manager,
  id: '0123456789abcdef',
  secret: Buffer.alloc(24, 5),
  role: 'operator',
  expiresAtMs: 0,
};
const keys = { curve: newCurveKeys().publicKey, sign: newSignKeys().publicKey };
const join: Join = { tokenId: token.id, manager, role: 'operator', name: 'alice', keys };
const verifier = tokenVerifier(token);
const proof = proveJoin(token, 'alice', keys);

describe('the proof of who joins', () => {
  it('is good for the keys and the name that it was made for', () => {
    expect(isGoodJoin(verifier, join, proof)).to.equal(true);
  });

  it('is good for an agent, which has no key for signing', () => {
    const agent: JoinToken = { ...token, role: 'agent' };
    const own = { curve: keys.curve };
    const made = proveJoin(agent, 'web1', own);
    const joining: Join = { ...join, role: 'agent', name: 'web1', keys: own };
    expect(isGoodJoin(tokenVerifier(agent), joining, made)).to.equal(true);
    expect(isGoodJoin(tokenVerifier(agent), { ...joining, keys }, made)).to.equal(false);
  });

  const others: ReadonlyArray<[what: string, changes: Partial<Join>]> = [
    ['name', { name: 'bob' }],
    ['role', { role: 'agent' }],
    ['token', { tokenId: 'f'.repeat(16) }],
    ['manager', { manager: newCurveKeys().publicKey }],
    ['CURVE key', { keys: { ...keys, curve: newCurveKeys().publicKey } }],
    ['key for signing', { keys: { ...keys, sign: newSignKeys().publicKey } }],
    ['set of keys', { keys: { curve: keys.curve } }],
  ];
  for (const [what, changes] of others) {
    it(`is wrong for another ${what}`, () => {
      expect(isGoodJoin(verifier, { ...join, ...changes }, proof)).to.equal(false);
    });
  }

  it('cannot be made with another secret, nor with what the manager stores', () => {
    const guessed = { ...token, secret: Buffer.alloc(24, 6) };
    const stolen = { ...token, secret: Buffer.from(verifier, 'base64url').subarray(0, 24) };
    for (const wrong of [guessed, stolen]) {
      expect(isGoodJoin(verifier, join, proveJoin(wrong, 'alice', keys))).to.equal(false);
    }
  });

  it('and what the manager stores are other ones for each token', () => {
    expect(tokenVerifier({ ...token, id: 'f'.repeat(16) })).to.not.equal(verifier);
    expect(tokenVerifier({ ...token, secret: Buffer.alloc(24, 6) })).to.not.equal(verifier);
  });

  it('has one text', () => {
    for (const wrong of [
      '',
      proof.slice(1),
      `${proof}=`,
      `${proof}A`,
      proof.slice(0, -1),
      `A${proof.slice(1)}`,
    ]) {
      if (wrong !== proof) expect(isGoodJoin(verifier, join, wrong)).to.equal(false);
    }
    const last = proof.at(-1) ?? '';
    for (const other of [...'ABCDgQw'].filter((character) => character !== last)) {
      expect(isGoodJoin(verifier, join, proof.slice(0, -1) + other)).to.equal(false);
    }
  });
});
