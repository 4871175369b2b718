import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { type RunningManager, runClient, startManager } from '../e2e/harness/fleet.ts';
import { cleanUp } from '../e2e/harness/processes.ts';
import { clientArgs, startSecuredManager } from '../e2e/harness/secured-fleet.ts';
import { temporaryFolder } from '../e2e/harness/temporary-folder.ts';
import { eventually } from '../fakes/eventually.ts';
import {
  answersByNode,
  ask,
  type CountedAgent,
  type Recall,
  serviceTaking,
  settle,
  startCountedAgent,
  untilBegun,
} from './counted.ts';
import { type Direction, makeNetwork, type Network } from './network.ts';
import { isLong, often, playRounds, type Round, say, spread } from './rounds.ts';
import { courseOf, growthOf, type Usage, usageOf } from './usage.ts';

interface Fleet {
  readonly network: Network;
  readonly manager: RunningManager;
  readonly agent: CountedAgent;
  readonly client: {
    readonly args: readonly string[];
    /** Where it runs. */
    readonly within: readonly string[];
  };
  readonly usages: { readonly manager: Usage[]; readonly agent: Usage[] };
}

const fleetCount = often(2, 4);
const shortestCutMs = 30_000;
/** Connections are tried anew with growing pauses: how long the cut lasts decides which of them is under way at its end. */
const cutSpreadMs = isLong ? 15_000 : 0;
const actionMs = 2_000;
/** Over long before the cable is healed, and not over then. */
const windows = [10, 90] as const;
const clientStartUpMs = 700;
const probePauseMs = 100;
/** A heartbeat and the time over which the beats are spread. */
const backAfterMs = 5_000 + 2_000 + clientStartUpMs;
const directions: readonly Direction[] = isLong ? ['both', 'to the agent', 'to the manager'] : ['both'];

describe('a network that drops all packets in the middle of a request', function () {
  this.timeout(often(150_000, 7_200_000));
  after(cleanUp);

  it('loses no answer, repeats nothing, and is got over one heartbeat after it is whole again', async () => {
    const fleets = [suffer('network', startOpenFleet), suffer('network, with keys', startSecuredFleet)];
    // Each is played to its end, also when another one has failed.
    for (const played of await Promise.allSettled(fleets))
      if (played.status === 'rejected') throw played.reason;
  });
});

async function suffer(name: string, startFleet: () => Promise<Fleet>): Promise<void> {
  const fleets = await Promise.all(Array.from({ length: fleetCount }, startFleet));
  await playRounds(name, often(2, 100), fleets, play).finally(() => {
    for (const { usages } of fleets)
      say(`      ${name}: manager ${courseOf(usages.manager)}; agent ${courseOf(usages.agent)}`);
  });
  if (!isLong) return;
  for (const { usages } of fleets) {
    const [manager, agent] = [growthOf(usages.manager), growthOf(usages.agent)];
    expect(manager.descriptors, 'more descriptors in the manager').to.be.at.most(2);
    // An agent holds the output of an action for a minute more, so it depends on how many there were.
    expect(agent.descriptors, 'more descriptors in the agent').to.be.at.most(10);
    expect(manager.residentMiB, 'more memory in the manager').to.be.at.most(12);
    expect(agent.residentMiB, 'more memory in the agent').to.be.at.most(12);
  }
}

function optionsOf({ manager: { address, enter } }: Network) {
  const at = (port: number) => `tcp://${address}:${port}`;
  const endpoints = { frontend: at(5_500), backend: at(5_600), sink: at(5_700), publisher: at(5_750) };
  // Sockets in the file system are reached from outside, too.
  const folder = temporaryFolder();
  const inFolder = (name: string) => `ipc://${join(folder, name)}`;
  return {
    within: enter,
    endpoints: { ...endpoints, mgmt: inFolder('mgmt') },
    joinEndpoint: inFolder('join'),
  };
}

/** The client is beside the manager, and the cable between them and the agent. */
async function startOpenFleet(): Promise<Fleet> {
  const network = makeNetwork();
  const sections = { security: { mode: 'none', allow_insecure: 'yes' } };
  const manager = await startManager({ ...optionsOf(network), sections });
  const { enter } = network.agent;
  const agent = await startCountedAgent({ managers: [manager], nodeName: 'afar', within: enter, sections });
  const file = join(temporaryFolder(), 'client.conf');
  writeFileSync(file, '[security]\nmode = none\nallow_insecure = yes\n');
  const client = { args: ['-f', file], within: network.manager.enter };
  return { network, manager, agent, client, usages: { manager: [], agent: [] } };
}

