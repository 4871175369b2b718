import type { RequestId } from '../wire/fields.ts';
import { type Aim, Ledger, type LedgerEffect, type LedgerEvent } from './ledger.ts';

export interface RequestLimits {
  /** How long an ended request is still known, so that its id sent again is not run again. */
  readonly retentionMs: number;
  /** Ended requests known at most. */
  readonly maxEnded: number;
  readonly maxOpen: number;
}

/** The ledgers of a manager. */
export class Requests {
  readonly #limits: RequestLimits;
  readonly #open = new Map<RequestId, Ledger>();
  // In order of their end, the oldest first.
  readonly #ended = new Map<RequestId, { readonly ledger: Ledger; readonly forgetAtMs: number }>();

  constructor(limits: RequestLimits) {
    this.#limits = limits;
  }

  get openCount(): number {
    return this.#open.size;
  }

  get isFull(): boolean {
    return this.#open.size >= this.#limits.maxOpen;
  }

  get(id: RequestId): Ledger | undefined {
    return this.#open.get(id) ?? this.#ended.get(id)?.ledger;
  }

  open(aim: Aim, now: number): LedgerEffect[] {
    const ledger = new Ledger(aim, now);
    this.#open.set(aim.id, ledger);
    return this.#stepped(ledger, { kind: 'tick' }, now);
  }

  /** Undefined when no request of this id is known. */
  step(id: RequestId, event: LedgerEvent, now: number): LedgerEffect[] | undefined {
    const ledger = this.get(id);
    return ledger === undefined ? undefined : this.#stepped(ledger, event, now);
  }

  /** Ends what is due and forgets what ended long ago. */
  tick(now: number): LedgerEffect[] {
    const effects = [...this.#open.values()].flatMap((ledger) =>
      this.#stepped(ledger, { kind: 'tick' }, now),
    );
    for (const [id, { forgetAtMs }] of this.#ended) {
      if (forgetAtMs > now && this.#ended.size <= this.#limits.maxEnded) break;
      this.#ended.delete(id);
    }
    return effects;
  }

  #stepped(ledger: Ledger, event: LedgerEvent, now: number): LedgerEffect[] {
    const effects = ledger.step(event, now);
    if (ledger.isOver && this.#open.delete(ledger.id)) {
      this.#ended.set(ledger.id, { ledger, forgetAtMs: now + this.#limits.retentionMs });
    }
    return effects;
  }
}
