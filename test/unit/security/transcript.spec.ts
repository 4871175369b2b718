import { expect } from 'chai';
import fc from 'fast-check';
import { transcript } from '../../../src/security/transcript.ts';

const domain = 'service-mgr/signature/1';
const bytesOf = (parts: readonly Uint8Array[]) => transcript(domain, parts);

/** What a reader would make of the bytes: there is only one way to read them. */
function partsOf(bytes: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.byteLength; ) {
    const end = at + 4 + bytes.readUInt32BE(at);
    parts.push(bytes.subarray(at + 4, end));
    at = end;
  }
  return parts;
}

describe('a transcript', () => {
  it('is the domain and each part, behind its length', () => {
    const bytes = transcript(domain, ['ab', new Uint8Array()]);
    expect(bytes.toString('latin1')).to.equal(`\0\0\0\x17${domain}\0\0\0\x02ab\0\0\0\0`);
  });

  it('can be read back, so two lists of parts never have the same one', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 9 }), { maxLength: 5 }), (parts) => {
        const [first, ...others] = partsOf(bytesOf(parts));
        expect(first?.toString()).to.equal(domain);
        expect(others).to.deep.equal(parts.map((part) => Buffer.from(part)));
      }),
    );
  });

  it('tells where one part ends and the next begins', () => {
    const cut = (at: number) =>
      bytesOf([Buffer.from('stop').subarray(0, at), Buffer.from('stop').subarray(at)]);
    const all = [0, 1, 2, 3, 4].map((at) => cut(at).toString('hex'));
    expect(new Set(all)).to.have.length(5);
  });

  it('takes a view into a larger buffer as it stands', () => {
    const whole = Buffer.from('xxstopxx');
    expect(bytesOf([new Uint8Array(whole.buffer, whole.byteOffset + 2, 4)])).to.deep.equal(
      bytesOf([Buffer.from('stop')]),
    );
  });
});
