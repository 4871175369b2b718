import type { OnOutput, ProcessExit } from '../platform/processes.ts';
import type { ActionName, ServiceName, State } from '../wire/fields.ts';
import type { ListedService, MemberResult, Verification } from '../wire/result.ts';

export interface ProviderResult extends ProcessExit {
  /** Name of the provider that carried the action out, such as `service(8)`. */
  readonly provider: string;
  readonly state: State;
  /** The name that the host knows the service by, where that is another one. */
  readonly ranAs?: ServiceName;
  /** Whether the service then was what the action should make it. */
  readonly verification?: Verification;
  /** Of a service bundle: what became of each member, in the order in which they had their turn. */
  readonly members?: readonly MemberResult[];
  /** Of `list`: the services of this host. */
  readonly services?: readonly ListedService[];
}

/** What a service is right now. */
export interface Inspection {
  readonly state: State;
  /** Its main process; undefined where the host does not say, or there is none. */
  readonly mainPid: number | undefined;
  /** It is one that does its work and ends, does not run, and nothing is known to have kept it from its work. */
  readonly hasDoneItsWork?: true;
}

export interface ReadLimits {
  readonly timeoutMs: number;
  /** When aborted, the action is ended as at its time limit. */
  readonly signal?: AbortSignal;
}

/** A look has these, and nothing of what else an action is given: what a look prints is not for those who watch it. */
export function readLimits(timeoutMs: number, signal: AbortSignal | undefined): ReadLimits {
  return signal === undefined ? { timeoutMs } : { timeoutMs, signal };
}

export interface ActionLimits extends ReadLimits {
  /** How long the service must stay what the action made it; 0: don't look; undefined: as this host is set up. */
  readonly settleMs?: number;
  /** Gets what the action prints, as it comes. */
  readonly onOutput?: OnOutput;
  /** When aborted, the action itself goes on, but its result comes at once with what is known of the service by then. */
  readonly conclude?: AbortSignal;
}

/** Carries an action out on this host. */
export interface Provider {
  /**
   * Resolves with what the host's service manager said, whatever that was. Rejects with PROVIDER_FAILED when it could
   * not be asked. After `timeoutMs` the action is ended and the result says so.
   */
  run(service: ServiceName, action: ActionName, limits: ActionLimits): Promise<ProviderResult>;
  /** Looks, and changes nothing. `unknown` when it cannot be told in time. Rejects with PROVIDER_FAILED as `run` does. */
  inspect(service: ServiceName, limits: ReadLimits): Promise<Inspection>;
  /**
   * Every service that an action under this name may touch, the name itself among them: what shares one of them must
   * not run at the same time. Without it a name stands for itself alone.
   */
  namesOf?(service: ServiceName): readonly ServiceName[];
}
