import type { Clock } from '../platform/clock.ts';

// With less than this no manager could even reply.
const leastWindowMs = 50;
// Questions that are asked when the window has ended.
const lastWordMs = 150;

/** How long the user wants to wait at most. */
export class Window {
  readonly #clock: Clock;
  readonly #lengthMs: number;
  readonly #ended = new AbortController();
  readonly #questionsEnded = new AbortController();
  #endMs: number;
  #timers: Array<() => void> = [];

  /** Has begun at `startMs` of the clock. Nothing is aborted before `start`. */
  constructor(clock: Clock, startMs: number, lengthMs: number) {
    this.#clock = clock;
    this.#lengthMs = lengthMs;
    this.#endMs = startMs + lengthMs;
  }

  /** Aborted at its end. */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  /** Aborted when no manager should be asked any more, a moment later. */
  get questionsEnded(): AbortSignal {
    return this.#questionsEnded.signal;
  }

  /** Whole milliseconds that are left. */
  get remainingMs(): number {
    return Math.max(leastWindowMs, Math.floor(this.#endMs - this.#clock.now()));
  }

  start(): void {
    this.#timers = [
      this.#clock.after(this.remainingMs, 'window', () => this.#ended.abort()),
      this.#clock.after(this.remainingMs + lastWordMs, 'last word', () => this.#questionsEnded.abort()),
    ];
  }

  /** It has no end any more. */
  stop(): void {
    for (const cancel of this.#timers) cancel();
    this.#timers = [];
  }

  /** What a person does takes the time it takes: the whole window is left when it is done. */
  async pause<Value>(act: () => Promise<Value>): Promise<Value> {
    const wasStarted = this.#timers.length > 0;
    this.stop();
    try {
      return await act();
    } finally {
      this.#endMs = this.#clock.now() + this.#lengthMs;
      if (wasStarted) this.start();
    }
  }
}
