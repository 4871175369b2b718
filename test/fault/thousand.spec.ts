import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { cleanUp } from '../e2e/harness/processes.ts';
import { serviceTaking } from './counted.ts';
import { often, playRounds, type Round, say, spread } from './rounds.ts';
import {
  type Report,
  restartEverywhere,
  type SimulatedFleet,
  startAll,
  startSimulatedFleet,
  untilHeardOf,
} from './simulated.ts';

const agentCount = 1_000;
const workerCount = 10;
/** Long enough for the manager to see who is gone: a broken connection counts after 2 s. */
const windowSeconds = 4;
const longestOverrunMs = 250;
const restartBoundMs = 20_000;

describe('a thousand agents', function () {
  this.timeout(often(180_000, 7_200_000));
  let fleet: SimulatedFleet;

  before(async () => {
    fleet = await startSimulatedFleet(agentCount, workerCount);
    say(`      thousand: all known after ${((await startAll(fleet)) / 1_000).toFixed(1)} s`);
  });
  after(cleanUp);

  it('all answer one request, and act once', async () => {
    await playRounds('thousand', often(5, 100), [fleet], async () => {
      const service = serviceTaking(0);
      const report = await restartEverywhere(fleet, service, 20);
      expect(report, countsOf(report)).to.include({ code: 0, answers: agentCount });
      return booksOf(fleet, service, report, fleet.sim.nodes);
    });
  });

  it('of which a tenth dies at random are 900 answers and 100 names when the window ends', async () => {
    await playRounds('thousand-tenth', often(5, 100), [fleet], async (round) => {
      // Before the request, or while it is on its way and nobody has answered yet.
      const isDeadBefore = round % 2 === 0;
      const service = serviceTaking(isDeadBefore ? 0 : 700);
      const opened = fleet.manager.waitForEvent(
        'request.opened',
        10_000,
        (log) => log['service'] === service,
      );
      const killed = isDeadBefore ? fleet.sim.kill(0.1) : [];
      const asked = restartEverywhere(fleet, service, windowSeconds);
      if (!isDeadBefore) {
        await opened;
        await sleep(spread(round, 100));
        killed.push(...fleet.sim.kill(0.1));
      }
      const report = await asked;
      await opened;
      await startAll(fleet);
      const named = ['no-answer', 'unreachable'].flatMap((outcome) => report.outcomes.get(outcome) ?? []);
      expect(named.sort(), countsOf(report)).to.deep.equal(killed.sort());
      expect(report, countsOf(report)).to.include({ code: 4, answers: agentCount - killed.length });
      expect(report.ms - windowSeconds * 1_000, 'later than the window').to.be.at.most(longestOverrunMs);
      const dead = new Set(killed);
      const living = fleet.sim.nodes.filter((node) => !dead.has(node));
      return booksOf(fleet, service, report, living);
    });
  });

  it('come back to a manager that is started again, and all answer its next request', async () => {
    await playRounds('thousand-restart', often(2, 20), [fleet], async (round) => {
      const { manager, library, sim } = fleet;
      const sinceWallMs = Date.now();
      if (round % 2 === 0) await manager.kill();
      else await manager.stop();
      const begunMs = performance.now();
      await manager.start();
      await untilHeardOf(library, sim.nodes, sinceWallMs, restartBoundMs);
      const backMs = performance.now() - begunMs;
      expect(backMs, 'until all are back').to.be.below(restartBoundMs);
      const service = serviceTaking(0);
      const report = await restartEverywhere(fleet, service, 20);
      expect(report, countsOf(report)).to.include({ code: 0, answers: agentCount });
      const books = await booksOf(fleet, service, report, sim.nodes);
      return { ...books, times: { ...books.times, 'all back after': backMs } };
    });
  });
});

/** Each of these nodes owes one answer to the client and one to the history. */
async function booksOf(
  { runs, library }: SimulatedFleet,
  service: string,
  { outcomes, ms }: Report,
  living: readonly string[],
): Promise<Round> {
  const told = new Set(outcomes.get('ok'));
  const [request] = await library.history.list({ service });
  const stored = request === undefined ? [] : (await library.history.show(request.id)).progress;
  const noted = new Set(stored.filter(({ outcome }) => outcome === 'ok').map(({ node }) => node));
  const ran = runs(service);
  return {
    answers: 2 * living.length,
    lost: [
      ...living.filter((node) => !told.has(node)).map((node) => `${node} (to the client)`),
      ...living.filter((node) => !noted.has(node)).map((node) => `${node} (in history)`),
    ],
    twice: ran.filter((node, index) => ran.indexOf(node) !== index),
    times: { client: ms },
  };
}

function countsOf({ outcomes, code, ms }: Report): string {
  const counts = Array.from(outcomes, ([outcome, nodes]) => `${nodes.length} ${outcome}`).join(', ');
  return `${counts}; exit code ${code} after ${ms.toFixed(0)} ms`;
}
