import type { Clock } from './clock.ts';

interface Bucket {
  refusals: number;
  atMs: number;
}

const maxAddresses = 10_000;

/**
 * How often each address was refused lately, as a bucket that drains. Only refusals fill it, so that a thousand good peers
 * behind one address come in as quickly as they like.
 */
export class RefusalLimit {
  readonly #clock: Clock;
  readonly #burst: number;
  readonly #perSecond: number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(clock: Clock, burst: number, perSecond: number) {
    this.#clock = clock;
    this.#burst = burst;
    this.#perSecond = perSecond;
  }

  /** Addresses that are remembered. */
  get size(): number {
    return this.#buckets.size;
  }

  isReached(address: string): boolean {
    return this.#drained(networkOf(address)).refusals + 1 > this.#burst;
  }

  count(address: string): void {
    const network = networkOf(address);
    const { refusals, atMs } = this.#drained(network);
    this.#buckets.delete(network);
    this.#buckets.set(network, { refusals: refusals + 1, atMs });
    if (this.#buckets.size > maxAddresses) this.#forgetOldest();
  }

  #drained(network: string): Bucket {
    const atMs = this.#clock.now();
    const bucket = this.#buckets.get(network);
    if (bucket === undefined) return { refusals: 0, atMs };
    const drained = ((atMs - bucket.atMs) / 1_000) * this.#perSecond;
    return { refusals: Math.max(0, bucket.refusals - drained), atMs };
  }

  #forgetOldest(): void {
    for (const [oldest] of this.#buckets) {
      this.#buckets.delete(oldest);
      return;
    }
  }
}

/** Whoever has one IPv6 address has 2^64 of them, so it is the first half that counts. */
export function networkOf(address: string): string {
  if (!address.includes(':') || address.includes('.')) return address;
  const [head = '', tail] = address.replace(/%.*$/, '').split('::');
  const groups = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: Math.max(0, 8 - groups.length - last.length) }, () => '0');
  return [...groups, ...(tail === undefined ? [] : zeros), ...last].slice(0, 4).join(':');
}
