import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import type { ServiceManager } from '../../src/client/index.ts';
import { type RunningManager, startManager } from '../e2e/harness/fleet.ts';
import { openLibrary } from '../e2e/harness/library.ts';
import { cleanUp } from '../e2e/harness/processes.ts';
import type { Program } from '../e2e/harness/program.ts';
import { startsSlowly, type TestService } from '../e2e/harness/services.ts';
import { eventually } from '../fakes/eventually.ts';
import {
  type Counted,
  type CountedAgent,
  printedAnswers,
  requestAction,
  serviceTaking,
  settle,
  startCountedAgent,
  untilBegun,
} from './counted.ts';
import { often, playRounds, type Round, spread } from './rounds.ts';

interface Fleet {
  readonly manager: RunningManager;
  readonly library: ServiceManager;
  readonly victim: CountedAgent;
  readonly witness: CountedAgent;
}

const fleetCount = 3;
const windowSeconds = 30;
const longestWaitMs = 15_000;
const actionMs = 500;

describe('an agent that is killed', function () {
  this.timeout(often(120_000, 3_600_000));
  let fleets: Fleet[] = [];

  before(async () => {
    fleets = await Promise.all(Array.from({ length: fleetCount }, startFleet));
  });
  after(cleanUp);

  it('right before a request acts and answers when it is back, once', async () => {
    await playRounds('kill-agent-before', often(10, 200), fleets, async (round, fleet) => {
      const { victim, witness } = fleet;
      await untilAlive(fleet);
      const service = serviceTaking(100);
      await victim.daemon.kill();
      const asked = ask(fleet, 'any', 'restart', service);
      await sleep(spread(round, 1_500));
      await victim.daemon.start();
      // Where it was known to be gone by then, nobody waited for it, and it has not acted.
      const isExpected = (await asked.end()).printed.has(victim.node);
      if (!isExpected) expect(victim.runs(service)).to.equal(0);
      const agents = isExpected ? [victim, witness] : [witness];
      return settled(fleet, service, agents, asked);
    });
  });

  it('and known to be gone is not waited for, and does not act when it is back', async () => {
    await playRounds('kill-agent-gone', often(3, 30), fleets, async (_, fleet) => {
      const { victim, witness, manager, library } = fleet;
      await untilAlive(fleet);
      const from = manager.program.lines.length;
      await victim.daemon.kill();
      await manager.waitForEvent('node.changed', 10_000, isChange(victim, 'lost'), from);
      const service = serviceTaking(0);
      const asked = ask(fleet, 'any', 'restart', service);
      const { printed, exit } = await asked.end();
      expect(exit).to.deep.equal({ code: 4, signal: null });
      expect([...printed.keys()]).to.deep.equal([witness.node]);
      await victim.daemon.start();
      await untilAlive(fleet);
      await sleep(500);
      expect(victim.runs(service), 'runs after it came back').to.equal(0);
      const [request] = await library.history.list({ service });
      expect(request?.counts).to.deep.equal({ ok: 1, unreachable: 1 });
      return settled(fleet, service, [witness], asked);
    });
  });

  it('during the action reports it as interrupted, does not repeat it, and what it started lives on', async () => {
    await playRounds('kill-agent-during', often(10, 200), fleets, async (round, fleet) => {
      const service = startsSlowly(actionMs);
      const asked = await askForStart(fleet, service);
      await sleep(spread(round, 0.8 * actionMs));
      await fleet.victim.daemon.kill();
      await sleep(spread(round * 7, 800));
      await fleet.victim.daemon.start();
      const { printed } = await asked.end();
      expect(printed.get(fleet.victim.node)).to.equal('INTERRUPTED');
      return settledStart(fleet, service, asked);
    });
  });

  it('right after the action has an answer for it, and does not repeat it', async () => {
    await playRounds('kill-agent-after', often(10, 200), fleets, async (round, fleet) => {
      const { victim } = fleet;
      await untilAlive(fleet);
      const service = serviceTaking(200);
      const asked = ask(fleet, victim.node, 'restart', service);
      await untilBegun([victim], service);
      // Around its end: the end is journaled, is sent, is stored.
      if (round % 2 === 0) await sleep(190 + spread(round, 40));
      else await victim.daemon.waitForEvent('request.answered', 10_000);
      await victim.daemon.kill();
      await victim.daemon.start();
      const { printed } = await asked.end();
      expect(printed.get(victim.node)).to.be.oneOf(round % 2 === 0 ? ['ok', 'INTERRUPTED'] : ['ok']);
      return settled(fleet, service, [victim], asked);
    });
  });

  it('during the action together with its manager is told of all the same', async () => {
    await playRounds('kill-both', often(10, 200), fleets, async (round, fleet) => {
      const { manager, victim } = fleet;
      const service = startsSlowly(actionMs);
      const asked = await askForStart(fleet, service);
      await sleep(spread(round, 0.8 * actionMs));
      const [first, second] = round % 2 === 0 ? [manager, victim.daemon] : [victim.daemon, manager];
      await Promise.all([first.kill(), second.kill()]);
      await first.start();
      await sleep(spread(round * 7, 500));
      await second.start();
      const { printed } = await asked.end();
      expect(printed.get(victim.node)).to.equal('INTERRUPTED');
      return settledStart(fleet, service, asked);
    });
  });
});

