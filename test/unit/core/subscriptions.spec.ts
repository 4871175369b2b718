import { expect } from 'chai';
import fc from 'fast-check';
import { Subscriptions } from '../../../src/core/subscriptions.ts';
import { readSubscription, topicFrame } from '../../../src/wire/topic.ts';

type Version = 'v1' | 'v2';

/** As it arrives from a publishing socket. */
function change(isSubscribed: boolean, version: Version, topic: string) {
  const frame = Buffer.concat([Buffer.of(isSubscribed ? 1 : 0), topicFrame(topic, version)]);
  const subscription = readSubscription(frame);
  if (subscription === undefined) throw new Error(`${topic} cannot be subscribed to`);
  return subscription;
}

function subscriptions(counts: {
  readonly v1?: readonly string[];
  readonly v2?: readonly string[];
}): Subscriptions {
  const all = new Subscriptions();
  for (const version of ['v1', 'v2'] as const) {
    for (const topic of counts[version] ?? []) all.apply(change(true, version, topic));
  }
  return all;
}

describe('subscriptions', () => {
  it('are none at first', () => {
    expect(new Subscriptions().count('v1', 'any')).to.equal(0);
    expect(new Subscriptions().reach('any')).to.deep.equal({ v2: 0, v1: 0, withheld: 0 });
  });

  it('are counted per peer: two agents on one topic are two', () => {
    const all = subscriptions({ v1: ['any', 'any'], v2: ['any'] });
    expect([all.count('v1', 'any'), all.count('v2', 'any')]).to.deep.equal([2, 1]);
  });

  it('end one by one', () => {
    const all = subscriptions({ v2: ['any', 'any'] });
    all.apply(change(false, 'v2', 'any'));
    expect(all.count('v2', 'any')).to.equal(1);
    all.apply(change(false, 'v2', 'any'));
    expect(all.count('v2', 'any')).to.equal(0);
  });

  it('that end without having begun leave nothing behind', () => {
    const all = new Subscriptions();
    all.apply(change(false, 'v1', 'any'));
    all.apply(change(true, 'v1', 'any'));
    expect(all.count('v1', 'any')).to.equal(1);
  });

  it('of one version are not those of the other', () => {
    const all = subscriptions({ v1: ['web1'] });
    all.apply(change(false, 'v2', 'web1'));
    expect([all.count('v1', 'web1'), all.count('v2', 'web1')]).to.deep.equal([1, 0]);
  });

  for (const topic of ['__proto__', 'constructor', 'toString']) {
    it(`may be on the topic ${topic}`, () => {
      const all = subscriptions({ v1: [topic] });
      expect(all.count('v1', topic)).to.equal(1);
      expect(new Subscriptions().count('v1', topic)).to.equal(0);
    });
  }
});

describe('a request', () => {
  it('reaches the agents of both versions on its topic', () => {
    const all = subscriptions({ v1: ['any', 'Linux'], v2: ['any', 'any', 'Linux'] });
    expect(all.reach('any')).to.deep.equal({ v2: 2, v1: 1, withheld: 0 });
  });

  it('for web10 is withheld from v1 agents while one of them listens to web1', () => {
    const all = subscriptions({ v1: ['web1', 'web10', 'web10'], v2: ['web10'] });
    expect(all.reach('web10')).to.deep.equal({ v2: 1, v1: 0, withheld: 2 });
  });

  it('for web10 goes out to v1 agents again once nobody listens to web1', () => {
    const all = subscriptions({ v1: ['web1', 'web10'] });
    all.apply(change(false, 'v1', 'web1'));
    expect(all.reach('web10')).to.deep.equal({ v2: 0, v1: 1, withheld: 0 });
  });

  it('for web1 is not stopped by a longer topic', () => {
    expect(subscriptions({ v1: ['web1', 'web10'] }).reach('web1')).to.include({ v1: 1, withheld: 0 });
  });

  it('for web10 is not stopped by a v2 agent on web1, which matches topics whole', () => {
    expect(subscriptions({ v1: ['web10'], v2: ['web1'] }).reach('web10')).to.include({ v1: 1, withheld: 0 });
  });

  it('is withheld from nobody when no v1 agent is on its topic', () => {
    expect(subscriptions({ v1: ['web1'], v2: ['web10'] }).reach('web10')).to.deep.equal({
      v2: 1,
      v1: 0,
      withheld: 0,
    });
  });

  it('is withheld while somebody listens to everything', () => {
    expect(subscriptions({ v1: ['', 'any'] }).reach('any')).to.deep.equal({ v2: 0, v1: 0, withheld: 1 });
  });

  it('reaches only whom it is meant for, whoever comes and goes', () => {
    const topic = fc.oneof(fc.stringMatching(/^[ab]{0,4}$/), fc.constantFrom('Zürich', 'Zürich-2', 'Z'));
    const changes = fc.array(
      fc.record({ isSubscribed: fc.boolean(), version: fc.constantFrom<Version>('v1', 'v2'), topic }),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(
        changes,
        topic.filter((text) => text !== ''),
        (history, asked) => {
          const all = new Subscriptions();
          const model: Array<{ version: Version; topic: string }> = [];
          for (const { isSubscribed, version, topic: of } of history) {
            if (version === 'v2' && of === '') continue;
            // A socket never sees an end without its beginning.
            const at = model.findIndex((known) => known.version === version && known.topic === of);
            if (isSubscribed) model.push({ version, topic: of });
            else if (at >= 0) model.splice(at, 1);
            else continue;
            all.apply(change(isSubscribed, version, of));
          }
          const on = (version: Version) => model.filter((known) => known.version === version);
          const exact = (version: Version) => on(version).filter((known) => known.topic === asked).length;
          expect([all.count('v1', asked), all.count('v2', asked)]).to.deep.equal([exact('v1'), exact('v2')]);

          const reach = all.reach(asked);
          expect(reach.v2).to.equal(exact('v2'));
          expect(reach.v1 + reach.withheld).to.equal(exact('v1'));
          // Whoever ZeroMQ would hand the v1 form to, by prefix.
          const sentTo = on('v1').filter(
            (known) => topicFrame(asked, 'v1').indexOf(topicFrame(known.topic, 'v1')) === 0,
          );
          const strangers = sentTo.length - exact('v1');
          expect(reach.v1).to.equal(strangers === 0 ? exact('v1') : 0);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
