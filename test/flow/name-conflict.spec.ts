import { expect } from 'chai';
import { Fleet } from './fleet.ts';

async function twins(nodes: string[] = [], managers = ['m1']) {
  const fleet = await Fleet.start({ managers, nodes: ['web1', ...nodes] });
  await fleet.pass(20_000);
  const twin = fleet.add({ name: 'twin', nodeName: 'web1' });
  await twin.start();
  await fleet.pass(0);
  return { fleet, twin, web1: fleet.node('web1') };
}

async function conflictingAgents(fleet: Fleet): Promise<number | undefined> {
  const { nodes } = await fleet.settled(fleet.client().history.nodes());
  return nodes.find(({ node }) => node === 'web1')?.conflictingAgents;
}

describe('two agents of one name', () => {
  it('are found within two beats, logged by all three, and shown among the nodes', async () => {
    const { fleet, twin, web1 } = await twins();
    expect(await conflictingAgents(fleet)).to.equal(0);
    const { log } = fleet.manager();
    const startedMs = fleet.clock.now();
    const isFound = () => log.named('node.changed').some(({ fields }) => `${fields['conflict']}` !== '');
    await fleet.until(isFound, 'the conflict is found');
    expect(fleet.clock.now() - startedMs).to.be.below(12_100);
    expect(await conflictingAgents(fleet)).to.equal(2);
    const { level, fields } = log.named('node.changed').at(-1) ?? {};
    expect([level, fields?.['node']]).to.deep.equal(['warn', 'web1']);
    await fleet.pass(60_000);
    for (const { log: own } of [twin, web1]) {
      expect(own.named('node.name_conflict')).to.have.length(1);
      expect(own.named('node.name_conflict')[0]?.level).to.equal('error');
    }
    expect(await conflictingAgents(fleet)).to.equal(2);
  });

  it('are not served: the manager says so at once, both refuse, and nothing runs', async () => {
    const { fleet, twin, web1 } = await twins(['web2']);
    await fleet.pass(15_000);
    const refused = fleet.network.count(({ from, kind, frames }) => {
      const isFromThem = from === 'web1' || from === 'twin';
      return isFromThem && kind === 'result' && frames.some((frame) => frame.includes('NAME_CONFLICT'));
    });
    const run = await fleet.ask({});
    expect(run.outcomes).to.deep.equal({ web1: 'refused', web2: 'ok' });
    const why = run.answers.find((answer) => 'code' in answer && answer.node === 'web1');
    expect(why).to.include({ code: 'NAME_CONFLICT' });
    expect([run.tookMs, run.summary.isOver]).to.deep.equal([0, true]);
    await fleet.pass(5_000);
    expect(refused.count).to.equal(2);
    expect([twin, web1].map((node) => node.processes.runs)).to.deep.equal([[], []]);
    expect([twin, web1].map((node) => node.agent.counters.undelivered)).to.deep.equal([0, 0]);
    const named = await fleet.ask({ nodes: ['web1'], action: 'status' });
    expect(named.outcomes).to.deep.equal({ web1: 'refused' });
  });

  it('answer a request that came before anybody knew, each result only once', async () => {
    const { fleet, twin, web1 } = await twins();
    const run = await fleet.ask({});
    expect(run.outcomes).to.deep.equal({ web1: 'ok' });
    expect(run.answers).to.have.length(1);
    await fleet.pass(60_000);
    expect([twin, web1].map((node) => node.runs('nginx restart'))).to.deep.equal([1, 1]);
    expect([twin, web1].map((node) => node.agent.counters.undelivered)).to.deep.equal([0, 0]);
  });

  for (const [who, isTwin] of [
    ['the second', true],
    ['the first', false],
  ] as const) {
    for (const [how, isClean] of [
      ['is stopped', true],
      ['dies', false],
    ] as const) {
      it(`of which ${who} ${how} are one again, which is served`, async () => {
        const { fleet, twin, web1 } = await twins();
        await fleet.pass(30_000);
        expect(await conflictingAgents(fleet)).to.equal(2);
        const [leaving, staying] = isTwin ? [twin, web1] : [web1, twin];
        if (isClean) await fleet.settled(leaving.close());
        else leaving.kill();
        await fleet.pass(isClean ? 30_000 : 40_000);
        expect(await conflictingAgents(fleet)).to.equal(0);
        const run = await fleet.ask({});
        expect(run.outcomes).to.deep.equal({ web1: 'ok' });
        expect(staying.runs('nginx restart')).to.equal(1);
        expect(leaving.runs('nginx restart')).to.equal(0);
      });
    }
  }

  it('are found by both managers', async () => {
    const { fleet } = await twins([], ['m1', 'm2']);
    await fleet.pass(15_000);
    for (const name of ['m1', 'm2']) {
      const { nodes } = await fleet.settled(fleet.client({ managers: [name] }).history.nodes());
      expect(nodes.map(({ conflictingAgents: count }) => count)).to.deep.equal([2]);
    }
  });

  it('are found again by a manager that starts anew', async () => {
    const { fleet } = await twins();
    await fleet.pass(15_000);
    fleet.manager().kill();
    await fleet.manager().start();
    await fleet.pass(15_000);
    expect(await conflictingAgents(fleet)).to.equal(2);
  });
});

describe('one agent', () => {
  it('that is started anew again and again is no conflict', async () => {
    const fleet = await Fleet.start({ nodes: ['web1'] });
    for (let round = 0; round < 10; round += 1) {
      await fleet.pass(700);
      fleet.node('web1').kill();
      await fleet.pass(300);
      await fleet.node('web1').start();
    }
    await fleet.pass(20_000);
    const conflicts = fleet
      .manager()
      .log.named('node.changed')
      .filter(({ level }) => level === 'warn');
    expect(conflicts).to.deep.equal([]);
    expect((await fleet.ask({})).outcomes).to.deep.equal({ web1: 'ok' });
  });
});
