import { expect } from 'chai';
import { trustingRules } from '../../src/agent/gate.ts';
import type { Topic } from '../../src/wire/fields.ts';
import { Fleet } from './fleet.ts';

const topics = (...names: string[]) => names as readonly string[] as readonly Topic[];

const unchanged = { rules: trustingRules, own: undefined };

async function topicsOf(fleet: Fleet, name: string): Promise<readonly string[]> {
  const { nodes } = await fleet.settled(fleet.client().history.nodes());
  return nodes.find(({ node }) => node === name)?.topics ?? [];
}

describe('an agent that is given other topics while it runs', () => {
  it('is reached on the new ones, and not on the old ones', async () => {
    const fleet = await Fleet.start({ nodes: [{ name: 'web1', roles: ['web'], topics: ['rack 7'] }, 'db1'] });
    expect((await fleet.ask({ topic: 'role:web' })).outcomes).to.deep.equal({ web1: 'ok' });
    fleet.node('web1').agent.reconfigure({ ...unchanged, roles: ['cache'], topics: topics('rack 8') });
    await fleet.pass(0);

    for (const topic of ['role:cache', 'rack 8', 'web1']) {
      expect((await fleet.ask({ topic })).outcomes, topic).to.deep.equal({ web1: 'ok' });
    }
    for (const topic of ['role:web', "'rack 7'"]) {
      expect((await fleet.ask({ topic })).outcomes, topic).to.deep.equal({});
    }
    expect(fleet.node('web1').runs('nginx restart')).to.equal(4);
    expect((await fleet.ask({})).outcomes).to.deep.equal({ web1: 'ok', db1: 'ok' });
  });

  it('is listed with them, and not taken for a second agent of its name', async () => {
    const fleet = await Fleet.start({ nodes: [{ name: 'web1', roles: ['web'] }] });
    const startedAt = fleet.manager().manager.counters.agents;
    await fleet.pass(10_000);
    fleet.node('web1').agent.reconfigure({ ...unchanged, roles: ['cache'], topics: [] });
    await fleet.pass(0);
    const after = (await fleet.settled(fleet.client().history.nodes())).nodes[0];
    expect(await topicsOf(fleet, 'web1'))
      .to.include('role:cache')
      .and.not.include('role:web');
    expect(after).to.deep.include({
      roles: ['cache'],
      presence: 'alive',
      conflictingAgents: 0,
    });
    expect(fleet.manager().manager.counters.agents).to.equal(startedAt);
  });

  it('keeps them when it has to connect again, or says hello again', async () => {
    const fleet = await Fleet.start({ nodes: ['web1'] });
    fleet.node('web1').agent.reconfigure({ ...unchanged, roles: ['cache'], topics: [] });
    fleet.manager().kill();
    await fleet.pass(60_000);
    await fleet.manager().start();
    await fleet.pass(10_000);
    expect(await topicsOf(fleet, 'web1')).to.include('role:cache');
    expect((await fleet.ask({ topic: 'role:cache' })).outcomes).to.deep.equal({ web1: 'ok' });
  });

  it('tells every manager, also one of 2014, which says nothing back', async () => {
    const fleet = await Fleet.start({
      managers: ['m1', 'm2'],
      nodes: ['web1', { name: 'old', protocol: 'v1' }],
    });
    for (const name of ['web1', 'old'])
      fleet.node(name).agent.reconfigure({ ...unchanged, roles: ['cache'], topics: [] });
    await fleet.pass(0);
    for (const manager of ['m1', 'm2']) {
      const client = fleet.client({ managers: [manager] });
      await fleet.ask({ topic: 'role:cache' }, client);
    }
    expect(fleet.node('web1').runs('nginx restart')).to.equal(2);
    expect(fleet.node('old').runs('nginx restart')).to.equal(2);
  });

  it('is listed with a role that was only a topic before', async () => {
    const fleet = await Fleet.start({ nodes: [{ name: 'web1', topics: ['role:web'] }] });
    fleet.node('web1').agent.reconfigure({ ...unchanged, roles: ['web'], topics: [] });
    await fleet.pass(0);
    const { nodes } = await fleet.settled(fleet.client().history.nodes());
    expect(nodes[0]?.roles).to.deep.equal(['web']);
  });

  it('says nothing when they are the same', async () => {
    const fleet = await Fleet.start({ nodes: [{ name: 'web1', roles: ['web', 'db'], topics: ['rack 7'] }] });
    const hellos = fleet.network.count({ kind: 'hello', from: 'web1' });
    fleet.node('web1').agent.reconfigure({ ...unchanged, roles: ['db', 'web'], topics: topics('rack 7') });
    await fleet.pass(0);
    expect(hellos.count).to.equal(0);
    expect(fleet.node('web1').log.named('agent.topics_changed')).to.have.length(0);
  });
});

describe('a manager that is given other bounds of its history while it runs', () => {
  it('forgets what is beyond them', async () => {
    const fleet = await Fleet.start({ nodes: ['web1'] });
    for (let index = 0; index < 3; index += 1) await fleet.ask({});
    const kept = async () => (await fleet.settled(fleet.client().history.list({}))).length;
    await fleet.pass(5_000);
    expect(await kept()).to.equal(3);
    const history = { ...fleet.manager().config.history, maxRequests: 1 };
    fleet.manager().manager.reconfigure({
      history,
      limits: { requestsPerSecond: 100, openRequests: 100 },
      policy: { rules: [] },
    });
    await fleet.pass(5_000);
    expect(await kept()).to.equal(1);
  });
});

describe('the progress of a daemon', () => {
  it('is made while its loops run, by a manager and by an agent', async () => {
    const fleet = await Fleet.start({ nodes: ['web1'] });
    const daemons = [fleet.manager().manager, fleet.node('web1').agent];
    for (const daemon of daemons) expect(daemon.hasProgressed()).to.equal(true);
    for (const daemon of daemons) expect(daemon.hasProgressed()).to.equal(false);
    await fleet.pass(500);
    for (const daemon of daemons) expect(daemon.hasProgressed()).to.equal(true);
  });

  it('is not made any more when a socket is not served', async () => {
    const fleet = await Fleet.start({ nodes: ['web1'] });
    const { manager } = fleet.manager();
    const { agent } = fleet.node('web1');
    await fleet.settled(Promise.all([manager.close(), agent.close()]));
    // What ticked before the end does not count.
    for (const daemon of [manager, agent]) expect(daemon.hasProgressed()).to.equal(false);
  });
});
