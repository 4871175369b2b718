import type { NodeName } from '../wire/fields.ts';
import type { Outcome, Phase } from '../wire/outcome.ts';
import type { OutcomeCounts, StoredEntry } from './ledger-events.ts';

/** What a ledger knows of one node, as it changes. */
export interface Entry {
  readonly node: NodeName;
  phase: Phase;
  outcome: Outcome | undefined;
  isAnonymous: boolean;
  /** Nothing amends it: the node has said it itself, or a policy for it. */
  isAnswered: boolean;
  isReachable: boolean;
  asked: number;
  nextAskMs: number;
}

export interface Pauses {
  /** Pauses before a silent node is asked again: each is twice the one before, up to the longest. */
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
  /** From 0 up to, but not including 1: the same spread for the same node and count, so that no herd forms. */
  readonly jitter: (node: NodeName, asked: number) => number;
}

export function newEntry(node: NodeName, isAnonymous: boolean): Entry {
  return {
    node,
    phase: 'asked',
    outcome: undefined,
    isAnonymous,
    isAnswered: false,
    isReachable: true,
    asked: 0,
    nextAskMs: 0,
  };
}

/** It was asked, and nothing is decided. */
export function isWaitedFor({ phase, outcome }: Entry): boolean {
  return outcome === undefined && phase !== 'waiting';
}

/** As it is stored. */
export function noted({ node, phase, outcome, isAnonymous }: Entry): StoredEntry {
  return { node, phase, outcome, isAnonymous };
}

/** The outcomes of the entries, and `more` behind them. */
export function countsOf(
  entries: Iterable<Entry>,
  more: ReadonlyArray<readonly [Outcome, number]>,
): OutcomeCounts {
  const counts: OutcomeCounts = {};
  const add = (outcome: Outcome, count: number): void => {
    if (count > 0) counts[outcome] = (counts[outcome] ?? 0) + count;
  };
  for (const { outcome } of entries) if (outcome !== undefined) add(outcome, 1);
  for (const [outcome, count] of more) add(outcome, count);
  return counts;
}

/** How long nothing more is said to the node: each time twice as long, with a spread of a quarter. */
export function pauseOf(entry: Entry, isCancelled: boolean, pauses: Pauses): number {
  return evenPause(entry, isCancelled, pauses) * (0.75 + pauses.jitter(entry.node, entry.asked) / 2);
}

function evenPause({ asked, phase }: Entry, isCancelled: boolean, pauses: Pauses): number {
  const { firstPauseMs, longestPauseMs } = pauses;
  if (isCancelled) return firstPauseMs;
  // Nothing was said to it yet, or it has acknowledged: then only a later message may have been lost.
  if (phase !== 'asked') return longestPauseMs;
  return Math.min(longestPauseMs, firstPauseMs * 2 ** asked);
}
