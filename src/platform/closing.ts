/** Closes what was opened, in reverse order. Closing twice is harmless. */
export class Closing implements AsyncDisposable {
  readonly #steps: Array<() => Promise<void> | void> = [];
  #closed: Promise<void> | undefined;

  add<Part extends { close(): Promise<void> | void }>(part: Part): Part {
    this.#steps.push(() => part.close());
    return part;
  }

  /** Every part is closed even when one fails; the first failure is thrown at the end. */
  close(): Promise<void> {
    this.#closed ??= this.#closeAll();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #closeAll(): Promise<void> {
    const failures: unknown[] = [];
    for (const step of this.#steps.reverse()) {
      try {
        await step();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
