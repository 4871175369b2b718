import type { ActionName, NodeName, Topic } from '../wire/fields.ts';
import { type FreeSection, optionalKey, requiredKey } from './key.ts';
import { type Check, readSettings } from './reader.ts';
import {
  absolutePath,
  actionName,
  bindEndpoint,
  byteSize,
  commandLine,
  connectEndpoint,
  duration,
  healthCheckName,
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
  /** How long a service must stay what an action made it; 0: nobody looks. */
  readonly settleMs: number;
  /** Program and arguments of each health check `exec:NAME`. */
  readonly healthChecks: ReadonlyMap<string, readonly string[]>;
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
    '/var/lib/service-mgr',
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
  extraActions: optionalKey(
    'extra',
    listOrNone(actionName),
    '',
    'Actions that services of this node accept beside the usual ones, such as: configtest, upgrade.',
    'actions',
  ),
  settleTime: optionalKey(
    'settle_time',
    duration(0, 3_600_000),
    '2',
    'Seconds for which a service must stay what an action made it, before the action counts as gone well; 0: nobody looks.',
  ),
};

const healthSection: FreeSection<readonly string[]> = {
  section: 'health',
  names: healthCheckName,
  values: commandLine,
  summary:
    'Programs that tell by exit code 0 that a service does its work, each under the name by which a request may ask for it.',
};

export const agentSections = { health: healthSection };

export function readAgentConfig(text: string, fileName: string): AgentConfig {
  const settings = readSettings(
    text,
    fileName,
    Object.values(agentKeys),
    [refuseUnevenLists],
    [...Object.values(agentSections)],
  );
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
    settleMs: settings.get(agentKeys.settleTime),
    healthChecks: settings.named(agentSections.health),
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
