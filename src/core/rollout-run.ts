import type { NodeName } from '../wire/fields.ts';
import { Ledger, type LedgerOptions } from './ledger.ts';
import type { Aim, LedgerEffect, LedgerEvent, StoredEntry } from './ledger-events.ts';
import { Rollout, type RolloutPlan, type RolloutProgress, type RolloutState } from './rollout.ts';

export type RolloutRunEffect =
  | LedgerEffect
  /**
   * The state of the rollout is to be stored, and with it all that was to be recorded so far: whatever comes behind this
   * in the same list may be carried out only when that is in the store.
   */
  | { readonly kind: 'save'; readonly id: Aim['id']; readonly rollout: RolloutState };

/** Whom a rollout is aimed at. v1 agents have no names: they take no part, all on the topic are withheld. */
export type RolloutAim = Pick<Aim, 'id' | 'nodes' | 'withheld'>;

/** A rollout as the store knows it. */
export interface PastRollout {
  /** `endsAtMs` is read only where it is cancelled: the end of the grace. */
  readonly aim: Pick<Aim, 'id' | 'withheld' | 'endsAtMs'>;
  readonly plan: RolloutPlan;
  readonly state: RolloutState | undefined;
  readonly entries: readonly StoredEntry[];
  readonly isOver: boolean;
  readonly isCancelled: boolean;
  readonly isThere: (node: NodeName) => boolean;
}

/** One request that is run in batches: its ledger, which asks and decides, and the rollout, which says whose turn it is. */
export class RolloutRun {
  readonly ledger: Ledger;
  readonly #rollout: Rollout;
  #saved: RolloutState | undefined;

  private constructor(ledger: Ledger, rollout: Rollout) {
    this.ledger = ledger;
    this.#rollout = rollout;
  }

  /** Step it with `tick` to begin. */
  static open(aim: RolloutAim, plan: RolloutPlan, options: LedgerOptions, now: number): RolloutRun {
    const ledger = new Ledger({ ...aim, anonymous: 0, isHeld: true, endsAtMs: now }, options, now);
    return new RolloutRun(ledger, new Rollout(plan, ledger.entries(), now));
  }

  static restore(past: PastRollout, options: LedgerOptions, now: number): RolloutRun {
    const { aim, plan, state, entries, isOver, isThere } = past;
    const rollout = new Rollout(plan, entries, now, { state, isOver });
    if (past.isCancelled) rollout.cancel();
    const { endsAtMs = now, stop } = rollout.state;
    const heldAim = { ...aim, nodes: [], anonymous: 0, isHeld: true };
    const graceMs = past.isCancelled ? aim.endsAtMs : Number.POSITIVE_INFINITY;
    const ledger = new Ledger({ ...heldAim, endsAtMs: Math.min(endsAtMs, graceMs) }, options, now);
    // The rollout may know of a cancellation that was not stored with the request.
    ledger.restore(entries, isOver, past.isCancelled || stop?.reason === 'cancelled', isThere);
    return new RolloutRun(ledger, rollout);
  }

  progress(): RolloutProgress {
    return this.#rollout.progress();
  }

  step(event: LedgerEvent, now: number): RolloutRunEffect[] {
    const isOver = this.#rollout.isOver;
    if (event.kind === 'cancel') this.#rollout.cancel();
    let effects = this.#tell(event, now);
    for (let turn = this.#turn(now); turn !== undefined; turn = this.#turn(now)) {
      // Not by `push(...)`, which a batch of a hundred thousand would make overflow the stack.
      effects = [...effects, ...this.#tell(turn, now)];
    }
    return isOver ? effects : this.#saving(this.#withoutLateAsks(effects));
  }

  /** Whoever has not heard of it when a limit is passed must not begin any more. */
  #withoutLateAsks(effects: readonly LedgerEffect[]): readonly LedgerEffect[] {
    if (this.#rollout.state.stop === undefined) return effects;
    return effects.filter(({ kind }) => kind !== 'ask');
  }

  #tell(event: LedgerEvent, now: number): LedgerEffect[] {
    const effects = this.ledger.step(event, now);
    for (const effect of effects) if (effect.kind === 'record') this.#rollout.note(effect.entry);
    return effects;
  }

  #turn(now: number): LedgerEvent | undefined {
    const effect = this.#rollout.next(now, (node) => this.ledger.isReachable(node));
    return effect?.kind === 'stop' || effect?.kind === 'done' ? { kind: 'close' } : effect;
  }

  /** What is noted first, what goes out to the nodes and the end behind it. */
  #saving(effects: readonly LedgerEffect[]): RolloutRunEffect[] {
    const { state } = this.#rollout;
    if (state === this.#saved) return [...effects];
    this.#saved = state;
    const isNote = ({ kind }: LedgerEffect) => kind === 'publish' || kind === 'record';
    return [
      ...effects.filter(isNote),
      { kind: 'save', id: this.ledger.id, rollout: state },
      ...effects.filter((effect) => !isNote(effect)),
    ];
  }
}
