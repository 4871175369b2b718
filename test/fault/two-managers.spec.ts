import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import type { ServiceManager } from '../../src/client/index.ts';
import { type RunningManager, startManager } from '../e2e/harness/fleet.ts';
import { openLibrary } from '../e2e/harness/library.ts';
import { cleanUp } from '../e2e/harness/processes.ts';
import {
  type Asked,
  ask,
  type CountedAgent,
  recallOf,
  serviceTaking,
  settle,
  startCountedAgent,
  untilBegun,
} from './counted.ts';
import { often, playRounds, type Round, spread } from './rounds.ts';

interface Fleet {
  readonly managers: readonly [RunningManager, RunningManager];
  readonly libraries: readonly ServiceManager[];
  readonly agents: readonly CountedAgent[];
}

const fleetCount = 2;
const actionMs = 1_500;
const windowSeconds = 30;
const longestWaitMs = 15_000;
/** The first manager is back by then, and the answers that were kept for it have been sent again. */
const lateAnswersMs = 45_000;

describe('one of two managers that is killed while a request is under way', function () {
  this.timeout(often(180_000, 3_600_000));
  let fleets: Fleet[] = [];

  before(async () => {
    fleets = await Promise.all(Array.from({ length: fleetCount }, startFleet));
  });
  after(cleanUp);

  it('is left by the client for the other one, and loses and repeats nothing', async () => {
    await playRounds('two-managers', often(10, 200), fleets, async (round, fleet) => {
      const service = serviceTaking(actionMs);
      const asked = askFirst(fleet, service);
      await untilBegun(fleet.agents, service);
      await sleep(spread(round, 0.9 * actionMs));
      return killFirstAndSettle(fleet, asked);
    });
  });

  it('also when it had not given its word yet', async () => {
    await playRounds('two-managers-early', often(10, 200), fleets, async (round, fleet) => {
      const service = serviceTaking(300);
      const [first] = fleet.managers;
      const opened = first.waitForEvent('request.opened', 10_000, (record) => record['service'] === service);
      const asked = askFirst(fleet, service);
      await opened;
      await sleep(spread(round, 20));
      return killFirstAndSettle(fleet, asked);
    });
  });

  it('or was gone before', async () => {
    await playRounds('two-managers-gone', often(4, 40), fleets, async (_, fleet) => {
      const service = serviceTaking(0);
      const [first, second] = fleet.managers;
      await first.kill();
      const asked = askFirst(fleet, service);
      const { answers, ms } = await asked.end();
      const histories = [recallOf(openLibrary(second.endpoints.frontend).history)];
      const account = await settle({ service, agents: fleet.agents, client: answers, histories });
      await first.start();
      return { ...account, times: { client: ms } };
    });
  });
});

async function startFleet(): Promise<Fleet> {
  const managers = [await startManager(), await startManager()] as const;
  const agents = await Promise.all(
    [0, 50, 100].map((share) => startCountedAgent({ managers, nodeName: `takes-${share}`, share })),
  );
  for (const manager of managers) await manager.waitForSubscribers(agents.length);
  return { managers, libraries: managers.map(({ endpoints }) => openLibrary(endpoints.frontend)), agents };
}

function askFirst({ managers }: Fleet, service: string): Asked {
  return ask({ endpoints: managers.map(({ endpoints }) => endpoints.frontend), service, windowSeconds });
}

/** Every answer reaches the client through the other manager, and in the end the histories of both. */
async function killFirstAndSettle(
  { managers: [first], libraries, agents }: Fleet,
  asked: Asked,
): Promise<Round> {
  await first.kill();
  const { answers, ms, exit, stderr } = await asked.end();
  expect(exit, stderr).to.deep.equal({ code: 0, signal: null });
  await first.start();
  const startedMs = performance.now();
  const histories = libraries.map(({ history }) => recallOf(history));
  const { service } = asked;
  const account = await settle({ service, agents, client: answers, histories, withinMs: lateAnswersMs });
  if (account.lost.length === 0) expect(ms, 'waited until the window ended').to.be.below(longestWaitMs);
  return {
    ...account,
    times: { client: ms, 'both histories complete after': performance.now() - startedMs },
  };
}
