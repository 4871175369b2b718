import type { Frames } from '../sockets.ts';
import { uninterrupted } from './interrupted.ts';
import type { RawSocket } from './line.ts';

/**
 * A place for one zeromq socket after the other, so that who sends and receives notices nothing of a change: what they
 * wait for in one of them, they go on waiting for in the next.
 */
export class Replaceable {
  #current: RawSocket | undefined;
  #isOpen = false;
  #isDraining = false;
  #isReceiving = false;
  #isEnded = false;
  #kept: Buffer[][] = [];
  #waiting: (() => void)[] = [];

  /** From now on this one receives, and sends unless it is held back. */
  put(socket: RawSocket): void {
    this.#current = socket;
    this.#wake();
  }

  /** Lets messages go out, or keeps them back until there is somebody who may have them. */
  setOpen(isOpen: boolean): void {
    this.#isOpen = isOpen;
    this.#wake();
  }

  /** Nobody touches the current one from now on until it is removed: zeromq.js allows nothing else beside an unbind. */
  hold(): void {
    this.#isDraining = true;
    this.setOpen(false);
  }

  /**
   * Takes the current one out, and out of it at most `limit` messages that have come and wait to be received. One that comes
   * in the same moment may be lost, as with every connection that breaks.
   */
  async remove(limit: number): Promise<void> {
    const socket = this.#current;
    if (socket === undefined) return;
    this.hold();
    await this.#drain(socket, limit);
    this.#isDraining = false;
    this.#kept.push(...(socket.farewell?.() ?? []));
    if (this.#current === socket) this.#current = undefined;
    this.#wake();
  }

  /** Whoever waits, or comes later, gets an error. */
  end(): void {
    this.#isEnded = true;
    this.#wake();
  }

  readonly receive = async (): Promise<Buffer[]> => {
    while (!this.#isEnded) {
      const kept = this.#isDraining ? undefined : this.#kept.shift();
      if (kept !== undefined) return kept;
      const socket = this.#current;
      if (socket?.receive === undefined || this.#isDraining) {
        await this.#change();
        continue;
      }
      try {
        const received = socket.receive();
        this.#isReceiving = true;
        return await received;
      } catch (error) {
        if (socket === this.#current && !this.#isEnded) throw error;
      } finally {
        this.#isReceiving = false;
        this.#wake();
      }
    }
    throw new Error('the socket is closed');
  };

  readonly send = async (frames: Frames): Promise<void> => {
    while (!this.#isEnded) {
      const socket = this.#current;
      if (!this.#isOpen || socket?.send === undefined) {
        await this.#change();
        continue;
      }
      try {
        return await socket.send(frames);
      } catch (error) {
        // The next one gets what this one had no time for.
        if (socket === this.#current) throw error;
      }
    }
    throw new Error('the socket is closed');
  };

  async #drain({ raw, receive }: RawSocket, limit: number): Promise<void> {
    if (receive === undefined) return;
    // What has come wakes who waits for it. To ask whether something has come would take the signal away that does.
    if (this.#isReceiving) await new Promise(setImmediate);
    while (!this.#isReceiving && !raw.closed && isReadable(raw) && this.#kept.length < limit)
      this.#kept.push(await receive());
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  #wake(): void {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
}

function isReadable(raw: object): boolean {
  return uninterrupted(() => 'readable' in raw && raw.readable === true);
}
