import { expect } from 'chai';
import { Fleet } from './fleet.ts';

const nodes = ['web1', 'web2'];

async function presenceOf(fleet: Fleet, name: string): Promise<string | undefined> {
  const { nodes: known } = await fleet.settled(fleet.client().history.nodes());
  return known.find(({ node }) => node === name)?.presence;
}

describe('a connection of an agent that breaks', () => {
  it('for less than 2 s costs nothing', async () => {
    const fleet = await Fleet.start({ nodes });
    await fleet.pass(20_000);
    const broken = fleet.network.disconnect('m1', 'web1');
    const run = fleet.send({});
    await fleet.pass(1_800);
    expect([await presenceOf(fleet, 'web1'), run.answeredBy]).to.deep.equal(['alive', ['web2']]);
    broken.lift();
    await fleet.until(() => run.isOver, 'the request is over');
    expect(run.tookMs).to.equal(1_800);
    expect(run.outcomes).to.deep.equal({ web1: 'ok', web2: 'ok' });
    expect(fleet.nodes.map((node) => node.runs('nginx restart'))).to.deep.equal([1, 1]);
  });

  it('makes it lost after 2 s, and alive and asked again when it is back', async () => {
    const fleet = await Fleet.start({ nodes });
    await fleet.pass(20_000);
    const broken = fleet.network.disconnect('m1', 'web1');
    const run = fleet.send({ windowMs: 30_000 });
    await fleet.pass(2_100);
    expect(await presenceOf(fleet, 'web1')).to.equal('lost');
    await fleet.pass(3_000);
    broken.lift();
    await fleet.pass(100);
    expect(await presenceOf(fleet, 'web1')).to.equal('alive');
    expect([run.isOver, run.outcomes]).to.deep.equal([true, { web1: 'ok', web2: 'ok' }]);
    expect(run.tookMs).to.equal(5_100);
  });

  it('again and again lets an action run once, and its answer come once', async () => {
    const fleet = await Fleet.start({ nodes });
    fleet.node('web1').slow('nginx restart', 10_000);
    const run = fleet.send({ windowMs: 30_000 });
    for (let count = 0; count < 10; count += 1) {
      await fleet.pass(500);
      const broken = fleet.network.disconnect('m1', 'web1');
      await fleet.pass(700);
      broken.lift();
    }
    await fleet.until(() => run.isOver, 'the request is over');
    expect(run.answeredBy).to.have.members(nodes);
    expect(fleet.node('web1').runs('nginx restart')).to.equal(1);
  });

  it('keeps the answer until it is back', async () => {
    const fleet = await Fleet.start({ nodes });
    fleet.node('web1').slow('nginx restart', 1_000);
    const run = fleet.send({ windowMs: 30_000 });
    await fleet.pass(500);
    const broken = fleet.network.disconnect('m1', 'web1');
    await fleet.pass(10_000);
    expect(run.isOver).to.equal(false);
    broken.lift();
    await fleet.pass(100);
    expect([run.isOver, run.outcomes]).to.deep.equal([true, { web1: 'ok', web2: 'ok' }]);
  });
});

describe('a connection of a client that breaks', () => {
  it('costs no answer, and the client ends as soon as all have answered', async () => {
    const fleet = await Fleet.start({ nodes });
    fleet.node('web1').slow('nginx restart', 2_000);
    fleet.node('web2').slow('nginx restart', 4_000);
    const run = fleet.send({ windowMs: 10_000 });
    await fleet.pass(1_000);
    const broken = fleet.network.disconnect('m1', 'client');
    await fleet.pass(2_000);
    broken.lift();
    await fleet.until(() => run.isOver, 'the client has ended');
    expect(run.outcomes).to.deep.equal({ web1: 'ok', web2: 'ok' });
    expect(run.answeredBy).to.have.members(nodes);
    expect(run.tookMs).to.equal(4_000);
  });

  it('and is back after the request was over costs no answer', async () => {
    const fleet = await Fleet.start({ nodes });
    fleet.node('web1').slow('nginx restart', 2_000);
    const run = fleet.send({ windowMs: 10_000 });
    await fleet.pass(1_000);
    const broken = fleet.network.disconnect('m1', 'client');
    await fleet.pass(2_000);
    broken.lift();
    await fleet.until(() => run.isOver, 'the client has ended');
    expect(run.outcomes).to.deep.equal({ web1: 'ok', web2: 'ok' });
    expect(run.answeredBy).to.have.members(nodes);
  });

  it('costs no answer that was on its way when it broke', async () => {
    const fleet = await Fleet.start({ nodes });
    fleet.node('web1').slow('nginx restart', 2_000);
    fleet.node('web2').slow('nginx restart', 30_000);
    const run = fleet.send({ windowMs: 60_000 });
    await fleet.pass(1_000);
    // Nobody has noticed yet that it is broken.
    const lost = fleet.network.lose({ from: 'm1', to: 'client' });
    await fleet.pass(12_000);
    lost.lift();
    await fleet.pass(5_000);
    expect([lost.count > 0, run.answeredBy]).to.deep.equal([true, ['web1']]);
    const lastOnes = fleet.network.lose({ to: 'client', kind: 'answer' });
    const end = fleet.network.lose({ to: 'client', kind: 'end' });
    await fleet.until(() => run.isOver, 'the client has ended');
    expect([lastOnes.count, end.count]).to.deep.equal([1, 1]);
    expect(run.outcomes).to.deep.equal({ web1: 'ok', web2: 'ok' });
    expect(run.answeredBy).to.have.members(nodes);
    expect(run.tookMs).to.be.within(30_000, 36_000);
  });

  it('to one of two managers costs no answer', async () => {
    const fleet = await Fleet.start({ managers: ['m1', 'm2'], nodes });
    fleet.node('web1').slow('nginx restart', 2_000);
    fleet.node('web2').slow('nginx restart', 6_000);
    const run = fleet.send({ windowMs: 20_000 });
    await fleet.pass(1_000);
    fleet.network.disconnect('m1', 'client');
    await fleet.until(() => run.isOver, 'the client has ended');
    expect(run.outcomes).to.deep.equal({ web1: 'ok', web2: 'ok' });
    expect(run.answeredBy).to.have.members(nodes);
    expect(run.tookMs).to.be.within(6_000, 6_100);
    expect(fleet.nodes.map((node) => node.runs('nginx restart'))).to.deep.equal([1, 1]);
  });
});
