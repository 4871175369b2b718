import { built, Daemon, type DaemonOptions, type Setting, type Settings } from './daemon.ts';
import { isObject, type JsonObject, waitForSubscribers } from './management.ts';
import { freeEndpoint } from './ports.ts';
import { type Ended, runProgram, startProgram } from './processes.ts';
import type { Program } from './program.ts';

export interface ManagerEndpoints {
  readonly frontend: string;
  readonly backend: string;
  readonly sink: string;
  readonly mgmt: string;
  readonly publisher: string;
}

/** What an agent needs to know of a manager, ours or a v1 one. */
export interface AgentLink {
  readonly endpoints: Pick<ManagerEndpoints, 'backend' | 'sink'>;
}

export interface ManagerOptions extends DaemonOptions {
  readonly endpoints?: Partial<ManagerEndpoints>;
}

export interface AgentOptions extends DaemonOptions {
  /** The managers it serves, in order. */
  readonly managers: readonly AgentLink[];
  /** A name of its own when not given: all agents of a test run on one host. */
  readonly nodeName?: string;
  readonly mgmtEndpoint?: string;
  readonly roles?: readonly string[];
  readonly topics?: readonly string[];
  readonly protocol?: 'v1' | 'v2';
  /** As in the config: seconds, or with a unit. */
  readonly actionTimeout?: Setting;
  /** As in the config: bytes, or with KiB or MiB. */
  readonly outputLimit?: Setting;
  readonly serviceProgram?: string;
  readonly extraActions?: readonly string[];
}

export interface ClientOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** See `ProgramOptions`. */
  readonly within?: readonly string[];
  readonly deadlineMs?: number;
}

let agentCount = 0;

/** Starts our manager on loopback; resolves when it says that it has started. */
export async function startManager(options: ManagerOptions = {}): Promise<RunningManager> {
  const free = {
    frontend: await freeEndpoint(),
    backend: await freeEndpoint(),
    sink: await freeEndpoint(),
    mgmt: await freeEndpoint(),
    publisher: await freeEndpoint(),
  };
  const manager = new RunningManager({ ...free, ...options.endpoints }, options);
  await manager.start();
  return manager;
}

/** Starts our agent on loopback; resolves when it says that it has started, connected or not. */
export async function startAgent(options: AgentOptions): Promise<RunningAgent> {
  agentCount += 1;
  const nodeName = options.nodeName ?? `node${agentCount}`;
  const mgmtEndpoint = options.mgmtEndpoint ?? (await freeEndpoint());
  const agent = new RunningAgent(nodeName, mgmtEndpoint, options);
  await agent.start();
  return agent;
}

/** Runs our client to its end: `runClient(['-e', endpoint, '-T', 'any', '-c', 'status', '-s', 'cron'])`. */
export async function runClient(args: readonly string[], options: ClientOptions = {}): Promise<ClientRun> {
  const file = built('service-mgr-client');
  const ended = await runProgram(process.execPath, [file, ...args], { label: 'client', ...options });
  return { ...ended, answers: () => answersIn(ended) };
}

/** Starts our client, for tests that send it a signal or read its output as it comes. */
export function startClient(args: readonly string[], options: ClientOptions = {}): Program {
  return startProgram(process.execPath, [built('service-mgr-client'), ...args], {
    label: 'client',
    ...options,
  });
}

export interface ClientRun extends Ended {
  /** Standard output read as the JSON array of answers; throws, with both outputs, when it is none. */
  answers(): JsonObject[];
}

export class RunningManager extends Daemon {
  readonly endpoints: ManagerEndpoints;

  constructor(endpoints: ManagerEndpoints, options: ManagerOptions) {
    const settings = {
      frontend_endpoint: endpoints.frontend,
      backend_endpoint: endpoints.backend,
      sink_endpoint: endpoints.sink,
      mgmt_endpoint: endpoints.mgmt,
      publisher_endpoint: endpoints.publisher,
    };
    super('manager', `manager ${endpoints.frontend}`, endpoints.mgmt, settings, options);
    this.endpoints = endpoints;
  }

  /** Resolves with the number of connected agents once it is at least `count`. */
  waitForSubscribers(count: number, deadlineMs?: number): Promise<number> {
    return waitForSubscribers(this.endpoints.mgmt, count, deadlineMs);
  }

  /** The client's command line for a request to this manager; nobody can be asked whether it may run. */
  request(topic: string, action: string, service: string, ...more: readonly string[]): string[] {
    return ['-e', this.endpoints.frontend, '-T', topic, '-c', action, '-s', service, '--yes', ...more];
  }
}

export class RunningAgent extends Daemon {
  readonly nodeName: string;

  constructor(nodeName: string, mgmtEndpoint: string, options: AgentOptions) {
    const settings = {
      manager_endpoint: options.managers.map(({ endpoints }) => endpoints.backend).join(', '),
      sink_endpoint: options.managers.map(({ endpoints }) => endpoints.sink).join(', '),
      mgmt_endpoint: mgmtEndpoint,
      node_name: nodeName,
      // Tests of other things don't wait until a service has settled.
      settle_time: 0,
      ...given('roles', options.roles?.join(', ')),
      ...given('topics', options.topics?.join(', ')),
      ...given('protocol', options.protocol),
      ...given('action_timeout', options.actionTimeout),
      ...given('output_limit', options.outputLimit),
      ...given('service_program', options.serviceProgram),
    };
    const extra = options.extraActions?.join(', ');
    const sections = extra === undefined ? {} : { actions: { extra } };
    super('agent', `agent ${nodeName}`, mgmtEndpoint, settings, options, sections);
    this.nodeName = nodeName;
  }
}

function given(key: string, value: Setting | undefined): Settings {
  return value === undefined ? {} : { [key]: value };
}

function answersIn({ code, stdout, stderr }: Ended): JsonObject[] {
  try {
    const answers: unknown = JSON.parse(stdout);
    if (Array.isArray(answers)) return answers.filter(isObject);
  } catch {
    // Said below, with what was printed instead.
  }
  throw new Error(
    `client (code ${code}): no JSON array\n--- stdout ---\n${stdout}\n--- stderr ---\n${stderr}`,
  );
}
