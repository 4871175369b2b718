import type { RequestEnd } from '../wire/end.ts';
import type { RequestId } from '../wire/fields.ts';

export interface Aim {
  readonly id: RequestId;
  /** Connected agents that subscribed to the topic when the request was dispatched. */
  readonly expected: number;
  /** v1 agents on the topic that were not asked, see manager/dispatch.ts. */
  readonly withheld: number;
  readonly windowMs: number;
}

export type LedgerEvent =
  | { readonly kind: 'result'; readonly node: string | undefined; readonly payload: Buffer }
  | { readonly kind: 'tick' };

export type LedgerEffect =
  | { readonly kind: 'publish'; readonly id: RequestId; readonly payload: Buffer }
  | { readonly kind: 'end'; readonly end: RequestEnd };

/**
 * Who must answer one request, who did, and whether it is over. It touches nothing: events and the time go in, effects
 * come out, and the end comes out exactly once.
 */
export class Ledger {
  readonly id: RequestId;
  readonly expected: number;
  readonly withheld: number;
  readonly endsAtMs: number;
  // Nameless trouble of a v1 agent counts under a number.
  readonly #answeredBy = new Set<string>();
  #isOver = false;

  constructor(aim: Aim, now: number) {
    this.id = aim.id;
    this.expected = aim.expected;
    this.withheld = aim.withheld;
    this.endsAtMs = now + aim.windowMs;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /**
   * A late result (after the end) is published too: who still listens may want it. A second answer of the same node
   * is not.
   */
  step(event: LedgerEvent, now: number): LedgerEffect[] {
    const effects: LedgerEffect[] = [];
    if (event.kind === 'result') {
      const name = event.node ?? `#${this.#answeredBy.size}`;
      if (this.#answeredBy.has(name)) return effects;
      this.#answeredBy.add(name);
      effects.push({ kind: 'publish', id: this.id, payload: event.payload });
    }
    const complete = this.#answeredBy.size >= this.expected;
    if (!this.#isOver && (complete || now >= this.endsAtMs)) {
      this.#isOver = true;
      effects.push({ kind: 'end', end: this.#summary(complete) });
    }
    return effects;
  }

  #summary(complete: boolean): RequestEnd {
    const { id: uuid, expected, withheld } = this;
    return { uuid, expected, answered: this.#answeredBy.size, withheld, complete };
  }
}
