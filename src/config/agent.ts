import { type LogLevel, logLevels } from '../platform/log.ts';
import type { ActionName, NodeName, ServiceName, Topic } from '../wire/fields.ts';
import { agentEndpointKeys, refuseUnevenLists } from './agent-endpoints.ts';
import {
  type AgentSecurity,
  agentSecurityForRestart,
  agentSecurityKeys,
  readAgentSecurity,
  refuseOldProtocol,
} from './agent-security.ts';
import {
  type BundleConfig,
  bundleSections,
  hostService,
  readBundles,
  refuseStrangeTimeouts,
} from './bundles.ts';
import { type FreeSection, type Key, optionalKey } from './key.ts';
import { readSettings } from './reader.ts';
import { keysThatDiffer } from './reload.ts';
import {
  absolutePath,
  actionName,
  byteSize,
  commandLine,
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
  /** One manager stands at the same place in both lists. Undefined: those of the managers that were joined. */
  readonly managerEndpoints: readonly string[] | undefined;
  readonly sinkEndpoints: readonly string[] | undefined;
  readonly mgmtEndpoint: string;
  /** Undefined: the host name. */
  readonly nodeName: NodeName | undefined;
  readonly stateDir: string;
  readonly roles: readonly string[];
  readonly topics: readonly Topic[];
  readonly protocol: 'v1' | 'v2';
  readonly actionTimeoutMs: number;
  readonly outputLimitBytes: number;
  readonly provider: (typeof providers)[number];
  /** Undefined: that of the provider. */
  readonly serviceProgram: string | undefined;
  /** Undefined: that of the provider. */
  readonly serviceFolder: string | undefined;
  readonly extraActions: readonly ActionName[];
  /** What to try where the host does not know a name. */
  readonly aliases: ReadonlyMap<string, readonly ServiceName[]>;
  readonly hasKnownAliases: boolean;
  /** By their names, without `bundle:`. */
  readonly bundles: ReadonlyMap<string, BundleConfig>;
  readonly logLevel: LogLevel;
  /** How long a service must stay what an action made it; 0: nobody looks. */
  readonly settleMs: number;
  /** Program and arguments of each health check `exec:NAME`. */
  readonly healthChecks: ReadonlyMap<string, readonly string[]>;
  readonly security: AgentSecurity;
}

const dayMs = 86_400_000;
const providers = ['auto', 'service', 'systemd', 'openrc', 'rc', 'init.d', 'runit'] as const;

export const agentKeys = {
  ...agentEndpointKeys,
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
  settleTime: optionalKey(
    'settle_time',
    duration(0, 3_600_000),
    '2',
    'Seconds for which a service must stay what an action made it, before the action counts as gone well; 0: nobody looks.',
  ),
  outputLimit: optionalKey(
    'output_limit',
    byteSize(1_024, 262_144),
    '64KiB',
    'How much of the output of an action is kept and sent.',
  ),
  provider: optionalKey(
    'provider',
    oneOf(providers),
    'auto',
    'What starts and stops the services of this node; auto finds out what booted the host, see docs/PROVIDERS.md.',
  ),
  serviceProgram: optionalKey(
    'service_program',
    programFile,
    undefined,
    'The program of the provider by name or by absolute path, such as service or systemctl; with provider = auto it is service(8).',
  ),
  serviceFolder: optionalKey(
    'service_folder',
    absolutePath,
    undefined,
    'Where provider = init.d has its scripts, or provider = runit its services.',
  ),
  builtinAliases: optionalKey(
    'builtin_aliases',
    oneOf(['yes', 'no']),
    'yes',
    'Whether the other names of well-known services (cron and crond, ssh and sshd, apache2 and httpd and more) are tried where this host does not know a service.',
  ),
  logLevel: optionalKey(
    'log_level',
    oneOf(logLevels),
    'info',
    'What the log says at least: debug, info, warn or error.',
  ),
  ...agentSecurityKeys,
  extraActions: optionalKey(
    'extra',
    listOrNone(actionName),
    '',
    'Actions that services of this node accept beside the usual ones, such as: configtest, upgrade.',
    'actions',
  ),
};

export const aliasSection: FreeSection<readonly ServiceName[]> = {
  section: 'aliases',
  names: hostService,
  values: listOf(hostService),
  summary:
    'Other names to try, in this order, where this host does not know a service; an alias goes one way only.',
};

export const healthSection: FreeSection<readonly string[]> = {
  section: 'health',
  names: healthCheckName,
  values: commandLine,
  summary:
    'Programs that tell by exit code 0 that a service does its work, each under the name by which a request may ask for it.',
};

export function readAgentConfig(text: string, fileName: string): AgentConfig {
  const settings = readSettings(
    text,
    fileName,
    Object.values(agentKeys),
    [refuseUnevenLists, refuseOldProtocol(agentKeys.protocol), refuseStrangeTimeouts],
    [aliasSection, healthSection],
    [bundleSections],
  );
  return {
    managerEndpoints: settings.find(agentKeys.managerEndpoints),
    sinkEndpoints: settings.find(agentKeys.sinkEndpoints),
    mgmtEndpoint: settings.get(agentKeys.mgmtEndpoint),
    nodeName: settings.find(agentKeys.nodeName),
    stateDir: settings.get(agentKeys.stateDir),
    roles: settings.get(agentKeys.roles),
    topics: settings.get(agentKeys.topics),
    protocol: settings.get(agentKeys.protocol),
    actionTimeoutMs: settings.get(agentKeys.actionTimeout),
    outputLimitBytes: settings.get(agentKeys.outputLimit),
    provider: settings.get(agentKeys.provider),
    serviceProgram: settings.find(agentKeys.serviceProgram),
    serviceFolder: settings.find(agentKeys.serviceFolder),
    extraActions: settings.get(agentKeys.extraActions),
    aliases: settings.named(aliasSection),
    hasKnownAliases: settings.get(agentKeys.builtinAliases) === 'yes',
    bundles: readBundles(settings),
    logLevel: settings.get(agentKeys.logLevel),
    settleMs: settings.get(agentKeys.settleTime),
    healthChecks: settings.named(healthSection),
    security: readAgentSecurity(settings),
  };
}

/** What a running agent takes over at once. */
type Live = 'roles' | 'topics' | 'logLevel' | 'aliases' | 'hasKnownAliases' | 'bundles' | 'healthChecks';

const fixed: Readonly<Record<Exclude<keyof AgentConfig, Live | 'security'>, Key<unknown>>> = {
  ...agentEndpointKeys,
  nodeName: agentKeys.nodeName,
  stateDir: agentKeys.stateDir,
  protocol: agentKeys.protocol,
  actionTimeoutMs: agentKeys.actionTimeout,
  outputLimitBytes: agentKeys.outputLimit,
  provider: agentKeys.provider,
  serviceProgram: agentKeys.serviceProgram,
  serviceFolder: agentKeys.serviceFolder,
  extraActions: agentKeys.extraActions,
  settleMs: agentKeys.settleTime,
};

/** The keys of which the values differ, but only take effect at the next start. */
export function agentKeysForRestart(running: AgentConfig, next: AgentConfig): string[] {
  return [
    ...keysThatDiffer(fixed, running, next),
    ...agentSecurityForRestart(running.security, next.security),
  ];
}
