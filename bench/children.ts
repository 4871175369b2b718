import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const startDeadlineMs = 10_000;
const children = new Set<ChildProcess>();

process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

/** A program that runs beside the measuring one, and the lines that it prints. */
export interface Child {
  nextLine(): Promise<string>;
}

export function startChild(args: readonly string[]): Child {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  children.add(child);
  child.once('exit', () => children.delete(child));
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  return {
    nextLine: async () => {
      const late = AbortSignal.timeout(startDeadlineMs);
      const line = await Promise.race([lines.next(), once(late, 'abort').then(() => undefined)]);
      if (line === undefined || line.done === true) throw new Error(`${args.join(' ')}: printed nothing`);
      return line.value;
    },
  };
}

export async function stopChildren(): Promise<void> {
  const ends = Array.from(children, (child) => once(child, 'exit'));
  for (const child of children) child.kill('SIGTERM');
  await Promise.all(ends);
}

/** The command line of a program of this folder. */
export function source(name: string): string[] {
  return ['--import', 'tsx', fileURLToPath(new URL(name, import.meta.url))];
}

export function built(name: string): string {
  return fileURLToPath(new URL(`../dist/${name}.cjs`, import.meta.url));
}

/** Wall-clock milliseconds of a whole program, from before its start to after its end. */
export function timeProgram(args: readonly string[], expectedCode = 0): number {
  const startedMs = performance.now();
  const { status, stderr } = spawnSync(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const elapsedMs = performance.now() - startedMs;
  if (status !== expectedCode) throw new Error(`${args.join(' ')}: ended with ${status}: ${stderr}`);
  return elapsedMs;
}

/** Loopback endpoints that nobody listens on. */
export async function freeEndpoints(count: number): Promise<string[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const endpoints = servers.map((server) => {
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('not a TCP server');
    return `tcp://127.0.0.1:${address.port}`;
  });
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return endpoints;
}
