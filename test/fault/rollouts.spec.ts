import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import {
  type RunningAgent,
  type RunningManager,
  runClient,
  startAgent,
  startClient,
  startManager,
} from '../e2e/harness/fleet.ts';
import { isObject } from '../e2e/harness/management.ts';
import { mostAtWork, type NodeService, NodeServices } from '../e2e/harness/node-services.ts';
import { cleanUp } from '../e2e/harness/processes.ts';
import type { Program } from '../e2e/harness/program.ts';
import { eventually } from '../fakes/eventually.ts';
import { often, playRounds, type Round, spread } from './rounds.ts';

interface Fleet {
  readonly manager: RunningManager;
  readonly services: NodeServices;
  readonly agents: ReadonlyMap<string, RunningAgent>;
}

/** A rollout under way, and the client that waits for it. */
interface Rolling {
  readonly id: string;
  readonly service: NodeService;
  readonly client: Program;
}

const fleetCount = 2;
const nodes = ['app1', 'app2', 'app3', 'app4', 'app5', 'app6'];
const batch = 2;
const actionMs = 400;
const batches = nodes.length / batch;
/** How long a rollout takes where nothing goes wrong, roughly. */
const rolloutMs = batches * (actionMs + 150);

describe('a rollout', function () {
  this.timeout(often(120_000, 3_600_000));
  let fleets: Fleet[] = [];

  before(async () => {
    fleets = await Promise.all(Array.from({ length: fleetCount }, startFleet));
  });
  after(cleanUp);

  it('goes on when its manager is killed and started again: nobody twice, no more at once', async () => {
    await playRounds('rollout-kill-manager', often(6, 50), fleets, async (round, fleet) => {
      const rolling = await begin(fleet);
      await sleep(spread(round, rolloutMs));
      await fleet.manager.kill();
      await sleep(spread(round * 7, 1_500));
      await fleet.manager.start();
      const { code } = await rolling.client.waitForExit(60_000);
      expect(code, rolling.client.stderr).to.equal(0);
      expect(outcomesIn(rolling.client.stdout)).to.deep.equal(everywhere('ok'));
      return settled(fleet, rolling, everywhere('ok'));
    });
  });

  it('goes on when its client is killed, and is attached to by another one', async () => {
    await playRounds('rollout-kill-client', often(4, 50), fleets, async (round, fleet) => {
      const rolling = await begin(fleet);
      await sleep(spread(round, rolloutMs));
      await rolling.client.kill();
      const { code, stdout, stderr } = await ask(fleet, 'attach', rolling.id, '--format', 'full');
      expect(code, stderr).to.equal(0);
      expect(outcomesIn(stdout)).to.deep.equal(everywhere('ok'));
      return settled(fleet, rolling, everywhere('ok'));
    });
  });

  it('that is cancelled starts nobody any more, also when its manager is killed right then', async () => {
    await playRounds('rollout-cancel', often(4, 50), fleets, async (round, fleet) => {
      // With pauses, so that it is not over before the one who cancels it has started.
      const rolling = await begin(fleet, '--pause', '1');
      await sleep(spread(round, 1_800));
      const from = fleet.manager.program.lines.length;
      const cancelling = ask(fleet, 'cancel', rolling.id);
      if (round % 2 === 1) {
        await fleet.manager.waitForEvent('request.cancelled', 20_000, ({ id }) => id === rolling.id, from);
        await sleep(spread(round * 7, 30));
        await fleet.manager.kill();
        await fleet.manager.start();
      }
      await cancelling;
      const { code } = await rolling.client.waitForExit(60_000);
      const outcomes = outcomesIn(rolling.client.stdout);
      const isCancelled = Object.values(outcomes).includes('cancelled');
      expect(code, rolling.client.stderr).to.equal(isCancelled ? 2 : 0);
      const started = startedIn(rolling.client.stdout);
      // Longer than what was on its way to an agent can take to begin.
      await sleep(300);
      expect(nodes.slice(started).filter((node) => rolling.service.runs()[node] !== undefined)).to.be.empty;
      for (const [at, node] of nodes.entries())
        expect(outcomes[node], node).to.be.oneOf(at < started ? ['ok', 'cancelled'] : ['cancelled']);
      return settled(fleet, rolling, outcomes);
    });
  });

  it('counts an agent that is killed in its batch as failed, and stops', async () => {
    await playRounds('rollout-kill-agent', often(4, 50), fleets, async (round, fleet) => {
      const victim = nodes[round % nodes.length] ?? '';
      const rolling = await begin(fleet);
      await eventually(() => rolling.service.runs()[victim] === 1, `${victim} has begun`, 20_000);
      await sleep(spread(round, 0.5 * actionMs));
      await fleet.agents.get(victim)?.kill();
      await fleet.agents.get(victim)?.start();
      const { code } = await rolling.client.waitForExit(60_000);
      const outcomes = outcomesIn(rolling.client.stdout);
      expect(code, rolling.client.stderr).to.equal(2);
      const last = batch * Math.floor(nodes.indexOf(victim) / batch) + batch;
      const expected = nodes.map((node, at) => [node, at < last ? 'ok' : 'cancelled']);
      expect(outcomes).to.deep.equal({ ...Object.fromEntries(expected), [victim]: 'interrupted' });
      return settled(fleet, rolling, outcomes);
    });
  });
});

