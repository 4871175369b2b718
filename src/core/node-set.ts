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
    for (const [index, bits] of other.#bits.entries()) this.#bits[index] = (this.#bits[index] ?? 0) | bits;
  }

  keepOnly(other: NodeSet): void {
    for (const [index, bits] of other.#bits.entries()) this.#bits[index] = (this.#bits[index] ?? 0) & bits;
  }

  /** Those that are not in it are in it, and the other way round. */
  invert(): void {
    for (const [index, bits] of this.#bits.entries()) this.#bits[index] = ~bits;
  }

  has(place: number): boolean {
    return place < this.#size && ((this.#bits[place >>> 5] ?? 0) & (1 << (place & 31))) !== 0;
  }
}
