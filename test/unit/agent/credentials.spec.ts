import { expect } from 'chai';
import { Credentials } from '../../../src/agent/credentials.ts';
import { isGoodSinkMac, managerProofKey } from '../../../src/security/agent-proof.ts';
import { type CurveKeys, curveBytes, newCurveKeys } from '../../../src/security/keys.ts';
import type { KnownManager } from '../../../src/security/known-manager.ts';

const own = newCurveKeys();
const [m1Keys, m1Next, m2Keys, stranger] = [newCurveKeys(), newCurveKeys(), newCurveKeys(), newCurveKeys()];
const m1: KnownManager = known('m1', m1Keys);
const m2: KnownManager = known('m2', m2Keys);
const frames = ['ack', 'f'.repeat(32), 'web1', '7', '{}'].map((text) => Buffer.from(text));

function known(name: string, { publicKey: key }: CurveKeys): KnownManager {
  return { name, key, endpoints: { join: `tcp://${name}:5850`, sink: `tcp://${name}:5700` } };
}

/** Of a link to these managers, and which of them are kept as what. */
function credentialsFor(...managers: readonly KnownManager[]) {
  const kept: KnownManager[] = [];
  const credentials = new Credentials({ own, managers, keep: (manager) => kept.push(manager) });
  return { credentials, kept };
}

/** Whether this manager takes what is proved for a message of `agent`. */
function isProvedTo(manager: CurveKeys, credentials: Credentials, agent = own): boolean {
  const [type, uuid, node, sequence, payload] = frames as [Buffer, Buffer, Buffer, Buffer, Buffer];
  const parts = { type, uuid, node, sequence, payload };
  return isGoodSinkMac(managerProofKey(manager, agent.publicKey), parts, credentials.mac(frames));
}

function serverKeysOf({ security }: Credentials): string[] {
  return security.serverKeys.map((key) => key.toString('hex'));
}

function hex(...all: readonly CurveKeys[]): string[] {
  return all.map(({ publicKey }) => curveBytes(publicKey).toString('hex'));
}

const proves = (credentials: Credentials, { publicKey }: CurveKeys) =>
  credentials.proved(curveBytes(publicKey));

describe('the credentials of a link', () => {
  it('are the keys of the agent and those of its managers, the likeliest first', () => {
    const { credentials } = credentialsFor({ ...m1, nextKey: m1Next.publicKey }, m2);
    const { kind, publicKey, secretKey } = credentials.security;
    expect(kind).to.equal('client');
    expect(publicKey).to.deep.equal(curveBytes(own.publicKey));
    expect(secretKey).to.deep.equal(curveBytes(own.secretKey));
    expect(serverKeysOf(credentials)).to.deep.equal(hex(m1Keys, m1Next, m2Keys));
  });

  it('are none without a manager', () => {
    expect(() => credentialsFor()).to.throw(TypeError, 'a link has one manager at least');
  });

  it('make proofs for the likeliest manager until one has shown who it is', () => {
    const { credentials } = credentialsFor(m1, m2);
    expect([m1Keys, m2Keys].map((keys) => isProvedTo(keys, credentials))).to.deep.equal([true, false]);
    expect(credentials.managerName).to.equal('m1');
  });

  it('are sure for whom they are with one key, and with several when one was shown', () => {
    expect(credentialsFor(m1).credentials.isSure).to.equal(true);
    for (const managers of [[m1, m2], [{ ...m1, nextKey: m1Next.publicKey }]]) {
      const { credentials } = credentialsFor(...managers);
      expect(credentials.isSure).to.equal(false);
      proves(credentials, m1Keys);
      expect(credentials.isSure).to.equal(true);
      credentials.announced(stranger.publicKey);
      expect(credentials.isSure).to.equal(true);
    }
  });

  it('prove each message by itself', () => {
    const { credentials } = credentialsFor(m1);
    const mac = credentials.mac(frames).toString('hex');
    for (let at = 0; at < frames.length; at += 1) {
      const altered = frames.map((frame, index) => (index === at ? Buffer.from('x') : frame));
      expect(credentials.mac(altered).toString('hex'), `frame ${at}`).not.to.equal(mac);
    }
    const [type, uuid, node, sequence, payload] = frames as [Buffer, Buffer, Buffer, Buffer, Buffer];
    expect(
      credentials.mac([type, uuid, node, sequence, payload, Buffer.from('the place of the MAC')]),
    ).to.deep.equal(credentials.mac(frames));
  });
});

