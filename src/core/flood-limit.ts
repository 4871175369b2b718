import { TokenBuckets } from './token-bucket.ts';

const rate = { perSecond: 1, burst: 500, maxKeys: 16 };

/**
 * Of what anybody may cause, a few kinds in all, lets some hundred through at once and then one a second. How many of a
 * kind were left out is said with the next one.
 */
export class FloodLimit {
  readonly #buckets = new TokenBuckets(rate);
  readonly #leftOut = new Map<string, number>();

  /** How many of this kind were left out before it; undefined: leave it out, too. By a clock that never goes back. */
  pass(kind: string, nowMs: number): number | undefined {
    const leftOut = this.#leftOut.get(kind) ?? 0;
    if (this.#buckets.take(kind, nowMs)) {
      this.#leftOut.delete(kind);
      return leftOut;
    }
    this.#leftOut.set(kind, leftOut + 1);
    return undefined;
  }
}
