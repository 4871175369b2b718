/**
 * Lets the first event of a key through and then one per interval, and counts what was held back meanwhile. The number
 * of keys is bounded, because peers choose them: with too many, the oldest is forgotten.
 */
export class RateLimit {
  readonly #intervalMs: number;
  readonly #maxKeys: number;
  readonly #keys = new Map<string, { lastMs: number; heldBack: number }>();

  constructor(intervalMs: number, maxKeys: number) {
    this.#intervalMs = intervalMs;
    this.#maxKeys = maxKeys;
  }

  /** How many events of this key were held back since the last one let through; undefined: hold this one back too. */
  pass(key: string, now: number): number | undefined {
    const known = this.#keys.get(key);
    if (known !== undefined && now - known.lastMs < this.#intervalMs) {
      known.heldBack += 1;
      return undefined;
    }
    this.#keys.delete(key);
    this.#keys.set(key, { lastMs: now, heldBack: 0 });
    this.#forgetOldest();
    return known?.heldBack ?? 0;
  }

  #forgetOldest(): void {
    if (this.#keys.size <= this.#maxKeys) return;
    const oldest = this.#keys.keys().next();
    if (!oldest.done) this.#keys.delete(oldest.value);
  }
}
