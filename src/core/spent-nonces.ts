interface Spent {
  readonly nonce: string;
  readonly untilMs: number;
}

/** Takes each nonce once until its time is over, when whoever sends it is refused for that. The number is bounded. */
export class SpentNonces {
  readonly #maxCount: number;
  readonly #known = new Set<string>();
  /** A heap: none is over before the one at half its place, so the first is the soonest. */
  readonly #heap: Spent[] = [];

  constructor(maxCount: number) {
    this.#maxCount = maxCount;
  }

  get size(): number {
    return this.#known.size;
  }

  /**
   * True: it is taken now. False: it was taken before, or its time is over. `full`: too many others are still good, and to
   * forget one of those would let a copy of it in. To be asked only for what is proved: it needs its room until then.
   */
  take(nonce: string, untilMs: number, nowMs: number): boolean | 'full' {
    this.#forgetPast(nowMs);
    if (this.#known.has(nonce) || untilMs <= nowMs) return false;
    if (this.#known.size >= this.#maxCount) return 'full';
    this.#known.add(nonce);
    this.#push({ nonce, untilMs });
    return true;
  }

  #forgetPast(nowMs: number): void {
    for (let first = this.#heap[0]; first !== undefined && first.untilMs <= nowMs; first = this.#heap[0]) {
      this.#known.delete(first.nonce);
      this.#pop();
    }
  }

  #push(spent: Spent): void {
    let at = this.#heap.length;
    while (at > 0 && this.#untilMs(parentOf(at)) > spent.untilMs) {
      this.#move(parentOf(at), at);
      at = parentOf(at);
    }
    this.#heap[at] = spent;
  }

  /** Takes the first one out; the last one finds a new place on the way down. */
  #pop(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    const soonerOf = (place: number) => this.#soonerChildOf(place);
    let at = 0;
    for (let child = soonerOf(0); this.#untilMs(child) < last.untilMs; child = soonerOf(at)) {
      this.#move(child, at);
      at = child;
    }
    this.#heap[at] = last;
  }

  #soonerChildOf(at: number): number {
    const [left, right] = [2 * at + 1, 2 * at + 2];
    return this.#untilMs(right) < this.#untilMs(left) ? right : left;
  }

  #move(from: number, to: number): void {
    const spent = this.#heap[from];
    if (spent !== undefined) this.#heap[to] = spent;
  }

  /** Behind the end: never. */
  #untilMs(at: number): number {
    return this.#heap[at]?.untilMs ?? Infinity;
  }
}

function parentOf(at: number): number {
  return (at - 1) >>> 1;
}
