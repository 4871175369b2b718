import type { NodeName, RequestId } from '../wire/fields.ts';
import { Ledger, type LedgerOptions } from './ledger.ts';
import type { Aim, LedgerEvent } from './ledger-events.ts';
import type { RolloutPlan, RolloutProgress } from './rollout.ts';
import { type PastRollout, type RolloutAim, RolloutRun, type RolloutRunEffect } from './rollout-run.ts';

/** What a ledger wants done; `save` comes only from those of rollouts. */
export type RequestEffect = RolloutRunEffect;

export interface RequestLimits {
  readonly maxOpen: number;
  /**
   * Ended requests that stay in memory for their late answers; older ones are in the store. Those that end at once stay
   * until the next `tick` or `add`, however many they are: what came out at their end is still to be carried out.
   */
  readonly maxEnded: number;
  /** Of all ended ones together: one of a large fleet takes as much memory as thousands of others. */
  readonly maxEndedNodes: number;
}

/** The ledgers of a manager that are in memory: the open ones and the latest of the ended ones. */
export class Requests {
  readonly #limits: RequestLimits;
  readonly #options: LedgerOptions;
  readonly #open = new Map<RequestId, Ledger>();
  // In order of their end, the oldest first.
  readonly #ended = new Map<RequestId, Ledger>();
  /** What drives the ledgers of rollouts. */
  readonly #rollouts = new Map<RequestId, RolloutRun>();

  constructor(limits: RequestLimits, options: LedgerOptions) {
    this.#limits = limits;
    this.#options = options;
  }

  get openCount(): number {
    return this.#open.size;
  }

  get isFull(): boolean {
    return this.#open.size >= this.#limits.maxOpen;
  }

  get(id: RequestId): Ledger | undefined {
    return this.#open.get(id) ?? this.#ended.get(id);
  }

  /** A new ledger, or one of an earlier run; step it with `tick` when it is dispatched. */
  add(aim: Aim, now: number): Ledger {
    this.#forgetOldest();
    const ledger = new Ledger(aim, this.#options, now);
    this.#open.set(aim.id, ledger);
    return ledger;
  }

  /** The ledger of a new rollout, of which nobody was asked yet; step it with `tick` to begin. */
  addRollout(aim: RolloutAim, plan: RolloutPlan, now: number): Ledger {
    return this.#take(RolloutRun.open(aim, plan, this.#options, now));
  }

  /** The ledger of a rollout of an earlier run, which goes on with the next `tick` if it is not over. */
  restoreRollout(past: PastRollout, now: number): Ledger {
    return this.#take(RolloutRun.restore(past, this.#options, now));
  }

  /** Undefined for a request that is no rollout. */
  progress(id: RequestId): RolloutProgress | undefined {
    return this.#rollouts.get(id)?.progress();
  }

  step(ledger: Ledger, event: LedgerEvent, now: number): RequestEffect[] {
    const effects = (this.#rollouts.get(ledger.id) ?? ledger).step(event, now);
    this.settle(ledger);
    return effects;
  }

  /** Forgets a ledger that was added and never stepped. */
  drop(ledger: Ledger): void {
    this.#open.delete(ledger.id);
    this.#rollouts.delete(ledger.id);
  }

  /** Puts a ledger that is over aside. */
  settle(ledger: Ledger): void {
    if (ledger.isOver && this.#open.delete(ledger.id)) this.#ended.set(ledger.id, ledger);
  }

  tick(now: number): RequestEffect[] {
    this.#forgetOldest();
    return this.#stepAll({ kind: 'tick' }, now);
  }

  /** A node came back or was lost: every open request that is aimed at it learns so. */
  presence(node: NodeName, isAlive: boolean, now: number): RequestEffect[] {
    return this.#stepAll({ kind: isAlive ? 'back' : 'lost', node }, now);
  }

  #forgetOldest(): void {
    const { maxEnded, maxEndedNodes } = this.#limits;
    let nodes = 0;
    for (const { nodeCount } of this.#ended.values()) nodes += nodeCount;
    for (const [id, { nodeCount }] of this.#ended) {
      if (this.#ended.size <= maxEnded && nodes <= maxEndedNodes) return;
      nodes -= nodeCount;
      this.#ended.delete(id);
      this.#rollouts.delete(id);
    }
  }

  #take(run: RolloutRun): Ledger {
    const { ledger } = run;
    this.#forgetOldest();
    this.#open.set(ledger.id, ledger);
    this.#rollouts.set(ledger.id, run);
    this.settle(ledger);
    return ledger;
  }

  #stepAll(event: LedgerEvent, now: number): RequestEffect[] {
    return [...this.#open.values()].flatMap((ledger) => this.step(ledger, event, now));
  }
}
