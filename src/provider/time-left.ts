import type { Clock } from '../platform/clock.ts';

/** A time limit over several things that are done one after the other. */
export class TimeLeft {
  readonly #clock: Clock;
  readonly #endsMs: number;

  constructor(clock: Clock, timeoutMs: number) {
    this.#clock = clock;
    this.#endsMs = clock.now() + timeoutMs;
  }

  /** Whole milliseconds, never less than it is; 0 when it is over. */
  get ms(): number {
    return Math.max(0, Math.ceil(this.#endsMs - this.#clock.now()));
  }
}
