import type { ProviderResult } from '../provider/provider.ts';
import type { AuditHead } from '../security/audit-chain.ts';
import type { CurveKeys } from '../security/keys.ts';
import type { Policy } from '../security/policy.ts';
import type { KeyFolder } from '../store/key-folder.ts';
import type { ManagerKeyFiles } from '../store/manager-key-files.ts';
import type { NodeName } from '../wire/fields.ts';
import type { ConfigSource } from './serve-until-stopped.ts';

/** An audit log on this host, for who may read its file. */
export interface AuditHome {
  readonly file: string;
  /** All of it, from the oldest part to the present one. */
  read(): AsyncIterable<Uint8Array>;
  /** As the daemon noted it elsewhere when it last had the time; undefined where it never had. */
  storedHead(): Promise<AuditHead | undefined>;
}

export interface PolicyHome {
  readonly file: string;
  /** Undefined where there is no such file. */
  read(): Policy | undefined;
}

/** What the commands of a daemon need of its configuration, beside its management socket. All methods throw BAD_CONFIG. */
export interface DaemonHome {
  /** What the manager calls itself, or the agent its node. */
  readonly name: NodeName;
  /** Of its management socket, as seen from this host. */
  readonly managementEndpoint: string;
  /** By which its management socket knows who may manage it; undefined: it runs without security. */
  ownKeys(): CurveKeys | undefined;
  readonly policy: PolicyHome;
  /** Undefined where nothing is written down. */
  readonly audit: AuditHome | undefined;
}

export interface ManagerHome extends DaemonHome {
  readonly keys: ManagerKeyFiles;
  /** Where it hears strangers; undefined: nowhere. */
  readonly joinEndpoint: string | undefined;
}

export interface AgentHome extends DaemonHome {
  readonly folder: KeyFolder;
  /**
   * Has the service manager of this host start the agent, again if it runs, and resolves with what that said. Rejects with
   * PROVIDER_FAILED when it could not be asked.
   */
  restart(): Promise<ProviderResult>;
}

/** Opens the home of a daemon with its configuration; undefined where there is no such file: then all is as by default. */
export type OpenHome<Home extends DaemonHome> = (source: ConfigSource | undefined) => Home;
