import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FleetSim } from '../../bench/fleet-sim.ts';
import type { ServiceManager } from '../../src/client/index.ts';
import { type RunningManager, startClient, startManager } from '../e2e/harness/fleet.ts';
import { openLibrary } from '../e2e/harness/library.ts';
import { isObject } from '../e2e/harness/management.ts';
import { onCleanUp } from '../e2e/harness/processes.ts';
import { temporaryFolder } from '../e2e/harness/temporary-folder.ts';

export interface SimulatedFleet {
  readonly manager: RunningManager;
  readonly library: ServiceManager;
  readonly sim: FleetSim;
  /** Nodes that acted on this service, as often as they did. */
  runs(service: string): string[];
}

export async function startSimulatedFleet(agents: number, workers: number): Promise<SimulatedFleet> {
  const manager = await startManager();
  const runsFile = join(temporaryFolder(), 'runs');
  writeFileSync(runsFile, '');
  const sim = new FleetSim({ managers: [manager.endpoints], agents, workers, runsFile });
  onCleanUp(() => sim.close());
  return {
    ...{ manager, sim, library: openLibrary(manager.endpoints.frontend) },
    runs: (service) =>
      readFileSync(runsFile, 'utf8')
        .split('\n')
        .flatMap((line) => (line.split(' ')[1] === service ? [line.split(' ')[0] ?? ''] : [])),
  };
}

/** Starts those that do not run, and waits until the manager has heard of them. Returns how long it took. */
export async function startAll({ sim, library }: SimulatedFleet): Promise<number> {
  const begunMs = performance.now();
  const sinceWallMs = Date.now();
  await untilHeardOf(library, await sim.start(), sinceWallMs, 90_000);
  return performance.now() - begunMs;
}

/** The manager has heard of each node since that moment, and all are alive: not only remembered as such. */
export async function untilHeardOf(
  { history }: ServiceManager,
  nodes: readonly string[],
  sinceWallMs: number,
  withinMs: number,
): Promise<void> {
  const endsAt = performance.now() + withinMs;
  while (true) {
    const reply = await history.nodes();
    const heard = new Set<string>(
      reply.nodes
        .filter(({ presence, lastSeenMs }) => presence === 'alive' && lastSeenMs >= sinceWallMs)
        .map(({ node }) => node),
    );
    const missing = nodes.filter((node) => !heard.has(node));
    if (missing.length === 0) return;
    if (performance.now() > endsAt)
      throw new Error(`not heard of within ${withinMs} ms: ${missing.length} nodes, such as ${missing[0]}`);
    // Each look at a thousand nodes costs the manager some milliseconds.
    await sleep(250);
  }
}

/** What the client program said of a request, with its names. */
export interface Report {
  readonly code: number | null;
  /** Of the whole program, from its start to its end. */
  readonly ms: number;
  readonly answers: number;
  /** Nodes by outcome. */
  readonly outcomes: ReadonlyMap<string, readonly string[]>;
}

const noManager = 69;

/** Runs the client program with a request for a restart everywhere. */
export async function restartEverywhere(
  { manager }: SimulatedFleet,
  service: string,
  windowSeconds: number,
): Promise<Report> {
  const line = manager.request('any', 'restart', service, '-w', String(windowSeconds), '--format', 'full');
  let client = startClient(line);
  let { code } = await client.waitForExit(windowSeconds * 1_000 + 30_000);
  // On a busy machine half a second may be over before the manager was even asked.
  for (let tries = 1; code === noManager && tries < 3; tries += 1) {
    client = startClient(line);
    ({ code } = await client.waitForExit(windowSeconds * 1_000 + 30_000));
  }
  const report: unknown = JSON.parse(client.stdout);
  if (!isObject(report) || !Array.isArray(report['results']) || !Array.isArray(report['outcomes']))
    throw new Error(`no report from the client: ${client.stdout.slice(0, 1_000)} ${client.stderr}`);
  const outcomes = new Map<string, string[]>();
  for (const { outcome, node } of report['outcomes'].filter(isObject)) {
    outcomes.set(String(outcome), [...(outcomes.get(String(outcome)) ?? []), String(node)]);
  }
  return { code, ms: client.elapsedMs, answers: report['results'].length, outcomes };
}
