// Usage: npm run bench -- [--runs COUNT] [--json FILE]
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ServiceManager } from '../src/client/index.ts';
import { nodePrograms } from '../src/platform/node/programs.ts';
import { askAnew, KeptClient } from './bare-client.ts';
import { runService } from './bare-service.ts';
import { built, stopChildren, timeProgram } from './children.ts';
import { type Fleet, startBareFleet, startFleet, startServiceAgent } from './fleets.ts';

interface Row {
  readonly name: string;
  readonly floor: string;
  /** Medians over all runs, in milliseconds. */
  readonly oursMs: number;
  readonly floorMs: number;
  /** Median of the ratios, and of the differences, within one run each. */
  readonly ratio: number;
  readonly overMs: number;
  readonly goal: string;
  readonly isGoalMet: boolean;
}

interface Goal {
  readonly text: string;
  isMet(ratio: number, overMs: number): boolean;
}

const requestsPerRun = 40;
const statusesPerRun = 12;
const warmUpRequests = 300;
const halfAgainAtMost: Goal = { text: 'at most 1.5 times', isMet: (ratio) => ratio <= 1.5 };
const sixtyMsAtMost: Goal = { text: 'at most 60 ms over', isMet: (_, overMs) => overMs <= 60 };
const fiveMsAtMost: Goal = { text: 'at most 5 ms over', isMet: (_, overMs) => overMs <= 5 };

function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? 0) + (sorted[Math.floor(middle)] ?? 0)) / 2;
}

function row(name: string, floor: string, ours: number[], floors: number[], goal: Goal): Row {
  const ratio = median(ours.map((ms, run) => ms / (floors[run] ?? 0)));
  const overMs = median(ours.map((ms, run) => ms - (floors[run] ?? 0)));
  const isGoalMet = goal.isMet(ratio, overMs);
  return {
    name,
    floor,
    oursMs: median(ours),
    floorMs: median(floors),
    ratio,
    overMs,
    goal: goal.text,
    isGoalMet,
  };
}

/** The median of many requests, one after the other. */
async function timeRequests(ask: () => Promise<void>, count = requestsPerRun): Promise<number> {
  const times: number[] = [];
  for (let request = 0; request < count; request += 1) {
    const startedMs = performance.now();
    await ask();
    times.push(performance.now() - startedMs);
  }
  return median(times);
}

async function askOurs(manager: ServiceManager): Promise<void> {
  const request = await manager.send({ topic: 'any', action: 'status', service: 'noop' });
  let ok = 0;
  for await (const answer of request) if ('result' in answer && answer.result.returncode === 0) ok += 1;
  if (ok !== 1) throw new Error('a request was not answered');
}

/** Runs each once per run, in an order that changes, so that what slows the machine down slows all of them. */
async function interleave<Name extends string>(
  runs: number,
  tries: Readonly<Record<Name, () => Promise<number> | number>>,
): Promise<Record<Name, number[]>> {
  const names = Object.keys(tries) as Name[];
  const times = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, number[]>;
  for (let run = 0; run < runs; run += 1) {
    const order = [...names.slice(run % names.length), ...names.slice(0, run % names.length)];
    for (const name of order) times[name].push(await tries[name]());
  }
  return times;
}

async function measureRoad(runs: number, { frontend }: Fleet): Promise<Row[]> {
  const bare = await startBareFleet();
  await using manager = new ServiceManager({ endpoints: [frontend] });
  const kept = new KeptClient(bare);
  const tries = {
    ours: () => askOurs(manager),
    anew: () => askAnew(bare),
    kept: () => kept.ask(),
  };
  for (const ask of Object.values(tries)) await timeRequests(ask, warmUpRequests);
  const {
    ours,
    anew,
    kept: keptTimes,
  } = await interleave(runs, {
    ours: () => timeRequests(tries.ours),
    anew: () => timeRequests(tries.anew),
    kept: () => timeRequests(tries.kept),
  });
  kept.close();
  const name = 'request to last answer';
  return [
    row(name, 'bare sockets that stay open', ours, keptTimes, halfAgainAtMost),
    row(name, 'bare sockets, opened for each request', ours, anew, halfAgainAtMost),
  ];
}

