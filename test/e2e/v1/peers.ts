import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { waitForSubscribers } from '../harness/management.ts';
import { endpoint } from '../harness/ports.ts';
import { runProgram, startProgram } from '../harness/processes.ts';
import type { Program } from '../harness/program.ts';
import { temporaryFolder } from '../harness/temporary-folder.ts';

export interface V1ManagerOptions {
  /** Between the reply and the dispatch, so that a client has time to listen; 2014 had none. */
  readonly dispatchDelayMs?: number;
  /** Fixed endpoints, for a manager that comes back where it was. */
  readonly endpoints?: Partial<V1Endpoints>;
}

export interface V1Endpoints {
  readonly frontend: string;
  readonly backend: string;
  readonly sink: string;
  readonly mgmt: string;
}

export interface V1Manager {
  readonly program: Program;
  readonly endpoints: V1Endpoints;
  readonly publisherPort: number;
  /** JSON lines `{event: subscribe | unsubscribe | dispatch, topic, uuid?}`. */
  readonly topicLog: string;
  waitForSubscribers(count: number, deadlineMs?: number): Promise<number>;
}

export interface V1Link {
  readonly endpoints: Pick<V1Endpoints, 'backend' | 'sink'>;
}

export interface V1AgentOptions {
  readonly manager: V1Link;
  readonly node?: string;
  readonly topics?: readonly string[];
  /** Runs nothing and answers with exit code 0, after so many milliseconds in which it does nothing else. */
  readonly fake?: boolean;
  readonly fakeDelayMs?: number;
  /** Program to run before service and action, instead of `service`. */
  readonly command?: string;
  readonly listOutput?: 'bare' | 'ended';
}

export interface V1Agent {
  readonly program: Program;
  readonly node: string;
  readonly mgmtEndpoint: string;
  /** JSON lines `[topic, uuid, service]`. */
  readonly log: string;
}

export interface V1AgentsOptions {
  readonly manager: V1Link;
  readonly count: number;
  readonly prefix?: string;
  readonly topics?: readonly string[];
  readonly delayMs?: number;
}

export interface V1Agents {
  readonly program: Program;
  /** JSON lines `[node, topic, uuid, service]`. */
  readonly log: string;
}

export interface V1Request {
  readonly endpoint: string;
  readonly service: string;
  readonly topic?: string;
  readonly cmd?: string;
  readonly waitSeconds?: number;
  /** Stop once so many nodes have answered. */
  readonly expect?: number;
  /** Wait to the end all the same. */
  readonly fullWait?: boolean;
  readonly timeoutMs?: number;
}

export interface V1Answer {
  readonly uuid: string;
  readonly msg: string;
  readonly result?: {
    readonly node: string;
    readonly returncode: number;
    readonly service: string;
    readonly stdout: string | readonly string[];
    readonly stderr: string | readonly string[];
    readonly system: string;
    readonly version: string;
  };
  /** -1 when the agent tells of its own trouble; then there is no result. */
  readonly success?: number;
  readonly node?: string;
}

/** What the client prints. */
export interface V1Answers {
  readonly uuid: string;
  readonly answers: readonly V1Answer[];
  readonly nodes: number;
  readonly duplicates: number;
  readonly last_ms: number | null;
  readonly elapsed_ms: number;
}

/** What the client prints when it repeats. */
export interface V1Summary {
  readonly requests: number;
  readonly expected: number;
  readonly received: number;
  readonly lost: readonly number[];
  readonly duplicates: number;
  readonly elapsed_ms: number;
}

// The first python3 on PATH may be one without pyzmq.
const python = '/usr/bin/python3';
const folder = fileURLToPath(new URL('.', import.meta.url));
const readyDeadlineMs = 10_000;

export async function startV1Manager(options: V1ManagerOptions = {}): Promise<V1Manager> {
  const topicLog = emptyLog();
  const program = startPeer('v1_manager', [
    ...flag('topic-log', topicLog),
    ...flag('dispatch-delay-ms', options.dispatchDelayMs),
    ...Object.entries(options.endpoints ?? {}).flatMap(([name, value]) => flag(name, value)),
  ]);
  const ready = await readyPorts(program);
  const at = (name: string) => endpoint(portIn(ready, name));
  const endpoints = { frontend: at('frontend'), backend: at('backend'), sink: at('sink'), mgmt: at('mgmt') };
  return {
    program,
    endpoints,
    publisherPort: portIn(ready, 'publisher'),
    topicLog,
    waitForSubscribers: (count, deadlineMs) => waitForSubscribers(endpoints.mgmt, count, deadlineMs),
  };
}

