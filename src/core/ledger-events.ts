import type { NodeName, RequestId } from '../wire/fields.ts';
import type { Outcome, Phase } from '../wire/outcome.ts';
import type { AckPhase } from '../wire/presence.ts';

/** One node that a request is aimed at, as the roster knows it at that moment. */
export interface AimedNode {
  readonly node: NodeName;
  readonly isAlive: boolean;
  /** It is not asked: two agents use its name, or a policy refuses it. */
  readonly isRefused: boolean;
  /** A policy refuses it, so the answer is ours: nothing that the node says amends it. */
  readonly isDenied?: boolean;
}

export interface Aim {
  readonly id: RequestId;
  readonly nodes: readonly AimedNode[];
  /** Connected v1 agents on the topic, which have no name before they answer. */
  readonly anonymous: number;
  /** v1 agents on the topic that were not asked, see core/subscriptions.ts. */
  readonly withheld: number;
  /** When the window ends; where it is held, that of the nodes at work. */
  readonly endsAtMs: number;
  /**
   * Nobody is asked before a `release`, and the request does not end before the `close`: a rollout says when, see
   * core/rollout-run.ts. v1 agents cannot be held, so there must be no anonymous ones.
   */
  readonly isHeld?: boolean;
}

export interface LedgerEntry {
  readonly node: NodeName;
  readonly phase: Phase;
  /** Exactly one when the request is over; before that undefined where nothing is decided. */
  readonly outcome: Outcome | undefined;
}

/** An entry as it is stored. `isAnonymous`: its answer came from one of the v1 agents that have no name before. */
export type StoredEntry = LedgerEntry & { readonly isAnonymous: boolean };

export type LedgerEvent =
  | { readonly kind: 'ack'; readonly node: NodeName; readonly phase: AckPhase }
  | {
      readonly kind: 'result';
      readonly node: NodeName | undefined;
      readonly isV1: boolean;
      readonly outcome: Outcome;
    }
  /** The roster says that the node is no longer there. It is waited for all the same: it was alive when asked. */
  | { readonly kind: 'lost'; readonly node: NodeName }
  /** ... or that it is there again. */
  | { readonly kind: 'back'; readonly node: NodeName }
  | { readonly kind: 'cancel' }
  /** The turn of these nodes has come. They are waited for until then; nobody else may still be waited for. */
  | { readonly kind: 'release'; readonly nodes: readonly NodeName[]; readonly endsAtMs: number }
  /** The turn of these nodes had come, but they are not there. */
  | { readonly kind: 'skip'; readonly nodes: readonly NodeName[] }
  /** Nobody will have a turn any more, and nobody is waited for any longer. */
  | { readonly kind: 'close' }
  | { readonly kind: 'tick' };

export type LedgerEffect =
  /** Hand the answer on: it is the first of this node. */
  | { readonly kind: 'publish'; readonly id: RequestId }
  /** To be stored. */
  | { readonly kind: 'record'; readonly id: RequestId; readonly entry: StoredEntry }
  /** Ask this node, by its name: again, or for the first time when its turn has come. */
  | { readonly kind: 'ask'; readonly id: RequestId; readonly node: NodeName }
  /** Tell this node not to start, or to end what runs. */
  | { readonly kind: 'cancel'; readonly id: RequestId; readonly node: NodeName }
  /** The request is over. Comes out exactly once. */
  | { readonly kind: 'end'; readonly id: RequestId };

/** Counts of each outcome that occurs. */
export type OutcomeCounts = Partial<Record<Outcome, number>>;
