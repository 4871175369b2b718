import { setTimeout as sleep } from 'node:timers/promises';
import { ServiceManager } from '../src/client/index.ts';
import { nodePrograms } from '../src/platform/node/programs.ts';
import type { SecretKeyFile } from '../src/security/key-file.ts';
import { proved } from '../test/e2e/attacks/attacker.ts';
import { type RunningManager, startAgent, startManager } from '../test/e2e/harness/fleet.ts';
import { cleanUp, onCleanUp } from '../test/e2e/harness/processes.ts';
import {
  clientOf,
  type SecuredManager,
  startSecuredAgent,
  startSecuredManager,
} from '../test/e2e/harness/secured-fleet.ts';
import { temporaryFolder } from '../test/e2e/harness/temporary-folder.ts';
import { FleetSim, type SimulatedSecurity, simulatedNodes } from './fleet-sim.ts';
import { Flood, type FloodOrder } from './floods.ts';
import { atMostTimes, interleave, type Row, row, timed, timeRequests } from './rows.ts';

const agents = 100;
const workers = 2;
/** The one that is asked alone. */
const single = 'sim0001';
const requestsPerRun = 40;
/** The node of an agent that does something. */
const real = 'real';
const statusesPerRun = 12;
const warmUpRequests = 300;
/** To all agents; so many on their way at once. */
const crowd = { requests: 20, atOnce: 4 };
// The same that CURVE alone is granted: latency at most 30 % more, throughput at least 70 %.
const latencyGoal = atMostTimes(1.3);
const floodGoal = atMostTimes(2);
const settleMs = 300;
const throughputGoal = { ...atMostTimes(1 / 0.7), text: 'at least 70 % of the rate' };

/** What keys, proofs, signatures, policy and the audit log cost, all of it on against all of it off. */
export async function measureSecurity(runs: number): Promise<Row[]> {
  try {
    const fleet = await startSecured();
    const { manager: bareManager, client: bare } = await startBare();
    const secured = fleet.client;
    const one = { secured: () => askOne(secured), bare: () => askOne(bare) };
    for (const ask of Object.values(one)) await timeRequests(ask, warmUpRequests);
    const trips = await interleave(runs, {
      secured: () => timeRequests(one.secured, requestsPerRun),
      bare: () => timeRequests(one.bare, requestsPerRun),
    });
    const all = { secured: () => timed(() => askAll(secured)), bare: () => timed(() => askAll(bare)) };
    for (const ask of Object.values(all)) await ask();
    const rates = await interleave(runs, all);
    const results = `${crowd.requests * agents} results of ${agents} agents`;
    const floods = await measureFloods(Math.ceil(runs / 3), fleet);
    return [
      ...floods,
      row('security on: request to last answer', 'off', trips.secured, trips.bare, latencyGoal),
      row(`security on: ${results}`, 'off', rates.secured, rates.bare, throughputGoal),
      // Last: these agents would be asked with the crowd.
      ...(await measureService(runs, { secured: fleet.manager, bare: bareManager }, { secured, bare })),
    ];
  } finally {
    await cleanUp();
  }
}

/** The same of an agent as it is installed, on the service(8) of this host. */
async function measureService(
  runs: number,
  managers: { readonly secured: SecuredManager; readonly bare: RunningManager },
  clients: { readonly secured: ServiceManager; readonly bare: ServiceManager },
): Promise<Row[]> {
  if (!nodePrograms(process.env).isThere('service')) return [];
  await startSecuredAgent({ manager: managers.secured, nodeName: real });
  await startAgent({ managers: [managers.bare], nodeName: real });
  await Promise.all(Object.values(managers).map((manager) => manager.waitForSubscribers(agents + 1)));
  const { secured, bare } = await interleave(runs, {
    secured: () => timeRequests(() => askCron(clients.secured), statusesPerRun),
    bare: () => timeRequests(() => askCron(clients.bare), statusesPerRun),
  });
  return [row('security on: request to last answer, service cron status', 'off', secured, bare, latencyGoal)];
}

async function askCron(client: ServiceManager): Promise<void> {
  const request = await client.send({ topic: real, action: 'status', service: 'cron', windowMs: 30_000 });
  let count = 0;
  for await (const answer of request) if ('result' in answer) count += 1;
  if (count !== 1) throw new Error('a request was not answered');
}

