import { expect } from 'chai';
import type { AgentSecurity } from '../../../src/agent/agent-config.ts';
import { Links } from '../../../src/agent/links.ts';
import { serve } from '../../../src/platform/serve.ts';
import type { BoundSocket } from '../../../src/platform/sockets.ts';
import { isGoodSinkMac, managerProofKey } from '../../../src/security/agent-proof.ts';
import { type CurveKeys, curveBytes, newCurveKeys } from '../../../src/security/keys.ts';
import type { KnownManager } from '../../../src/security/known-manager.ts';
import { message } from '../../../src/wire/codec.ts';
import { NodeName, type RequestId, type Topic } from '../../../src/wire/fields.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { MemorySockets } from '../../fakes/memory-sockets.ts';
import { idOf } from '../../fakes/stored-requests.ts';

const node = message('node', 300, NodeName).parse('web1');
const topics = new Set(['any', 'web1'] as Topic[]);
const own = newCurveKeys();

/** The sockets of a manager that agents use, and what comes there. */
class ManagerEnd {
  readonly keys = newCurveKeys();
  readonly sink: BoundSocket;
  readonly backend: BoundSocket;
  readonly arrived: Buffer[][] = [];
  readonly subscriptions: string[] = [];

  private constructor(backend: BoundSocket, sink: BoundSocket, keys: CurveKeys) {
    this.backend = backend;
    this.sink = sink;
    this.keys = keys;
    void serve(sink, (frames) => this.arrived.push(frames));
    void serve(backend, ([frame]) => this.subscriptions.push(`${frame}`));
  }

  static async open(sockets: MemorySockets, index: number): Promise<ManagerEnd> {
    const keys = newCurveKeys();
    const backend = await sockets.bindPublisher(`tcp://*:560${index}`, {
      security: serverOf(keys, 'backend'),
    });
    const sink = await sockets.bindPull(`tcp://*:570${index}`, { security: serverOf(keys, 'sink') });
    return new ManagerEnd(backend, sink, keys);
  }

  async rekey(keys: CurveKeys): Promise<void> {
    await this.backend.rekey(serverOf(keys, 'backend'));
    await this.sink.rekey(serverOf(keys, 'sink'));
  }

  readonly known = (name: string): KnownManager => {
    return { name, key: this.keys.publicKey, endpoints: { join: 'tcp://x:5850' } };
  };
}

function serverOf({ publicKey, secretKey }: CurveKeys, domain: string) {
  const keys = { publicKey: curveBytes(publicKey), secretKey: curveBytes(secretKey) };
  return { kind: 'server', domain, ...keys } as const;
}

/** Whether the last frame proves to the manager with these keys that this agent sent it. */
function isProved(frames: readonly Buffer[] | undefined, manager: CurveKeys, agent: CurveKeys): boolean {
  const [type, uuid, name, sequence, payload, mac] = frames as Buffer[];
  if (!type || !uuid || !name || !sequence || !payload || !mac) return false;
  const parts = { type, uuid, node: name, sequence, payload };
  return isGoodSinkMac(managerProofKey(manager, agent.publicKey), parts, mac);
}

