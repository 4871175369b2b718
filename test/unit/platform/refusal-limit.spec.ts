import { expect } from 'chai';
import fc from 'fast-check';
import { networkOf, RefusalLimit } from '../../../src/platform/refusal-limit.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';

describe('a limit of refusals', () => {
  it('is reached by one address after the burst, and left again as time passes', () => {
    const clock = new ManualClock();
    const limit = new RefusalLimit(clock, 3, 2);
    for (let refusal = 0; refusal < 3; refusal += 1) {
      expect(limit.isReached('10.0.0.1')).to.equal(false);
      limit.count('10.0.0.1');
    }
    expect(limit.isReached('10.0.0.1')).to.equal(true);
    expect(limit.isReached('10.0.0.2')).to.equal(false);
    clock.advance(499);
    expect(limit.isReached('10.0.0.1')).to.equal(true);
    clock.advance(1);
    expect(limit.isReached('10.0.0.1')).to.equal(false);
  });

  it('lets no more refusals happen than the burst and what the time allows', () => {
    const steps = fc.array(fc.nat({ max: 1_000 }), { maxLength: 200 });
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 20 }), fc.nat({ max: 20 }), (pauses, burst, perSecond) => {
        const clock = new ManualClock();
        const limit = new RefusalLimit(clock, burst, perSecond);
        let refused = 0;
        for (const pauseMs of pauses) {
          clock.advance(pauseMs);
          if (limit.isReached('10.0.0.1')) continue;
          limit.count('10.0.0.1');
          refused += 1;
          expect(refused).to.be.at.most(burst + (clock.now() / 1_000) * perSecond + 1e-6);
        }
      }),
    );
  });

  it('remembers a bounded number of addresses, and forgets the one that was refused longest ago', () => {
    const limit = new RefusalLimit(new ManualClock(), 1, 0);
    const addressOf = (number: number) => `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`;
    limit.count(addressOf(0));
    limit.count(addressOf(1));
    limit.count(addressOf(0));
    for (let number = 2; number <= 10_000; number += 1) limit.count(addressOf(number));
    expect(limit.size).to.equal(10_000);
    expect(limit.isReached(addressOf(1))).to.equal(false);
    expect(limit.isReached(addressOf(0))).to.equal(true);
  });
});

describe('the network of an address', () => {
  for (const [address, network] of [
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '::ffff:192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8:1:2::6', '2001:db8:1:2'],
    ['2001:db8::6', '2001:db8:0:0'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
    ['::1', '0:0:0:0'],
    ['::', '0:0:0:0'],
    ['', ''],
  ] as const) {
    it(`of '${address}' is '${network}'`, () => {
      expect(networkOf(address)).to.equal(network);
    });
  }
});
