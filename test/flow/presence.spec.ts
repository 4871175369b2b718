import { expect } from 'chai';
import { Fleet } from './fleet.ts';

/** What a client sees that watches the nodes: `web1 lost`, and when. */
async function watch(fleet: Fleet, topic?: string) {
  const seen: Array<readonly [change: string, atMs: number]> = [];
  const leaving = new AbortController();
  const watching = (async () => {
    for await (const { node, presence } of fleet.client().history.watchNodes(topic, leaving.signal)) {
      seen.push([`${node} ${presence}`, fleet.clock.now()]);
    }
  })();
  await fleet.pass(0);
  return {
    seen,
    changes: () => seen.map(([change]) => change),
    last: () => seen.at(-1) ?? ['', Number.NaN],
    leave: async () => {
      leaving.abort();
      await fleet.settled(watching);
    },
  };
}

async function presenceOf(fleet: Fleet, name: string, manager = 'm1'): Promise<string | undefined> {
  const client = fleet.client({ managers: [manager] });
  const { nodes } = await fleet.settled(client.history.nodes());
  return nodes.find(({ node }) => node === name)?.presence;
}

describe('a node', () => {
  it('is known with all that it says of itself as soon as its agent has started', async () => {
    const fleet = await Fleet.start();
    await fleet.add({ name: 'web1', roles: ['web'], topics: ['rack7'] }).start();
    await fleet.pass(0);
    const { nodes, unnamed } = await fleet.settled(fleet.client().history.nodes());
    expect(nodes).to.have.length(1);
    expect(nodes[0]).to.include({ node: 'web1', presence: 'alive', conflictingAgents: 0, lastSeenAgoMs: 0 });
    expect(nodes[0]).to.include({ system: 'Linux', machine: 'x86_64', os: 'debian', osVersion: '12' });
    expect(nodes[0]?.topics).to.include.members(['any', 'web1', 'role:web', 'rack7', 'os:debian-12']);
    expect(unnamed).to.equal(0);
  });

  it('is listed by its topics', async () => {
    const fleet = await Fleet.start({ nodes: ['web1', { name: 'db1', roles: ['db'] }] });
    const { nodes } = await fleet.settled(fleet.client().history.nodes('role:db'));
    expect(nodes.map(({ node }) => node)).to.deep.equal(['db1']);
  });

  it('stays alive for ten minutes of pulses', async () => {
    const fleet = await Fleet.start({ nodes: ['web1', 'web2'] });
    const { seen } = await watch(fleet);
    const beats = fleet.network.count({ kind: 'beat', from: 'web1' });
    await fleet.pass(10 * 60_000);
    expect(seen).to.have.length(2);
    expect(beats.count).to.be.within(118, 135);
  });

  it('may lose one beat', async () => {
    const fleet = await Fleet.start({ nodes: ['web1'] });
    await fleet.pass(30_000);
    const { seen } = await watch(fleet);
    const lost = fleet.network.lose({ kind: 'beat' }, 1);
    await fleet.pass(60_000);
    expect([lost.count, seen.length]).to.deep.equal([1, 1]);
  });

  it('that says goodbye has left at once', async () => {
    const fleet = await Fleet.start({ nodes: ['web1'] });
    const { seen } = await watch(fleet);
    await fleet.pass(7_000);
    await fleet.settled(fleet.node('web1').close());
    expect(seen.slice(1)).to.deep.equal([['web1 left', 7_000]]);
    await fleet.pass(60_000);
    expect(seen).to.have.length(2);
  });

  it('that falls silent is lost after 15 s, and never before', async () => {
    const fleet = await Fleet.start({ nodes: ['web1', 'web2'] });
    await fleet.pass(20_000);
    let lastHeardMs = 0;
    fleet.network.count(({ from, to }) => {
      if (from === 'web1' && to === 'm1') lastHeardMs = fleet.clock.now();
      return false;
    });
    await fleet.pass(10_000);
    const { changes, last } = await watch(fleet);
    fleet.node('web1').vanish();
    await fleet.until(() => changes().length > 2, 'it is lost');
    expect(changes()).to.deep.equal(['web1 alive', 'web2 alive', 'web1 lost']);
    expect(last()[1] - lastHeardMs).to.be.within(15_000, 15_100);
    await fleet.pass(60_000);
    expect(changes()).to.have.length(3);
  });

  it('whose connection broke is lost after 2 s, and never before', async () => {
    const fleet = await Fleet.start({ nodes: ['web1', 'web2'] });
    const { changes, last } = await watch(fleet);
    fleet.node('web2').kill();
    const diedMs = fleet.clock.now();
    await fleet.until(() => changes().length > 2, 'it is lost');
    expect(changes().at(-1)).to.equal('web2 lost');
    expect(last()[1] - diedMs).to.be.within(2_000, 2_100);
  });

  it('that is killed and back within 2 s was never lost', async () => {
    const fleet = await Fleet.start({ nodes: ['web1'] });
    const { seen, changes } = await watch(fleet);
    fleet.node('web1').kill();
    await fleet.pass(1_900);
    await fleet.node('web1').start();
    await fleet.pass(60_000);
    expect(new Set(changes())).to.deep.equal(new Set(['web1 alive']));
    expect(seen.length).to.be.at.most(3);
  });

  it('is alive again with the first word that is heard of it', async () => {
    const fleet = await Fleet.start({ nodes: ['web1'] });
    await fleet.pass(20_000);
    const { changes, last } = await watch(fleet);
    const cut = fleet.network.cut('web1', 'm1');
    await fleet.until(() => changes().length > 1, 'it is lost');
    cut.lift();
    const healedMs = fleet.clock.now();
    await fleet.until(() => changes().length > 2, 'it is back');
    expect(changes().slice(1)).to.deep.equal(['web1 lost', 'web1 alive']);
    expect(last()[1] - healedMs).to.be.below(7_100);
  });

  it('whose topics changed over a restart is found by the new ones', async () => {
    const fleet = await Fleet.start({ nodes: [{ name: 'web1', roles: ['web'] }] });
    await fleet.settled(fleet.node('web1').close());
    const other = fleet.add({ name: 'other', nodeName: 'web1', roles: ['db'] });
    await other.start();
    await fleet.pass(0);
    expect((await fleet.ask({ topic: 'role:web' })).summary.outcomes).to.deep.equal([]);
    expect((await fleet.ask({ topic: 'role:db' })).outcomes).to.deep.equal({ web1: 'ok' });
  });
});

