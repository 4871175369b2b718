import { expect } from 'chai';
import fc from 'fast-check';
import { readZapRequest, zapReply } from '../../../../src/platform/zmq/zap.ts';

const key = Buffer.alloc(32, 7);
const request = (...changes: [number, Buffer | string | undefined][]): Buffer[] => {
  const frames: (Buffer | string | undefined)[] = [
    'peer',
    '',
    '1.0',
    'id',
    'frontend',
    '10.0.0.1',
    '',
    'CURVE',
    key,
  ];
  for (const [index, frame] of changes) frames[index] = frame;
  return frames.filter((frame) => frame !== undefined).map((frame) => Buffer.from(frame));
};

describe('a request of ZAP', () => {
  it('tells domain, address, mechanism and key', () => {
    expect(readZapRequest(request())).to.deep.equal({
      domain: 'frontend',
      address: '10.0.0.1',
      mechanism: 'CURVE',
      publicKey: key,
    });
  });

  it('has no key with another mechanism', () => {
    for (const mechanism of ['NULL', 'PLAIN', 'curve', ''])
      expect(readZapRequest(request([7, mechanism]))).to.deep.include({
        mechanism,
        publicKey: Buffer.alloc(0),
      });
  });

  for (const [sentence, frames] of [
    ['of another version', request([2, '1.1'])],
    ['without an empty frame', request([1, 'x'])],
    ['with a key that is too short', request([8, Buffer.alloc(31)])],
    ['with a key that is too long', request([8, Buffer.alloc(33)])],
    ['without its key', request([8, undefined])],
    ['with two keys', request([9, key])],
    ['without its mechanism', request().slice(0, 7)],
    ['of no frame', []],
  ] as const) {
    it(`is none ${sentence}`, () => {
      expect(readZapRequest(frames)).to.equal(undefined);
    });
  }

  it('may be anything, and still has an answer that goes where it came from', () => {
    const frame = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 12 }), (frames) => {
        readZapRequest(frames);
        const [peer, delimiter, version, id, status] = zapReply(frames, false);
        expect([delimiter, version, status]).to.deep.equal(['', '1.0', '400']);
        expect(peer).to.deep.equal(frames[0] ?? Buffer.alloc(0));
        expect(id).to.deep.equal(frames[3] ?? Buffer.alloc(0));
      }),
    );
  });
});
