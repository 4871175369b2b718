import { expect } from 'chai';
import fc from 'fast-check';
import { decodeZ85, encodeZ85 } from '../../../src/security/z85.ts';

describe('Z85', () => {
  it('is that of ZeroMQ RFC 32', () => {
    const bytes = Buffer.from('864fd26fb559f75b', 'hex');
    expect(encodeZ85(bytes)).to.equal('HelloWorld');
    expect(decodeZ85('HelloWorld')).to.deep.equal(bytes);
  });

  it('is read back as it was', () => {
    const whole = fc.uint8Array({ maxLength: 40 }).map((bytes) => bytes.slice(0, bytes.length & ~3));
    fc.assert(
      fc.property(whole, (bytes) => {
        expect(decodeZ85(encodeZ85(bytes))).to.deep.equal(Buffer.from(bytes));
      }),
    );
  });

  for (const [what, text] of [
    ['of another length', '1234'],
    ['with a character that is no digit', 'Hell~World'],
    ['with a blank at its end', 'HelloWorl '],
    ['of a number that four bytes do not hold', '#####'],
    ['of the first such number', '%nSc1'],
  ] as const) {
    it(`is no text ${what}`, () => expect(decodeZ85(text)).to.equal(undefined));
  }

  it('has one text for the largest number', () => {
    expect(encodeZ85(Buffer.alloc(4, 0xff))).to.equal('%nSc0');
  });

  it('is not made of bytes that do not come in fours', () => {
    expect(() => encodeZ85(Buffer.alloc(5))).to.throw(RangeError);
  });
});
