import { type HostFacts, unameOf } from '../platform/host.ts';
import { fingerprintOf } from '../security/fingerprint.ts';
import type { Auditor } from '../store/auditor.ts';
import { ServiceManagerError } from '../wire/errors.ts';
import type { ManagementHandlers } from '../wire/management.ts';
import { version } from '../wire/version.ts';
import type { AgentSecurity } from './agent-config.ts';
import type { Self } from './self.ts';

/** What an agent has seen since it started; shown by `agent.status`. */
export interface AgentCounters {
  readonly requests: number;
  /** Running or waiting now. */
  readonly tasks: number;
  /** Answers that a manager has not confirmed yet. */
  readonly undelivered: number;
  readonly foreignTopics: number;
  readonly framesRejected: number;
  readonly messagesDropped: number;
  /** What should stand in the audit log and could not be written. */
  readonly auditEventsLost: number;
}

export interface AgentManagementDeps {
  readonly managerEndpoints: readonly string[];
  readonly sinkEndpoints: readonly string[];
  readonly mgmtEndpoint: string;
  readonly self: Pick<Self, 'node' | 'topics'>;
  readonly host: HostFacts;
  readonly providerName: string | undefined;
  /** As it is now; undefined where there is none. */
  readonly security: () => Pick<AgentSecurity, 'own' | 'managers'> | undefined;
  readonly auditor: Auditor;
  /** Of this process. */
  readonly pid: number;
  readonly uptimeMs: () => number;
  readonly counters: () => AgentCounters;
  readonly stop: () => void;
}

/** What an agent answers on its management socket: the 2014 fields, and beside them node, topics, version and counters. */
export function managementHandlers(deps: AgentManagementDeps): ManagementHandlers {
  return {
    'agent.status': () => ({
      success: 0,
      msg: 'Service Manager Agent Status',
      result: {
        status: 'running',
        uname: unameOf(deps.host),
        manager_endpoint: deps.managerEndpoints.join(', '),
        sink_endpoint: deps.sinkEndpoints.join(', '),
        mgmt_endpoint: deps.mgmtEndpoint,
        node: deps.self.node,
        topics: [...deps.self.topics],
        ...(deps.providerName === undefined ? {} : { provider: deps.providerName }),
        version,
        pid: deps.pid,
        ...securityOf(deps),
        uptimeMs: Math.round(deps.uptimeMs()),
        counters: deps.counters(),
      },
    }),
    'agent.audit.head': () => {
      const { head } = deps.auditor;
      if (head === undefined)
        throw new ServiceManagerError('BAD_CONFIG', 'this agent keeps no audit log (audit = no)');
      return { success: 0, msg: 'Audit head', result: { ...head } };
    },
    'agent.shutdown': () => {
      deps.stop();
      return { success: 0, msg: 'Service Manager Agent is shutting down' };
    },
  };
}

function securityOf(deps: AgentManagementDeps): Readonly<Record<string, unknown>> {
  const security = deps.security();
  if (security === undefined)
    return { security: 'none', warning: 'there is no access control: this agent does what it is told' };
  const { own, managers } = security;
  const known = managers.flat().map(({ name, key }) => `${name} ${fingerprintOf({ curve: key })}`);
  return {
    security: 'curve',
    fingerprint: fingerprintOf({ curve: own.publicKey }),
    managers: [...new Set(known)],
  };
}
