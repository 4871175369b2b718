import { type HostFacts, unameOf } from '../platform/host.ts';
import type { ManagementHandlers } from '../wire/management.ts';
import { version } from '../wire/version.ts';

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
}

export interface AgentManagementDeps {
  readonly managerEndpoints: readonly string[];
  readonly sinkEndpoints: readonly string[];
  readonly mgmtEndpoint: string;
  readonly node: string;
  readonly topics: () => ReadonlySet<string>;
  readonly host: HostFacts;
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
        node: deps.node,
        topics: [...deps.topics()],
        version,
        uptimeMs: Math.round(deps.uptimeMs()),
        counters: deps.counters(),
      },
    }),
    'agent.shutdown': () => {
      deps.stop();
      return { success: 0, msg: 'Service Manager Agent is shutting down' };
    },
  };
}
