import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { Auditor } from '../store/auditor.ts';
import type { Door } from './doors.ts';

export interface FloodsDeps {
  /** Ends all connections of a door. Resolves when that is done. */
  readonly reopen: (door: Door) => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
  readonly auditor: Auditor;
}

export type TopicDoor = Extract<Door, 'backend' | 'publisher'>;

/** Each takes some fifty of memory. */
const maxRefusedBytes = 4 * 1024 * 1024;
/** Strangers need a fraction of a second for their one question. */
const strangersStayMs = 10_000;

/**
 * Makes room where ZeroMQ keeps what somebody has brought, and cannot take it from him alone: all connections of the door
 * end then, good peers come back at once, and what was kept is gone.
 */
export class Floods {
  readonly #deps: FloodsDeps;
  /** Bytes of topics that were too many, and that libzmq keeps all the same. */
  readonly #refusedBytes = new Map<TopicDoor, number>();
  readonly #ending = new Set<Door>();
  #strangersSinceMs: number | undefined;

  constructor(deps: FloodsDeps) {
    this.#deps = deps;
  }

  topicRefused(door: TopicDoor, bytes: number): void {
    if (this.#ending.has(door)) return;
    const refusedBytes = (this.#refusedBytes.get(door) ?? 0) + bytes;
    this.#refusedBytes.set(door, refusedBytes);
    if (refusedBytes < maxRefusedBytes) return;
    this.#refusedBytes.delete(door);
    this.#end(door, 'too many topics are subscribed to');
  }

  /** The door for strangers is full. */
  strangerRefused(): void {
    this.#strangersSinceMs ??= this.#deps.clock.now();
  }

  tick(): void {
    const sinceMs = this.#strangersSinceMs;
    if (sinceMs === undefined || this.#deps.clock.now() - sinceMs < strangersStayMs) return;
    this.#strangersSinceMs = undefined;
    this.#end('join', 'too many strangers stay');
  }

  #end(door: Door, reason: string): void {
    this.#deps.log.warn('door.flooded', { door, reason });
    this.#deps.auditor.strange('door.flooded', { door, reason });
    this.#ending.add(door);
    this.#deps.reopen(door).finally(() => this.#ending.delete(door));
  }
}