/** The cable is between the manager and both of the others. */
async function startSecuredFleet(): Promise<Fleet> {
  const network = makeNetwork();
  const manager = await startSecuredManager(optionsOf(network));
  const { enter } = network.agent;
  const agent = await startCountedAgent({ managers: [manager], nodeName: 'afar', within: enter });
  const client = { args: clientArgs(await manager.enrol('operator', 'alice')), within: enter };
  return { network, manager, agent, client, usages: { manager: [], agent: [] } };
}

async function play(round: number, fleet: Fleet): Promise<Round> {
  const { network, manager, agent, usages } = fleet;
  await untilAlive(fleet);
  const windowSeconds = windows[round % windows.length] ?? 10;
  const service = serviceTaking(actionMs);
  const asked = request(fleet, service, windowSeconds);
  await untilBegun([agent], service);
  await sleep(spread(round, 0.9 * actionMs));
  network.cut(directions[round % directions.length] ?? 'both');
  const cutMs = shortestCutMs + spread(round, cutSpreadMs);
  await sleep(cutMs);
  network.heal();
  const healedAt = performance.now();
  const backMs = await untilNextAnswer(fleet, healedAt);
  const told = await asked.end();
  const completedMs = performance.now() - healedAt;
  const isWindowOpen = windowSeconds * 1_000 > cutMs;
  const books = { service, agents: [agent], histories: [recallWithin(fleet)], withinMs: 40_000 };
  const account = await settle(isWindowOpen ? { ...books, client: told.answers } : books);
  usages.manager.push(usageOf(manager.program.pid));
  usages.agent.push(usageOf(agent.daemon.program.pid));
  if (isWindowOpen && account.lost.length === 0) expect(told.exit.code, told.stderr).to.equal(0);
  expect(backMs, 'until the next request is answered').to.be.below(backAfterMs);
  return {
    ...account,
    times: { 'next answer after': backMs, ...(isWindowOpen ? { 'completed after': completedMs } : {}) },
  };
}

function request({ manager, client }: Fleet, service: string, windowSeconds: number) {
  const endpoints = [manager.endpoints.frontend];
  return ask({ endpoints, service, windowSeconds, as: client.args, within: client.within });
}

/** Asks until the agent answers; what is asked in vain must not be done twice either. */
async function untilNextAnswer(fleet: Fleet, healedAt: number): Promise<number> {
  const services: string[] = [];
  while (performance.now() - healedAt < 60_000) {
    const service = serviceTaking(0);
    services.push(service);
    const { answers } = await request(fleet, service, 2).end();
    const afterMs = performance.now() - healedAt;
    await sleep(probePauseMs);
    if (answers.get(fleet.agent.node) !== 'ok') continue;
    expect(services.filter((name) => fleet.agent.runs(name) > 1)).to.deep.equal([]);
    return afterMs;
  }
  throw new Error('no request was answered within 60 s');
}

function untilAlive(fleet: Fleet): Promise<void> {
  const isAlive = async () => (await runWithin(fleet, 'nodes', '--format', 'json')).includes('"alive"');
  return eventually(isAlive, 'the agent is alive', 20_000);
}

/** Only a program on the cable can ask the manager. */
function recallWithin(fleet: Fleet): Recall {
  return async (service) => {
    const list = await runWithin(fleet, 'requests', 'list', '--service', service, '--format', 'ndjson');
    const id = /"id": ?"([0-9a-f]{32})"/.exec(list)?.[1];
    if (id === undefined) return new Map();
    return answersByNode(JSON.parse(await runWithin(fleet, 'requests', 'show', id, '--format', 'json')));
  };
}

async function runWithin({ client, manager }: Fleet, ...line: readonly string[]): Promise<string> {
  const args = [...line, ...client.args, '-e', manager.endpoints.frontend];
  const { code, stdout, stderr } = await runClient(args, { within: client.within });
  if (code !== 0) throw new Error(`the client ended with ${code}: ${line.join(' ')}: ${stderr}`);
  return stdout;
}
