import { expect } from 'chai';
import { Fleet } from './fleet.ts';
import type { Node } from './node.ts';

const nodes = ['web1', 'web2', 'web3', 'web4'];

const deaths: [sentence: string, how: (node: Node) => void, agoMs: number][] = [
  ['gone for long', (node) => node.kill(), 3_000],
  ['gone a moment ago', (node) => node.kill(), 0],
  ['gone in silence', (node) => node.vanish(), 0],
];

for (const windowMs of [500, 2_000, 5_000]) {
  for (const deadPercent of [0, 50, 100]) {
    for (const [how, die, agoMs] of deaths) {
      if (deadPercent === 0 && how !== deaths[0]?.[0]) continue;
      describe(`a window of ${windowMs} ms with ${deadPercent} % of the nodes ${how}`, () => {
        async function withDead() {
          const fleet = await Fleet.start({ nodes });
          const dead = fleet.nodes.slice(0, (nodes.length * deadPercent) / 100);
          for (const node of dead) die(node);
          await fleet.pass(agoMs);
          const outcome = agoMs > 0 ? 'unreachable' : 'no-answer';
          const outcomes = Object.fromEntries(
            fleet.nodes.map((node) => [node.name, dead.includes(node) ? outcome : 'ok']),
          );
          return { fleet, dead, outcomes, isKnown: dead.length === 0 || agoMs > 0 };
        }

        it('bounds the wall clock of the client, which ends at once where nobody is waited for', async () => {
          const { fleet, outcomes, isKnown } = await withDead();
          const run = await fleet.ask({ windowMs });
          expect(run.outcomes).to.deep.equal(outcomes);
          if (isKnown) expect(run.tookMs).to.equal(0);
          else expect(run.tookMs).to.be.within(windowMs, windowMs + 250);
          expect(run.summary.isOver).to.equal(true);
        });

        it('ends when all living have answered, when the dead are known', async () => {
          const { fleet, dead, isKnown } = await withDead();
          const living = fleet.nodes.filter((node) => !dead.includes(node));
          for (const node of living) node.slow('nginx restart', windowMs - 100);
          const run = await fleet.ask({ windowMs });
          const expectedMs = living.length === 0 ? 0 : windowMs - 100;
          if (isKnown) expect(run.tookMs).to.equal(expectedMs);
          else expect(run.tookMs).to.be.within(windowMs, windowMs + 250);
        });

        it('is kept also when all are at work for longer', async () => {
          const { fleet, dead } = await withDead();
          for (const node of fleet.nodes) node.slow('nginx restart', 60_000);
          const run = await fleet.ask({ windowMs });
          if (dead.length < nodes.length) expect(run.tookMs).to.be.within(windowMs, windowMs + 250);
          for (const node of fleet.nodes.filter((each) => !dead.includes(each)))
            expect(run.outcomes[node.name]).to.equal('running');
        });

        it('is kept also when the manager dies in it', async () => {
          const { fleet } = await withDead();
          for (const node of fleet.nodes) node.slow('nginx restart', 60_000);
          const run = fleet.send({ windowMs });
          await fleet.pass(1);
          fleet.manager().kill();
          await fleet.until(() => run.isOver, 'the client has ended');
          expect(run.tookMs).to.be.at.most(windowMs + 250);
        });
      });
    }
  }
}

describe('a window', () => {
  it('is kept also when both managers die in it', async () => {
    const fleet = await Fleet.start({ managers: ['m1', 'm2'], nodes });
    for (const node of fleet.nodes) node.slow('nginx restart', 60_000);
    const run = fleet.send({ windowMs: 5_000 });
    await fleet.pass(1_500);
    for (const manager of fleet.managers) manager.kill();
    await fleet.until(() => run.isOver, 'the client has ended');
    expect(run.tookMs).to.be.within(5_000, 5_250);
    expect(run.summary.isOver).to.equal(false);
  });

  it('is kept also when the first manager is slow to take the request', async () => {
    const fleet = await Fleet.start({ nodes });
    for (const node of fleet.nodes) node.slow('nginx restart', 60_000);
    fleet.network.lose({ from: 'm1', to: 'client', kind: 'reply' }, 2);
    const run = await fleet.ask({ windowMs: 3_000 });
    expect(run.tookMs).to.be.within(3_000, 3_250);
  });
});
