import type { RequestId } from '../wire/fields.ts';

export interface OutboxLimits {
  /** Pauses between two sendings of one answer: each is twice the one before, up to the longest. */
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
  /**
   * Beyond it answers are given up, the oldest to the manager that takes up most, so that none of them can do that to the
   * others. Those of actions that change a service are in the journal all the same.
   */
  readonly maxBytes: number;
}

export interface OutgoingAnswer {
  readonly id: RequestId;
  readonly manager: string;
  readonly payload: Buffer;
}

interface Waiting extends OutgoingAnswer {
  sent: number;
  nextMs: number;
}

/** Answers on their way to a manager: sent again, with growing pauses, until it says that it has stored them. */
export class Outbox {
  readonly #limits: OutboxLimits;
  readonly #random: () => number;
  readonly #waiting = new Map<string, Waiting>();
  /** Of each manager. */
  readonly #bytes = new Map<string, number>();
  #givenUp = 0;

  constructor(limits: OutboxLimits, random: () => number) {
    this.#limits = limits;
    this.#random = random;
  }

  get count(): number {
    return this.#waiting.size;
  }

  get givenUp(): number {
    return this.#givenUp;
  }

  /** To be sent now, and again until `delivered`. */
  add(answer: OutgoingAnswer, now: number): void {
    this.delivered(answer.id, answer.manager);
    const waiting = { ...answer, sent: 0, nextMs: 0 };
    this.#waiting.set(key(answer), waiting);
    this.#count(waiting, 1);
    this.#sent(waiting, now);
    while (sum(this.#bytes.values()) > this.#limits.maxBytes) this.#giveUpOldest();
  }

  /** True when it was waiting. */
  delivered(id: RequestId, manager: string): boolean {
    const waiting = this.#waiting.get(key({ id, manager }));
    if (waiting === undefined) return false;
    this.#count(waiting, -1);
    return this.#waiting.delete(key(waiting));
  }

  isWaiting(id: RequestId, manager: string): boolean {
    return this.#waiting.has(key({ id, manager }));
  }

  /** What is to be sent again now. */
  due(now: number): OutgoingAnswer[] {
    const due = [...this.#waiting.values()].filter(({ nextMs }) => nextMs <= now);
    for (const waiting of due) this.#sent(waiting, now);
    return due;
  }

  #sent(waiting: Waiting, now: number): void {
    const { firstPauseMs, longestPauseMs } = this.#limits;
    const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** waiting.sent);
    waiting.sent += 1;
    waiting.nextMs = now + pauseMs * (0.75 + this.#random() / 2);
  }

  #giveUpOldest(): void {
    const [most] = [...this.#bytes].sort(([, one], [, other]) => other - one);
    for (const { id, manager } of this.#waiting.values()) {
      if (manager !== most?.[0]) continue;
      this.#givenUp += 1;
      this.delivered(id, manager);
      return;
    }
  }

  #count({ manager, payload }: OutgoingAnswer, sign: 1 | -1): void {
    const bytes = (this.#bytes.get(manager) ?? 0) + sign * payload.byteLength;
    if (bytes > 0) this.#bytes.set(manager, bytes);
    else this.#bytes.delete(manager);
  }
}

function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}

function key({ id, manager }: Pick<OutgoingAnswer, 'id' | 'manager'>): string {
  return `${id} ${manager}`;
}
