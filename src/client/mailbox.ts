/** Items from those who have them, as they come, for the one who iterates. */
export class Mailbox<Item> {
  readonly #items: Item[] = [];
  #isClosed = false;
  #wake: () => void = () => {};

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Taken also when it is closed, as long as whoever iterates has not come to the end. */
  put(item: Item): void {
    this.#items.push(item);
    this.#wake();
  }

  /** What is in it can still be taken. Twice is harmless. */
  close(): void {
    this.#isClosed = true;
    this.#wake();
  }

  /** Ends when it is closed and empty. To be iterated once. */
  async *items(): AsyncGenerator<Item, void, void> {
    while (true) {
      const item = this.#items.shift();
      if (item !== undefined) yield item;
      else if (this.#isClosed) return;
      else await new Promise<void>((wake) => (this.#wake = wake));
    }
  }
}
