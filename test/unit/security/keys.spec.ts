import { sign, verify } from 'node:crypto';
import { expect } from 'chai';
import { curveKeyPair } from 'zeromq';
import {
  type CurvePublic,
  curveBytes,
  curvePublicFrom,
  deriveCurvePublic,
  deriveSignPublic,
  isCurvePublic,
  isCurveSecret,
  isSignPublic,
  isSignSecret,
  newCurveKeys,
  newSignKeys,
  printCurvePublic,
  readCurvePublic,
  sharedSecret,
  signBytes,
  signingKey,
  signSecretFrom,
  verifyingKey,
} from '../../../src/security/keys.ts';
import { encodeZ85 } from '../../../src/security/z85.ts';
import { refusalOf } from './refusal.ts';

describe('a CURVE public key on a command line', () => {
  it('is text that a shell leaves alone and that is no option, and is read back', () => {
    for (let pair = 0; pair < 50; pair += 1) {
      const { publicKey } = newCurveKeys();
      const typed = printCurvePublic(publicKey);
      expect(typed).to.match(/^smk1-[A-Za-z0-9_-]{43}$/);
      expect(readCurvePublic(typed)).to.equal(publicKey);
    }
  });

  it('may be Z85, too', () => {
    const { publicKey } = newCurveKeys();
    expect(readCurvePublic(publicKey)).to.equal(publicKey);
  });

  it('is nothing else: no other length, and no other text of the same bytes', () => {
    const typed = printCurvePublic(newCurveKeys().publicKey);
    // Its last bits are to spare, and not zero.
    const otherText = `${typed.slice(0, -1)}B`;
    for (const text of [
      '',
      typed.slice(1),
      typed.slice(5),
      `${typed}A`,
      `${typed}=`,
      otherText,
      '!'.repeat(43),
    ])
      expect(readCurvePublic(text), text).to.equal(undefined);
  });
});

describe('a CURVE key pair', () => {
  it('that libzmq made has the public key that we derive', () => {
    for (let pair = 0; pair < 50; pair += 1) {
      const { publicKey, secretKey } = curveKeyPair();
      if (!isCurveSecret(secretKey)) throw new Error(`no secret: ${secretKey}`);
      expect(deriveCurvePublic(secretKey)).to.equal(publicKey);
    }
  });

  it('is 40 characters each, new every time, and belongs together', () => {
    const one = newCurveKeys();
    const other = newCurveKeys();
    expect([one.publicKey.length, one.secretKey.length]).to.deep.equal([40, 40]);
    expect(deriveCurvePublic(one.secretKey)).to.equal(one.publicKey);
    expect(one.secretKey).to.not.equal(other.secretKey);
  });

  it('agrees with another pair, also with one of libzmq, on a secret that both get', () => {
    const ours = newCurveKeys();
    const { publicKey, secretKey } = curveKeyPair();
    if (!isCurvePublic(publicKey) || !isCurveSecret(secretKey)) throw new Error('no keys');
    const shared = sharedSecret(ours.secretKey, publicKey);
    expect(shared).to.have.length(32);
    expect(sharedSecret(secretKey, ours.publicKey)).to.deep.equal(shared);
    expect(sharedSecret(newCurveKeys().secretKey, publicKey)).to.not.deep.equal(shared);
  });

  it('agrees as RFC 7748, 6.1 says', () => {
    const bob = encodeZ85(
      Buffer.from('5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb', 'hex'),
    );
    const alice = Buffer.from('8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a', 'hex');
    if (!isCurveSecret(bob)) throw new Error('no secret');
    expect(sharedSecret(bob, curvePublicFrom(alice)).toString('hex')).to.equal(
      '4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742',
    );
  });

  it('agrees on nothing with a key with which everybody would agree on zeros', () => {
    const { secretKey } = newCurveKeys();
    const one = Buffer.alloc(32);
    one[0] = 1;
    for (const point of [Buffer.alloc(32), one]) {
      const refusal = refusalOf(() => sharedSecret(secretKey, curvePublicFrom(point)));
      expect(refusal.code).to.equal('BAD_KEY');
      expect(refusal.cause).to.be.instanceOf(Error);
    }
  });

  it('is 32 bytes on the wire', () => {
    const { publicKey } = newCurveKeys();
    expect(curvePublicFrom(curveBytes(publicKey))).to.equal(publicKey);
    expect(refusalOf(() => curvePublicFrom(Buffer.alloc(31))).message).to.equal('key: 31 bytes, expected 32');
    expect(refusalOf(() => curveBytes('short' as CurvePublic)).code).to.equal('BAD_KEY');
  });

  for (const text of ['', 'a'.repeat(39), 'a'.repeat(45), '~'.repeat(40), '#'.repeat(40)]) {
    it(`is not ${JSON.stringify(text)}`, () => {
      expect([isCurvePublic(text), isCurveSecret(text)]).to.deep.equal([false, false]);
    });
  }
});

describe('a pair of keys for signing', () => {
  it('is 43 characters each, new every time, and belongs together', () => {
    const one = newSignKeys();
    expect([one.publicKey.length, one.secretKey.length]).to.deep.equal([43, 43]);
    expect(deriveSignPublic(one.secretKey)).to.equal(one.publicKey);
    expect(newSignKeys().secretKey).to.not.equal(one.secretKey);
  });

  it('signs and verifies', () => {
    const { publicKey, secretKey } = newSignKeys();
    const signature = sign(null, Buffer.from('text'), signingKey(secretKey));
    expect(verify(null, Buffer.from('text'), verifyingKey(publicKey), signature)).to.equal(true);
    expect(verify(null, Buffer.from('text'), verifyingKey(newSignKeys().publicKey), signature)).to.equal(
      false,
    );
  });

  it('is that of RFC 8032', () => {
    const seed = Buffer.from('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex');
    const expected = 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a';
    expect(signBytes(deriveSignPublic(signSecretFrom(seed))).toString('hex')).to.equal(expected);
  });

  it('is never taken for a CURVE key, nor the other way round', () => {
    const { publicKey, secretKey } = newSignKeys();
    expect([isCurvePublic(publicKey), isCurveSecret(secretKey)]).to.deep.equal([false, false]);
    const curve = newCurveKeys();
    expect([isSignPublic(curve.publicKey), isSignSecret(curve.secretKey)]).to.deep.equal([false, false]);
  });

  it('has one text for each key', () => {
    expect(isSignPublic('A'.repeat(43))).to.equal(true);
    // The last character has two bits to spare.
    expect(isSignPublic(`${'A'.repeat(42)}B`)).to.equal(false);
    expect(isSignPublic(`${'A'.repeat(43)}=`)).to.equal(false);
    expect(refusalOf(() => signSecretFrom(Buffer.alloc(31))).code).to.equal('BAD_KEY');
  });
});
