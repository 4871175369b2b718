import type { Frames, Socket } from '../../src/platform/sockets.ts';

type Received = IteratorResult<Buffer[], undefined>;

export interface Parts {
  readonly name: string;
  readonly endpoint: string;
  /** Messages that may wait. */
  readonly limit: number;
  readonly onClosed: () => void;
}

export interface Message {
  readonly frames: Buffer[];
  /** Tells the sender's side that there is room for another one. */
  readonly onTaken: () => void;
}

/** What is the same in all patterns of MemorySockets: the loop, what waits for it, and the end. */
export abstract class MemorySocket implements Socket {
  readonly endpoint: string;
  readonly name: string;
  readonly limit: number;
  dropped = 0;
  protected isClosed = false;
  readonly #onClosed: () => void;
  readonly #inbox: Message[] = [];
  #waiting: ((received: Received) => void) | undefined;

  constructor({ name, endpoint, limit, onClosed }: Parts) {
    this.name = name;
    this.endpoint = endpoint;
    this.limit = limit;
    this.#onClosed = onClosed;
  }

  send(frames: Frames): boolean {
    // Copied, so that nobody can change what has gone out.
    if (!this.isClosed && this.transmit(frames.map((frame) => Buffer.from(frame)))) return true;
    this.dropped += 1;
    return false;
  }

  async close(): Promise<void> {
    if (this.isClosed) return;
    this.disconnect();
    this.isClosed = true;
    this.#onClosed();
    this.#waiting?.({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): AsyncIterator<Buffer[], undefined> {
    return { next: () => this.#next() };
  }

  arrive(message: Message): void {
    if (this.isClosed) return;
    this.#inbox.push(message);
    this.wake();
  }

  protected wake(): void {
    if (this.#waiting === undefined || !this.mayTake()) return;
    const message = this.#inbox.shift();
    if (message === undefined) return;
    const receive = this.#waiting;
    this.#waiting = undefined;
    message.onTaken();
    receive({ value: message.frames, done: false });
  }

  protected mayTake(): boolean {
    return true;
  }

  /** False when there is no room. */
  protected transmit(_frames: Buffer[]): boolean {
    return false;
  }

  protected abstract disconnect(): void;

  #next(): Promise<Received> {
    if (this.isClosed) return Promise.resolve({ value: undefined, done: true });
    if (this.#waiting !== undefined) return Promise.reject(new Error(`${this.name} has a loop already`));
    return new Promise((resolve) => {
      this.#waiting = resolve;
      this.wake();
    });
  }
}

/** One direction of a connection: what was sent and has not been taken by the receiver's loop. */
export class Pipe {
  readonly #limit: number;
  readonly #isLost: (frames: Frames) => boolean;
  readonly #deliver: (message: Message) => void;
  readonly #onRoom: () => void;
  #held = 0;

  constructor(
    limit: number,
    isLost: (frames: Frames) => boolean,
    deliver: (message: Message) => void,
    onRoom = () => {},
  ) {
    this.#limit = limit;
    this.#isLost = isLost;
    this.#deliver = deliver;
    this.#onRoom = onRoom;
  }

  get hasRoom(): boolean {
    return this.#held < this.#limit;
  }

  send(frames: Buffer[]): void {
    if (this.#isLost(frames)) return;
    this.#held += 1;
    queueMicrotask(() => this.#deliver({ frames, onTaken: this.#taken }));
  }

  readonly #taken = (): void => {
    this.#held -= 1;
    this.#onRoom();
  };
}
