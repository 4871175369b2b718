import type { Cancel, Clock } from '../../src/platform/clock.ts';

interface Timer {
  readonly dueMs: number;
  readonly name: string;
  readonly run: () => void;
}

/** Far from every `now()`, so that a test sees when the two are mixed up. */
const wallStartMs = Date.UTC(2026, 0, 1);
/** A message may need several hops of the event loop before its receiver sets its next timer. */
const settleTurns = 10;
const mostRunsAtOneTime = 100_000;

/** Time that moves only when told. */
export class ManualClock implements Clock {
  readonly #timers = new Set<Timer>();
  #nowMs: number;
  #wallOffsetMs: number;
  #runsAtThisTime = 0;

  constructor(startMs = 0) {
    this.#nowMs = startMs;
    this.#wallOffsetMs = wallStartMs - startMs;
  }

  now(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#nowMs + this.#wallOffsetMs;
  }

  after(delayMs: number, name: string, run: () => void): Cancel {
    const timer = { dueMs: this.#nowMs + Math.max(0, delayMs), name, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Names of the timers that are set, the next one first. */
  get pending(): string[] {
    return [...this.#timers].sort((one, other) => one.dueMs - other.dueMs).map((timer) => timer.name);
  }

  /** Runs what is due on the way, in order, each at its own time, also what is set on the way. */
  advance(byMs: number): void {
    const endMs = this.#nowMs + byMs;
    for (let timer = this.#nextDue(endMs); timer; timer = this.#nextDue(endMs)) this.#run(timer);
    this.#moveTo(endMs);
  }

  /** The same, but what waits for promises and `setImmediate` comes to its turn before each timer and at the end. */
  async advanceAsync(byMs: number): Promise<void> {
    const endMs = this.#nowMs + byMs;
    await settle();
    for (let timer = this.#nextDue(endMs); timer; timer = this.#nextDue(endMs)) {
      this.#run(timer);
      await settle();
    }
    this.#moveTo(endMs);
  }

  /** As when somebody sets this host's time: `wallMs` jumps, `now` does not, no timer runs. */
  jumpWall(byMs: number): void {
    this.#wallOffsetMs += byMs;
  }

  #nextDue(endMs: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.dueMs <= endMs && (next === undefined || timer.dueMs < next.dueMs)) next = timer;
    }
    return next;
  }

  #run(timer: Timer): void {
    this.#timers.delete(timer);
    this.#moveTo(timer.dueMs);
    this.#runsAtThisTime += 1;
    if (this.#runsAtThisTime > mostRunsAtOneTime)
      throw new Error(`timer '${timer.name}' never lets time pass`);
    timer.run();
  }

  #moveTo(nowMs: number): void {
    if (nowMs <= this.#nowMs) return;
    this.#nowMs = nowMs;
    this.#runsAtThisTime = 0;
  }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < settleTurns; turn += 1) await new Promise(setImmediate);
}
