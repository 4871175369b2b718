import { type LogLevel, logLevels } from '../platform/log.ts';
import type { ActionName, NodeName, Topic } from '../wire/fields.ts';
import { type Key, optionalKey, requiredKey } from './key.ts';
import { type Check, readSettings } from './reader.ts';
import { keysThatDiffer } from './reload.ts';
import {
  absolutePath,
  actionName,
  bindEndpoint,
  byteSize,
  connectEndpoint,
  duration,
  listOf,
  listOrNone,
  nodeName,
  oneOf,
  programFile,
  roleName,
  topic,
} from './values.ts';

/** /etc/service-mgr/service-mgr-agentd.conf */
export interface AgentConfig {
  /** One manager stands at the same place in both lists. */
  readonly managerEndpoints: readonly string[];
  readonly sinkEndpoints: readonly string[];
  readonly mgmtEndpoint: string;
  /** Undefined: the host name. */
  readonly nodeName: NodeName | undefined;
  readonly stateDir: string;
  readonly roles: readonly string[];
  readonly topics: readonly Topic[];
  readonly protocol: 'v1' | 'v2';
  readonly actionTimeoutMs: number;
  readonly outputLimitBytes: number;
  readonly serviceProgram: string;
  readonly extraActions: readonly ActionName[];
  readonly logLevel: LogLevel;
}

const dayMs = 86_400_000;

export const agentKeys = {
  managerEndpoints: requiredKey(
    'manager_endpoint',
    listOf(connectEndpoint),
    'The backend of the manager; several managers are separated by commas, and the agent serves all of them.',
  ),
  sinkEndpoints: requiredKey(
    'sink_endpoint',
    listOf(connectEndpoint),
    'The sink of the manager; for several managers in the same order as manager_endpoint.',
  ),
  mgmtEndpoint: requiredKey(
    'mgmt_endpoint',
    bindEndpoint,
    'Where "service-mgr-agentd status" and "service-mgr-agentd stop" reach the agent; tcp://127.0.0.1:PORT keeps it to this host.',
  ),
  nodeName: optionalKey(
    'node_name',
    nodeName,
    undefined,
    'The name of this node instead of its host name, for containers and for several agents on one host.',
  ),
  stateDir: optionalKey(
    'state_dir',
    absolutePath,
    '/var/lib/service-mgr/agent',
    'The directory in which the agent keeps what has to survive a restart.',
  ),
  roles: optionalKey(
    'roles',
    listOrNone(roleName),
    '',
    'What this node is for, such as: web, database; each one becomes the topic role:NAME.',
  ),
  topics: optionalKey(
    'topics',
    listOrNone(topic),
    '',
    'More topics this node listens to, separated by commas, so a topic cannot contain a comma.',
  ),
  protocol: optionalKey(
    'protocol',
    oneOf(['v1', 'v2']),
    'v2',
    'The wire format of its managers; v1 is for managers of the 2014 release.',
  ),
  actionTimeout: optionalKey(
    'action_timeout',
    duration(100, dayMs),
    '60',
    'Seconds after which an action that is still running is ended.',
  ),
  outputLimit: optionalKey(
    'output_limit',
    byteSize(1_024, 262_144),
    '64KiB',
    'How much of the output of an action is kept and sent.',
  ),
  serviceProgram: optionalKey(
    'service_program',
    programFile,
    'service',
    'The service(8) program, by name or by absolute path.',
  ),
  logLevel: optionalKey(
    'log_level',
    oneOf(logLevels),
    'info',
    'What the log says at least: debug, info, warn or error.',
  ),
  extraActions: optionalKey(
    'extra',
    listOrNone(actionName),
    '',
    'Actions that services of this node accept beside the usual ones, such as: configtest, upgrade.',
    'actions',
  ),
};

export function readAgentConfig(text: string, fileName: string): AgentConfig {
  const settings = readSettings(text, fileName, Object.values(agentKeys), [refuseUnevenLists]);
  return {
    managerEndpoints: settings.get(agentKeys.managerEndpoints),
    sinkEndpoints: settings.get(agentKeys.sinkEndpoints),
    mgmtEndpoint: settings.get(agentKeys.mgmtEndpoint),
    nodeName: settings.find(agentKeys.nodeName),
    stateDir: settings.get(agentKeys.stateDir),
    roles: settings.get(agentKeys.roles),
    topics: settings.get(agentKeys.topics),
    protocol: settings.get(agentKeys.protocol),
    actionTimeoutMs: settings.get(agentKeys.actionTimeout),
    outputLimitBytes: settings.get(agentKeys.outputLimit),
    serviceProgram: settings.get(agentKeys.serviceProgram),
    extraActions: settings.get(agentKeys.extraActions),
    logLevel: settings.get(agentKeys.logLevel),
  };
}

const refuseUnevenLists: Check = (settings) => {
  const managers = settings.find(agentKeys.managerEndpoints);
  const sinks = settings.find(agentKeys.sinkEndpoints);
  if (managers === undefined || sinks === undefined || managers.length === sinks.length) return [];
  return [
    {
      key: agentKeys.sinkEndpoints,
      expected: `as many endpoints as in manager_endpoint, which has ${managers.length}`,
    },
  ];
};

/** What a running agent takes over at once. */
type Live = 'roles' | 'topics' | 'logLevel';

const fixed: Readonly<Record<Exclude<keyof AgentConfig, Live>, Key<unknown>>> = {
  managerEndpoints: agentKeys.managerEndpoints,
  sinkEndpoints: agentKeys.sinkEndpoints,
  mgmtEndpoint: agentKeys.mgmtEndpoint,
  nodeName: agentKeys.nodeName,
  stateDir: agentKeys.stateDir,
  protocol: agentKeys.protocol,
  actionTimeoutMs: agentKeys.actionTimeout,
  outputLimitBytes: agentKeys.outputLimit,
  serviceProgram: agentKeys.serviceProgram,
  extraActions: agentKeys.extraActions,
};

/** The keys of which the values differ, but only take effect at the next start. */
export function agentKeysForRestart(running: AgentConfig, next: AgentConfig): string[] {
  return keysThatDiffer(fixed, running, next);
}