/** Resolves when it has called connect; that its subscriptions have arrived, only the manager can tell. */
export async function startV1Agent(options: V1AgentOptions): Promise<V1Agent> {
  const log = emptyLog();
  const program = startPeer('v1_agent', [
    ...flag('manager', options.manager.endpoints.backend),
    ...flag('sink', options.manager.endpoints.sink),
    ...flag('log', log),
    ...flag('node', options.node),
    ...(options.topics ?? []).flatMap((topic) => flag('topic', topic)),
    ...(options.fake === true ? ['--fake'] : []),
    ...flag('fake-delay-ms', options.fakeDelayMs),
    ...flag('command', options.command),
    ...flag('list-output', options.listOutput),
  ]);
  const ready = await readyPorts(program);
  return { program, log, node: ready.get('node') ?? '', mgmtEndpoint: endpoint(portIn(ready, 'mgmt')) };
}

/** Many agents in one process; count them through the manager before relying on them. */
export async function startV1Agents(options: V1AgentsOptions): Promise<V1Agents> {
  const log = emptyLog();
  const program = startPeer('v1_agents', [
    ...flag('manager', options.manager.endpoints.backend),
    ...flag('sink', options.manager.endpoints.sink),
    ...flag('count', options.count),
    ...flag('log', log),
    ...flag('prefix', options.prefix),
    ...flag('delay-ms', options.delayMs),
    ...(options.topics ?? []).flatMap((topic) => flag('topic', topic)),
  ]);
  await readyPorts(program, readyDeadlineMs + options.count * 10);
  return { program, log };
}

/** One request; throws when the client ends with another code than 0 (1: refused, or no reply). */
export async function runV1Client(request: V1Request): Promise<V1Answers> {
  return runToJson<V1Answers>(clientArgs(request), request, 1);
}

/** So many requests in a row, each with a fresh subscription, as the 2014 client would make them. */
export async function runV1ClientRepeatedly(
  request: V1Request & { readonly expect: number },
  repeat: number,
): Promise<V1Summary> {
  const args = [...clientArgs(request), ...flag('repeat', repeat)];
  return runToJson<V1Summary>(args, request, repeat);
}

export function startV1Client(request: V1Request): Program {
  return startPeer('v1_client', clientArgs(request));
}

function clientArgs(request: V1Request): string[] {
  return [
    ...flag('endpoint', request.endpoint),
    ...flag('service', request.service),
    ...flag('topic', request.topic),
    ...flag('cmd', request.cmd),
    ...flag('wait', request.waitSeconds),
    ...flag('expect', request.expect),
    ...(request.fullWait === true ? ['--full-wait'] : []),
    ...flag('timeout-ms', request.timeoutMs),
  ];
}

async function runToJson<Printed>(
  args: readonly string[],
  request: V1Request,
  requests: number,
): Promise<Printed> {
  const { waitSeconds = 1, timeoutMs = 3_000 } = request;
  const ended = await runProgram(python, [join(folder, 'v1_client.py'), ...args], {
    label: 'v1_client',
    deadlineMs: 5_000 + requests * (waitSeconds * 1_000 + timeoutMs),
  });
  if (ended.code !== 0) {
    throw new Error(`v1_client ended with code ${ended.code}: ${ended.stdout}${ended.stderr}`);
  }
  return JSON.parse(ended.stdout);
}

function startPeer(name: string, args: readonly string[]): Program {
  return startProgram(python, [join(folder, `${name}.py`), ...args], { label: name });
}

function emptyLog(): string {
  const file = join(temporaryFolder(), 'log');
  writeFileSync(file, '');
  return file;
}

function flag(name: string, value: string | number | undefined): string[] {
  return value === undefined ? [] : [`--${name}=${value}`];
}

/** Reads `ready name=value name=value`. */
async function readyPorts(program: Program, deadlineMs = readyDeadlineMs): Promise<Map<string, string>> {
  const [line] = await program.waitForLine(/^ready .*/, deadlineMs);
  return new Map(Array.from(line.matchAll(/(\w+)=(\S+)/g), ([, name = '', value = '']) => [name, value]));
}

function portIn(ready: ReadonlyMap<string, string>, name: string): number {
  const port = Number(ready.get(name));
  if (!Number.isInteger(port) || port < 1) throw new Error(`no port of ${name} in the ready line`);
  return port;
}