/** What a good client notices of strangers, and of an agent that lies, against the same without them. */
async function measureFloods(runs: number, { manager, client, liar }: SecuredFleet): Promise<Row[]> {
  const { frontend, sink } = manager.endpoints;
  const known = { manager: manager.keys.publicKey };
  const orders: readonly FloodOrder[] = [
    { ...known, kind: 'silent connections', endpoint: frontend },
    { ...known, kind: 'unknown keys', endpoint: frontend },
    { ...known, kind: 'forged results', endpoint: sink, own: liar.curve, frames: forged(manager, liar) },
  ];
  const rows: Row[] = [];
  for (const order of orders) {
    const flood = new Flood(order);
    const during = async (isOn: boolean): Promise<number> => {
      await flood.set(isOn);
      await sleep(settleMs);
      return timeRequests(() => askOne(client), requestsPerRun);
    };
    const times = await interleave(runs, { flooded: () => during(true), calm: () => during(false) });
    await flood.close();
    rows.push(
      row(`${order.kind}: request to last answer`, 'without them', times.flooded, times.calm, floodGoal),
    );
  }
  return rows;
}

function forged(manager: SecuredManager, liar: SecretKeyFile): string[] {
  const id = '0'.repeat(32);
  const payload = JSON.stringify({ success: -1, msg: 'a lie', node: single, uuid: id, code: 'TOO_BUSY' });
  const frames = proved(liar, manager, ['result', id, single, '1', payload]);
  return frames.map((frame) => frame.toString('base64'));
}

interface SecuredFleet {
  readonly manager: SecuredManager;
  readonly client: ServiceManager;
  /** An agent that is known, and does not run. */
  readonly liar: SecretKeyFile;
}

async function startSecured(): Promise<SecuredFleet> {
  const manager = await startSecuredManager({ security: { requests_per_second: 100_000 } });
  const operator = await manager.enrol('operator', 'alice');
  const { keys: liar } = await manager.enrol('agent', 'liar');
  await startAgents(manager, await enrolled(manager));
  return { manager, client: clientOf(operator), liar };
}

async function startBare(): Promise<{ manager: RunningManager; client: ServiceManager }> {
  const manager = await startManager({ sections: { security: { mode: 'none', audit: 'no' } } });
  await startAgents(manager, {});
  const client = new ServiceManager({ endpoints: [manager.endpoints.frontend], security: 'none' });
  onCleanUp(() => client.close());
  return { manager, client };
}

async function enrolled(manager: SecuredManager): Promise<Record<string, SimulatedSecurity>> {
  const known: Record<string, SimulatedSecurity> = {};
  for (const node of simulatedNodes(agents)) {
    const { keys, manager: of } = await manager.enrol('agent', node);
    // A hundred audit logs on one disk are what no host has.
    const auditFolder = node === single ? temporaryFolder() : undefined;
    known[node] = { own: keys.curve, manager: of, auditFolder };
  }
  return known;
}

async function startAgents(
  manager: Awaited<ReturnType<typeof startManager>>,
  security: Readonly<Record<string, SimulatedSecurity>>,
): Promise<void> {
  const { backend, sink } = manager.endpoints;
  const fleet = new FleetSim({
    ...{ managers: [{ backend, sink }], agents, workers, security },
    runsFile: '/dev/null',
  });
  onCleanUp(() => fleet.close());
  await fleet.start();
  await manager.waitForSubscribers(agents, 60_000);
}

async function askOne(client: ServiceManager): Promise<void> {
  await answers(client, single, 1);
}

async function askAll(client: ServiceManager): Promise<void> {
  let asked = 0;
  const askOn = async (): Promise<void> => {
    while (asked < crowd.requests) {
      asked += 1;
      await answers(client, 'any', agents);
    }
  };
  await Promise.all(Array.from({ length: crowd.atOnce }, askOn));
}

async function answers(client: ServiceManager, topic: string, expected: number): Promise<void> {
  const request = await client.send({ topic, action: 'status', service: 'noop', windowMs: 30_000 });
  let ok = 0;
  for await (const answer of request) if ('result' in answer && answer.result.returncode === 0) ok += 1;
  if (ok !== expected) throw new Error(`${ok} of ${expected} answers`);
}
