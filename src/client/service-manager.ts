import type { Clock } from '../platform/clock.ts';
import type { AskDeps, AskOptions } from './ask.ts';
import { Connections } from './connections.ts';
import type { ClientDeps } from './deps.ts';
import { History } from './history.ts';
import type { Order } from './order.ts';
import type { PendingRequest } from './pending-request.ts';
import { type Plan, plan, send } from './requests.ts';

export interface ServiceManagerOptions {
  /** Frontends of the managers, in order of preference. Default: those that were joined, else `tcp://localhost:5500`. */
  readonly endpoints?: readonly string[];
  /** The folder with the keys and the joined managers of `service-mgr-client join`. Default `~/.config/service-mgr`. */
  readonly keyDir?: string;
  /** `curve`: with keys or not at all. `none`: without. `auto`, the default: with keys where there are some. */
  readonly security?: 'auto' | 'curve' | 'none';
  /** Without keys managers beyond this host may be asked as well, with `security: 'none'`. Default false. */
  readonly allowInsecure?: boolean;
  /** How long one try waits for a manager's reply, in milliseconds. Default 1,000. */
  readonly timeoutMs?: number;
  /** Tries per manager. Default 3. */
  readonly retries?: number;
  /** Questions (`history`) no longer wait for a reply when it is aborted. Orders have a signal of their own. */
  readonly signal?: AbortSignal;
}

/** A client of one fleet: sends orders to the first manager that answers, and collects what the nodes say. */
export class ServiceManagerClient {
  readonly #options: AskOptions;
  readonly #connections: Connections;
  readonly #deps: AskDeps;
  /** Where it asks, in this order. */
  get endpoints(): readonly string[] {
    return this.#options.endpoints;
  }

  /** Questions about nodes and about earlier requests. */
  readonly history: History;
  /** What windows are measured with. */
  readonly clock: Clock;

  constructor(options: ServiceManagerOptions, deps: ClientDeps) {
    const { identity, missingIdentity, clock, newId, sockets } = deps;
    const joined = identity?.frontends ?? [];
    const { endpoints = joined.length > 0 ? joined : ['tcp://localhost:5500'] } = options;
    const { timeoutMs = 1_000, retries = 3, signal } = options;
    this.#options = { endpoints, timeoutMs, retries, signal };
    this.clock = clock;
    this.#connections = new Connections(sockets, clock, identity);
    this.#deps = { connections: this.#connections, clock, newId, identity, missingIdentity };
    this.history = new History(this.#options, this.#deps);
  }

  /**
   * Resolves when a manager took the order. Rejects with a ServiceManagerError: INVALID_MESSAGE for a bad order, the
   * code of the manager's refusal, INVALID_REPLY, or MANAGER_UNREACHABLE. A service that failed is an answer, not an error.
   */
  send(order: Order): Promise<PendingRequest> {
    return send(order, this.#options, this.#deps);
  }

  /**
   * Whom the order would reach now; nothing is run. With its token as `plan` of an order, that runs on exactly these
   * nodes or not at all. Rejects as `send` does, and with REFUSED from a manager of 2014, which cannot tell.
   */
  plan(order: Order): Promise<Plan> {
    return plan(order, this.#options, this.#deps);
  }

  /** Closes its connections; what still waits for answers gets none. Twice is harmless. */
  close(): Promise<void> {
    return this.#connections.close();
  }
}
