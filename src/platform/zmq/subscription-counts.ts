/**
 * Subscriptions that a publisher was told of and that have not ended. When its zeromq socket is put away libzmq tells the
 * end of those whose connections are through by then; the rest is for us to tell, as the peers subscribe again to the next.
 */
export class SubscriptionCounts {
  readonly #counts = new Map<string, number>();

  /** Gives back what it was given. */
  saw(frames: Buffer[]): Buffer[] {
    const [change] = frames;
    const step = change?.[0] === 1 ? 1 : change?.[0] === 0 ? -1 : 0;
    if (change === undefined || step === 0) return frames;
    const topic = change.toString('latin1', 1);
    const count = (this.#counts.get(topic) ?? 0) + step;
    if (count > 0) this.#counts.set(topic, count);
    else this.#counts.delete(topic);
    return frames;
  }

  /** The end of each of them, as a publisher receives it. */
  ends(): Buffer[][] {
    return [...this.#counts].flatMap(([topic, count]) =>
      Array.from({ length: count }, () => [Buffer.from(`\x00${topic}`, 'latin1')]),
    );
  }
}
