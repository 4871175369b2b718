import { clockOffsetMs, skewReport, type TimedMessage } from './skew.ts';

/** What is seen of one host, and when it was last reported by our clock. */
interface Seen {
  readonly messages: readonly TimedMessage[];
  readonly reportedAtMs: number | undefined;
}

const samples = 5;
const reportIntervalMs = 60_000;

/**
 * By how much the clocks of other hosts are off, from their last five messages whose time is proved. The number of hosts is
 * bounded: with too many, the one that was heard of longest ago is forgotten.
 */
export class ClockOffsets {
  readonly #maxNames: number;
  readonly #seen = new Map<string, Seen>();

  constructor(maxNames: number) {
    this.#maxNames = maxNames;
  }

  /** Hosts that are known. */
  get size(): number {
    return this.#seen.size;
  }

  /** What to say of the clock of this host; undefined while it is good enough, and for a minute after it was said. */
  note(name: string, sentAtMs: number, receivedAtMs: number): string | undefined {
    const known = this.#seen.get(name);
    const messages = [...(known?.messages ?? []), { sentAtMs, receivedAtMs }].slice(-samples);
    const report = wasReported(known, receivedAtMs) ? undefined : skewReport(name, offsetOf(messages));
    this.#seen.delete(name);
    this.#seen.set(name, {
      messages,
      reportedAtMs: report === undefined ? known?.reportedAtMs : receivedAtMs,
    });
    this.#forgetOldest();
    return report;
  }

  /** By how much its clock is ahead of ours, in milliseconds; negative: behind. Undefined while nothing is known. */
  offsetOf(name: string): number | undefined {
    return clockOffsetMs(this.#seen.get(name)?.messages ?? []);
  }

  forget(name: string): void {
    this.#seen.delete(name);
  }

  #forgetOldest(): void {
    if (this.#seen.size <= this.#maxNames) return;
    const oldest = this.#seen.keys().next();
    if (!oldest.done) this.#seen.delete(oldest.value);
  }
}

function offsetOf(messages: readonly TimedMessage[]): number {
  return clockOffsetMs(messages) ?? 0;
}

/** Our own clock may have been set, in either direction. */
function wasReported(seen: Seen | undefined, nowMs: number): boolean {
  return seen?.reportedAtMs !== undefined && Math.abs(nowMs - seen.reportedAtMs) < reportIntervalMs;
}
