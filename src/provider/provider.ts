import type { ProcessExit } from '../platform/processes.ts';
import type { ActionName, ServiceName, State } from '../wire/fields.ts';

export interface ProviderResult extends ProcessExit {
  /** Name of the provider that carried the action out, such as `service(8)`. */
  readonly provider: string;
  readonly state: State;
}

export interface ActionLimits {
  readonly timeoutMs: number;
  /** When aborted, the action is ended as at its time limit. */
  readonly signal?: AbortSignal;
}

/** Carries an action out on this host. */
export interface Provider {
  /**
   * Resolves with what the host's service manager said, whatever that was. Rejects with PROVIDER_FAILED when it could
   * not be asked. After `timeoutMs` the action is ended and the result says so.
   */
  run(service: ServiceName, action: ActionName, limits: ActionLimits): Promise<ProviderResult>;
}
