import type { AskOptions } from './ask.ts';
import { type ClientDeps, type Order, type PendingRequest, send } from './requests.ts';

export interface ServiceManagerOptions {
  /** Frontends of the managers, in order of preference. Default `tcp://localhost:5500`. */
  readonly endpoints?: readonly string[];
  /** How long one try waits for a manager's reply, in milliseconds. Default 1,000. */
  readonly timeoutMs?: number;
  /** Tries per manager. Default 3. */
  readonly retries?: number;
}

/** A client of one fleet: sends orders to the first manager that answers, and collects what the nodes say. */
export class ServiceManagerClient {
  readonly #options: AskOptions;
  readonly #deps: ClientDeps;

  constructor(options: ServiceManagerOptions, deps: ClientDeps) {
    const { endpoints = ['tcp://localhost:5500'], timeoutMs = 1_000, retries = 3 } = options;
    this.#options = { endpoints, timeoutMs, retries };
    this.#deps = deps;
  }

  /**
   * Resolves when a manager took the order. Rejects with a ServiceManagerError: INVALID_MESSAGE for a bad order,
   * REFUSED, INVALID_REPLY, or MANAGER_UNREACHABLE. A service that failed is an answer, not an error.
   */
  send(order: Order): Promise<PendingRequest> {
    return send(order, this.#options, this.#deps);
  }
}
