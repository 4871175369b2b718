// A fleet of simulated agents for a manager that runs already. Prints "ready" when the manager knows that all are alive, then
// obeys the commands on standard input, one a line: kill PERCENT, freeze PERCENT, thaw, start (those that were killed), stop.
// Usage: tsx bench/simulated-agents.ts --frontend ENDPOINT --backend ENDPOINT --sink ENDPOINT [--agents 1000] [--workers 10] [--runs FILE]
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { ServiceManager } from '../src/client/index.ts';
import { FleetSim } from './fleet-sim.ts';

const pollMs = 200;

const { values } = parseArgs({
  options: {
    frontend: { type: 'string', default: 'tcp://127.0.0.1:5500' },
    backend: { type: 'string', default: 'tcp://127.0.0.1:5600' },
    sink: { type: 'string', default: 'tcp://127.0.0.1:5700' },
    agents: { type: 'string', default: '1000' },
    workers: { type: 'string', default: '10' },
    runs: { type: 'string', default: '/dev/null' },
  },
});
const fleet = new FleetSim({
  managers: [{ backend: values.backend, sink: values.sink }],
  agents: Number(values.agents),
  workers: Number(values.workers),
  runsFile: values.runs,
});
const manager = new ServiceManager({ endpoints: [values.frontend], timeoutMs: 10_000 });

async function start(): Promise<string> {
  const beganMs = performance.now();
  const beganWallMs = Date.now();
  const started = await fleet.start();
  while (!(await areKnown(started, beganWallMs))) await sleep(pollMs);
  return `ready: ${started.length} agents after ${Math.round(performance.now() - beganMs)} ms`;
}

async function areKnown(started: readonly string[], sinceWallMs: number): Promise<boolean> {
  const { nodes } = await manager.history.nodes();
  const known = new Map<string, (typeof nodes)[number]>(nodes.map((info) => [info.node, info]));
  return started.every((node) => {
    const info = known.get(node);
    return info?.presence === 'alive' && info.lastSeenMs >= sinceWallMs;
  });
}

async function obey(line: string): Promise<string> {
  const [command, percent = '10'] = line.trim().split(/\s+/);
  const share = Number(percent) / 100;
  switch (command) {
    case 'kill':
      return `killed: ${fleet.kill(share).join(' ')}`;
    case 'freeze':
      return `frozen: ${fleet.freeze(share).join(' ')}`;
    case 'thaw':
      fleet.thaw();
      return 'thawed';
    case 'start':
      return start();
    default:
      return `unknown command: ${line}`;
  }
}

process.stdout.write(`${await start()}\n`);
for await (const line of createInterface(process.stdin)) {
  if (line.trim() === 'stop') break;
  process.stdout.write(`${await obey(line)}\n`);
}
await fleet.close();
await manager.close();
process.exit();
