import { createHmac, hkdfSync } from 'node:crypto';
import { expect } from 'chai';
import {
  curveBytes,
  curvePublicFrom,
  newCurveKeys,
  newSignKeys,
  sharedSecret,
  signBytes,
} from '../../../src/security/keys.ts';
import {
  type Claim,
  claimMac,
  isGoodClaimMac,
  isGoodClaimSignature,
  signClaim,
} from '../../../src/security/possession.ts';
import { transcript } from '../../../src/security/transcript.ts';
import { refusalOf } from './refusal.ts';

const manager = newCurveKeys();
const curve = newCurveKeys();
const sign = newSignKeys();
const other = { curve: newCurveKeys(), sign: newSignKeys() };
const keys = { curve: curve.publicKey, sign: sign.publicKey };
const fingerprint = `SHA256:${'A'.repeat(43)}`;
const claim: Claim = {
  manager: manager.publicKey,
  role: 'operator',
  name: 'alice',
  keys,
  sentAtMs: 1_700_000_000_000,
  token: '0123456789abcdef',
  replaces: fingerprint,
};
const { sign: _, ...curveOnly } = keys;
const { token: _token, ...withoutToken } = claim;
const { replaces: _replaces, ...withoutReplaced } = claim;

/** The claim with each thing changed that the proofs are bound to. */
const changed: ReadonlyArray<[what: string, claim: Claim]> = [
  ['manager', { ...claim, manager: other.curve.publicKey }],
  ['role', { ...claim, role: 'monitor' }],
  ['name', { ...claim, name: 'alicf' }],
  ['CURVE key', { ...claim, keys: { ...keys, curve: other.curve.publicKey } }],
  ['key for signing', { ...claim, keys: { ...keys, sign: other.sign.publicKey } }],
  ['set of keys', { ...claim, keys: curveOnly }],
  ['time', { ...claim, sentAtMs: claim.sentAtMs + 1 }],
  ['token', { ...claim, token: 'f123456789abcdef' }],
  ['way to join, without a token', withoutToken],
  ['key that is replaced', { ...claim, replaces: `SHA256:${'B'.repeat(43)}` }],
  ['way to join, replacing nothing', withoutReplaced],
  ['order of the same texts', { ...claim, token: fingerprint, replaces: '0123456789abcdef' }],
];

describe('the MAC of who claims a CURVE key', () => {
  const mac = claimMac(claim, curve);

  it('made with its secret half is good at the manager', () => {
    expect(mac).to.match(/^[0-9a-f]{64}$/);
    expect(isGoodClaimMac(claim, curve.publicKey, manager, mac)).to.equal(true);
  });

  it('is good for an agent that has no key for signing, no token and replaces nothing', () => {
    const { token: _none, ...plain } = withoutReplaced;
    const agent: Claim = { ...plain, role: 'agent', keys: curveOnly };
    expect(isGoodClaimMac(agent, curve.publicKey, manager, claimMac(agent, curve))).to.equal(true);
  });

  for (const [what, changes] of changed) {
    it(`is wrong for another ${what}`, () => {
      expect(isGoodClaimMac(changes, curve.publicKey, manager, mac)).to.equal(false);
    });
  }

  it('made with the secret half of another key is wrong', () => {
    expect(isGoodClaimMac(claim, curve.publicKey, manager, claimMac(claim, other.curve))).to.equal(false);
  });

  it('of the key that is replaced is good for that key, and no other', () => {
    const old = newCurveKeys();
    const proof = claimMac(claim, old);
    expect(isGoodClaimMac(claim, old.publicKey, manager, proof)).to.equal(true);
    expect(isGoodClaimMac(claim, curve.publicKey, manager, proof)).to.equal(false);
  });

  it('is worth nothing at another manager', () => {
    expect(isGoodClaimMac(claim, curve.publicKey, other.curve, mac)).to.equal(false);
    const there = { ...claim, manager: other.curve.publicKey };
    expect(isGoodClaimMac(there, curve.publicKey, other.curve, mac)).to.equal(false);
  });

  for (const [what, wrong] of Object.entries({
    'no text': '',
    'half of it': mac.slice(0, 32),
    'it in capital letters': mac.toUpperCase() === mac ? `${mac}A` : mac.toUpperCase(),
    'it and something behind it': `${mac}zz`,
    'it with another end': mac.slice(0, -1) + (mac.endsWith('0') ? '1' : '0'),
    'as many other characters': 'ä'.repeat(32),
  })) {
    it(`is not ${what}`, () => {
      expect(isGoodClaimMac(claim, curve.publicKey, manager, wrong)).to.equal(false);
    });
  }

  it('is made of the bytes that docs/FORMATS.md says', () => {
    const domain = 'service-mgr/claim-key/1';
    const info = transcript(domain, [curveBytes(keys.curve), curveBytes(manager.publicKey)]);
    const key = hkdfSync('sha256', sharedSecret(curve.secretKey, manager.publicKey), domain, info, 32);
    const parts = [
      curveBytes(manager.publicKey),
      'operator',
      'alice',
      curveBytes(keys.curve),
      signBytes(keys.sign),
      '1700000000000',
      '0123456789abcdef',
      fingerprint,
    ];
    const bytes = transcript('service-mgr/claim/1', parts);
    expect(mac).to.equal(createHmac('sha256', Buffer.from(key)).update(bytes).digest('hex'));
  });

  it('is none of a public key with which everybody would have the same', () => {
    const zeros = curvePublicFrom(Buffer.alloc(32));
    expect(refusalOf(() => isGoodClaimMac(claim, zeros, manager, mac)).code).to.equal('BAD_KEY');
    expect(refusalOf(() => claimMac({ ...claim, manager: zeros }, curve)).code).to.equal('BAD_KEY');
  });
});

describe('the signature of who claims a key for signing', () => {
  const signature = signClaim(claim, sign.secretKey);

  it('made with its secret half is good', () => {
    expect(signature).to.match(/^[A-Za-z0-9_-]{86}$/);
    expect(isGoodClaimSignature(claim, sign.publicKey, signature)).to.equal(true);
  });

  for (const [what, changes] of changed) {
    it(`is wrong for another ${what}`, () => {
      expect(isGoodClaimSignature(changes, sign.publicKey, signature)).to.equal(false);
    });
  }

  it('of somebody else is wrong', () => {
    expect(isGoodClaimSignature(claim, other.sign.publicKey, signature)).to.equal(false);
    const forged = signClaim(claim, other.sign.secretKey);
    expect(isGoodClaimSignature(claim, sign.publicKey, forged)).to.equal(false);
  });

  it('has one text', () => {
    const last = signature.at(-1) ?? '';
    const ends = [...'ABCDgQw'].filter((end) => end !== last).map((end) => signature.slice(0, -1) + end);
    for (const wrong of ['', `${signature}=`, `${signature}A`, signature.slice(0, -1), 'x', ...ends])
      expect(isGoodClaimSignature(claim, sign.publicKey, wrong), wrong).to.equal(false);
  });
});
