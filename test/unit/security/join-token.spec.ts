import { expect } from 'chai';
import fc from 'fast-check';
import { type JoinToken, printJoinToken, readJoinToken } from '../../../src/security/join-token.ts';
import { newCurveKeys } from '../../../src/security/keys.ts';
import { joinRoles } from '../../../src/wire/fields.ts';
import { refusalOf } from './refusal.ts';

const manager = newCurveKeys().publicKey;
const token: JoinToken = {
  manager,
  id: '0123456789abcdef',
  secret: Buffer.alloc(24, 5),
  role: 'agent',
  name: 'web1',
  expiresAtMs: 1_800_000_000_000,
};
const text = printJoinToken(token);
const tokens: fc.Arbitrary<JoinToken> = fc.record(
  {
    manager: fc.constant(manager),
    id: fc.uint8Array({ minLength: 8, maxLength: 8 }).map((bytes) => Buffer.from(bytes).toString('hex')),
    secret: fc.uint8Array({ minLength: 24, maxLength: 24 }).map((bytes) => Buffer.from(bytes)),
    role: fc.constantFrom(...joinRoles),
    name: fc.stringMatching(/^[a-zA-Z0-9_]([a-zA-Z0-9_.-]{0,253}[a-zA-Z0-9_])?$/),
    expiresAtMs: fc.integer({ min: 0, max: 2 ** 48 - 1 }),
  },
  { requiredKeys: ['manager', 'id', 'secret', 'role', 'expiresAtMs'] },
);

function problem(typed: string): string {
  const refusal = refusalOf(() => readJoinToken(typed));
  expect(refusal.code).to.equal('BAD_USAGE');
  return refusal.message;
}

describe('a join token', () => {
  it('is one string that needs no quotes, and is read back as it was', () => {
    fc.assert(
      fc.property(tokens, (made) => {
        const printed = printJoinToken(made);
        expect(printed).to.match(/^smj1-[A-Za-z0-9_-]+$/);
        expect(readJoinToken(printed)).to.deep.equal(made);
      }),
    );
  });

  it('may have blanks and a newline around it', () => {
    expect(readJoinToken(` ${text}\n`)).to.deep.equal(token);
  });

  it('with a typing error is told from a wrong one: any character changed', () => {
    for (let at = 5; at < text.length; at += 1) {
      for (const character of 'Ab7-_') {
        if (text[at] === character) continue;
        const typed = text.slice(0, at) + character + text.slice(at + 1);
        expect(problem(typed)).to.equal(
          'the join token has a typing error or is not complete: copy it again',
        );
      }
    }
  });

  it('that is not complete says so, wherever it was cut', () => {
    for (let length = 5; length < text.length; length += 1) {
      expect(problem(text.slice(0, length))).to.include('not complete');
    }
    expect(problem(`${text}A`)).to.include('typing error');
  });

  const refused: ReadonlyArray<[typed: string, message: string]> = [
    ['', 'the join token is none: expected a text that begins with smj1-'],
    ['SHA256:abcdefgh', 'the join token is none: expected a text that begins with smj1-'],
    [text.slice(1), 'the join token is none: expected a text that begins with smj1-'],
    [text.replace('smj1', 'smj2'), 'the join token is of version 2, but this program knows version 1 only'],
    [
      `${text.slice(0, 20)}+${text.slice(21)}`,
      'the join token has a character at place 21 that no token has',
    ],
    [`smj1-${'A'.repeat(10_000)}`, 'the join token has 10005 characters, which is too many'],
  ];
  for (const [typed, message] of refused) {
    it(`is refused: ${message}`, () => expect(problem(typed)).to.equal(message));
  }

  it('for something that this version does not know is refused as that', () => {
    const role = 'agent' as const;
    for (const name of ['../x', '-x', 'a\nb']) {
      expect(problem(printJoinToken({ ...token, role, name }))).to.include('does not know');
    }
  });

  it('is never in an error', () => {
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.string({ minLength: 1, maxLength: 1 }), (at, character) => {
        const typed = text.slice(0, at) + character + text.slice(at + 1);
        const message = (() => {
          try {
            readJoinToken(typed);
            return '';
          } catch (error) {
            return error instanceof Error ? error.message : '';
          }
        })();
        for (let start = 5; start + 8 <= text.length; start += 1)
          expect(message).to.not.include(text.slice(start, start + 8));
      }),
    );
  });

  it('is not made of an id or a secret of another length', () => {
    expect(() => printJoinToken({ ...token, secret: Buffer.alloc(16) })).to.throw(RangeError);
    expect(() => printJoinToken({ ...token, id: '0123' })).to.throw(RangeError);
  });
});