describe('a manager that starts anew', () => {
  it('counts the nodes that it knew as alive, and has 15 s to hear of them', async () => {
    const fleet = await Fleet.start({ nodes: ['web1', 'web2'] });
    await fleet.pass(20_000);
    fleet.manager().kill();
    fleet.node('web2').kill();
    await fleet.pass(5_000);
    await fleet.manager().start();
    await fleet.pass(0);
    expect(await presenceOf(fleet, 'web2')).to.equal('alive');
    await fleet.pass(14_900);
    expect(await presenceOf(fleet, 'web2')).to.equal('alive');
    await fleet.pass(200);
    expect([await presenceOf(fleet, 'web1'), await presenceOf(fleet, 'web2')]).to.deep.equal([
      'alive',
      'lost',
    ]);
  });

  it('with an empty store knows all nodes again within a few seconds', async () => {
    const fleet = await Fleet.start({ nodes: ['web1', 'web2', 'web3'] });
    await fleet.pass(20_000);
    fleet.manager().kill();
    fleet.manager().loseStore();
    await fleet.manager().start();
    await fleet.pass(5_000);
    const { nodes } = await fleet.settled(fleet.client().history.nodes());
    expect(nodes.map(({ node, presence }) => `${node} ${presence}`)).to.have.members([
      'web1 alive',
      'web2 alive',
      'web3 alive',
    ]);
  });

  it('remembers who had left', async () => {
    const fleet = await Fleet.start({ nodes: ['web1', 'web2'] });
    await fleet.settled(fleet.node('web2').close());
    await fleet.pass(1_000);
    await fleet.settled(fleet.manager().close());
    await fleet.manager().start();
    await fleet.pass(3_000);
    expect([await presenceOf(fleet, 'web1'), await presenceOf(fleet, 'web2')]).to.deep.equal([
      'alive',
      'left',
    ]);
  });
});

describe('who watches the nodes', () => {
  it('may leave', async () => {
    const fleet = await Fleet.start({ nodes: ['web1'] });
    const { changes, leave } = await watch(fleet);
    await leave();
    await fleet.settled(fleet.node('web1').close());
    expect(changes()).to.deep.equal(['web1 alive']);
  });

  it('sees only those on the topic', async () => {
    const fleet = await Fleet.start({ nodes: ['web1', { name: 'db1', roles: ['db'] }] });
    const { changes } = await watch(fleet, 'role:db');
    for (const node of fleet.nodes) await fleet.settled(node.close());
    expect(changes()).to.deep.equal(['db1 alive', 'db1 left']);
  });
});
