import { expect } from 'chai';
import fc from 'fast-check';
import { message } from '../../../src/wire/codec.ts';
import { RequestId, Topic } from '../../../src/wire/fields.ts';
import {
  addressFrame,
  endTopic,
  type ProtocolVersion,
  readSubscription,
  readTopicFrame,
  topicFrame,
} from '../../../src/wire/topic.ts';

const id = message('id', 64, RequestId).parse('0123456789abcdef0123456789abcdef');
const topics = message('topic', 4_096, Topic);

const anyTopic = fc
  .oneof(
    fc.stringMatching(/^[a-c:]{1,6}$/),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }),
    fc.constantFrom('any', 'web1', 'web10', '東京', '\u{1f4be}'.repeat(255)),
  )
  .filter((text) => {
    try {
      return topics.parse(text) === text;
    } catch {
      return false;
    }
  });
const version = fc.constantFrom<ProtocolVersion>('v1', 'v2');

/** As ZeroMQ matches: what was sent on `frame` reaches who subscribed to `prefix`. */
function reaches(prefix: Buffer, frame: Buffer): boolean {
  return frame.subarray(0, prefix.byteLength).equals(prefix);
}

describe('a topic frame', () => {
  it('of v1 is the bare text', () => {
    expect(topicFrame('Linux', 'v1').toString('latin1')).to.equal('Linux');
    expect(topicFrame('Zürich', 'v1').toString('latin1')).to.equal('Z\xc3\xbcrich');
  });

  it('of v2 stands between 0x02 and 0x00', () => {
    expect(topicFrame('web1', 'v2').toString('latin1')).to.equal('\x02web1\x00');
  });

  it('of a node stands between 0x03 and 0x00', () => {
    expect(addressFrame('web1').toString('latin1')).to.equal('\x03web1\x00');
  });

  it('of v1 for web1 is a prefix of the one for web10, as in 2014', () => {
    expect(reaches(topicFrame('web1', 'v1'), topicFrame('web10', 'v1'))).to.equal(true);
  });

  it('of v2 for web1 is never a prefix of the one for web10', () => {
    expect(reaches(topicFrame('web1', 'v2'), topicFrame('web10', 'v2'))).to.equal(false);
  });

  it('of v2 reaches its own topic only, whatever the topics', () => {
    fc.assert(
      fc.property(anyTopic, anyTopic, (one, other) => {
        expect(reaches(topicFrame(one, 'v2'), topicFrame(other, 'v2'))).to.equal(one === other);
      }),
    );
  });

  it('of one kind is never a prefix of one of another kind, whatever the topics', () => {
    fc.assert(
      fc.property(anyTopic, anyTopic, (one, other) => {
        const kinds = (topic: string) => [
          topicFrame(topic, 'v1'),
          topicFrame(topic, 'v2'),
          addressFrame(topic),
        ];
        for (const [at, frame] of kinds(one).entries()) {
          for (const [otherAt, otherFrame] of kinds(other).entries()) {
            if (at !== otherAt) expect(reaches(frame, otherFrame)).to.equal(false);
          }
        }
      }),
    );
  });

  it('is read back with its version', () => {
    fc.assert(
      fc.property(anyTopic, version, (topic, as) => {
        expect(readTopicFrame(topicFrame(topic, as))).to.deep.equal({ version: as, topic });
      }),
    );
    expect(readTopicFrame(addressFrame('web1'))).to.deep.equal({ version: 'address', topic: 'web1' });
  });

  it('is read as v1 when it is empty, as a monitor subscribes', () => {
    expect(readTopicFrame(Buffer.alloc(0))).to.deep.equal({ version: 'v1', topic: '' });
  });

  it('is read where it lies in a larger buffer', () => {
    const whole = Buffer.from('..\x02web1\x00..', 'latin1');
    const view = new Uint8Array(whole.buffer, whole.byteOffset + 2, 6);
    expect(readTopicFrame(view)).to.deep.equal({ version: 'v2', topic: 'web1' });
  });

  for (const [what, frame] of Object.entries({
    'a v2 topic without its end': '\x02web1',
    'a v2 topic without text': '\x02\x00',
    'the beginning of a v2 topic alone': '\x02',
    'an address without its end': '\x03web1',
    'an address without a name': '\x03\x00',
    'more than 1,024 bytes of v1': 'x'.repeat(1_025),
    'more than 1,024 bytes of v2': `\x02${'x'.repeat(1_023)}\x00`,
  })) {
    it(`is nothing when it is ${what}`, () => {
      expect(readTopicFrame(Buffer.from(frame, 'latin1'))).to.equal(undefined);
    });
  }

  it('may be 1,024 bytes long', () => {
    expect(readTopicFrame(Buffer.alloc(1_024, 'x'))?.topic).to.have.length(1_024);
  });
});

describe('a subscription', () => {
  it('is 0x01 and a topic frame, its end 0x00 and the same', () => {
    const read = (bytes: string) => readSubscription(Buffer.from(bytes, 'latin1'));
    expect(read('\x01Linux')).to.deep.equal({ isSubscribed: true, version: 'v1', topic: 'Linux' });
    expect(read('\x00Linux')).to.deep.equal({ isSubscribed: false, version: 'v1', topic: 'Linux' });
    expect(read('\x01\x02web1\x00')).to.deep.equal({ isSubscribed: true, version: 'v2', topic: 'web1' });
    expect(read('\x00\x02web1\x00')).to.deep.equal({ isSubscribed: false, version: 'v2', topic: 'web1' });
    expect(read('\x01')).to.deep.equal({ isSubscribed: true, version: 'v1', topic: '' });
  });

  for (const [what, bytes] of Object.entries({
    'an empty frame': '',
    'another first byte': '\x02web1\x00',
    'a text': 'hello',
    'a topic frame that is none': '\x01\x02web1',
    'a topic of more than 1,024 bytes': `\x01${'x'.repeat(1_025)}`,
  })) {
    it(`is not ${what}`, () => {
      expect(readSubscription(Buffer.from(bytes, 'latin1'))).to.equal(undefined);
    });
  }

  it('says what was subscribed to, whatever the topic', () => {
    fc.assert(
      fc.property(anyTopic, version, fc.boolean(), (topic, as, isSubscribed) => {
        const frame = Buffer.concat([Buffer.of(isSubscribed ? 1 : 0), topicFrame(topic, as)]);
        expect(readSubscription(frame)).to.deep.equal({ isSubscribed, version: as, topic });
      }),
    );
  });
});

describe('the topic of an end', () => {
  it('is end/ and the id of the request', () => {
    expect(endTopic(id)).to.equal('end/0123456789abcdef0123456789abcdef');
  });

  it('does not reach who subscribed to the id', () => {
    expect(reaches(Buffer.from(id), Buffer.from(endTopic(id)))).to.equal(false);
    expect(reaches(Buffer.from(endTopic(id)), Buffer.from(id))).to.equal(false);
  });
});
