import { expect } from 'chai';
import { type Order, ServiceManager } from '../../../src/client/index.ts';
import type { Socket } from '../../../src/platform/sockets.ts';
import { Run } from '../../fakes/client-run.ts';
import { planToken, requestId, type Script, ScriptedManager } from '../../fakes/scripted-manager.ts';

const order: Order = { topic: 'role:web', action: 'restart', service: 'nginx' };
const endpoints = ['tcp://localhost:5500', 'tcp://localhost:5501'];
const v1 = { reply: { uuid: 'a'.repeat(32), port: 5_750 } };

async function open(script: Script = {}) {
  const manager = await new ScriptedManager(script).start();
  const client = new ServiceManager({ endpoints }, manager.deps);
  const send = async (changes: Partial<Order>) => {
    const run = new Run(client.send({ ...order, ...changes }), manager.clock);
    await manager.clock.advanceAsync(0);
    return run;
  };
  return { manager, client, send };
}

/** The frames that come to a second manager, which says nothing. */
async function overhear({ deps }: ScriptedManager): Promise<string[]> {
  const heard: string[] = [];
  const socket: Socket = await deps.sockets.bindRouter('tcp://127.0.0.1:5501');
  void (async () => {
    for await (const frames of socket) heard.push(String(frames[2]));
  })();
  return heard;
}

const limits: ReadonlyArray<readonly [what: string, changes: Partial<Order>]> = [
  ['names nodes', { nodes: ['web1'] }],
  ['leaves nodes out', { exclude: 'web3' }],
  ['is for some of them', { limit: '25%' }],
  ['expects a number', { expect: 3 }],
  ['has a plan', { plan: planToken }],
  ['is a rollout', { rollout: { batch: '1' } }],
  ...['web[1-2]', 'web1,web2', 'web*', "'any'", 'not web1', 'Linux and web1', 'web1 OR web2', '(any)'].map(
    (topic) => [`is aimed at ${topic}`, { topic }] as const,
  ),
];

describe('an order', () => {
  for (const [what, changes] of limits) {
    it(`that ${what} is planned before it is sent`, async () => {
      const { manager, send } = await open({ accepted: { nodes: ['web1'] } });
      const run = await send(changes);
      expect(manager.queries.map(({ query }) => query)).to.deep.equal(['plan']);
      expect(JSON.parse(manager.queries[0]?.body ?? '')).to.deep.equal(manager.requests[0]);
      expect([run.isTaken, manager.requests.length]).to.deep.equal([true, 1]);
    });

    it(`that ${what} is not sent to a manager of 2014`, async () => {
      const { manager, send } = await open(v1);
      const run = await send(changes);
      expect([run.code, manager.requests]).to.deep.equal(['REFUSED', []]);
    });
  }

  for (const topic of ['any', 'Debian GNU/Linux', 'role:web', 'android', 'rack 7 north']) {
    it(`for the topic ${topic} is sent at once`, async () => {
      const { manager, send } = await open();
      await send({ topic });
      expect([manager.queries.length, manager.requests.length]).to.deep.equal([0, 1]);
    });
  }

  it('says why a manager of 2014 does not get it', async () => {
    const { client } = await open(v1);
    const error: unknown = await client
      .send({ ...order, exclude: 'web3' })
      .catch((thrown: unknown) => thrown);
    expect(error)
      .to.have.property('message')
      .that.matches(/^tcp:\/\/localhost:5500 refused: .* nothing was sent$/);
  });

  it('that is planned goes to the manager that planned it, and to no other one', async () => {
    const { manager, send } = await open({ accepted: { nodes: ['web1'] } });
    const heard = await overhear(manager);
    manager.isSilent = true;
    const sending = send({ rollout: { batch: '1' } });
    await manager.clock.advanceAsync(1_500);
    manager.isSilent = false;
    await manager.clock.advanceAsync(1_000);
    await sending;
    expect(manager.requests).to.have.lengthOf(1);
    expect(heard.map((frame) => JSON.parse(frame).query)).to.deep.equal(['plan']);
  });

  it('of which nobody knows whether it was taken is not sent elsewhere, and its id is told', async () => {
    const { manager, client } = await open({ accepted: { nodes: ['web1'] } });
    const heard = await overhear(manager);
    manager.isSilentToRequests = true;
    const sending = client
      .send({ ...order, rollout: { batch: '1' }, windowMs: 60_000 })
      .catch((thrown: unknown) => thrown);
    await manager.clock.advanceAsync(10_000);
    const error = await sending;
    expect(error).to.include({ code: 'MANAGER_UNREACHABLE' });
    expect(error).to.have.property('message').that.includes(`request ${requestId}`);
    expect(heard).to.deep.equal([]);
  });
});

describe('a plan', () => {
  it('says whom an order would reach, and sends nothing', async () => {
    const plan = {
      plan: planToken,
      nodes: ['web2', 'web1'],
      absent: [],
      unnamed: 1,
      withheld: 0,
      batches: [1, 1],
    };
    const { manager, client } = await open({ queries: { plan } });
    const found = await client.plan({ ...order, rollout: { batch: '1', canary: 1 }, exclude: 'web3' });
    expect(found).to.deep.include(plan);
    expect(found).not.to.have.property('success');
    expect(JSON.parse(manager.queries[0]?.body ?? '')).to.deep.include({
      ...{ cmd: 'restart', topic: 'role:web', service: 'nginx', exclude: 'web3' },
      rollout: { batch: '1', canary: 1 },
    });
    expect(manager.requests).to.deep.equal([]);
  });

  it('is refused with the code of the manager', async () => {
    const { client } = await open({
      queries: { plan: { success: -1, msg: 'target: no\nweb[\n   ^', code: 'BAD_TARGET' } },
    });
    const error: unknown = await client.plan(order).catch((thrown: unknown) => thrown);
    expect(error).to.include({
      code: 'BAD_TARGET',
      message: 'tcp://localhost:5500 refused (BAD_TARGET):\ntarget: no\nweb[\n   ^',
    });
  });

  it('of a bad order is not asked for', async () => {
    const { manager, client } = await open();
    for (const changes of [
      { limit: 'many' },
      { rollout: { batch: 'x' } },
      { health: 'ping' },
      { seed: -1 },
    ]) {
      const error: unknown = await client.plan({ ...order, ...changes }).catch((thrown: unknown) => thrown);
      expect(error).to.include({ code: 'INVALID_MESSAGE' });
    }
    expect(manager.queries).to.deep.equal([]);
  });
});
