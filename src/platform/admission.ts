import type { Clock } from './clock.ts';
import { RefusalLimit } from './refusal-limit.ts';
import type { AdmissionRules, Decide, Peer, RefusalReason, RefusedHandshake } from './socket-security.ts';

export interface AdmissionOptions {
  readonly clock: Clock;
  /** Refusals of one address before its new keys are refused unasked: how many at once, and how many each second. */
  readonly refusalBurst?: number;
  readonly refusalsPerSecond?: number;
}

const defaults = { refusalBurst: 100, refusalsPerSecond: 20 };
const mostConnections = 20_000;
const maxKnownKeys = 20_000;

/** Who may come in to the bound sockets of one program. Without a decider nobody may. */
export class Admission {
  readonly #refusals: RefusalLimit;
  readonly #connections = new Map<string, number>();
  // Keys that were let in before: a flood of strangers from their address doesn't shut them out.
  readonly #known = new Set<string>();
  #decide: Decide = () => false;
  #rules: AdmissionRules = {};

  constructor({ clock, ...limits }: AdmissionOptions) {
    const { refusalBurst, refusalsPerSecond } = { ...defaults, ...limits };
    this.#refusals = new RefusalLimit(clock, refusalBurst, refusalsPerSecond);
  }

  /** Without rules those of before stay. */
  authenticate(decide: Decide, rules = this.#rules): void {
    this.#decide = decide;
    this.#rules = rules;
  }

  /** Whether this peer may come in. Never throws because of the decider. */
  admits(peer: Peer): boolean {
    const key = peer.publicKey.toString('latin1');
    const { maxConnections } = this.#rules;
    if (this.connectionsOf(peer.domain) >= (maxConnections?.(peer.domain) ?? mostConnections))
      return this.#refusePeer(peer, 'too many connections');
    if (!this.#known.has(key) && this.#refusals.isReached(peer.address))
      return this.#refusePeer(peer, 'too often');
    try {
      // Whatever is not plainly a yes is a no.
      if (this.#decide(peer) !== true) return this.#refusePeer(peer, 'unknown key');
    } catch (cause) {
      return this.#refusePeer(peer, 'decider failed', cause);
    }
    this.#remember(key);
    return true;
  }

  /** For what never came as far as `admits`. */
  refuse(refusal: RefusedHandshake): void {
    this.#rules.onRefused?.(refusal);
  }

  connectionsOf(domain: string): number {
    return this.#connections.get(domain) ?? 0;
  }

  /** Connections that a socket of this domain got, or lost when negative. */
  count(domain: string, change: number): void {
    const connections = this.connectionsOf(domain) + change;
    if (connections > 0) this.#connections.set(domain, connections);
    else this.#connections.delete(domain);
  }

  #refusePeer(peer: Peer, reason: RefusalReason, cause?: unknown): false {
    if (reason === 'unknown key' || reason === 'decider failed') this.#refusals.count(peer.address);
    if (reason === 'unknown key') this.#known.delete(peer.publicKey.toString('latin1'));
    this.refuse({ ...peer, reason, ...(cause === undefined ? {} : { cause }) });
    return false;
  }

  #remember(key: string): void {
    this.#known.delete(key);
    this.#known.add(key);
    if (this.#known.size <= maxKnownKeys) return;
    for (const oldest of this.#known) {
      this.#known.delete(oldest);
      return;
    }
  }
}
