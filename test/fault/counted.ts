import { setTimeout as sleep } from 'node:timers/promises';
import type { History, ServiceManager } from '../../src/client/index.ts';
import type { DaemonOptions } from '../e2e/harness/daemon.ts';
import {
  type RunningAgent,
  type RunningManager,
  startAgent,
  startClient,
  startManager,
} from '../e2e/harness/fleet.ts';
import { openLibrary } from '../e2e/harness/library.ts';
import { isObject, type JsonObject } from '../e2e/harness/management.ts';
import type { Exit, Program } from '../e2e/harness/program.ts';
import {
  clientArgs,
  clientOf,
  SecuredManager,
  startSecuredAgent,
  startSecuredManager,
} from '../e2e/harness/secured-fleet.ts';
import { serviceProgram } from '../e2e/harness/service-program.ts';
import { eventually } from '../fakes/eventually.ts';

/** A manager, and what it takes to ask it. */
export interface AskedManager {
  readonly manager: RunningManager;
  readonly library: ServiceManager;
  /** See `ActionRequest`. */
  readonly as: readonly string[];
}

/** On loopback: one without security, or one that is asked by an operator whom it knows. */
export async function startAskedManager(security: 'keys' | 'none'): Promise<AskedManager> {
  if (security === 'none') {
    const manager = await startManager();
    return { manager, library: openLibrary(manager.endpoints.frontend), as: [] };
  }
  const manager = await startSecuredManager();
  const operator = await manager.enrol('operator', 'alice');
  return { manager, library: clientOf(operator), as: clientArgs(operator) };
}

/** A node, and how often it acted on a service. */
export interface Counted {
  readonly node: string;
  runs(service: string): number;
}

/** An agent whose service(8) notes each run, by appending one line to a file. */
export interface CountedAgent extends Counted {
  readonly daemon: RunningAgent;
}

export interface CountedOptions extends Pick<DaemonOptions, 'within' | 'sections'> {
  /** One that has keys gets an agent that has joined it. */
  readonly managers: readonly RunningManager[];
  readonly nodeName: string;
  /** Part of the time in the service's name that an action takes here, in percent. Default 100. */
  readonly share?: number;
  /** What an action does before it takes its time: a line of sh. */
  readonly begin?: string;
}

export async function startCountedAgent(options: CountedOptions): Promise<CountedAgent> {
  const { managers, nodeName, share = 100, begin = ':', ...more } = options;
  // The name of the service ends with the milliseconds that its actions take.
  const takeTime = `ms=$(( \${1##*-} * ${share} / 100 ))
[ "$ms" -eq 0 ] || sleep "$((ms / 1000)).$(printf %03d $((ms % 1000)))"`;
  const program = serviceProgram(`${begin}\n${takeTime}`);
  const shared = { nodeName, serviceProgram: program.file, ...more };
  const [manager] = managers;
  const daemon =
    manager instanceof SecuredManager
      ? await startSecuredAgent({ manager, ...shared })
      : await startAgent({ managers, ...shared });
  return {
    node: nodeName,
    daemon,
    runs: (service) => program.runs().filter((line) => line.startsWith(`${service} `)).length,
  };
}

let serviceCount = 0;

/** A service of its own for each request, so that the runs of each can be counted. */
export function serviceTaking(milliseconds: number): string {
  serviceCount += 1;
  return `s${serviceCount}-${Math.round(milliseconds)}`;
}

/** Resolves when the action has begun at each of these nodes. */
export function untilBegun(agents: readonly Counted[], service: string, withinMs = 10_000): Promise<void> {
  return eventually(() => agents.every((agent) => agent.runs(service) > 0), `${service} has begun`, withinMs);
}

export interface ActionRequest {
  readonly endpoints: readonly string[];
  /** More command line: who asks. */
  readonly as?: readonly string[];
  readonly topic?: string;
  /** One that must not happen twice. */
  readonly action?: 'restart' | 'start';
  readonly service: string;
  readonly windowSeconds: number;
  /** See `ProgramOptions`. */
  readonly within?: readonly string[];
}

/** What a client has to say when it has ended. */
export interface Told {
  readonly exit: Exit;
  /** For each node `ok`, `failed`, or the code of its trouble. */
  readonly answers: ReadonlyMap<string, string>;
  readonly ms: number;
  readonly stderr: string;
}

/** A client program under way. */
export interface Asked {
  readonly service: string;
  end(): Promise<Told>;
}

const startUpMs = 5_000;

export function ask(request: ActionRequest): Asked {
  const {
    endpoints,
    as = [],
    topic = 'any',
    action = 'restart',
    service,
    windowSeconds,
    within = [],
  } = request;
  const line = [...as, '-e', endpoints.join(','), '-w', String(windowSeconds), '--yes'];
  const client = startClient([...line, '-T', topic, '-c', action, '-s', service], { within });
  return {
    service,
    end: async () => {
      const exit = await client.waitForExit(windowSeconds * 1_000 + startUpMs);
      return { exit, answers: printedBy(client), ms: client.elapsedMs, stderr: client.stderr };
    },
  };
}

function printedBy(client: Program): ReadonlyMap<string, string> {
  const answers: unknown = client.stdout === '' ? [] : JSON.parse(client.stdout);
  if (!Array.isArray(answers)) throw new Error(`the client printed no array: ${client.stdout}`);
  return answersByNode(answers.filter(isObject));
}

/** What a manager has in its history about the request for this service, as in `Told`; empty when it knows of none. */
export type Recall = (service: string) => Promise<ReadonlyMap<string, string>>;

export function recallOf(history: History): Recall {
  return async (service) => {
    const [request] = await history.list({ service });
    if (request === undefined) return new Map();
    return answersByNode((await history.answers(request.id)) as unknown as JsonObject[]);
  };
}

export function answersByNode(answers: readonly JsonObject[]): ReadonlyMap<string, string> {
  return new Map(
    answers.map((answer) => {
      const { result, node, code } = answer;
      if (!isObject(result)) return [String(node), String(code)];
      return [String(result['node']), result['returncode'] === 0 ? 'ok' : 'failed'];
    }),
  );
}

export interface Account {
  readonly answers: number;
  readonly lost: readonly string[];
  readonly twice: readonly string[];
}

export interface Books {
  readonly service: string;
  readonly agents: readonly Counted[];
  /** What the client has got, where its window was still open. */
  readonly client?: ReadonlyMap<string, string>;
  /** Of each manager that has to know all answers in the end. */
  readonly histories: readonly Recall[];
  readonly withinMs?: number;
}

const historyPollMs = 50;

/**
 * Compares what was done with what was told: each node owes one answer to the client (while its window is open) and
 * to every history, and has acted at most once.
 */
export async function settle({
  service,
  agents,
  client,
  histories,
  withinMs = 10_000,
}: Books): Promise<Account> {
  const missing = (told: ReadonlyMap<string, string>) => agents.filter(({ node }) => !told.has(node));
  const lost = client === undefined ? [] : missing(client).map(({ node }) => `${node} (to the client)`);
  for (const [index, recall] of histories.entries()) {
    const endsAt = performance.now() + withinMs;
    let gaps = missing(await recall(service));
    while (gaps.length > 0 && performance.now() < endsAt) {
      await sleep(historyPollMs);
      gaps = missing(await recall(service));
    }
    lost.push(...gaps.map(({ node }) => `${node} (in history ${index + 1})`));
  }
  const twice = agents.filter((agent) => agent.runs(service) > 1).map(({ node }) => node);
  return { answers: agents.length * (histories.length + (client === undefined ? 0 : 1)), lost, twice };
}
