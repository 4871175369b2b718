import type { NodeName, RequestId } from '../wire/fields.ts';
import type { Outcome, Phase } from '../wire/outcome.ts';
import type { AckPhase } from '../wire/presence.ts';

/** One node that a request is aimed at, as the roster knows it at that moment. */
export interface AimedNode {
  readonly node: NodeName;
  readonly isAlive: boolean;
  /** Two agents use its name: it is not served. */
  readonly isConflicted: boolean;
}

export interface Aim {
  readonly id: RequestId;
  readonly nodes: readonly AimedNode[];
  /** Connected v1 agents on the topic, which have no name before they answer. */
  readonly anonymous: number;
  /** v1 agents on the topic that were not asked, see core/subscriptions.ts. */
  readonly withheld: number;
  /** When the window ends. */
  readonly endsAtMs: number;
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
  | { readonly kind: 'tick' };

export type LedgerEffect =
  /** Hand the answer on: it is the first of this node. */
  | { readonly kind: 'publish'; readonly id: RequestId }
  /** To be stored. */
  | { readonly kind: 'record'; readonly id: RequestId; readonly entry: StoredEntry }
  /** Ask this node again, by its name. */
  | { readonly kind: 'ask'; readonly id: RequestId; readonly node: NodeName }
  /** Tell this node not to start, or to end what runs. */
  | { readonly kind: 'cancel'; readonly id: RequestId; readonly node: NodeName }
  /** The request is over. Comes out exactly once. */
  | { readonly kind: 'end'; readonly id: RequestId };

interface Entry {
  node: NodeName;
  phase: Phase;
  outcome: Outcome | undefined;
  isAnonymous: boolean;
  /** Said the node itself, not we for it: nothing amends it. */
  isAnswered: boolean;
  isReachable: boolean;
  asked: number;
  nextAskMs: number;
}

export interface LedgerOptions {
  /** Pauses before a silent node is asked again: each is twice the one before, up to the longest. */
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
  /** How long a cancelled request stays open for what its nodes say to that. */
  readonly cancelGraceMs: number;
  /** From 0 up to, but not including 1: the same spread for the same node and count, so that no herd forms. */
  readonly jitter: (node: NodeName, asked: number) => number;
}

/** Counts of each outcome that occurs. */
export type OutcomeCounts = Partial<Record<Outcome, number>>;

/**
 * Who must answer one request, how far each is, and whether it is over. It touches nothing: events and the time go in,
 * effects come out. States and transitions are drawn in docs/LEDGER.md.
 */
export class Ledger {
  readonly id: RequestId;
  readonly anonymous: number;
  readonly withheld: number;
  readonly #options: LedgerOptions;
  readonly #entries = new Map<NodeName, Entry>();
  #endsAtMs: number;
  #isCancelled = false;
  #isOver = false;
  #undecided = 0;
  #anonymousAnswers = 0;

  constructor(aim: Aim, options: LedgerOptions, now: number) {
    this.id = aim.id;
    this.anonymous = aim.anonymous;
    this.withheld = aim.withheld;
    this.#options = options;
    this.#endsAtMs = aim.endsAtMs;
    for (const { node, isAlive, isConflicted } of aim.nodes) {
      const entry = this.#add(node, false);
      entry.isReachable = isAlive;
      entry.nextAskMs = now + this.#pause(entry);
      if (isConflicted) this.#decide(entry, 'refused');
      else if (!isAlive) this.#decide(entry, 'unreachable');
    }
  }

  /** What an earlier run of the manager had noted, and who of them is there now. To be called before the first step. */
  restore(
    entries: Iterable<StoredEntry>,
    isOver: boolean,
    isCancelled: boolean,
    isThere: (node: NodeName) => boolean = () => true,
  ): void {
    for (const { node, phase, outcome, isAnonymous } of entries) {
      const entry = this.#entries.get(node) ?? this.#add(node, isAnonymous);
      if (isAnonymous) this.#anonymousAnswers += 1;
      entry.phase = phase;
      entry.isAnonymous = isAnonymous;
      entry.isAnswered = phase === 'done';
      entry.isReachable = isThere(node);
      if (outcome === undefined) this.#reopen(entry);
      else this.#decide(entry, outcome);
    }
    this.#isOver = isOver;
    this.#isCancelled = isCancelled;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  get isCancelled(): boolean {
    return this.#isCancelled;
  }

