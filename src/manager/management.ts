import { aim } from '../core/aim.ts';
import type { HostFacts } from '../platform/host.ts';
import { unameOf } from '../platform/host.ts';
import type { Auditor } from '../store/auditor.ts';
import { PolicyQuestion } from '../wire/admin.ts';
import { ServiceManagerError } from '../wire/errors.ts';
import type { ManagementHandlers, ManagementReply } from '../wire/management.ts';
import { version } from '../wire/version.ts';
import { knownNodes } from './aim.ts';
import type { ManagerEndpoints } from './bound-sockets.ts';
import type { Counters } from './counters.ts';
import type { Gatehouse } from './gatehouse.ts';
import { ownFingerprint } from './key-desk.ts';
import type { PresenceDesk } from './presence.ts';

export interface ManagementDeps {
  readonly config: ManagerEndpoints;
  readonly host: HostFacts;
  /** Undefined where there is no security. */
  readonly gate: Gatehouse | undefined;
  readonly auditor: Auditor;
  readonly presence: PresenceDesk;
  readonly publisherPort: () => number;
  /** Of this process. */
  readonly pid: number;
  readonly uptimeMs: () => number;
  readonly counters: () => Counters;
  readonly stop: () => void;
}

/** What a manager answers on its management socket: the 2014 fields, and beside them version, uptime and counters. */
export function managementHandlers(deps: ManagementDeps): ManagementHandlers {
  const { gate, presence, auditor } = deps;
  return {
    'manager.status': () => status(deps),
    'manager.shutdown': () => {
      auditor.event('manager.shutdown', {});
      deps.stop();
      return { success: 0, msg: 'Service Manager is shutting down' };
    },
    'manager.audit.head': () => done('Audit head', auditHead(auditor)),
    ...(gate === undefined ? {} : gate.keys.handlers()),
    ...(gate === undefined ? {} : { 'manager.policy.test': (args) => testPolicy(args, gate, presence) }),
  };
}

function status({ config, host, gate, ...deps }: ManagementDeps): ManagementReply {
  return done('Service Manager Status', {
    status: 'running',
    uname: unameOf(host),
    frontend_endpoint: config.frontendEndpoint,
    backend_endpoint: config.backendEndpoint,
    sink_endpoint: config.sinkEndpoint,
    mgmt_endpoint: config.mgmtEndpoint,
    publisher_endpoint: config.publisherEndpoint,
    result_publisher_port: deps.publisherPort(),
    version,
    pid: deps.pid,
    uptimeMs: Math.round(deps.uptimeMs()),
    ...(gate === undefined ? insecure : secure(gate)),
    counters: deps.counters(),
  });
}

/** Said at every start, too. */
export const insecure = {
  security: 'none',
  warning: 'there is no access control: whoever reaches these ports may use them',
} as const;

function secure({ own, ring }: Gatehouse): Readonly<Record<string, unknown>> {
  const keys = ring.keys();
  const count = (wanted: string) => keys.filter(({ state }) => state === wanted).length;
  return {
    security: 'curve',
    fingerprint: ownFingerprint(own.current),
    keys: { accepted: count('accepted'), pending: count('pending'), revoked: count('revoked') },
  };
}

function testPolicy(args: unknown, { policy }: Gatehouse, presence: PresenceDesk): ManagementReply {
  const question = PolicyQuestion.parse(args);
  const aimed = aim({ topic: question.target }, knownNodes(presence));
  const { roster } = presence;
  const members =
    aimed.kind === 'topic'
      ? roster.onTopic(aimed.topic)
      : aimed.nodes.map((node) => roster.get(node)).filter((member) => member !== undefined);
  return done('Policy', { ...policy.test(question, members) });
}

function auditHead({ head }: Auditor): Record<string, unknown> {
  if (head === undefined)
    throw new ServiceManagerError('BAD_CONFIG', 'this manager keeps no audit log (audit = no)');
  return { ...head };
}

function done(msg: string, result: Record<string, unknown>): ManagementReply {
  return { success: 0, msg, result };
}
