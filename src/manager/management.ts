import type { HostFacts } from '../platform/host.ts';
import { unameOf } from '../platform/host.ts';
import type { ManagementHandlers } from '../wire/management.ts';
import { version } from '../wire/version.ts';
import type { Counters } from './counters.ts';
import type { ManagerConfig } from './manager.ts';

export interface ManagementDeps {
  readonly config: ManagerConfig;
  readonly host: HostFacts;
  readonly publisherPort: () => number;
  readonly uptimeMs: () => number;
  readonly counters: () => Counters;
  readonly stop: () => void;
}

/** What a manager answers on its management socket: the 2014 fields, and beside them version, uptime and counters. */
export function managementHandlers(deps: ManagementDeps): ManagementHandlers {
  const { config } = deps;
  return {
    'manager.status': () => ({
      success: 0,
      msg: 'Service Manager Status',
      result: {
        status: 'running',
        uname: unameOf(deps.host),
        frontend_endpoint: config.frontendEndpoint,
        backend_endpoint: config.backendEndpoint,
        sink_endpoint: config.sinkEndpoint,
        mgmt_endpoint: config.mgmtEndpoint,
        publisher_endpoint: config.publisherEndpoint,
        result_publisher_port: deps.publisherPort(),
        version,
        uptimeMs: Math.round(deps.uptimeMs()),
        counters: deps.counters(),
      },
    }),
    'manager.shutdown': () => {
      deps.stop();
      return { success: 0, msg: 'Service Manager is shutting down' };
    },
  };
}
