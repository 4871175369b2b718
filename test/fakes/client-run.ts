import type { PendingRequest, Summary } from '../../src/client/pending-request.ts';
import type { Clock } from '../../src/platform/clock.ts';
import { type ErrorCode, isServiceManagerError } from '../../src/wire/errors.ts';
import type { RequestId } from '../../src/wire/fields.ts';
import { type Answer, nodeOfAnswer } from '../../src/wire/result.ts';

/** One order as its client sees it: iterated in the background. */
export class Run {
  readonly answers: Answer[] = [];
  readonly #clock: Clock;
  readonly #startedMs: number;
  #pending: PendingRequest | undefined;
  #error: unknown;
  #endedMs: number | undefined;

  constructor(sending: Promise<PendingRequest>, clock: Clock) {
    this.#clock = clock;
    this.#startedMs = clock.now();
    void this.#collect(sending);
  }

  get isTaken(): boolean {
    return this.#pending !== undefined;
  }

  get isOver(): boolean {
    return this.#endedMs !== undefined;
  }

  /** From the order to the client's end. */
  get tookMs(): number {
    return (this.#endedMs ?? Number.NaN) - this.#startedMs;
  }

  get pending(): PendingRequest {
    if (this.#pending === undefined) throw this.#error ?? new Error('no manager has taken it yet');
    return this.#pending;
  }

  get id(): RequestId {
    return this.pending.id;
  }

  get summary(): Summary {
    return this.pending.summary;
  }

  /** The code that the order was refused with. */
  get code(): ErrorCode | undefined {
    return isServiceManagerError(this.#error) ? this.#error.code : undefined;
  }

  /** Node by node, as the client knows it. */
  get outcomes(): Record<string, string> {
    return Object.fromEntries(this.summary.outcomes.map(({ node, outcome }) => [node, outcome]));
  }

  /** Who answered, in that order, once for each answer. */
  get answeredBy(): (string | undefined)[] {
    return this.answers.map(nodeOfAnswer);
  }

  async #collect(sending: Promise<PendingRequest>): Promise<void> {
    try {
      this.#pending = await sending;
      for await (const answer of this.#pending) this.answers.push(answer);
    } catch (error) {
      this.#error = error;
    }
    this.#endedMs = this.#clock.now();
  }
}
