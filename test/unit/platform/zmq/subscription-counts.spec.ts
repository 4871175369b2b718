import { expect } from 'chai';
import { SubscriptionCounts } from '../../../../src/platform/zmq/subscription-counts.ts';

const changes = (...texts: string[]): Buffer[][] => texts.map((text) => [Buffer.from(text, 'latin1')]);

describe('subscription counts', () => {
  it('give back what they were shown', () => {
    const counts = new SubscriptionCounts();
    for (const frames of [...changes('\x01a', '\x00a', 'no change', ''), []])
      expect(counts.saw(frames)).to.equal(frames);
    expect(counts.ends()).to.deep.equal([]);
  });

  it('tell the end of each subscription that has none yet, as often as it was made', () => {
    const counts = new SubscriptionCounts();
    for (const frames of changes('\x01a', '\x01a', '\x01b', '\x01\xff\x00', '\x01', '\x00b', '\x00c'))
      counts.saw(frames);
    expect(counts.ends()).to.deep.equal(changes('\x00a', '\x00a', '\x00\xff\x00', '\x00'));
  });
});
