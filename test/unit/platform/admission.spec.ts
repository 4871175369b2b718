import { expect } from 'chai';
import { Admission } from '../../../src/platform/admission.ts';
import type { Peer, RefusedHandshake } from '../../../src/platform/socket-security.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';

const peerOf = (key: number, address = '10.0.0.1', domain = 'frontend'): Peer => {
  const publicKey = Buffer.alloc(32);
  publicKey.writeUInt32BE(key);
  return { domain, address, publicKey };
};

function admissionWith({ most, ...limits }: { most?: number; refusalBurst?: number } = {}) {
  const clock = new ManualClock();
  const refusals: RefusedHandshake[] = [];
  const onRefused = (refusal: RefusedHandshake) => refusals.push(refusal);
  const admission = new Admission({ clock, refusalBurst: 2, refusalsPerSecond: 1, ...limits });
  admission.authenticate(() => false, {
    onRefused,
    ...(most === undefined ? {} : { maxConnections: () => most }),
  });
  return { admission, clock, refusals, reasons: () => refusals.map(({ reason }) => reason) };
}

describe('an admission', () => {
  it('admits nobody without a decider', () => {
    const { admission, refusals } = admissionWith();
    expect(admission.admits(peerOf(1))).to.equal(false);
    expect(refusals).to.deep.equal([{ ...peerOf(1), reason: 'unknown key' }]);
  });

  it('takes for a yes nothing but a plain one', () => {
    const { admission } = admissionWith({ refusalBurst: 100 });
    for (const answer of [1, 'yes', {}, Promise.resolve(true), undefined, null]) {
      // A decider that slipped through its type.
      admission.authenticate((() => answer) as unknown as () => boolean);
      expect(admission.admits(peerOf(1))).to.equal(false);
    }
    admission.authenticate(() => true);
    expect(admission.admits(peerOf(1))).to.equal(true);
  });

  it('says what the decider threw, and lets nobody in because of it', () => {
    const { admission, refusals } = admissionWith();
    const cause = new Error('no');
    admission.authenticate(() => {
      throw cause;
    });
    expect(admission.admits(peerOf(1))).to.equal(false);
    expect(refusals).to.deep.equal([{ ...peerOf(1), reason: 'decider failed', cause }]);
  });

  it('does not ask about an address that was refused too often, until time has passed', () => {
    const { admission, clock, reasons } = admissionWith();
    let asked = 0;
    admission.authenticate(() => {
      asked += 1;
      return false;
    });
    for (let key = 0; key < 5; key += 1) admission.admits(peerOf(key));
    expect(asked).to.equal(2);
    expect(reasons()).to.deep.equal(['unknown key', 'unknown key', 'too often', 'too often', 'too often']);
    admission.admits(peerOf(1, '10.0.0.2'));
    expect(asked).to.equal(3);
    clock.advance(1_000);
    admission.admits(peerOf(9));
    expect(asked).to.equal(4);
  });

  it('asks about a key that came in before, whatever its address did, but not any more after it was refused', () => {
    const { admission } = admissionWith();
    let known = true;
    const asked: number[] = [];
    admission.authenticate(({ publicKey }) => {
      asked.push(publicKey.readUInt32BE());
      return known && publicKey.readUInt32BE() === 1;
    });
    admission.admits(peerOf(1));
    for (let key = 10; key < 20; key += 1) admission.admits(peerOf(key));
    expect(admission.admits(peerOf(1))).to.equal(true);
    known = false;
    expect(admission.admits(peerOf(1))).to.equal(false);
    expect(admission.admits(peerOf(1))).to.equal(false);
    expect(asked).to.deep.equal([1, 10, 11, 1, 1]);
  });

  it('admits a thousand good peers of one address at once', () => {
    const { admission, refusals } = admissionWith();
    admission.authenticate(() => true);
    for (let key = 0; key < 1_000; key += 1) expect(admission.admits(peerOf(key))).to.equal(true);
    expect(refusals).to.deep.equal([]);
  });

  it('admits nobody to a full domain, and does not ask', () => {
    const { admission, reasons } = admissionWith({ most: 2 });
    let asked = 0;
    admission.authenticate(() => {
      asked += 1;
      return true;
    });
    admission.count('frontend', 2);
    expect(admission.admits(peerOf(1))).to.equal(false);
    expect(admission.admits(peerOf(1, '10.0.0.1', 'backend'))).to.equal(true);
    admission.count('frontend', -1);
    expect(admission.admits(peerOf(1))).to.equal(true);
    expect(reasons()).to.deep.equal(['too many connections']);
    expect(asked).to.equal(2);
  });
});
