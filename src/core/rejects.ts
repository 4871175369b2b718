import type { ErrorCode } from '../wire/errors.ts';
import { RateLimit } from './rate-limit.ts';

const logIntervalMs = 60_000;
const maxPeers = 10_000;

export interface Reject {
  /** The socket it came through. */
  readonly door: string;
  /** What the socket pattern knows of the sender; empty where it knows nothing. */
  readonly peer: string;
  readonly code: ErrorCode;
  readonly reason: string;
}

/** Counts what is turned away at the doors; one line per door, peer, code and minute is worth logging. */
export class Rejects {
  readonly #limit = new RateLimit(logIntervalMs, maxPeers);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** The fields to log; undefined: count it silently. */
  add(reject: Reject, now: number): (Reject & { readonly heldBack: number }) | undefined {
    this.#count += 1;
    const heldBack = this.#limit.pass(`${reject.door} ${reject.peer} ${reject.code}`, now);
    return heldBack === undefined ? undefined : { ...reject, heldBack };
  }
}
