/** Some of the places from 0 up to a size, one bit for each: sets of ten thousand are united in three hundred steps. */
export class NodeSet {
  readonly #size: number;
  readonly #bits: Uint32Array;

  constructor(size: number) {
    this.#size = size;
    this.#bits = new Uint32Array(Math.ceil(size / 32));
  }

  add(place: number): void {
    const index = place >>> 5;
    this.#bits[index] = (this.#bits[index] ?? 0) | (1 << (place & 31));
  }

  addAll(other: NodeSet): void {
    this.#combine(other, (one, another) => one | another);
  }

  keepOnly(other: NodeSet): void {
    this.#combine(other, (one, another) => one & another);
  }

  /** Those that are not in it are in it, and the other way round. */
  invert(): void {
    this.#combine(this, (one) => ~one);
  }

  has(place: number): boolean {
    return place < this.#size && ((this.#bits[place >>> 5] ?? 0) & (1 << (place & 31))) !== 0;
  }

  /** Both are of one size. */
  #combine(other: NodeSet, combined: (one: number, another: number) => number): void {
    const { length } = this.#bits;
    // By index: an iterator would take many times as long.
    for (let index = 0; index < length; index += 1)
      this.#bits[index] = combined(this.#bits[index] ?? 0, other.#bits[index] ?? 0);
  }
}
