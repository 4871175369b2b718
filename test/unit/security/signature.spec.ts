import { verify } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import { type Fingerprint, fingerprintOf } from '../../../src/security/fingerprint.ts';
import { newCurveKeys, newSignKeys, verifyingKey } from '../../../src/security/keys.ts';
import { claimedSigner, type Signer, signBody, verifyBody } from '../../../src/security/signature.ts';
import { transcript } from '../../../src/security/transcript.ts';

function newSigner(): Signer {
  const sign = newSignKeys();
  return { keys: { curve: newCurveKeys().publicKey, sign: sign.publicKey }, secret: sign.secretKey };
}

const alice = newSigner();
const bob = newSigner();
const operators = new Map([alice, bob].map(({ keys }) => [fingerprintOf(keys), keys.sign]));
const keyOf = (fingerprint: Fingerprint) => operators.get(fingerprint);
const body = Buffer.from('{"id":"1","cmd":"stop","topic":"web1","service":"sshd"}');
const signed = signBody('request', body, alice);

describe('the signature of a body', () => {
  it('says who signed, and is good', () => {
    const fingerprint = fingerprintOf(alice.keys);
    expect(signed).to.match(/^1\.SHA256:[^.]{43}\.[A-Za-z0-9_-]{86}$/);
    expect(claimedSigner(signed)).to.equal(fingerprint);
    expect(verifyBody('request', body, signed, keyOf)).to.deep.equal({ isGood: true, fingerprint });
  });

  it('is an Ed25519 signature of the bytes that docs/FORMATS.md says', () => {
    const bytes = transcript('service-mgr/signature/1', ['request', body]);
    const signature = Buffer.from(signed.split('.')[2] ?? '', 'base64url');
    if (alice.keys.sign === undefined) throw new Error('no key');
    expect(verify(null, bytes, verifyingKey(alice.keys.sign), signature)).to.equal(true);
  });

  it('of a query is worth nothing under a request, nor the other way round', () => {
    const query = signBody('query', body, alice);
    expect(verifyBody('request', body, query, keyOf)).to.include({ reason: 'wrong' });
    expect(verifyBody('query', body, signed, keyOf)).to.include({ reason: 'wrong' });
  });

  it('is not good in the name of another operator', () => {
    const claimed = signed.replace(fingerprintOf(alice.keys), fingerprintOf(bob.keys));
    const fingerprint = fingerprintOf(bob.keys);
    expect(verifyBody('request', body, claimed, keyOf)).to.deep.equal({
      isGood: false,
      reason: 'wrong',
      fingerprint,
    });
  });

  it('of somebody unknown is told from a wrong one', () => {
    const stranger = newSigner();
    const fingerprint = fingerprintOf(stranger.keys);
    const verdict = verifyBody('request', body, signBody('request', body, stranger), keyOf);
    expect(verdict).to.deep.equal({ isGood: false, reason: 'unknown', fingerprint });
  });

  it('of a key that is revoked is unknown at once', () => {
    expect(verifyBody('request', body, signed, () => undefined)).to.include({ reason: 'unknown' });
  });

  for (const text of [
    '',
    'x',
    signed.slice(1),
    signed.slice(0, -1),
    `${signed}A`,
    ` ${signed}`,
    signed.replace('1.', '2.'),
  ]) {
    it(`is malformed as ${JSON.stringify(text.slice(0, 12))}, ${text.length} characters`, () => {
      expect(verifyBody('request', body, text, keyOf)).to.deep.equal({ isGood: false, reason: 'malformed' });
      expect(claimedSigner(text)).to.equal(undefined);
    });
  }

  it('is not good with any byte of the body changed, dropped or added', () => {
    fc.assert(
      fc.property(fc.nat(body.byteLength - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const changed = Buffer.from(body);
        changed[at] = (changed[at] ?? 0) ^ flip;
        const dropped = Buffer.concat([body.subarray(0, at), body.subarray(at + 1)]);
        const added = Buffer.concat([body.subarray(0, at), Buffer.of(flip), body.subarray(at)]);
        for (const other of [changed, dropped, added])
          expect(verifyBody('request', other, signed, keyOf).isGood).to.equal(false);
      }),
      { numRuns: 50 },
    );
  });

  it('is not good with any character of it changed', () => {
    const characters = [...'AEabz059-_+/.: '];
    for (let at = 0; at < signed.length; at += 1) {
      for (const character of characters.filter((one) => one !== signed[at]).slice(0, 3)) {
        const changed = signed.slice(0, at) + character + signed.slice(at + 1);
        expect(verifyBody('request', body, changed, keyOf).isGood, changed).to.equal(false);
      }
    }
  });

  it('is the same every time: there is no random number that could go wrong', () => {
    expect(signBody('request', body, alice)).to.equal(signed);
  });
});
