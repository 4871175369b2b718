import { expect } from 'chai';
import fc from 'fast-check';
import {
  type KeyKind,
  keyKinds,
  newSecretKeys,
  printPublicKeyFile,
  printSecretKeyFile,
  publicPartOf,
  readPublicKeyFile,
  readSecretKeyFile,
  type SecretKeyFile,
} from '../../../src/security/key-file.ts';
import { newCurveKeys, newSignKeys } from '../../../src/security/keys.ts';
import { refusalOf } from './refusal.ts';

const created = '2026-11-05T10:00:00Z';
const curve = newCurveKeys();
const sign = newSignKeys();

function keyFile(kind: KeyKind, name = 'alice'): SecretKeyFile {
  const isSigner = kind === 'operator' || kind === 'monitor';
  return { kind, name, created, curve, ...(isSigner ? { sign } : {}) };
}

const secretText = printSecretKeyFile(keyFile('operator'));
const publicText = printPublicKeyFile(publicPartOf(keyFile('operator')));
const withLine = (text: string, field: string, line: string) =>
  text.replace(new RegExp(`^${field} = .*$`, 'm'), () => line);

function problem(read: (text: string, fileName: string) => unknown, text: string): string {
  const refusal = refusalOf(() => read(text, 'KEY'));
  expect(refusal.code).to.equal('BAD_CONFIG');
  return refusal.message;
}

describe('new keys', () => {
  for (const kind of keyKinds) {
    it(`of kind ${kind} are nobody else's, and make a good file`, () => {
      const [one, other] = [newSecretKeys(kind, 'alice', 1_000), newSecretKeys(kind, 'alice', 1_000)];
      expect(readSecretKeyFile(printSecretKeyFile(one), 'KEY')).to.deep.equal(one);
      expect(one.created).to.equal('1970-01-01T00:00:01Z');
      expect(one.curve.secretKey).to.not.equal(other.curve.secretKey);
      expect(one.sign !== undefined).to.equal(kind === 'operator' || kind === 'monitor');
    });
  }
});