async function startFleet(): Promise<Fleet> {
  const manager = await startManager();
  const services = new NodeServices(nodes);
  const agents = await Promise.all(
    nodes.map((node) =>
      startAgent({
        managers: [manager],
        nodeName: node,
        ...services.optionsFor(node),
        startDeadlineMs: 60_000,
      }),
    ),
  );
  return { manager, services, agents: new Map(agents.map((agent) => [agent.nodeName, agent])) };
}

/** Resolves when the first node is at work. */
async function begin(fleet: Fleet, ...more: string[]): Promise<Rolling> {
  await untilAllThere(fleet);
  const service = fleet.services.install(actionMs);
  const options = ['--batch', String(batch), '-w', '20', '--format', 'full', '-t', '500', '-D', ...more];
  const client = startClient(fleet.manager.request('app*', 'restart', service.name, ...options));
  const [, id = ''] = await client.waitForLine(/request ([0-9a-f]{32}): sent to/, 20_000);
  await eventually(() => service.spans().length > 0, `${service.name} has begun`, 20_000);
  return { id, service, client };
}

/** Also after a round that failed. */
async function untilAllThere({ manager, agents }: Fleet): Promise<void> {
  if (!manager.program.isRunning) await manager.start();
  for (const agent of agents.values()) if (!agent.program.isRunning) await agent.start();
  await eventually(
    async () => {
      const argv = ['-e', manager.endpoints.frontend, 'nodes', '--format', 'json'];
      const known: unknown[] = JSON.parse((await runClient(argv)).stdout);
      const alive = known.filter(isObject).filter(({ presence }) => presence === 'alive');
      return alive.length === nodes.length;
    },
    'all agents are there',
    30_000,
  );
}

function ask({ manager }: Fleet, verb: string, id: string, ...more: string[]) {
  const argv = ['-e', manager.endpoints.frontend, 'requests', verb, id, ...more];
  return runClient(argv, { deadlineMs: 60_000 });
}

/** The history has the same outcomes as the client, nobody ran twice, and never more than a batch was at work. */
async function settled(
  fleet: Fleet,
  { id, service, client }: Rolling,
  told: Readonly<Record<string, unknown>>,
): Promise<Round> {
  const { stdout } = await ask(fleet, 'show', id, '--format', 'full');
  const known = outcomesIn(stdout);
  const lost = nodes.filter((node) => known[node] === undefined || known[node] !== told[node]);
  const spans = service.spans();
  const twice = Object.entries(service.runs()).flatMap(([node, runs]) => (runs > 1 ? [node] : []));
  for (const node of nodes) if (told[node] === 'ok') expect(service.runs()[node], node).to.equal(1);
  expect(mostAtWork(spans), 'at work at once').to.be.at.most(batch);
  return { answers: nodes.length, lost, twice, times: { client: client.elapsedMs } };
}

function outcomesIn(stdout: string): Record<string, unknown> {
  const document: unknown = JSON.parse(stdout);
  if (!isObject(document)) throw new Error(`no document: ${stdout}`);
  const outcomes = [document['outcomes']].flat().filter(isObject);
  return Object.fromEntries(outcomes.map(({ node, outcome }) => [node, outcome]));
}

/** How many have had their turn, in the order of their names. */
function startedIn(stdout: string): number {
  const document: unknown = JSON.parse(stdout);
  const request = isObject(document) ? document['request'] : undefined;
  const rollout = isObject(request) ? request['rollout'] : undefined;
  if (!isObject(rollout)) throw new Error(`no rollout: ${stdout}`);
  return Number(rollout['started']);
}

function everywhere(outcome: string): Record<string, string> {
  return Object.fromEntries(nodes.map((node) => [node, outcome]));
}
