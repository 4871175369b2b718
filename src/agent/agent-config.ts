import type { Clock } from '../platform/clock.ts';
import type { HostFacts } from '../platform/host.ts';
import type { Log } from '../platform/log.ts';
import type { Sockets } from '../platform/sockets.ts';
import type { Provider } from '../provider/provider.ts';
import type { CurveKeys } from '../security/keys.ts';
import type { KnownManager } from '../security/known-manager.ts';
import type { AuditLog } from '../store/auditor.ts';
import type { Journal } from '../store/journal.ts';
import type { NodeName, Topic } from '../wire/fields.ts';
import type { BootId } from '../wire/presence.ts';
import type { ProtocolVersion } from '../wire/topic.ts';
import type { GateRules } from './gate.ts';
import type { HealthChecks } from './health.ts';

export interface AgentConfig {
  /** Pairwise: the backend and the sink of each manager served. */
  readonly managerEndpoints: readonly string[];
  readonly sinkEndpoints: readonly string[];
  readonly mgmtEndpoint: string;
  /** In place of the host name. */
  readonly nodeName: NodeName | undefined;
  readonly roles: readonly string[];
  readonly topics: readonly Topic[];
  readonly protocol: ProtocolVersion;
  readonly actionTimeoutMs: number;
  readonly extraActions: readonly string[];
}

export interface AgentDeps {
  readonly sockets: Sockets;
  readonly clock: Clock;
  readonly log: Log;
  readonly host: HostFacts;
  /** Of this process; shown by `agent.status`. */
  readonly pid: number;
  readonly provider: Provider;
  /** As the configuration names it; shown by `agent.status`. */
  readonly providerName?: string;
  readonly health: HealthChecks;
  readonly journal: Journal;
  /** Undefined: whoever reaches the agent is obeyed. */
  readonly security?: AgentSecurity | undefined;
  /** Whose requests count, and what the policy of this host lets them do. */
  readonly rules: GateRules;
  /** Where it is written down what was asked of this host; undefined: nowhere. */
  readonly audit?: AuditLog | undefined;
  /** New at every start. */
  readonly boot: BootId;
  /** From 0 up to, but not including 1. */
  readonly random: () => number;
}

/** What an agent with security has beside all others. */
export interface AgentSecurity {
  readonly own: CurveKeys;
  /** Those that may be at the other end of each link, in the order of the endpoints. */
  readonly managers: ReadonlyArray<readonly KnownManager[]>;
  /** A manager is known by another key from now on. Throws BAD_CONFIG when that cannot be kept. */
  readonly keep: (manager: KnownManager) => void;
}

/** What a running agent takes over at once. */
export interface LiveConfig extends Pick<AgentConfig, 'roles' | 'topics'> {
  readonly rules: GateRules;
  /** Its own keys; read only where there is security. */
  readonly own: CurveKeys | undefined;
}
