/** Whether the loops of a daemon get anywhere: each is told of, and asked about from time to time. */
export class Progress {
  #hasTicked = false;
  #isDeaf = false;

  /** What is due was done once more. */
  ticked(): void {
    this.#hasTicked = true;
  }

  /** A socket is not served any more. */
  stoppedServing(): void {
    this.#isDeaf = true;
  }

  /** True when what is due was done since the last call, and every socket is served. */
  take(): boolean {
    const isMade = this.#hasTicked && !this.#isDeaf;
    this.#hasTicked = false;
    return isMade;
  }
}
