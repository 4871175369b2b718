import { expect } from 'chai';
import type { Run } from '../fakes/client-run.ts';
import { Fleet } from './fleet.ts';

const minuteMs = 60_000;
const managers = ['m1', 'm2'];
const nodes = ['web1', 'web2', 'web3'];

async function storedBy(fleet: Fleet, run: Run, manager: string): Promise<string[]> {
  const { history } = fleet.client({ managers: [manager] });
  const answers = await fleet.settled(history.answers(run.id));
  return answers.map((answer) => ('result' in answer ? answer.result.node : `${answer.node}`));
}

async function expectOnce(fleet: Fleet, run: Run): Promise<void> {
  await fleet.until(() => run.isOver, 'the request is over');
  expect(run.outcomes).to.deep.equal({ web1: 'ok', web2: 'ok', web3: 'ok' });
  expect(run.answeredBy).to.have.members(nodes);
  await fleet.pass(minuteMs);
  expect(fleet.nodes.map((node) => node.runs('nginx restart'))).to.deep.equal([1, 1, 1]);
}

function undelivered(fleet: Fleet): number[] {
  return fleet.nodes.map((node) => node.agent.counters.undelivered);
}

describe('two managers', () => {
  it('know the same nodes', async () => {
    const fleet = await Fleet.start({ managers, nodes });
    for (const name of managers) {
      const reply = await fleet.settled(fleet.client({ managers: [name] }).history.nodes());
      expect(reply.nodes.map(({ node }) => node)).to.have.members(nodes);
    }
  });

  it('of which the first is dead serve the client through the second', async () => {
    const fleet = await Fleet.start({ managers, nodes });
    fleet.manager('m1').kill();
    const run = await fleet.ask({});
    expect(run.tookMs).to.equal(1_000);
    await expectOnce(fleet, run);
    expect(await storedBy(fleet, run, 'm2')).to.deep.equal(nodes);
    expect(undelivered(fleet)).to.deep.equal([0, 0, 0]);
  });

  it('that get the same request at the same time let it run once, and each has all answers', async () => {
    const fleet = await Fleet.start({ managers, nodes });
    fleet.node('web2').slow('nginx restart', 700);
    const id = fleet.newId();
    const runs = managers.map((name) => fleet.send({}, fleet.client({ managers: [name], newId: () => id })));
    for (const run of runs) await expectOnce(fleet, run);
    for (const run of runs) expect(run.tookMs).to.equal(700);
    for (const name of managers) {
      for (const run of runs) expect(await storedBy(fleet, run, name)).to.deep.equal(nodes);
    }
    expect(undelivered(fleet)).to.deep.equal([0, 0, 0]);
  });

  it('that get the same request one after the other let it run once, and each has all answers', async () => {
    const fleet = await Fleet.start({ managers, nodes });
    const id = fleet.newId();
    for (const name of managers) {
      const run = await fleet.ask({}, fleet.client({ managers: [name], newId: () => id }));
      await expectOnce(fleet, run);
      expect(await storedBy(fleet, run, name)).to.deep.equal(nodes);
    }
    expect(undelivered(fleet)).to.deep.equal([0, 0, 0]);
  });
});

