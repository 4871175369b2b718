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
import {
  atMostMsOver,
  atMostTimes,
  interleave,
  median,
  type Row,
  row,
  table,
  timed,
  timeRequests,
} from './rows.ts';
import { measureSecurity } from './security.ts';

const requestsPerRun = 40;
const statusesPerRun = 12;
const warmUpRequests = 300;

async function askOurs(manager: ServiceManager): Promise<void> {
  const request = await manager.send({ topic: 'any', action: 'status', service: 'noop' });
  let ok = 0;
  for await (const answer of request) if ('result' in answer && answer.result.returncode === 0) ok += 1;
  if (ok !== 1) throw new Error('a request was not answered');
}

async function measureRoad(runs: number, { frontend }: Fleet): Promise<Row[]> {
  const bare = await startBareFleet();
  await using manager = new ServiceManager({ endpoints: [frontend], security: 'none' });
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
    ours: () => timeRequests(tries.ours, requestsPerRun),
    anew: () => timeRequests(tries.anew, requestsPerRun),
    kept: () => timeRequests(tries.kept, requestsPerRun),
  });
  kept.close();
  const name = 'request to last answer';
  return [
    row(name, 'bare sockets that stay open', ours, keptTimes, atMostTimes(1.5)),
    row(name, 'bare sockets, opened for each request', ours, anew, atMostTimes(1.5)),
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
  return [row(name, 'service cron status', byRun(ours), byRun(bare), atMostMsOver(5))];
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
    row('service-mgr-client --version', 'node -e 0', version, bare, atMostMsOver(60)),
    row('service-mgr-client ... -c status', 'node -e 0', status, bare, atMostMsOver(60)),
  ];
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
  await stopChildren();
  rows.push(...(await measureSecurity(runs)));
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