async function linked(
  change: Partial<AgentSecurity> | ((ends: readonly ManagerEnd[]) => Partial<AgentSecurity>) = {},
  managerCount = 2,
  /** What is done before any of them has met a manager. */
  begin: (links: Links) => void = () => {},
) {
  const clock = new ManualClock();
  const sockets = new MemorySockets({ clock });
  let admitted: readonly CurveKeys[] = [own];
  sockets.authenticate(({ publicKey }) =>
    admitted.some((keys) => curveBytes(keys.publicKey).equals(publicKey)),
  );
  const ends: ManagerEnd[] = [];
  for (let index = 0; index < managerCount; index += 1) ends.push(await ManagerEnd.open(sockets, index));
  const kept: KnownManager[] = [];
  const refused: Array<readonly [manager: string, failure: string]> = [];
  let sequence = 0;
  const links = new Links({
    config: {
      managerEndpoints: ends.map((_, index) => `tcp://localhost:560${index}`),
      sinkEndpoints: ends.map((_, index) => `tcp://localhost:570${index}`),
      protocol: 'v2',
    },
    ...{ sockets, node, topics },
    security: {
      own,
      managers: ends.map((end, index) => [end.known(`m${index + 1}`)]),
      keep: (manager) => kept.push(manager),
      ...(typeof change === 'function' ? change(ends) : change),
    },
    nextSequence: () => sequence++,
    onRefused: (manager, failure) => refused.push([manager, failure]),
  });
  const handlers = { onDispatch: () => {}, onRejected: () => {}, onForeignTopic: () => {} };
  for (const link of links.all) void link.listen(handlers);
  begin(links);
  const [first, second] = links.all;
  const [end, otherEnd] = ends;
  if (first === undefined || end === undefined) throw new Error('no link');
  await clock.advanceAsync(0);
  return {
    ...{ clock, links, first, second, end, otherEnd, kept, refused },
    admit: (...keys: CurveKeys[]) => {
      admitted = keys;
    },
    say: async (id: RequestId = idOf(1), link = first) => {
      link.report.acknowledge(id, 'running');
      await clock.advanceAsync(0);
    },
  };
}

describe('links with security', () => {
  it('speak with each manager by the keys of both, and prove what they say to it alone', async () => {
    const { clock, links, end, otherEnd, refused } = await linked();
    for (const link of links.all) link.report.acknowledge(idOf(1), 'running');
    await clock.advanceAsync(0);
    const ends = [end, otherEnd];
    for (const each of ends) {
      expect(each?.subscriptions).to.have.length(4);
      const [frames] = each?.arrived ?? [];
      expect(ends.map((other) => other && isProved(frames, other.keys, own))).to.deep.equal(
        ends.map((other) => other === each),
      );
    }
    expect([refused, links.dropped]).to.deep.equal([[], 0]);
  });

  it('call each manager as it calls itself', async () => {
    const { links } = await linked();
    expect(links.all.map(({ managerName }) => managerName)).to.deep.equal(['m1', 'm2']);
    expect(links.all.map(({ name }) => name)).to.deep.equal(['tcp://localhost:5700', 'tcp://localhost:5701']);
  });

  it('say nothing to who is not the manager that is known', async () => {
    const impostor = newCurveKeys();
    const { clock, first, end, refused } = await linked(
      {
        managers: [[{ name: 'm1', key: impostor.publicKey, endpoints: { join: 'tcp://x:5850' } }]],
      },
      1,
    );
    first.report.acknowledge(idOf(1), 'running');
    await clock.advanceAsync(1_000);
    expect([end.arrived, end.subscriptions]).to.deep.equal([[], []]);
    expect(refused.length).to.be.above(1);
    expect(refused[0]).to.deep.equal(['tcp://localhost:5700', 'cut off']);
  });

  it('tell whoever does not let them in, and say what they have to say when he does', async () => {
    const { clock, refused, end, say, admit, links } = await linked({ own: newCurveKeys() }, 1);
    await say();
    expect(refused).to.deep.include(['tcp://localhost:5700', 'refused']);
    const { own: mine } = links.security ?? {};
    if (mine === undefined) throw new Error('no keys');
    admit(mine);
    await clock.advanceAsync(100);
    expect(end.arrived.map((frames) => isProved(frames, end.keys, mine))).to.deep.equal([true]);
    expect(end.subscriptions).to.have.length(4);
  });

  it('find the manager again when it has the key that it spoke of, and prove what they say under that one', async () => {
    const { clock, links, first, end, kept, say, refused } = await linked();
    const next = newCurveKeys();
    first.announced(next.publicKey);
    expect(kept).to.deep.equal([{ ...end.known('m1'), nextKey: next.publicKey }]);
    await say();
    await end.rekey(next);
    await clock.advanceAsync(0);
    await say(idOf(2));
    expect(end.arrived.map((frames) => isProved(frames, end.keys, own))).to.deep.equal([true, false]);
    expect(isProved(end.arrived[1], next, own)).to.equal(true);
    expect(kept.at(-1)).to.deep.equal({ ...end.known('m1'), key: next.publicKey });
    expect(links.security?.managers[0]).to.deep.equal([kept.at(-1)]);
    expect(refused).to.deep.equal([]);
  });

  it('prove what they said before it was known who is there for whoever is there then', async () => {
    const [m1, m2] = [newCurveKeys().publicKey, newCurveKeys().publicKey];
    const several = ({ known, keys }: ManagerEnd): KnownManager[] => [
      { ...known('m1'), key: m1 },
      { ...known('m2'), key: m2, nextKey: keys.publicKey },
    ];
    const { end, first, say } = await linked(
      (ends) => ({ managers: ends.map(several) }),
      1,
      ({ all }) => all[0]?.report.acknowledge(idOf(1), 'running'),
    );
    await say(idOf(2));
    expect(end.arrived.map((frames) => isProved(frames, end.keys, own))).to.deep.equal([true, true]);
    expect(first.managerName).to.equal('m2');
  });

  it('do not find it again when it has a key that nobody spoke of', async () => {
    const { clock, first, end, say, refused } = await linked();
    first.announced('no key');
    await end.rekey(newCurveKeys());
    await say();
    await clock.advanceAsync(1_000);
    expect(end.arrived).to.deep.equal([]);
    expect(refused[0]).to.deep.equal(['tcp://localhost:5700', 'cut off']);
  });

  it('go on with other keys of the agent when they are told to, with all managers', async () => {
    const { clock, links, end, otherEnd, admit } = await linked();
    const next = newCurveKeys();
    admit(next);
    links.replaceOwnKeys(next);
    expect(links.security?.own).to.equal(next);
    for (const link of links.all) link.report.acknowledge(idOf(1), 'running');
    await clock.advanceAsync(0);
    for (const each of [end, otherEnd]) {
      expect(each && isProved(each.arrived[0], each.keys, next)).to.equal(true);
      // On the way they listened anew.
      expect(each?.subscriptions).to.have.length(12);
    }
  });

  it('use the keys of now when they are opened again', async () => {
    const { clock, links, first, end, admit, say } = await linked();
    const next = newCurveKeys();
    admit(next);
    links.replaceOwnKeys(next);
    await clock.advanceAsync(0);
    await first.reopen();
    await say();
    expect(end.arrived.map((frames) => isProved(frames, end.keys, next))).to.deep.equal([true]);
  });
});

