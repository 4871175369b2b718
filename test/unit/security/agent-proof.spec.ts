import { createHmac, hkdfSync } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import {
  agentProofKey,
  isGoodSinkMac,
  managerProofKey,
  type SinkFrames,
  sinkMac,
} from '../../../src/security/agent-proof.ts';
import { curveBytes, curvePublicFrom, newCurveKeys, sharedSecret } from '../../../src/security/keys.ts';
import { transcript } from '../../../src/security/transcript.ts';
import { refusalOf } from './refusal.ts';

const agent = newCurveKeys();
const manager = newCurveKeys();
const key = agentProofKey(agent, manager.publicKey);

function frames(changes: Partial<Record<keyof SinkFrames, string>> = {}): SinkFrames {
  const texts = {
    type: 'result',
    uuid: 'f'.repeat(32),
    node: 'web1',
    sequence: '7',
    payload: '{}',
    ...changes,
  };
  const { type, uuid, node, sequence, payload } = texts;
  return {
    type: Buffer.from(type),
    uuid: Buffer.from(uuid),
    node: Buffer.from(node),
    sequence: Buffer.from(sequence),
    payload: Buffer.from(payload),
  };
}

describe('the key of an agent and its manager', () => {
  it('is the same at both ends', () => {
    expect(managerProofKey(manager, agent.publicKey).equals(key)).to.equal(true);
  });

  it('is another one for each other agent and each other manager', () => {
    const other = newCurveKeys();
    expect(agentProofKey(other, manager.publicKey).equals(key)).to.equal(false);
    expect(agentProofKey(agent, other.publicKey).equals(key)).to.equal(false);
    expect(managerProofKey(other, agent.publicKey).equals(key)).to.equal(false);
  });

  it('is not the one that the manager would have as an agent of the agent', () => {
    const reversed = agentProofKey(manager, agent.publicKey);
    expect(reversed.equals(key)).to.equal(false);
  });

  it('is made of the bytes that docs/FORMATS.md says', () => {
    const shared = sharedSecret(agent.secretKey, manager.publicKey);
    const domain = 'service-mgr/agent-proof-key/1';
    const ends = [curveBytes(agent.publicKey), curveBytes(manager.publicKey)];
    const info = transcript(domain, ['sink', ...ends]);
    expect(key.export()).to.deep.equal(Buffer.from(hkdfSync('sha256', shared, domain, info, 32)));
  });

  it('is none with a public key with which everybody would get the same', () => {
    const zeros = curvePublicFrom(Buffer.alloc(32));
    expect(refusalOf(() => managerProofKey(manager, zeros)).code).to.equal('BAD_KEY');
  });
});

describe('the MAC of a sink message', () => {
  it('made by the agent is good at the manager', () => {
    const mac = sinkMac(key, frames());
    expect(isGoodSinkMac(managerProofKey(manager, agent.publicKey), frames(), mac)).to.equal(true);
  });

  it('is made of the bytes that docs/FORMATS.md says', () => {
    const parts = ['result', 'f'.repeat(32), 'web1', '7', '{}'];
    const expected = createHmac('sha256', key)
      .update(transcript('service-mgr/agent-proof/1', parts))
      .digest();
    expect(sinkMac(key, frames())).to.deep.equal(expected);
  });

  for (const changes of [
    { type: 'ack' },
    { uuid: 'e'.repeat(32) },
    { node: 'web2' },
    { sequence: '8' },
    { payload: '{ }' },
    // The same bytes one after the other, cut at another place.
    { node: 'web17', sequence: '' },
    { type: 'resul', uuid: `t${'f'.repeat(32)}` },
  ]) {
    it(`is wrong with another ${Object.keys(changes).join(' and ')}`, () => {
      expect(isGoodSinkMac(key, frames(changes), sinkMac(key, frames()))).to.equal(false);
    });
  }

  it('is wrong with any byte changed in it or in the message', () => {
    const texts = fc.record({ node: fc.string({ minLength: 1 }), payload: fc.string({ minLength: 1 }) });
    const place = fc.record({ at: fc.nat(), flip: fc.integer({ min: 1, max: 255 }) });
    const part = fc.constantFrom('type', 'uuid', 'node', 'sequence', 'payload', 'mac');
    fc.assert(
      fc.property(texts, part, place, (changes, changed, { at, flip }) => {
        const message = frames(changes);
        const mac = sinkMac(key, message);
        expect(isGoodSinkMac(key, message, mac)).to.equal(true);
        const bytes = changed === 'mac' ? mac : message[changed];
        bytes[at % bytes.byteLength] = (bytes[at % bytes.byteLength] ?? 0) ^ flip;
        expect(isGoodSinkMac(key, message, mac)).to.equal(false);
      }),
    );
  });

  it('is wrong when it is missing, cut off or longer', () => {
    const mac = sinkMac(key, frames());
    for (const wrong of [new Uint8Array(), mac.subarray(1), Buffer.concat([mac, mac])]) {
      expect(isGoodSinkMac(key, frames(), wrong)).to.equal(false);
    }
  });

  it('is wrong under the key of another agent, which may not speak for this node', () => {
    const other = agentProofKey(newCurveKeys(), manager.publicKey);
    expect(isGoodSinkMac(key, frames(), sinkMac(other, frames()))).to.equal(false);
  });
});