  get endsAtMs(): number {
    return this.#endsAtMs;
  }

  /** v1 agents that were asked and have not answered. */
  get anonymousMissing(): number {
    return Math.max(0, this.anonymous - this.#anonymousAnswers);
  }

  entries(): StoredEntry[] {
    return [...this.#entries.values()].map(noted);
  }

  entry(node: NodeName): LedgerEntry | undefined {
    return this.#entries.get(node);
  }

  /** All aimed-at nodes are in it; v1 agents that did not answer count as `no-answer`, withheld ones as `refused`. */
  counts(): OutcomeCounts {
    const counts: OutcomeCounts = {};
    const add = (outcome: Outcome, count: number): void => {
      if (count > 0) counts[outcome] = (counts[outcome] ?? 0) + count;
    };
    for (const { outcome } of this.#entries.values()) if (outcome !== undefined) add(outcome, 1);
    if (this.#isOver) add('no-answer', this.anonymousMissing);
    add('refused', this.withheld);
    return counts;
  }

  step(event: LedgerEvent, now: number): LedgerEffect[] {
    const effects = this.#react(event, now);
    return this.#isOver ? effects : [...effects, ...this.#endIfDue(now)];
  }

  #react(event: LedgerEvent, now: number): LedgerEffect[] {
    switch (event.kind) {
      case 'ack':
        return this.#acknowledge(event.node, event.phase, now);
      case 'result':
        return this.#answer(event.node, event.isV1, event.outcome);
      case 'lost':
        return this.#lose(event.node);
      case 'back':
        return this.#welcome(event.node, now);
      case 'cancel':
        return this.#cancel(now);
      case 'tick':
        return this.#isClosed(now) ? [] : this.#askAgain(now);
    }
  }

  #acknowledge(node: NodeName, phase: AckPhase, now: number): LedgerEffect[] {
    const entry = this.#entries.get(node);
    // Not aimed at, answered already, or a message that was overtaken.
    if (entry === undefined || entry.isAnswered || (entry.phase === 'running' && phase === 'queued'))
      return [];
    const outcome = this.#isOver ? 'running' : undefined;
    const isNews = entry.phase !== phase || entry.outcome !== outcome;
    this.#reopen(entry);
    entry.isReachable = true;
    entry.outcome = outcome;
    entry.phase = phase;
    entry.nextAskMs = now + this.#pause(entry);
    return isNews ? [this.#record(entry)] : [];
  }

  #answer(name: NodeName | undefined, isV1: boolean, outcome: Outcome): LedgerEffect[] {
    // 2014 agents do not name themselves when they are in trouble.
    const node = name ?? (`unnamed-${this.#anonymousAnswers + 1}` as NodeName);
    const known = this.#entries.get(node);
    if (known?.isAnswered) return [];
    const entry = known ?? this.#add(node, isV1);
    // Also where a host that was known by name has gone back to a v1 agent.
    entry.isAnonymous ||= isV1;
    if (entry.isAnonymous) this.#anonymousAnswers += 1;
    entry.isAnswered = true;
    entry.phase = 'done';
    this.#decide(entry, outcome);
    return [{ kind: 'publish', id: this.id }, this.#record(entry)];
  }

  #lose(node: NodeName): LedgerEffect[] {
    const entry = this.#entries.get(node);
    if (entry !== undefined) entry.isReachable = false;
    return [];
  }

  #welcome(node: NodeName, now: number): LedgerEffect[] {
    const entry = this.#entries.get(node);
    if (entry === undefined) return [];
    entry.isReachable = true;
    if (this.#isClosed(now) || entry.isAnswered || entry.outcome === 'refused') return [];
    const wasGivenUp = entry.outcome !== undefined;
    this.#reopen(entry);
    const records = wasGivenUp ? [this.#record(entry)] : [];
    return [...records, this.#isCancelled ? this.#cancelEntry(entry, now) : this.#ask(entry, now)];
  }

  #cancel(now: number): LedgerEffect[] {
    if (this.#isCancelled) return [];
    this.#isCancelled = true;
    this.#endsAtMs = Math.min(this.#endsAtMs, now + this.#options.cancelGraceMs);
    return [...this.#entries.values()]
      .filter((entry) => !entry.isAnswered && !entry.isAnonymous)
      .map((entry) => this.#cancelEntry(entry, now));
  }

  #askAgain(now: number): LedgerEffect[] {
    const effects: LedgerEffect[] = [];
    if (this.#undecided === 0) return effects;
    for (const entry of this.#entries.values()) {
      if (entry.outcome !== undefined || !entry.isReachable || entry.nextAskMs > now) continue;
      effects.push(this.#isCancelled ? this.#cancelEntry(entry, now) : this.#ask(entry, now));
    }
    return effects;
  }

  #ask(entry: Entry, now: number): LedgerEffect {
    entry.asked += 1;
    entry.nextAskMs = now + this.#pause(entry);
    return { kind: 'ask', id: this.id, node: entry.node };
  }

  #cancelEntry(entry: Entry, now: number): LedgerEffect {
    entry.nextAskMs = now + this.#pause(entry);
    return { kind: 'cancel', id: this.id, node: entry.node };
  }

  #pause(entry: Entry): number {
    return this.#evenPause(entry) * (0.75 + this.#options.jitter(entry.node, entry.asked) / 2);
  }

  #evenPause({ asked, phase }: Entry): number {
    const { firstPauseMs, longestPauseMs } = this.#options;
    if (this.#isCancelled) return firstPauseMs;
    // It has acknowledged: only a later message may have been lost.
    if (phase !== 'asked') return longestPauseMs;
    return Math.min(longestPauseMs, firstPauseMs * 2 ** asked);
  }

  /** Nobody is asked any more, even when the end itself has not come out yet. */
  #isClosed(now: number): boolean {
    return this.#isOver || now >= this.#endsAtMs;
  }

  #endIfDue(now: number): LedgerEffect[] {
    const isComplete = this.#undecided === 0 && this.anonymousMissing === 0;
    if (!isComplete && now < this.#endsAtMs) return [];
    const effects: LedgerEffect[] = [];
    for (const entry of this.#entries.values()) {
      if (entry.outcome !== undefined) continue;
      // Of one that has gone meanwhile it is not known whether it is still at work.
      this.#decide(entry, entry.phase === 'asked' || !entry.isReachable ? 'no-answer' : 'running');
      effects.push(this.#record(entry));
    }
    this.#isOver = true;
    return [...effects, { kind: 'end', id: this.id }];
  }

  #add(node: NodeName, isAnonymous: boolean): Entry {
    const entry: Entry = {
      node,
      phase: 'asked',
      outcome: undefined,
      isAnonymous,
      isAnswered: false,
      isReachable: true,
      asked: 0,
      nextAskMs: 0,
    };
    this.#entries.set(node, entry);
    this.#undecided += 1;
    return entry;
  }

  #decide(entry: Entry, outcome: Outcome): void {
    if (entry.outcome === undefined) this.#undecided -= 1;
    entry.outcome = outcome;
  }

  /** A node that was given up and shows up while the request is open is waited for again. */
  #reopen(entry: Entry): void {
    if (this.#isOver || entry.outcome === undefined) return;
    entry.outcome = undefined;
    this.#undecided += 1;
  }

  #record(entry: Entry): LedgerEffect {
    return { kind: 'record', id: this.id, entry: noted(entry) };
  }
}

function noted({ node, phase, outcome, isAnonymous }: Entry): StoredEntry {
  return { node, phase, outcome, isAnonymous };
}
