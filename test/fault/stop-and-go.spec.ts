import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import type { History } from '../../src/client/index.ts';
import type { Daemon } from '../e2e/harness/daemon.ts';
import { type RunningManager, startManager } from '../e2e/harness/fleet.ts';
import { openLibrary } from '../e2e/harness/library.ts';
import { cleanUp } from '../e2e/harness/processes.ts';
import { eventually } from '../fakes/eventually.ts';
import {
  ask,
  type CountedAgent,
  recallOf,
  serviceTaking,
  settle,
  startCountedAgent,
  untilBegun,
} from './counted.ts';
import { often, playRounds, type Round, spread } from './rounds.ts';

interface Scenario {
  readonly name: string;
  readonly stops: 'agent' | 'manager' | 'first of two managers';
  /** The action has begun when it stops; else it stops before it is asked. */
  readonly isAtWork: boolean;
  readonly windowSeconds: number;
}

interface Fleet {
  readonly managers: readonly RunningManager[];
  readonly histories: readonly History[];
  readonly sleeper: CountedAgent;
  readonly witness: CountedAgent;
}

const scenarios: readonly Scenario[] = [
  { name: 'agent, before it is asked', stops: 'agent', isAtWork: false, windowSeconds: 60 },
  { name: 'agent, at work', stops: 'agent', isAtWork: true, windowSeconds: 60 },
  { name: 'agent, at work, until after the window', stops: 'agent', isAtWork: true, windowSeconds: 5 },
  { name: 'manager', stops: 'manager', isAtWork: true, windowSeconds: 60 },
  { name: 'manager, until after the window', stops: 'manager', isAtWork: true, windowSeconds: 5 },
  { name: 'first of two managers', stops: 'first of two managers', isAtWork: true, windowSeconds: 60 },
];

const presenceBoundMs = 15_000;
const actionMs = 2_000;
const startUpMs = 2_000;

describe('a daemon that stands still for longer than the presence bound', function () {
  this.timeout(often(120_000, 3_600_000));
  after(cleanUp);

  it('and goes on loses no answer, repeats nothing, and is known to be lost and to be back', async () => {
    const fleets = await Promise.all(scenarios.map(startFleet));
    await Promise.all(
      scenarios.map((scenario, index) => {
        const lanes = fleets.slice(index, index + 1);
        return playRounds(`stop-and-go (${scenario.name})`, often(1, 34), lanes, (round, fleet) =>
          play(scenario, fleet, round),
        );
      }),
    );
  });
});

async function startFleet({ stops }: Scenario): Promise<Fleet> {
  const managers = [await startManager()];
  if (stops === 'first of two managers') managers.push(await startManager());
  const [sleeper, witness] = await Promise.all([
    startCountedAgent({ managers, nodeName: 'sleeper' }),
    startCountedAgent({ managers, nodeName: 'witness', share: 50 }),
  ]);
  for (const manager of managers) await manager.waitForSubscribers(2);
  const histories = managers.map(({ endpoints: { frontend } }) => openLibrary(frontend).history);
  return { managers, histories, sleeper, witness };
}

async function play(scenario: Scenario, fleet: Fleet, round: number): Promise<Round> {
  const { stops, isAtWork, windowSeconds } = scenario;
  const { managers, histories, sleeper, witness } = fleet;
  const [manager] = managers;
  if (manager === undefined) throw new Error('a fleet without a manager');
  const agents = [sleeper, witness];
  const stopped: Daemon = stops === 'agent' ? sleeper.daemon : manager;
  const stopMs = presenceBoundMs + 2_000 + (round === 0 ? 0 : spread(round, 25_000));
  const logged = manager.program.lines.length;
  const service = serviceTaking(actionMs);
  const endpoints = managers.map(({ endpoints: { frontend } }) => frontend);
  if (!isAtWork) stopped.program.signal('SIGSTOP');
  const asked = ask({ endpoints, service, windowSeconds });
  await untilBegun(isAtWork ? agents : [witness], service);
  await sleep(isAtWork ? spread(round, 0.9 * actionMs) : 0);
  stopped.program.signal('SIGSTOP');
  await sleep(stopMs);
  stopped.program.signal('SIGCONT');
  const goesOnAt = performance.now();

  const told = await asked.end();
  const isWindowOpen = windowSeconds * 1_000 > stopMs;
  const books = { service, agents, histories: histories.map(recallOf), withinMs: 40_000 };
  const account = await settle(isWindowOpen ? { ...books, client: told.answers } : books);
  const settledMs = performance.now() - goesOnAt;
  if (isWindowOpen && account.lost.length === 0) expect(told.exit.code, told.stderr).to.equal(0);
  if (!isWindowOpen) expect(told.ms).to.be.within(windowSeconds * 1_000, windowSeconds * 1_000 + startUpMs);
  await untilAllAlive(fleet);
  const aliveMs = performance.now() - goesOnAt;
  if (stops === 'agent') expect(presencesOf(manager, sleeper, logged)).to.deep.equal(['lost', 'alive']);
  return { ...account, times: { 'settled after': settledMs, 'alive after': aliveMs } };
}

/** What this manager has noted of the agent since that line of its log. */
function presencesOf(manager: RunningManager, { node }: CountedAgent, from: number): unknown[] {
  const earlier = new Set(manager.program.lines.slice(0, from));
  return manager
    .events('node.changed')
    .filter((record) => record['node'] === node && !earlier.has(JSON.stringify(record)))
    .map((record) => record['presence']);
}

function untilAllAlive({ histories }: Fleet): Promise<void> {
  return eventually(
    async () => {
      const replies = await Promise.all(histories.map((history) => history.nodes()));
      return replies.flatMap(({ nodes }) => nodes).every(({ presence }) => presence === 'alive');
    },
    'every manager knows that all are alive',
    15_000,
  );
}