describe('links that are closed', () => {
  it('say nothing more, and count what they were to say', async () => {
    const { clock, links, end, otherEnd } = await linked();
    await links.close();
    for (const link of links.all) link.report.acknowledge(idOf(1), 'running');
    await clock.advanceAsync(0);
    expect([end.arrived, otherEnd?.arrived, links.dropped]).to.deep.equal([[], [], 2]);
  });
});

describe('links without security', () => {
  it('speak plainly, prove nothing, have no keys, and get none', async () => {
    const clock = new ManualClock();
    const sockets = new MemorySockets({ clock });
    const sink = await sockets.bindPull('tcp://*:5700');
    const arrived: Buffer[][] = [];
    void serve(sink, (frames) => arrived.push(frames));
    const links = new Links({
      config: {
        managerEndpoints: ['tcp://localhost:5600'],
        sinkEndpoints: ['tcp://localhost:5700'],
        protocol: 'v2',
      },
      ...{ sockets, node, topics, security: undefined, nextSequence: () => 0, onRefused: () => {} },
    });
    links.replaceOwnKeys(newCurveKeys());
    const [link] = links.all;
    link?.announced(newCurveKeys().publicKey);
    link?.report.acknowledge(idOf(1), 'running');
    await clock.advanceAsync(0);
    expect(arrived.map((frames) => String(frames[5]))).to.deep.equal(['']);
    expect([links.security, link?.managerName]).to.deep.equal([undefined, 'tcp://localhost:5700']);
    await links.close();
  });
});