/** One of ours and one bare run follow each other, because service(8) itself takes longer than what is to be seen. */
async function measureService(runs: number, folder: string): Promise<Row[]> {
  if (!nodePrograms(process.env).isThere('service')) return [];
  const agent = await startServiceAgent(folder);
  const code = await runService('cron');
  const { ours, bare } = await interleave(runs * statusesPerRun, {
    ours: () => timed(async () => check((await agent.status('cron')) === code)),
    bare: () => timed(async () => check((await runService('cron')) === code)),
  });
  agent.close();
  const name = 'agent, from request to answer';
  return [row(name, 'service cron status', byRun(ours), byRun(bare), fiveMsAtMost)];
}

async function timed(act: () => Promise<void>): Promise<number> {
  const startedMs = performance.now();
  await act();
  return performance.now() - startedMs;
}

function check(isRight: boolean): void {
  if (!isRight) throw new Error('a status came out another way');
}

function byRun(times: readonly number[]): number[] {
  const runs = Array.from({ length: times.length / statusesPerRun }, (_, run) => run * statusesPerRun);
  return runs.map((from) => median(times.slice(from, from + statusesPerRun)));
}

async function measurePrograms(runs: number, { configFile }: Fleet): Promise<Row[]> {
  const client = built('service-mgr-client');
  const order = ['-f', configFile, '-T', 'any', '-c', 'status', '-s', 'noop'];
  const { bare, version, status } = await interleave(runs, {
    bare: () => timeProgram(['-e', '0']),
    version: () => timeProgram([client, '--version']),
    status: () => timeProgram([client, ...order]),
  });
  return [
    row('service-mgr-client --version', 'node -e 0', version, bare, sixtyMsAtMost),
    row('service-mgr-client ... -c status', 'node -e 0', status, bare, sixtyMsAtMost),
  ];
}

function table(rows: readonly Row[]): string {
  const head = ['WHAT', 'AGAINST', 'OURS', 'FLOOR', 'RATIO', 'OVER', 'GOAL', ''];
  const cells = rows.map(({ name, floor, oursMs, floorMs, ratio, overMs, goal, isGoalMet }) => [
    name,
    floor,
    `${oursMs.toFixed(2)} ms`,
    `${floorMs.toFixed(2)} ms`,
    ratio.toFixed(2),
    `${overMs.toFixed(2)} ms`,
    goal,
    isGoalMet ? 'met' : 'missed',
  ]);
  const lines = [head, ...cells];
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const format = (line: string[]) => line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ');
  return lines.map((line) => `${format(line).trimEnd()}\n`).join('');
}

const { values } = parseArgs({
  options: { runs: { type: 'string', default: '21' }, json: { type: 'string' } },
});
const runs = Number(values.runs);
if (!Number.isInteger(runs) || runs < 1) throw new Error('--runs: expected a whole number from 1');
const folder = mkdtempSync(join(tmpdir(), 'service-mgr-bench-'));
try {
  const fleet = await startFleet(folder);
  const rows = [...(await measureRoad(runs, fleet)), ...(await measurePrograms(runs, fleet))];
  await stopChildren();
  rows.push(...(await measureService(runs, folder)));
  const host = { node: process.version, cores: availableParallelism() };
  process.stdout.write(`Medians of ${runs} interleaved runs; Node ${host.node}, ${host.cores} cores\n\n`);
  process.stdout.write(table(rows));
  if (values.json !== undefined) {
    writeFileSync(values.json, `${JSON.stringify({ ...host, runs, rows }, null, 2)}\n`);
  }
} finally {
  await stopChildren();
  rmSync(folder, { recursive: true, force: true });
}
