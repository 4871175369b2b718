import { ServiceManager } from '../src/client/index.ts';
import { startManager } from '../test/e2e/harness/fleet.ts';
import { cleanUp, onCleanUp } from '../test/e2e/harness/processes.ts';
import { clientOf, type SecuredManager, startSecuredManager } from '../test/e2e/harness/secured-fleet.ts';
import { temporaryFolder } from '../test/e2e/harness/temporary-folder.ts';
import { FleetSim, type SimulatedSecurity, simulatedNodes } from './fleet-sim.ts';
import { atMostTimes, interleave, type Row, row, timed, timeRequests } from './rows.ts';

const agents = 100;
const workers = 2;
/** The one that is asked alone. */
const single = 'sim0001';
const requestsPerRun = 40;
const warmUpRequests = 300;
/** To all agents; so many on their way at once. */
const floods = { requests: 20, atOnce: 4 };
// The same that CURVE alone is granted: latency at most 30 % more, throughput at least 70 %.
const latencyGoal = atMostTimes(1.3);
const throughputGoal = { ...atMostTimes(1 / 0.7), text: 'at least 70 % of the rate' };

/** What keys, proofs, signatures, policy and the audit log cost, all of it on against all of it off. */
export async function measureSecurity(runs: number): Promise<Row[]> {
  try {
    const [secured, bare] = [await startSecured(), await startBare()];
    const one = { secured: () => askOne(secured), bare: () => askOne(bare) };
    for (const ask of Object.values(one)) await timeRequests(ask, warmUpRequests);
    const trips = await interleave(runs, {
      secured: () => timeRequests(one.secured, requestsPerRun),
      bare: () => timeRequests(one.bare, requestsPerRun),
    });
    const all = { secured: () => timed(() => askAll(secured)), bare: () => timed(() => askAll(bare)) };
    for (const ask of Object.values(all)) await ask();
    const rates = await interleave(runs, all);
    const results = `${floods.requests * agents} results of ${agents} agents`;
    return [
      row('security on: request to last answer', 'off', trips.secured, trips.bare, latencyGoal),
      row(`security on: ${results}`, 'off', rates.secured, rates.bare, throughputGoal),
    ];
  } finally {
    await cleanUp();
  }
}

async function startSecured(): Promise<ServiceManager> {
  const manager = await startSecuredManager();
  const operator = await manager.enrol('operator', 'alice');
  await startAgents(manager, await enrolled(manager));
  return clientOf(operator);
}

async function startBare(): Promise<ServiceManager> {
  const manager = await startManager({ sections: { security: { mode: 'none', audit: 'no' } } });
  await startAgents(manager, {});
  const client = new ServiceManager({ endpoints: [manager.endpoints.frontend], security: 'none' });
  onCleanUp(() => client.close());
  return client;
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
    while (asked < floods.requests) {
      asked += 1;
      await answers(client, 'any', agents);
    }
  };
  await Promise.all(Array.from({ length: floods.atOnce }, askOn));
}

async function answers(client: ServiceManager, topic: string, expected: number): Promise<void> {
  const request = await client.send({ topic, action: 'status', service: 'noop', windowMs: 30_000 });
  let ok = 0;
  for await (const answer of request) if ('result' in answer && answer.result.returncode === 0) ok += 1;
  if (ok !== expected) throw new Error(`${ok} of ${expected} answers`);
}
