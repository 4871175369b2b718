import type { RequestId } from '../wire/fields.ts';

/** What an agent remembers of a request that changes a service. */
export interface JournalEntry {
  readonly id: RequestId;
  /** `started`: begun, and no end is known. `done`: answered. `cancelled`: must not start any more. */
  readonly state: 'started' | 'done' | 'cancelled';
  /** The answer (an `Answer` as JSON), when done. */
  readonly payload: Buffer | undefined;
  /** Both empty when it was never started. */
  readonly service: string;
  readonly action: string;
  /** When it came into this state. */
  readonly atWallMs: number;
}

/** An answer that a manager has not stored yet. */
export interface Undelivered {
  readonly id: RequestId;
  readonly payload: Buffer;
  /** Sink endpoint of the manager that it is for. */
  readonly manager: string;
  readonly atWallMs: number;
}

export interface JournalBounds {
  readonly maxAgeMs: number;
  readonly maxEntries: number;
}

/**
 * The durable memory of one agent: what makes "at most once" and "no lost answer" true over restarts and kill -9.
 * `start`, `finish` and `cancel` are on the disk (synced) when they return. All methods throw JOURNAL_UNAVAILABLE when the
 * disk is full or the file cannot be used; nothing is half written then.
 */
export interface Journal {
  find(id: RequestId): JournalEntry | undefined;
  /** Before the action starts. False when the id is there already: it must not start. */
  start(entry: {
    readonly id: RequestId;
    readonly service: string;
    readonly action: string;
    readonly atWallMs: number;
  }): boolean;
  /**
   * The answer, kept until each of these managers has stored it. Also for a request that was never started (refused) or
   * was cancelled. What is done keeps the answer that it has.
   */
  finish(id: RequestId, payload: Buffer, managers: readonly string[], atWallMs: number): void;
  /** A tombstone: `start` of this id is false from now on. No effect on what is started or done. */
  cancel(id: RequestId, atWallMs: number): void;
  /** Started in an earlier run of the agent, and no end is known: first started first. */
  interrupted(): JournalEntry[];

  /** One more manager wants the answer of a finished request. No effect on any other. */
  owe(id: RequestId, manager: string): void;
  /** This manager has it. */
  delivered(id: RequestId, manager: string): void;
  /** First finished first. */
  undelivered(): Undelivered[];

  /**
   * Forgets the oldest finished entries beyond the bounds, delivered or not, but never a started one. Of too many those that
   * were only cancelled go first: whoever makes thousands of them must not bring forgotten what has run. Returns how many.
   */
  prune(bounds: JournalBounds, nowWallMs: number): number;
  /** Closing twice is harmless. */
  close(): void;
}
