import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import type { CurveKeys } from '../src/security/keys.ts';
import type { KnownManager } from '../src/security/known-manager.ts';

/** Where the agents find a manager. */
export interface SimulatedLink {
  readonly backend: string;
  readonly sink: string;
}

export interface FleetSimOptions {
  /** All of them are served. */
  readonly managers: readonly SimulatedLink[];
  readonly agents: number;
  /** Processes over which the agents are dealt out at random; what is killed at a time is a multiple of one of them. */
  readonly workers: number;
  /** Gets a line `NODE SERVICE ACTION` for each action. */
  readonly runsFile: string;
  /** By their names; missing without security. */
  readonly security?: Readonly<Record<string, SimulatedSecurity>>;
}

/** What an agent with security knows. */
export interface SimulatedSecurity {
  readonly own: CurveKeys;
  readonly manager: KnownManager;
  /** Where its audit log is written; undefined: it has none. */
  readonly auditFolder: string | undefined;
}

/** What a worker is told. */
export interface WorkerOrder {
  readonly nodes: readonly string[];
  readonly managers: readonly SimulatedLink[];
  readonly runsFile: string;
  readonly security: Readonly<Record<string, SimulatedSecurity>>;
}

interface Worker {
  readonly nodes: readonly string[];
  child: ChildProcess | undefined;
}

const startDeadlineMs = 60_000;
const running = new Set<ChildProcess>();
const requireHere = createRequire(import.meta.url);
let workerProgram: Promise<string> | undefined;

process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export function simulatedNodes(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `sim${String(index + 1).padStart(4, '0')}`);
}

/** Many real agents, sim0001 and so on, in a few processes: real sockets, a journal in memory, and actions that do nothing. */
export class FleetSim {
  readonly nodes: readonly string[];
  readonly #options: FleetSimOptions;
  readonly #workers: readonly Worker[];

  constructor(options: FleetSimOptions) {
    const { agents, workers } = options;
    this.#options = options;
    this.nodes = simulatedNodes(agents);
    const dealt = shuffled(this.nodes);
    this.#workers = Array.from({ length: workers }, (_, worker) => ({
      nodes: dealt.filter((_, index) => index % workers === worker).sort(),
      child: undefined,
    }));
  }

  /** Starts the agents that do not run, and returns their names. A manager may learn of them later. */
  async start(): Promise<string[]> {
    const missing = this.#workers.filter(({ child }) => child === undefined);
    await Promise.all(missing.map((worker) => this.#startWorker(worker)));
    return missing.flatMap(({ nodes }) => nodes);
  }

  /** Kills this part of all agents, at random and at once, without a word to anybody. Returns their names. */
  kill(share: number): string[] {
    return this.#pick(share).flatMap((worker) => {
      worker.child?.kill('SIGKILL');
      worker.child = undefined;
      return worker.nodes;
    });
  }

  /** Stops them, as a host that hangs: their connections stay. */
  freeze(share: number): string[] {
    return this.#pick(share).flatMap((worker) => {
      worker.child?.kill('SIGSTOP');
      return worker.nodes;
    });
  }

  thaw(): void {
    for (const { child } of this.#workers) child?.kill('SIGCONT');
  }

  /** Kills all. */
  async close(): Promise<void> {
    const children = this.#workers.flatMap(({ child }) => child ?? []);
    const ends = children.map((child) => once(child, 'exit'));
    this.kill(1);
    await Promise.all(ends);
  }

  #pick(share: number): Worker[] {
    const count = Math.round(share * this.#workers.length);
    const alive = this.#workers.filter(({ child }) => child !== undefined);
    return shuffled(alive).slice(0, count);
  }

  async #startWorker(worker: Worker): Promise<void> {
    const { managers, runsFile, security = {} } = this.#options;
    workerProgram ??= bundleWorker();
    const child = spawn(process.execPath, [await workerProgram], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      env: { ...process.env, NODE_V8_COVERAGE: undefined },
    });
    worker.child = child;
    running.add(child);
    child.once('exit', () => running.delete(child));
    const order: WorkerOrder = { nodes: worker.nodes, managers, runsFile, security };
    child.send(order);
    const late = AbortSignal.timeout(startDeadlineMs);
    await Promise.race([
      once(child, 'message', { signal: late }),
      once(child, 'exit', { signal: late }).then(() => {
        throw new Error(`a worker of the simulated fleet ended: ${worker.nodes.join(', ')}`);
      }),
    ]);
  }
}

/** In one file, because it is started often, and all workers at once. */
async function bundleWorker(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'fleet-sim-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const outfile = join(folder, 'worker.cjs');
  await build({
    entryPoints: [fileURLToPath(new URL('./fleet-sim-worker.ts', import.meta.url))],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    plugins: [zeromqWhereItIs],
    logLevel: 'warning',
  });
  return outfile;
}

/** Its addon is found from its own folder only. */
const zeromqWhereItIs: Plugin = {
  name: 'zeromq-where-it-is',
  setup: ({ onResolve }) =>
    onResolve({ filter: /^zeromq$/ }, ({ path }) => ({ path: requireHere.resolve(path), external: true })),
};

function shuffled<Item>(items: readonly Item[]): Item[] {
  const keyed = items.map((item) => ({ item, key: Math.random() }));
  return keyed.sort((one, other) => one.key - other.key).map(({ item }) => item);
}