for (const [when, killAtMs] of [
  ['at once', 0],
  ['while the client waits', 1_500],
] as const) {
  describe(`a manager that dies in the middle of a request, ${when}`, () => {
    it('is replaced by the other one: nothing runs twice, no answer is missing', async () => {
      const fleet = await Fleet.start({ managers, nodes });
      fleet.node('web2').slow('nginx restart', 4_000);
      fleet.node('web3').slow('nginx restart', 8_000);
      const run = fleet.send({ windowMs: 20_000 });
      await fleet.pass(killAtMs);
      expect(run.isTaken).to.equal(true);
      fleet.manager('m1').kill();
      await expectOnce(fleet, run);
      expect(run.tookMs).to.be.within(8_000, 8_100);
      expect(await storedBy(fleet, run, 'm2')).to.deep.equal(nodes);
    });

    it('and comes back has all answers in its history, too', async () => {
      const fleet = await Fleet.start({ managers, nodes });
      fleet.node('web2').slow('nginx restart', 4_000);
      fleet.node('web3').slow('nginx restart', 8_000);
      const run = fleet.send({ windowMs: 20_000 });
      await fleet.pass(killAtMs);
      fleet.manager('m1').kill();
      await fleet.pass(30_000);
      await fleet.manager('m1').start();
      await expectOnce(fleet, run);
      for (const name of managers) expect(await storedBy(fleet, run, name)).to.deep.equal(nodes);
      expect(undelivered(fleet)).to.deep.equal([0, 0, 0]);
    });

    it('and comes back with an empty store costs no answer', async () => {
      const fleet = await Fleet.start({ managers, nodes });
      fleet.node('web3').slow('nginx restart', 3_000);
      const run = fleet.send({ windowMs: 20_000 });
      await fleet.pass(killAtMs);
      fleet.manager('m1').kill();
      fleet.manager('m1').loseStore();
      await fleet.pass(10_000);
      await fleet.manager('m1').start();
      await expectOnce(fleet, run);
      expect(await storedBy(fleet, run, 'm2')).to.deep.equal(nodes);
    });
  });
}

describe('two managers that die one after the other', () => {
  it('lose nothing, when each is back before the window ends', async () => {
    const fleet = await Fleet.start({ managers, nodes });
    fleet.node('web2').slow('nginx restart', 9_000);
    fleet.node('web3').slow('nginx restart', 18_000);
    const run = fleet.send({ windowMs: 60_000 });
    await fleet.pass(2_000);
    fleet.manager('m1').kill();
    await fleet.pass(5_000);
    await fleet.manager('m1').start();
    await fleet.pass(1_000);
    fleet.manager('m2').kill();
    await fleet.pass(5_000);
    await fleet.manager('m2').start();
    await expectOnce(fleet, run);
    expect(run.tookMs).to.be.within(18_000, 18_300);
    expect(await storedBy(fleet, run, 'm1')).to.deep.equal(nodes);
  });
});

describe('an agent that is killed in the middle of a request', () => {
  it('says to both managers that it was interrupted', async () => {
    const fleet = await Fleet.start({ managers, nodes });
    fleet.node('web2').hold('nginx restart');
    const id = fleet.newId();
    const runs = managers.map((name) =>
      fleet.send({ windowMs: 20_000 }, fleet.client({ managers: [name], newId: () => id })),
    );
    await fleet.pass(100);
    fleet.node('web2').kill();
    await fleet.pass(1_000);
    await fleet.node('web2').start();
    for (const run of runs) {
      await fleet.until(() => run.isOver, 'the request is over');
      expect(run.outcomes).to.deep.equal({ web1: 'ok', web2: 'interrupted', web3: 'ok' });
    }
    await fleet.pass(minuteMs);
    for (const run of runs) expect(await storedBy(fleet, run, 'm1')).to.deep.equal(nodes);
    expect(fleet.node('web2').runs('nginx restart')).to.equal(1);
    expect(undelivered(fleet)).to.deep.equal([0, 0, 0]);
  });
});

describe('a manager that an agent cannot reach', () => {
  it('gets the answers that it is owed when it can be reached again', async () => {
    const fleet = await Fleet.start({ managers, nodes });
    fleet.node('web1').slow('nginx restart', 1_000);
    const run = fleet.send({ windowMs: 3_000 });
    await fleet.pass(500);
    const cut = fleet.network.cut('web1', 'm1');
    await fleet.until(() => run.isOver, 'the request is over');
    expect(run.outcomes['web1']).to.equal('running');
    await fleet.pass(2 * minuteMs);
    expect(fleet.node('web1').agent.counters.undelivered).to.equal(1);
    cut.lift();
    await fleet.pass(minuteMs);
    expect(await storedBy(fleet, run, 'm1')).to.deep.equal(nodes);
    expect(undelivered(fleet)).to.deep.equal([0, 0, 0]);
    expect(fleet.node('web1').runs('nginx restart')).to.equal(1);
  });
});