async function startFleet(): Promise<Fleet> {
  const manager = await startManager();
  const [victim, witness] = await Promise.all([
    startCountedAgent({ managers: [manager], nodeName: 'victim' }),
    startCountedAgent({ managers: [manager], nodeName: 'witness' }),
  ]);
  return { manager, library: openLibrary(manager.endpoints.frontend), victim, witness };
}

/** Both agents run, also after a round that failed, and the manager knows. */
async function untilAlive({ library, victim, witness }: Fleet): Promise<void> {
  if (!victim.daemon.program.isRunning) await victim.daemon.start();
  await eventually(
    async () => {
      const { nodes } = await library.history.nodes();
      const alive = new Set<string>(
        nodes.filter((node) => node.presence === 'alive').map(({ node }) => node),
      );
      return [victim, witness].every(({ node }) => alive.has(node));
    },
    'both agents are alive',
    20_000,
  );
}

interface Asked {
  /** How the client ended, and what it had printed. */
  end(): Promise<{
    readonly exit: Awaited<Program['exited']>;
    readonly printed: ReadonlyMap<string, string>;
    readonly ms: number;
  }>;
}

function ask({ manager }: Fleet, topic: string, action: 'restart' | 'start', service: string): Asked {
  const client = requestAction({
    ...{ endpoints: [manager.endpoints.frontend], topic, action, service, windowSeconds },
  });
  return {
    end: async () => {
      const exit = await client.waitForExit(windowSeconds * 1_000 + 5_000);
      return { exit, printed: printedAnswers(client), ms: client.elapsedMs };
    },
  };
}

async function askForStart(fleet: Fleet, service: TestService): Promise<Asked> {
  await untilAlive(fleet);
  const asked = ask(fleet, fleet.victim.node, 'start', service.name);
  await eventually(() => service.daemonPid() !== undefined, `${service.name} is there`, 10_000);
  return asked;
}

async function settled(
  { library }: Fleet,
  service: string,
  agents: readonly Counted[],
  asked: Asked,
): Promise<Round> {
  const { printed, ms } = await asked.end();
  const account = await settle({ service, agents, client: printed, histories: [library.history] });
  if (account.lost.length === 0) expect(ms, 'waited until the window ended').to.be.below(longestWaitMs);
  return { ...account, times: { client: ms } };
}

/** The action went to its end without its agent, ran once, and the service that it started runs. */
async function settledStart(fleet: Fleet, service: TestService, asked: Asked): Promise<Round> {
  const victim: Counted = { node: fleet.victim.node, runs: () => started.length };
  await eventually(async () => (await service.log()).includes('done start'), `${service.name} has started`);
  await sleep(200);
  const started = await service.runs();
  const round = await settled(fleet, service.name, [victim], asked);
  const pid = service.daemonPid();
  expect(pid !== undefined && existsSync(`/proc/${pid}`), 'the service lives').to.equal(true);
  await service.remove();
  return round;
}

function isChange({ node }: Counted, presence: 'lost' | 'alive') {
  return (record: Readonly<Record<string, unknown>>) =>
    record['node'] === node && record['presence'] === presence;
}
