import { expect } from 'chai';
import fc from 'fast-check';
import {
  allowedSkewMs,
  clockOffsetMs,
  isPast,
  isTooFarAhead,
  longestLifeMs,
  rememberUntilMs,
  skewReport,
} from '../../../src/security/skew.ts';

const minute = 60_000;

describe('a request', () => {
  it('is good until its time, and as long after it as clocks may differ', () => {
    expect([0, 30_000, 30_001].map((lateMs) => isPast(minute, minute + lateMs))).to.deep.equal([
      false,
      false,
      true,
    ]);
  });

  it('may not be good for longer than a day', () => {
    const most = longestLifeMs + allowedSkewMs;
    expect([most, most + 1].map((aheadMs) => isTooFarAhead(minute + aheadMs, minute))).to.deep.equal([
      false,
      true,
    ]);
  });

  it('is remembered for longer than it is good', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), (notAfterMs, laterMs) => {
        if (!isPast(notAfterMs, notAfterMs + laterMs))
          expect(rememberUntilMs(notAfterMs)).to.be.above(notAfterMs + laterMs);
      }),
    );
  });
});

describe('the clock of another host', () => {
  it('is as far off as the message that came quickest says', () => {
    const late = [120, 5, 60].map((wayMs) => ({ sentAtMs: 1_000, receivedAtMs: 1_000 - 400 + wayMs }));
    expect(clockOffsetMs(late)).to.equal(395);
    expect(clockOffsetMs([{ sentAtMs: 5, receivedAtMs: 50_000 }])).to.equal(-49_995);
    expect(clockOffsetMs([])).to.equal(undefined);
  });

  it('is reported when it is further off than allowed, with the host and by how much', () => {
    expect([0, 30_000, -30_000].map((offsetMs) => skewReport('web1', offsetMs))).to.deep.equal(
      Array(3).fill(undefined),
    );
    expect(skewReport('web1', 42_340)).to.equal(
      'the clock of web1 is 42.3 s ahead of ours, and 30 s are allowed: check its time service',
    );
    expect(skewReport('web2', -30_100)).to.include('web2 is 30.1 s behind ours');
  });
});
