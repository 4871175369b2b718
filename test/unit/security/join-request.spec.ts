import { expect } from 'chai';
import { checkJoin } from '../../../src/security/join-check.ts';
import { isGoodJoin, tokenVerifier } from '../../../src/security/join-proof.ts';
import { joinRequestOf } from '../../../src/security/join-request.ts';
import type { JoinToken } from '../../../src/security/join-token.ts';
import { type CurvePublic, newCurveKeys } from '../../../src/security/keys.ts';
import { encodeZ85 } from '../../../src/security/z85.ts';
import { joinRoles, type NodeName } from '../../../src/wire/fields.ts';
import { JoinRequest } from '../../../src/wire/join.ts';
import { keyEntryOf, keyFileOf, keyOwner } from '../../fakes/key-owners.ts';
import { refusalOf } from './refusal.ts';

const manager = newCurveKeys();
const nowWallMs = 1_000_000;
const name = 'one' as NodeName;

describe('what is sent to join', () => {
  for (const role of joinRoles) {
    const owner = keyOwner(role, name);
    const keys = keyFileOf(owner);
    const order = { role, name, keys, manager: manager.publicKey, nowWallMs };
    const check = { manager, nowWallMs, address: '10.0.0.1', keyOf: () => undefined };

    it(`is believed by the manager that it is for (${role})`, () => {
      const sent = JoinRequest.decode(JoinRequest.encode(joinRequestOf(order)));
      expect(checkJoin(sent, check)).to.deep.equal({
        ...{ role, name, keys: owner.keys, address: '10.0.0.1' },
        ...{ token: undefined, replaces: undefined },
      });
    });

    it(`proves that whoever sent it has the token, and does not say its secret (${role})`, () => {
      const token: JoinToken = {
        ...{ id: 'ab'.repeat(8), secret: Buffer.from('this-is-very-very-secret'), role },
        ...{ manager: manager.publicKey, expiresAtMs: nowWallMs + 1 },
      };
      const sent = JoinRequest.encode(joinRequestOf({ ...order, token }));
      const ask = checkJoin(JoinRequest.decode(sent), check);
      expect(ask.token?.id).to.equal(token.id);
      expect(ask.token?.isProved(tokenVerifier(token))).to.equal(true);
      expect(ask.token?.isProved(tokenVerifier({ ...token, secret: Buffer.alloc(24, 1) }))).to.equal(false);
      for (const secret of [token.secret, Buffer.from(owner.curve.secretKey)])
        expect(sent.includes(Buffer.from(secret))).to.equal(false);
      const { tokenProof = '' } = JoinRequest.decode(sent);
      const join = { tokenId: token.id, manager: manager.publicKey, role, name, keys: owner.keys };
      expect(isGoodJoin(tokenVerifier(token), join, tokenProof)).to.equal(true);
    });

    it(`proves that whoever sent it has the keys that are to be replaced as well (${role})`, () => {
      const old = keyOwner(role, name);
      const sent = JoinRequest.encode(joinRequestOf({ ...order, replaces: keyFileOf(old) }));
      const ask = checkJoin(JoinRequest.decode(sent), { ...check, keyOf: () => keyEntryOf(old) });
      expect(ask.replaces).to.equal(old.fingerprint);
    });
  }

  it('is nothing for a manager whose key is none', () => {
    const order = { role: 'agent', name, keys: keyFileOf(keyOwner('agent', name)), nowWallMs } as const;
    const nobody = encodeZ85(Buffer.alloc(32)) as CurvePublic;
    expect(refusalOf(() => joinRequestOf({ ...order, manager: nobody })).code).to.equal('BAD_KEY');
  });
});
