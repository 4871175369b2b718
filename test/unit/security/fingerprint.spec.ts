import { createHash } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import {
  type Fingerprint,
  findFingerprint,
  fingerprintOf,
  isFingerprint,
} from '../../../src/security/fingerprint.ts';
import { curvePublicFrom, isSignPublic, newCurveKeys, newSignKeys } from '../../../src/security/keys.ts';
import { refusalOf } from './refusal.ts';

function fingerprint(text: string): Fingerprint {
  if (!isFingerprint(text)) throw new Error(`no fingerprint: ${text}`);
  return text;
}

const one = fingerprint(`SHA256:abcdefgh1${'x'.repeat(33)}E`);
const two = fingerprint(`SHA256:abcdefgh2${'x'.repeat(33)}E`);
const three = fingerprint(`SHA256:zyxwvuts${'x'.repeat(34)}E`);
const known = [one, two, three];

describe('a fingerprint', () => {
  it('is made of the bytes that docs/FORMATS.md says', () => {
    const curve = curvePublicFrom(Buffer.alloc(32, 7));
    const sign = Buffer.alloc(32, 9).toString('base64url');
    if (!isSignPublic(sign)) throw new Error('no key');
    const head = '\0\0\0\x19service-mgr/fingerprint/1\0\0\0\x20';
    const hash = createHash('sha256').update(head).update(Buffer.alloc(32, 7));
    expect(fingerprintOf({ curve })).to.equal(`SHA256:${hash.copy().digest('base64').slice(0, 43)}`);
    hash.update('\0\0\0\x20').update(Buffer.alloc(32, 9));
    expect(fingerprintOf({ curve, sign })).to.equal(`SHA256:${hash.digest('base64').slice(0, 43)}`);
  });

  it('is another one for each other key', () => {
    const curve = newCurveKeys().publicKey;
    const sign = newSignKeys().publicKey;
    const all = [
      fingerprintOf({ curve }),
      fingerprintOf({ curve: newCurveKeys().publicKey }),
      fingerprintOf({ curve, sign }),
      fingerprintOf({ curve, sign: newSignKeys().publicKey }),
    ];
    expect(all.every(isFingerprint)).to.equal(true);
    expect(new Set(all)).to.have.length(4);
  });

  for (const text of [
    '',
    'SHA256:',
    one.slice(7),
    `${one}=`,
    one.slice(0, -1),
    `MD5:${one.slice(7)}`,
    `${one.slice(0, -1)}F`,
  ]) {
    it(`is not ${JSON.stringify(text)}`, () => expect(isFingerprint(text)).to.equal(false));
  }
});

describe('a fingerprint that somebody types', () => {
  it('may be the whole of it, or a beginning that only one has, with or without SHA256:', () => {
    for (const typed of [three, 'SHA256:zyxwvuts', 'zyxwvuts', three.slice(7)]) {
      expect(findFingerprint(typed, known)).to.equal(three);
    }
    expect(findFingerprint('abcdefgh2', known)).to.equal(two);
  });

  const refused: ReadonlyArray<[typed: string, message: string, code?: string]> = [
    ['zyxwvut', 'fingerprint "zyxwvut", expected at least 8 characters behind SHA256:'],
    ['SHA256:zyxwvut', 'fingerprint "SHA256:zyxwvut", expected at least 8 characters behind SHA256:'],
    ['SHA256:', 'fingerprint "SHA256:", expected at least 8 characters behind SHA256:'],
    ['ZYXWVUTS', 'no key has the fingerprint "ZYXWVUTS"', 'UNKNOWN_KEY'],
    ['SHA256:abcdefgh', `2 keys begin with "SHA256:abcdefgh": ${one}, ${two}`],
    [`${one}x`, `no key has the fingerprint "${one}x"`, 'UNKNOWN_KEY'],
  ];
  for (const [typed, message, code = 'BAD_USAGE'] of refused) {
    it(`is refused: ${message.slice(0, 60)}`, () => {
      const refusal = refusalOf(() => findFingerprint(typed, known));
      expect([refusal.code, refusal.message]).to.deep.equal([code, message]);
    });
  }

  it('may be known from several places', () => {
    expect(findFingerprint('zyxwvuts', [three, three])).to.equal(three);
  });

  it('is found by each beginning that is long enough, among any others', () => {
    const hashes = fc.uniqueArray(fc.uint8Array({ minLength: 32, maxLength: 32 }), {
      selector: (bytes) => Buffer.from(bytes).toString('hex').slice(0, 8),
      minLength: 1,
      maxLength: 20,
    });
    fc.assert(
      fc.property(hashes, fc.integer({ min: 8, max: 43 }), (all, length) => {
        const prints = all.map((bytes) =>
          fingerprint(`SHA256:${Buffer.from(bytes).toString('base64').slice(0, 43)}`),
        );
        for (const print of prints)
          expect(findFingerprint(print.slice(7, 7 + length), prints)).to.equal(print);
      }),
    );
  });
});
