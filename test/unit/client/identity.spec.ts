import { expect } from 'chai';
import { Identity } from '../../../src/client/identity.ts';
import { type CurvePublic, curveBytes, newCurveKeys } from '../../../src/security/keys.ts';
import type { KnownManager } from '../../../src/security/known-manager.ts';
import { verifyBody } from '../../../src/security/signature.ts';
import { keyFileOf, keyOwner } from '../../fakes/key-owners.ts';
import { refusalOf } from '../security/refusal.ts';

const alice = keyOwner('operator', 'alice');
const [keyOfM1, keyOfM2, nextKey] = [newKey(), newKey(), newKey()];
const m1 = known('m1', keyOfM1, 'tcp://m1:5500');
const m2 = known('m2', keyOfM2, 'tcp://m2:5500');

function newKey(): CurvePublic {
  return newCurveKeys().publicKey;
}

function known(name: string, key: CurvePublic, frontend?: string): KnownManager {
  return { name, key, endpoints: { join: `tcp://${name}:5850`, frontend } };
}

function identityOf(...managers: readonly KnownManager[]) {
  const kept: KnownManager[] = [];
  const keep = (manager: KnownManager) => kept.push(manager);
  return { identity: new Identity({ keys: keyFileOf(alice), managers, keep }), kept };
}

function hex(...keys: readonly CurvePublic[]): string[] {
  return keys.map((key) => curveBytes(key).toString('hex'));
}

function serverKeysAt(identity: Identity, frontend: string): string[] {
  return identity.securityOf(frontend).serverKeys.map((key) => key.toString('hex'));
}

describe('an identity', () => {
  it('is of an operator or a monitor, and says so', () => {
    const eyes = keyFileOf(keyOwner('monitor', 'eyes'));
    expect(identityOf().identity.name).to.equal('operator alice');
    expect(new Identity({ keys: eyes, managers: [], keep: () => {} }).name).to.equal('monitor eyes');
  });

  it('is not of somebody who does not sign', () => {
    const agent = keyFileOf(keyOwner('agent', 'web1'));
    const refusal = refusalOf(() => new Identity({ keys: agent, managers: [], keep: () => {} }));
    expect(refusal).to.include({
      code: 'BAD_CONFIG',
      message: 'a key of kind agent does not sign requests',
    });
  });

  it('signs what others can verify, as what it is meant', () => {
    const { identity } = identityOf();
    const bytes = Buffer.from('{"the":"body"}');
    const keyOf = () => alice.keys.sign;
    const signature = identity.sign('query', bytes);
    expect(verifyBody('query', bytes, signature, keyOf)).to.deep.equal({
      isGood: true,
      fingerprint: alice.fingerprint,
    });
    expect(verifyBody('request', bytes, signature, keyOf).isGood).to.equal(false);
    expect(identity.sign('query', bytes)).to.equal(signature);
  });

  it('asks the managers that were joined, in their order, where they have a frontend', () => {
    const { identity } = identityOf(m2, known('m3', newKey()), m1);
    expect(identity.frontends).to.deep.equal(['tcp://m2:5500', 'tcp://m1:5500']);
    expect(identityOf().identity.frontends).to.deep.equal([]);
  });
});

describe('what is spoken with a frontend', () => {
  it('is by the own keys, and those of the manager that is known to be there', () => {
    const { identity } = identityOf(m1, { ...m2, nextKey });
    const { kind, publicKey, secretKey } = identity.securityOf('tcp://m1:5500');
    expect(kind).to.equal('client');
    expect(publicKey).to.deep.equal(curveBytes(alice.curve.publicKey));
    expect(secretKey).to.deep.equal(curveBytes(alice.curve.secretKey));
    expect(serverKeysAt(identity, 'tcp://m1:5500')).to.deep.equal(hex(keyOfM1));
    expect(serverKeysAt(identity, 'tcp://m2:5500')).to.deep.equal(hex(keyOfM2, nextKey));
  });

  it('is by the keys of all managers where nobody is known to be there', () => {
    const { identity } = identityOf(m1, m2);
    expect(serverKeysAt(identity, 'tcp://balancer:5500')).to.deep.equal(hex(keyOfM1, keyOfM2));
  });

  it('is nothing where no manager was joined', () => {
    const { identity } = identityOf();
    expect(refusalOf(() => identity.securityOf('tcp://m1:5500'))).to.include({
      code: 'BAD_CONFIG',
      message: 'operator alice has joined no manager yet',
    });
  });
});

describe('a key that a manager is going to have', () => {
  it('is kept once, and is one of its keys from now on', () => {
    const { identity, kept } = identityOf(m1, m2);
    expect(identity.announced('tcp://m2:5500', nextKey)).to.equal(true);
    expect(identity.announced('tcp://m2:5500', nextKey)).to.equal(false);
    expect(kept).to.deep.equal([{ ...m2, nextKey }]);
    expect(serverKeysAt(identity, 'tcp://m2:5500')).to.deep.equal(hex(keyOfM2, nextKey));
    expect(serverKeysAt(identity, 'tcp://m1:5500')).to.deep.equal(hex(keyOfM1));
  });

  it('is believed of the only manager, wherever that is', () => {
    const { identity, kept } = identityOf(m1);
    expect(identity.announced('tcp://balancer:5500', nextKey)).to.equal(true);
    expect(kept).to.deep.equal([{ ...m1, nextKey }]);
  });

  it('is not believed where it is not sure which one says so', () => {
    const { identity, kept } = identityOf(m1, m2, { ...m2, name: 'm3' });
    for (const frontend of ['tcp://balancer:5500', 'tcp://m2:5500'])
      expect(identity.announced(frontend, nextKey)).to.equal(false);
    expect(kept).to.deep.equal([]);
    expect(identityOf().identity.announced('tcp://m1:5500', nextKey)).to.equal(false);
  });

  it('is ignored when it is none, or the one that it has', () => {
    const { identity, kept } = identityOf(m1);
    for (const text of ['', 'x', '%'.repeat(40), keyOfM1])
      expect(identity.announced('tcp://m1:5500', text)).to.equal(false);
    expect(kept).to.deep.equal([]);
  });

  it('is the only one as soon as it has shown to have it, and that is kept', () => {
    const { identity, kept } = identityOf({ ...m1, nextKey }, m2);
    identity.proved(curveBytes(keyOfM1));
    identity.proved(curveBytes(keyOfM2));
    expect(kept).to.deep.equal([]);
    identity.proved(curveBytes(nextKey));
    identity.proved(curveBytes(nextKey));
    expect(kept).to.deep.equal([{ ...m1, key: nextKey }]);
    expect(serverKeysAt(identity, 'tcp://m1:5500')).to.deep.equal(hex(nextKey));
  });
});
