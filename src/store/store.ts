import type { StoredEntry } from '../core/ledger-events.ts';
import type { StoredMember } from '../core/roster.ts';
import type { NodeName, RequestId } from '../wire/fields.ts';
import type { Outcome } from '../wire/outcome.ts';

/** A request as it was opened. Times are milliseconds since 1970. */
export interface StoredRequest {
  readonly id: RequestId;
  readonly form: 'v1' | 'v2';
  /** The request body, byte for byte as it is sent to the agents, and its signature. */
  readonly bodyBytes: Buffer;
  readonly signature: string;
  readonly action: string;
  readonly topic: string;
  readonly service: string;
  readonly openedWallMs: number;
  /** When the window ends; moved forward when the request is cancelled. */
  readonly endsWallMs: number;
  /** Undefined while the request is open. */
  readonly endedWallMs: number | undefined;
  readonly isCancelled: boolean;
  /** v1 agents asked, and v1 agents left out. */
  readonly anonymous: number;
  readonly withheld: number;
  /** Of a rollout: how far it is, as JSON text. */
  readonly rollout?: string | undefined;
  /** Until when it is good, as its body says. */
  readonly notAfterWallMs?: number | undefined;
  /** Who asked, for people: `operator alice`. */
  readonly by?: string | undefined;
  readonly cancelled?: StoredCancel | undefined;
}

/** The query that cancelled a request, byte for byte as it was signed, and its signature. */
export interface StoredCancel {
  readonly bytes: Buffer;
  readonly signature: string;
}

/** One node of one request: how far it is, and its answer when there is one. */
export interface StoredAnswer extends StoredEntry {
  /** The answer as it came (an `Answer` as JSON); undefined before. */
  readonly payload: Buffer | undefined;
  readonly atWallMs: number;
}

export interface RequestFilter {
  readonly sinceWallMs?: number;
  readonly node?: string;
  readonly service?: string;
  /** Only requests with at least one node in this outcome. */
  readonly outcome?: Outcome;
  readonly limit: number;
}

export interface RequestOverview extends StoredRequest {
  readonly counts: Partial<Record<Outcome, number>>;
}

export interface HistoryBounds {
  /** Since a request ended. */
  readonly maxAgeMs: number;
  readonly maxRequests: number;
  /** Of request bodies, answers, signed cancellations and what is kept of rollouts together. */
  readonly maxBytes: number;
}

/**
 * The history and memory of one manager. One process writes. Every write is on its way to the disk when the call
 * returns: it outlives the death of this process, whatever kills it (a power failure may take the last moments).
 * All methods throw STORE_UNUSABLE when the disk is full or the file is damaged; nothing is half written then.
 */
export interface Store {
  /** A request that is there already stays as it is. */
  openRequest(request: StoredRequest, entries: readonly StoredEntry[]): void;
  /**
   * Inserts or replaces; an answer that is there already is kept, with its time, where the new one has no payload. Those
   * of unknown requests are left out. One transaction.
   */
  saveAnswers(answers: readonly (StoredAnswer & { readonly id: RequestId })[]): void;
  /** Notes that the request was cancelled, has ended or has come further. No effect on an unknown one. */
  updateRequest(
    id: RequestId,
    change: Partial<
      Pick<StoredRequest, 'endsWallMs' | 'endedWallMs' | 'isCancelled' | 'rollout' | 'cancelled'>
    >,
  ): void;

  request(id: RequestId): StoredRequest | undefined;
  /**
   * By node name, from behind `afterNode` on, `limit` answers at most, and no more than `maxBytes` of payloads, except
   * that there is one at least.
   */
  answers(
    id: RequestId,
    page: { readonly afterNode?: string; readonly limit: number; readonly maxBytes: number },
  ): StoredAnswer[];
  /** By node name, without payloads. */
  entries(id: RequestId): StoredEntry[];
  /** Last opened first. One at a time: bodies may be large, and all of them together too large for the memory. */
  visit(filter: RequestFilter, visitor: (overview: RequestOverview) => void): void;
  /** Open requests, and those that ended at or after this time: first opened first. */
  unfinished(endedSinceWallMs: number): StoredRequest[];

  saveMember(member: StoredMember): void;
  /** Notes when nodes were last seen, without touching the rest. No effect on unknown ones. */
  saveLastSeen(members: readonly Pick<StoredMember, 'node' | 'lastSeenWallMs'>[]): void;
  /** By node name. */
  members(): StoredMember[];
  forgetMember(node: NodeName): void;

  getSetting(name: string): string | undefined;
  setSetting(name: string, value: string): void;

  /**
   * Deletes ended requests beyond the bounds, first ended first, at most `maxDeletions` of them, so that a call is short.
   * Open ones count too, but stay. Resolves to how many it deleted. Freed space is used again; the file does not shrink.
   * The id of a request that may still be good is remembered for as long as that, and then forgotten.
   */
  prune(bounds: HistoryBounds, nowWallMs: number, maxDeletions: number): number;
  /** Whether a request of this id was deleted while it may still be good: a copy of it must not be taken for a new one. */
  isSpent(id: RequestId, nowWallMs: number): boolean;
  /** Closing twice is harmless. */
  close(): void;
}
