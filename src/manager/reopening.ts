import type { Log } from '../platform/log.ts';
import type { ServerSecurity } from '../platform/socket-security.ts';
import type { BoundSocket } from '../platform/sockets.ts';
import type { Door } from './doors.ts';

/** The sockets that are bound, by the doors they are. */
export type SocketsOfDoors = ReadonlyMap<Door, BoundSocket>;

/**
 * Ends all connections of some sockets, and goes on at the same endpoints with the keys of now: so that a new key is
 * used, and that whoever was let in and may not come in any more is out. One after the other; what is asked for while
 * one is at work is done once behind it.
 */
export class Reopening {
  readonly #sockets: SocketsOfDoors;
  readonly #securityOf: (door: Door) => ServerSecurity;
  readonly #log: Log;
  readonly #waiting = new Set<Door>();
  #isAtWork = false;
  #work: Promise<void> = Promise.resolve();

  constructor(sockets: SocketsOfDoors, securityOf: (door: Door) => ServerSecurity, log: Log) {
    this.#sockets = sockets;
    this.#securityOf = securityOf;
    this.#log = log;
  }

  /** Resolves when all that was asked for is done. Rejects with ENDPOINT_UNUSABLE when somebody took an endpoint meanwhile. */
  reopen(doors: Iterable<Door>): Promise<void> {
    for (const door of doors) if (this.#sockets.has(door)) this.#waiting.add(door);
    if (!this.#isAtWork) this.#work = this.#reopenWaiting();
    return this.#work;
  }

  async #reopenWaiting(): Promise<void> {
    this.#isAtWork = true;
    try {
      for (const door of this.#waiting) {
        this.#waiting.delete(door);
        await this.#sockets.get(door)?.rekey(this.#securityOf(door));
        this.#log.info('socket.reopened', { door });
      }
    } finally {
      this.#isAtWork = false;
    }
  }
}
