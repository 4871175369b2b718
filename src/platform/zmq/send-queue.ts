import type { Frames } from '../sockets.ts';

interface Waiting {
  readonly frames: Frames;
  next: Waiting | undefined;
}

/**
 * Hands one message after the other to a zeromq socket, which refuses a second one while it works on the first. An idle
 * queue hands over in the same tick; at most `limit` messages wait behind.
 */
export class SendQueue {
  readonly #write: (frames: Frames) => Promise<void>;
  readonly #limit: number;
  #isSending = false;
  // A linked list, because taking the first of a long array moves all the others.
  #first: Waiting | undefined;
  #last: Waiting | undefined;
  #waiting = 0;
  #dropped = 0;
  #onIdle: () => void = () => {};

  constructor(write: (frames: Frames) => Promise<void>, limit: number) {
    this.#write = write;
    this.#limit = limit;
  }

  get dropped(): number {
    return this.#dropped;
  }

  send(frames: Frames): boolean {
    if (!this.#isSending) {
      this.#start(frames);
      return true;
    }
    if (this.#waiting >= this.#limit) {
      this.#dropped += 1;
      return false;
    }
    const entry: Waiting = { frames, next: undefined };
    if (this.#last === undefined) this.#first = entry;
    else this.#last.next = entry;
    this.#last = entry;
    this.#waiting += 1;
    return true;
  }

  /** Resolves when all that was sent until now has gone to zeromq. For one waiter at a time. */
  idle(): Promise<void> {
    if (!this.#isSending) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onIdle = resolve;
    });
  }

  /** Drops what still waits. */
  discard(): void {
    this.#dropped += this.#waiting;
    this.#waiting = 0;
    this.#first = undefined;
    this.#last = undefined;
  }

  #start(frames: Frames): void {
    const sent = this.#write(frames);
    this.#isSending = true;
    sent.then(this.#next, this.#lost);
  }

  readonly #next = (): void => {
    this.#isSending = false;
    const entry = this.#first;
    if (entry === undefined) {
      this.#onIdle();
      return;
    }
    this.#first = entry.next;
    if (entry.next === undefined) this.#last = undefined;
    this.#waiting -= 1;
    this.#start(entry.frames);
  };

  // Whatever zeromq's reason, this message is gone, and the next one may well succeed.
  readonly #lost = (): void => {
    this.#dropped += 1;
    this.#next();
  };
}
