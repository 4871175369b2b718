import { expect } from 'chai';
import { Fleet } from './fleet.ts';

describe('a manager that falls silent', () => {
  it('for half a minute makes its agents connect anew, and serves them again', async () => {
    const fleet = await Fleet.start({ nodes: ['web1', 'web2'] });
    await fleet.pass(20_000);
    // What is connected now stays connected, but carries nothing any more.
    const broken = new Set(fleet.network.connections());
    fleet.network.lose(({ connection }) => broken.has(connection));
    const { log } = fleet.node('web1');
    const startedMs = fleet.clock.now();
    await fleet.until(() => log.named('manager.silent').length > 0, 'the agent notices');
    expect(fleet.clock.now() - startedMs).to.be.within(25_000, 40_250);
    await fleet.pass(20_000);
    const run = await fleet.ask({});
    expect(run.outcomes).to.deep.equal({ web1: 'ok', web2: 'ok' });
    expect(run.tookMs).to.equal(0);
    await fleet.pass(120_000);
    expect(log.named('manager.silent')).to.have.length(1);
  });

  it('for less is waited for', async () => {
    const fleet = await Fleet.start({ nodes: ['web1'] });
    await fleet.pass(20_000);
    const cut = fleet.network.cut('m1', 'web1');
    await fleet.pass(24_000);
    cut.lift();
    await fleet.pass(60_000);
    expect(fleet.node('web1').log.named('manager.silent')).to.deep.equal([]);
  });

  it('leaves its agents to the other manager meanwhile', async () => {
    const fleet = await Fleet.start({ managers: ['m1', 'm2'], nodes: ['web1'] });
    await fleet.pass(20_000);
    fleet.network.cut('m1', 'web1');
    await fleet.pass(100_000);
    expect(fleet.node('web1').log.named('manager.silent').length).to.be.within(2, 3);
    const run = await fleet.ask({}, fleet.client({ managers: ['m2'] }));
    expect([run.outcomes, run.tookMs]).to.deep.equal([{ web1: 'ok' }, 0]);
  });

  it('and keeps answers waiting gets them over the new connection', async () => {
    const fleet = await Fleet.start({ nodes: ['web1'] });
    await fleet.pass(20_000);
    fleet.node('web1').slow('nginx restart', 10_000);
    const run = fleet.send({ windowMs: 120_000 });
    await fleet.pass(5_000);
    const broken = new Set(fleet.network.connections());
    fleet.network.lose(({ connection }) => broken.has(connection) && !connection.startsWith('dealer'));
    await fleet.pass(90_000);
    expect(fleet.node('web1').agent.counters.undelivered).to.equal(0);
    expect(
      fleet
        .manager()
        .store.entries(run.id)
        .map(({ outcome }) => outcome),
    ).to.deep.equal(['ok']);
    expect(fleet.node('web1').runs('nginx restart')).to.equal(1);
  });

  it('that was never heard is not given up: it may not be there yet', async () => {
    const fleet = await Fleet.start({ managers: ['m1', 'm2'], nodes: ['web1'] });
    fleet.manager('m2').kill();
    await fleet.settled(fleet.node('web1').close());
    await fleet.node('web1').start();
    await fleet.pass(100_000);
    expect(fleet.node('web1').log.named('manager.silent')).to.deep.equal([]);
    await fleet.manager('m2').start();
    await fleet.pass(1_500);
    const run = await fleet.ask({}, fleet.client({ managers: ['m2'] }));
    expect(run.outcomes).to.deep.equal({ web1: 'ok' });
  });
});