describe('a key file', () => {
  for (const kind of keyKinds) {
    it(`of kind ${kind} is read back as it was, and so is its public part`, () => {
      const file = keyFile(kind);
      expect(readSecretKeyFile(printSecretKeyFile(file), 'KEY')).to.deep.equal(file);
      const part = publicPartOf(file);
      expect(readPublicKeyFile(printPublicKeyFile(part), 'KEY')).to.deep.equal(part);
    });
  }

  it('has no secret in its public part', () => {
    for (const secret of [curve.secretKey, sign.secretKey]) expect(publicText).to.not.include(secret);
    expect(publicText).to.include(curve.publicKey).and.include(sign.publicKey);
  });

  it('may hold any key, whatever characters Z85 gives it', () => {
    for (let run = 0; run < 100; run += 1) {
      const file = { ...keyFile('agent', 'web1'), curve: newCurveKeys() };
      expect(readSecretKeyFile(printSecretKeyFile(file), 'KEY')).to.deep.equal(file);
    }
  });

  const wrong: ReadonlyArray<[field: string, line: string, message: string]> = [
    ['kind', 'kind = root', 'KEY:2: kind is "root", expected one of manager, agent, operator, monitor'],
    [
      'name',
      'name = ../x',
      'KEY:3: name is "../x", expected a name of 1 to 255 letters, digits, dots, dashes and underscores',
    ],
    [
      'name',
      'name =',
      'KEY:3: name is empty, expected a name of 1 to 255 letters, digits, dots, dashes and underscores',
    ],
    [
      'created',
      'created = 2026-02-30T10:00:00Z',
      'KEY:4: created is "2026-02-30T10:00:00Z", expected a time such as 2026-11-05T10:00:00Z',
    ],
    [
      'created',
      'created = yesterday',
      'KEY:4: created is "yesterday", expected a time such as 2026-11-05T10:00:00Z',
    ],
    ['curve_public', 'curve_public = ~', 'KEY:5: curve_public is "~", expected 40 characters of Z85'],
    ['sign_public', 'sign_public = A', 'KEY:7: sign_public is "A", expected 43 characters of base64url'],
    ['curve_public', '# none', 'KEY: curve_public is missing, expected 40 characters of Z85'],
  ];
  for (const [field, line, message] of wrong) {
    it(`is refused with "${line}"`, () => {
      expect(problem(readSecretKeyFile, withLine(secretText, field, line))).to.equal(message);
    });
  }

  it('is refused with all that is wrong with it at once', () => {
    const text = `nonsense\n${withLine(withLine(secretText, 'kind', 'kind = x'), 'name', 'kind = y')}`;
    expect(
      problem(readSecretKeyFile, text)
        .split('\n')
        .map((line) => line.split(',')[0]),
    ).to.deep.equal([
      'KEY:1: expected FIELD = VALUE with one of kind',
      'KEY:4: kind is given twice',
      'KEY:3: kind is "x"',
      'KEY: name is missing',
    ]);
  });

  it('is refused when a public key does not belong to the secret key', () => {
    const other = withLine(secretText, 'curve_public', `curve_public = ${newCurveKeys().publicKey}`);
    expect(problem(readSecretKeyFile, other)).to.equal(
      'KEY:5: curve_public does not belong to the secret key in this file',
    );
    const second = withLine(secretText, 'sign_public', `sign_public = ${newSignKeys().publicKey}`);
    expect(problem(readSecretKeyFile, second)).to.equal(
      'KEY:7: sign_public does not belong to the secret key in this file',
    );
  });

  it('of an agent is refused with keys for signing', () => {
    const text = withLine(secretText, 'kind', 'kind = agent');
    expect(problem(readSecretKeyFile, text)).to.equal(
      'KEY:7: sign_public is given, but a key of kind agent does not sign\nKEY:8: sign_secret is given, but a key of kind agent does not sign',
    );
    expect(problem(readPublicKeyFile, withLine(publicText, 'kind', 'kind = agent'))).to.include(
      'does not sign',
    );
  });

  it('for others to read is refused with a secret in it', () => {
    expect(problem(readPublicKeyFile, secretText)).to.equal(
      'KEY:6: curve_secret is given, but a secret does not belong into a public key file\n' +
        'KEY:8: sign_secret is given, but a secret does not belong into a public key file',
    );
  });

  it('never shows a secret in an error, wherever the secret stands', () => {
    const places = [...secretText.matchAll(/\S+/g)].map(({ index }) => index);
    const mutation = fc.record({
      at: fc.constantFrom(...places),
      from: fc.constantFrom(curve.secretKey as string, sign.secretKey as string),
      kind: fc.constantFrom('insert', 'swap', 'bare', 'cut'),
    });
    fc.assert(
      fc.property(mutation, ({ at, from, kind }) => {
        const text = mutated(at, from, kind);
        for (const read of [readSecretKeyFile, readPublicKeyFile]) {
          const message = messageOf(() => read(text, 'KEY'));
          for (const secret of [curve.secretKey, sign.secretKey]) {
            for (let start = 0; start + 8 <= secret.length; start += 1)
              expect(message).to.not.include(secret.slice(start, start + 8));
          }
        }
      }),
      { numRuns: 100 },
    );
  });
});

function mutated(at: number, secret: string, kind: string): string {
  if (kind === 'insert') return secretText.slice(0, at) + secret + secretText.slice(at);
  if (kind === 'bare') return `${secret}\n${secretText}`;
  if (kind === 'cut') return secretText.slice(0, at + 5);
  return secretText
    .replace(/^(\w+_public) = .*$/gm, (_, field: string) => `${field} = ${secret}`)
    .replace(/^name.*$/m, `name = ${secret}`);
}

function messageOf(read: () => unknown): string {
  try {
    read();
    return '';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
