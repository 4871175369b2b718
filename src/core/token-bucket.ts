export interface Rate {
  readonly perSecond: number;
  /** So many at once, by whoever has not taken any for a while. */
  readonly burst: number;
}

export interface TokenBucketLimits extends Rate {
  readonly maxKeys: number;
}

interface Bucket {
  /** Tokens that are missing from the full bucket, at that time. */
  readonly missing: number;
  readonly atMs: number;
}

/**
 * A bucket of tokens for each key, which fills again with time; whoever asks takes one. The number of keys is bounded:
 * with too many, the one that took longest ago is forgotten, and begins with a full bucket if it comes back.
 */
export class TokenBuckets {
  #limits: TokenBucketLimits;
  readonly #buckets = new Map<string, Bucket>();

  constructor(limits: TokenBucketLimits) {
    this.#limits = limits;
  }

  /** Keys that are known. */
  get size(): number {
    return this.#buckets.size;
  }

  /** False when the bucket is empty; to ask in vain costs nothing. By a clock that never goes back. */
  take(key: string, nowMs: number): boolean {
    const { missing, atMs } = this.#refilled(key, nowMs);
    if (missing + 1 > this.#limits.burst) return false;
    this.#buckets.delete(key);
    this.#buckets.set(key, { missing: missing + 1, atMs });
    this.#forgetOldest();
    return true;
  }

  /** What is in the buckets stays, as far as it fits. */
  reconfigure(limits: TokenBucketLimits): void {
    this.#limits = limits;
    this.#forgetOldest();
  }

  #refilled(key: string, nowMs: number): Bucket {
    const bucket = this.#buckets.get(key);
    if (bucket === undefined) return { missing: 0, atMs: nowMs };
    const { perSecond, burst } = this.#limits;
    const refilled = ((nowMs - bucket.atMs) / 1_000) * perSecond;
    return { missing: Math.max(0, Math.min(bucket.missing, burst) - refilled), atMs: nowMs };
  }

  #forgetOldest(): void {
    for (const oldest of this.#buckets.keys()) {
      if (this.#buckets.size <= this.#limits.maxKeys) return;
      this.#buckets.delete(oldest);
    }
  }
}