describe('a manager that has shown its key', () => {
  it('is the one that proofs are made for, and that is asked first from then on', () => {
    const { credentials, kept } = credentialsFor(m1, m2);
    proves(credentials, m2Keys);
    expect([m1Keys, m2Keys].map((keys) => isProvedTo(keys, credentials))).to.deep.equal([false, true]);
    expect(serverKeysOf(credentials)).to.deep.equal(hex(m2Keys, m1Keys));
    expect([credentials.managerName, kept]).to.deep.equal(['m2', []]);
    proves(credentials, m1Keys);
    expect([credentials.managerName, isProvedTo(m1Keys, credentials)]).to.deep.equal(['m1', true]);
  });

  it('is known by it alone when it was to be its next one, and is kept so', () => {
    const { credentials, kept } = credentialsFor({ ...m1, nextKey: m1Next.publicKey });
    proves(credentials, m1Next);
    expect(kept).to.deep.equal([{ ...m1, key: m1Next.publicKey }]);
    expect(serverKeysOf(credentials)).to.deep.equal(hex(m1Next));
    expect([isProvedTo(m1Next, credentials), isProvedTo(m1Keys, credentials)]).to.deep.equal([true, false]);
    proves(credentials, m1Next);
    expect(kept).to.have.length(1);
  });
});

describe('a next key', () => {
  it('is kept once, and may be the one of the manager from now on', () => {
    const { credentials, kept } = credentialsFor(m1);
    expect(credentials.announced(m1Next.publicKey)).to.equal(true);
    expect(credentials.announced(m1Next.publicKey)).to.equal(false);
    expect(kept).to.deep.equal([{ ...m1, nextKey: m1Next.publicKey }]);
    expect(credentials.managers).to.deep.equal(kept);
    expect(serverKeysOf(credentials)).to.deep.equal(hex(m1Keys, m1Next));
    expect(isProvedTo(m1Keys, credentials)).to.equal(true);
  });

  it('is replaced when the manager thinks better of it', () => {
    const { credentials, kept } = credentialsFor({ ...m1, nextKey: stranger.publicKey });
    expect(credentials.announced(m1Next.publicKey)).to.equal(true);
    expect(kept).to.deep.equal([{ ...m1, nextKey: m1Next.publicKey }]);
    expect(serverKeysOf(credentials)).to.deep.equal(hex(m1Keys, m1Next));
  });

  it('is of the manager that is at the other end, and of no other one', () => {
    const { credentials, kept } = credentialsFor(m1, m2);
    proves(credentials, m2Keys);
    expect(credentials.announced(m1Next.publicKey)).to.equal(true);
    expect(kept).to.deep.equal([{ ...m2, nextKey: m1Next.publicKey }]);
    expect(serverKeysOf(credentials)).to.deep.equal(hex(m2Keys, m1Keys, m1Next));
  });

  it('of one of several managers is not believed before it is known which one says so', () => {
    const { credentials, kept } = credentialsFor(m1, m2);
    expect(credentials.announced(m1Next.publicKey)).to.equal(false);
    expect(kept).to.deep.equal([]);
    expect(serverKeysOf(credentials)).to.deep.equal(hex(m1Keys, m2Keys));
  });

  it('that is none, or the one it has, is ignored', () => {
    const { credentials, kept } = credentialsFor(m1);
    for (const text of ['', 'x', 'x'.repeat(39), `${'x'.repeat(39)}~`, '%'.repeat(40), m1Keys.publicKey])
      expect(credentials.announced(text), text).to.equal(false);
    expect([kept, serverKeysOf(credentials)]).to.deep.equal([[], hex(m1Keys)]);
  });
});

describe('new keys of the agent', () => {
  it('are used and proved with, with the manager as before', () => {
    const { credentials, kept } = credentialsFor(m1, m2);
    proves(credentials, m2Keys);
    const next = newCurveKeys();
    credentials.replaceOwn(next);
    expect(credentials.own).to.equal(next);
    expect(credentials.security.publicKey).to.deep.equal(curveBytes(next.publicKey));
    expect(credentials.security.secretKey).to.deep.equal(curveBytes(next.secretKey));
    expect([isProvedTo(m2Keys, credentials, next), isProvedTo(m2Keys, credentials)]).to.deep.equal([
      true,
      false,
    ]);
    expect([credentials.managerName, kept]).to.deep.equal(['m2', []]);
  });
});
