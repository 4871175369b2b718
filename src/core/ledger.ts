import type { NodeName, RequestId } from '../wire/fields.ts';
import type { Outcome } from '../wire/outcome.ts';
import type { AckPhase } from '../wire/presence.ts';
import { countsOf, type Entry, isWaitedFor, newEntry, noted, type Pauses, pauseOf } from './ledger-entry.ts';
import type {
  Aim,
  LedgerEffect,
  LedgerEntry,
  LedgerEvent,
  OutcomeCounts,
  StoredEntry,
} from './ledger-events.ts';

export interface LedgerOptions extends Pauses {
  /** How long a cancelled request stays open for what its nodes say to that. */
  readonly cancelGraceMs: number;
}

/**
 * Who must answer one request, how far each is, and whether it is over. It touches nothing: events and the time go in,
 * effects come out. States and transitions are drawn in docs/LEDGER.md.
 */
export class Ledger {
  readonly id: RequestId;
  readonly anonymous: number;
  readonly withheld: number;
  readonly #isHeld: boolean;
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
    this.#isHeld = aim.isHeld === true;
    this.#options = options;
    this.#endsAtMs = aim.endsAtMs;
    for (const { node, isAlive, isRefused, isDenied = false } of aim.nodes) {
      const entry = this.#add(node, false);
      entry.isReachable = isAlive;
      entry.phase = this.#isHeld ? 'waiting' : 'asked';
      entry.nextAskMs = now + this.#pause(entry);
      entry.isAnswered = isDenied;
      if (isDenied) entry.phase = 'done';
      if (isRefused) this.#decide(entry, 'refused');
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
      this.#decide(entry, outcome);
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

  /** Nodes with a name, those that answered without being aimed at among them. */
  get nodeCount(): number {
    return this.#entries.size;
  }

  entries(): StoredEntry[] {
    return [...this.#entries.values()].map(noted);
  }

  entry(node: NodeName): LedgerEntry | undefined {
    return this.#entries.get(node);
  }

  isReachable(node: NodeName): boolean {
    return this.#entries.get(node)?.isReachable === true;
  }

  /** All aimed-at nodes are in it; v1 agents that did not answer count as `no-answer`, withheld ones as `refused`. */
  counts(): OutcomeCounts {
    return countsOf(this.#entries.values(), [
      ['no-answer', this.#isOver ? this.anonymousMissing : 0],
      ['refused', this.withheld],
    ]);
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
      case 'release':
        return this.#release(event.nodes, event.endsAtMs, now);
      case 'skip':
        return this.#skip(event.nodes);
      case 'close':
        return this.#close();
      case 'tick':
        return this.#isClosed(now) ? [] : this.#askAgain(now);
    }
  }

  #acknowledge(node: NodeName, phase: AckPhase, now: number): LedgerEffect[] {
    const entry = this.#entries.get(node);
    // Not aimed at, answered already, or a message that was overtaken.
    if (entry === undefined || entry.isAnswered || (entry.phase === 'running' && phase === 'queued'))
      return [];
    const outcome = this.#isGivenUp(entry) ? 'running' : undefined;
    const isNews = entry.phase !== phase || entry.outcome !== outcome;
    this.#decide(entry, outcome);
    entry.isReachable = true;
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
    if (this.#isClosed(now) || this.#isGivenUp(entry) || entry.isAnswered || entry.outcome === 'refused')
      return [];
    // One that was given up and shows up while the request is open is waited for again.
    const wasGivenUp = entry.outcome !== undefined;
    this.#decide(entry, undefined);
    const records = wasGivenUp ? [this.#record(entry)] : [];
    return [...records, this.#isCancelled ? this.#cancelEntry(entry, now) : this.#ask(entry, now)];
  }

  #cancel(now: number): LedgerEffect[] {
    if (this.#isCancelled) return [];
    this.#isCancelled = true;
    this.#endsAtMs = Math.min(this.#endsAtMs, now + this.#options.cancelGraceMs);
    const told = [...this.#entries.values()].filter(
      (entry) => !entry.isAnswered && !entry.isAnonymous && entry.phase !== 'waiting',
    );
    return [...this.#cancelWaiting(), ...told.map((entry) => this.#cancelEntry(entry, now))];
  }

  #cancelWaiting(): LedgerEffect[] {
    return [...this.#entries.values()]
      .filter((entry) => entry.phase === 'waiting' && entry.outcome === undefined)
      .map((entry) => this.#decideAndRecord(entry, 'cancelled'));
  }

  /** All that changes is recorded before the first is asked: what was sent on its way must be known after a restart. */
  #release(nodes: readonly NodeName[], endsAtMs: number, now: number): LedgerEffect[] {
    if (this.#isOver || this.#isCancelled) return [];
    this.#endsAtMs = endsAtMs;
    const entries = this.#waitingOf(nodes);
    for (const entry of entries) {
      entry.phase = 'asked';
      entry.nextAskMs = now + this.#pause(entry);
    }
    return [
      ...entries.map((entry) => this.#record(entry)),
      ...entries.map(({ node }): LedgerEffect => ({ kind: 'ask', id: this.id, node })),
    ];
  }

  #skip(nodes: readonly NodeName[]): LedgerEffect[] {
    return this.#waitingOf(nodes).map((entry) => {
      entry.phase = 'asked';
      return this.#decideAndRecord(entry, 'unreachable');
    });
  }

  #waitingOf(nodes: readonly NodeName[]): Entry[] {
    return nodes.flatMap((node) => {
      const entry = this.#entries.get(node);
      return entry?.phase === 'waiting' && entry.outcome === undefined ? [entry] : [];
    });
  }

  #close(): LedgerEffect[] {
    return this.#isOver ? [] : [...this.#cancelWaiting(), ...this.#giveUp(), this.#end()];
  }

  #askAgain(now: number): LedgerEffect[] {
    const effects: LedgerEffect[] = [];
    if (this.#undecided === 0) return effects;
    for (const entry of this.#entries.values()) {
      if (!isWaitedFor(entry) || !entry.isReachable || entry.nextAskMs > now) continue;
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
    return pauseOf(entry, this.#isCancelled, this.#options);
  }

  /** Nobody is asked any more, even when the end itself has not come out yet. */
  #isClosed(now: number): boolean {
    return this.#isOver || now >= this.#endsAtMs;
  }

  /** What a node of which this is true says is noted, but nobody waits for more of it. */
  #isGivenUp(entry: Entry): boolean {
    return this.#isOver || (this.#isHeld && !isWaitedFor(entry));
  }

  #endIfDue(now: number): LedgerEffect[] {
    if (this.#isHeld) return now < this.#endsAtMs ? [] : this.#giveUp();
    const isComplete = this.#undecided === 0 && this.anonymousMissing === 0;
    return isComplete || now >= this.#endsAtMs ? [...this.#giveUp(), this.#end()] : [];
  }

  #giveUp(): LedgerEffect[] {
    return [...this.#entries.values()].filter(isWaitedFor).map((entry) => {
      // Of one that has gone meanwhile it is not known whether it is still at work.
      const isSilent = entry.phase === 'asked' || !entry.isReachable;
      return this.#decideAndRecord(entry, isSilent ? 'no-answer' : 'running');
    });
  }

  #end(): LedgerEffect {
    this.#isOver = true;
    return { kind: 'end', id: this.id };
  }

  #add(node: NodeName, isAnonymous: boolean): Entry {
    const entry = newEntry(node, isAnonymous);
    this.#entries.set(node, entry);
    this.#undecided += 1;
    return entry;
  }

  #decide(entry: Entry, outcome: Outcome | undefined): void {
    if (entry.outcome === undefined) this.#undecided -= 1;
    if (outcome === undefined) this.#undecided += 1;
    entry.outcome = outcome;
  }

  #decideAndRecord(entry: Entry, outcome: Outcome): LedgerEffect {
    this.#decide(entry, outcome);
    return this.#record(entry);
  }

  #record(entry: Entry): LedgerEffect {
    return { kind: 'record', id: this.id, entry: noted(entry) };
  }
}
