import type { RequestId } from '../wire/fields.ts';

export interface Publication {
  readonly topic: string;
  readonly payload: Buffer;
  /** It may be lost: nobody depends on it. */
  readonly isLossy?: boolean;
}

export interface ReplayLimits {
  readonly maxAgeMs: number;
  readonly maxBytes: number;
  /** Of each request, for what may be lost: there may be much of it, and it must not push out what others wait for. */
  readonly maxLossyBytes: number;
}

interface Kept {
  readonly expiresAtMs: number;
  readonly publications: Publication[];
  bytes: number;
  lossyBytes: number;
}

/**
 * Holds what is published about a request until somebody listens. A client learns the id first and subscribes then, so
 * answers may be quicker than its subscription; ZeroMQ would drop those. After the first subscription all goes out live.
 */
export class Replay {
  readonly #limits: ReplayLimits;
  readonly #waiting = new Map<RequestId, Kept>();
  #bytes = 0;
  #dropped = 0;

  constructor(limits: ReplayLimits) {
    this.#limits = limits;
  }

  /** Publications given up because nobody subscribed in time, or too much was waiting. */
  get dropped(): number {
    return this.#dropped;
  }

  /** From now on what is published about this request waits for its first subscription. */
  open(id: RequestId, now: number): void {
    if (this.#waiting.has(id)) return;
    this.#waiting.set(id, {
      expiresAtMs: now + this.#limits.maxAgeMs,
      publications: [],
      bytes: 0,
      lossyBytes: 0,
    });
  }

  /** True when it was kept, or given up at once; false: send it now. */
  keep(id: RequestId, publication: Publication): boolean {
    const kept = this.#waiting.get(id);
    if (kept === undefined) return false;
    const { byteLength } = publication.payload;
    const lossyBytes = publication.isLossy === true ? byteLength : 0;
    if (lossyBytes > 0 && kept.lossyBytes + lossyBytes > this.#limits.maxLossyBytes) {
      this.#dropped += 1;
      return true;
    }
    kept.lossyBytes += lossyBytes;
    kept.publications.push(publication);
    kept.bytes += byteLength;
    this.#bytes += byteLength;
    this.#makeRoom();
    return true;
  }

  /** The first subscription gets all that was kept, in order; later ones nothing. */
  subscribed(id: RequestId): readonly Publication[] {
    const kept = this.#waiting.get(id);
    if (kept === undefined) return [];
    this.#forget(id, kept);
    return kept.publications;
  }

  expire(now: number): void {
    // In order of age: the first that is young enough ends the search.
    for (const [id, kept] of this.#waiting) {
      if (kept.expiresAtMs > now) return;
      this.#dropped += kept.publications.length;
      this.#forget(id, kept);
    }
  }

  #makeRoom(): void {
    for (const [id, kept] of this.#waiting) {
      if (this.#bytes <= this.#limits.maxBytes) return;
      if (kept.bytes === 0) continue;
      this.#dropped += kept.publications.length;
      this.#forget(id, kept);
    }
  }

  #forget(id: RequestId, kept: Kept): void {
    this.#waiting.delete(id);
    this.#bytes -= kept.bytes;
  }
}
