import type { NodeName } from '../wire/fields.ts';
import type { LedgerEntry } from './ledger-events.ts';
import { batchSizes } from './rollout-batches.ts';
import { type Fate, RolloutTally } from './rollout-tally.ts';

/** What a rollout is to do; never changes. Plain JSON. */
export interface RolloutPlan {
  /** Those to be started, in the order of their turns: who was there, and in no conflict, when it began. */
  readonly nodes: readonly NodeName[];
  /** Those that take no part, and count for nothing, because a policy refuses it. */
  readonly denied?: readonly NodeName[] | undefined;
  /** Nodes in one batch: 1 or more. */
  readonly batch: number;
  /** Nodes in a first batch of its own, which must go well on each of them; 0: there is none. */
  readonly canary: number;
  readonly pauseMs: number;
  /** More failed nodes than this stop it, see `fateOf` in rollout-tally.ts. */
  readonly maxFail: number;
  /** The same of unreachable nodes. Missing: none may be, but those that were not there when it began do not count. */
  readonly maxUnreachable?: number | undefined;
  /** Time of one batch: who has not answered by then is given up. */
  readonly windowMs: number;
}

export type StopReason = 'canary' | 'failures' | 'unreachable' | 'cancelled';

export interface RolloutStop {
  readonly reason: StopReason;
  /** For people, with the numbers. */
  readonly text: string;
}

/** What changes, apart from what the ledger knows. Times are of the clock that never jumps. */
export interface RolloutState {
  /** Batches that have begun; the canary is one. */
  readonly batch: number;
  /** When the nodes at work are given up; undefined between two batches. */
  readonly endsAtMs?: number | undefined;
  /** When the pause behind this batch ends; undefined while the batch is at work. */
  readonly resumesAtMs?: number | undefined;
  /** It stops: nobody is started any more, those at work are waited for. Once it is there it stays. */
  readonly stop?: RolloutStop | undefined;
}

/** What an earlier run of the manager had stored. */
export interface RolloutPast {
  /** Undefined where it was never stored. */
  readonly state: RolloutState | undefined;
  readonly isOver: boolean;
}

export type RolloutEffect =
  /** The turn of these nodes has come. */
  | { readonly kind: 'release'; readonly nodes: readonly NodeName[]; readonly endsAtMs: number }
  /** The turn of these nodes had come, but they are not there. Others may take their places. */
  | { readonly kind: 'skip'; readonly nodes: readonly NodeName[] }
  /** A limit was passed, or it was cancelled, and nobody is at work any more. */
  | ({ readonly kind: 'stop' } & RolloutStop)
  /** Every node had its turn, and no limit was passed. */
  | { readonly kind: 'done' };

/** How far it is, for people. */
export interface RolloutProgress {
  /** The batch at work, or the last one; 0 before the first. */
  readonly batch: number;
  readonly batches: number;
  /** Nodes that were asked to begin. */
  readonly started: number;
  readonly isPausing: boolean;
  /** When the pause ends, or the time of the batch at work; undefined when it is over. */
  readonly untilMs: number | undefined;
  /** `unstarted`: their turn has not come, or never comes. Together with the others these are all nodes. */
  readonly counts: Readonly<Record<'unstarted' | 'working' | 'ok' | 'failed' | 'unreachable', number>>;
  readonly stop: RolloutStop | undefined;
}

// After a restart of the manager the agents need a moment to hand in what they had answered meanwhile.
const redeliveryMs = 15_000;

/**
 * Which nodes start when, and when it is enough; docs/ROLLOUT.md says it for people. It touches nothing: `note` takes
 * what the ledger notes, `next` says what is to be done now. Batches come one after the other: the next begins when each
 * node of the one before has an outcome, no limit was passed, and the pause is over. A limit that is passed in the middle
 * of a batch counts as well. The last thing that comes out is one `stop` or one `done`.
 *
 * Who has had its turn is read from the entries of the ledger, and never from what this has stored: those are stored
 * before a node is asked, so that none is started twice, and none beside a batch that is still at work.
 */
export class Rollout {
  readonly #plan: RolloutPlan;
  readonly #canary: ReadonlySet<NodeName>;
  readonly #tally: RolloutTally;
  #state: RolloutState;
  #isOver: boolean;

  /** `entries`: all that the ledger has, new or from the store. */
  constructor(plan: RolloutPlan, entries: Iterable<LedgerEntry>, now: number, past?: RolloutPast) {
    this.#plan = plan;
    this.#canary = new Set(plan.nodes.slice(0, plan.canary));
    this.#tally = new RolloutTally(plan, entries);
    this.#isOver = past?.isOver === true;
    this.#state = this.#isOver && past?.state !== undefined ? past.state : this.#resumed(past?.state, now);
    this.#checkLimits();
  }

  /** Another object whenever something in it has changed: then it is to be stored. */
  get state(): RolloutState {
    return this.#state;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  note(entry: LedgerEntry): void {
    this.#tally.note(entry);
  }

  /** Nobody is started any more. Says nothing of those at work: the ledger tells them. */
  cancel(): void {
    this.#stop('cancelled', 'cancelled');
  }

  /** One thing that is to be done now: whenever something has happened, to be called until there is nothing more. */
  next(now: number, isThere: (node: NodeName) => boolean): RolloutEffect | undefined {
    this.#checkLimits();
    if (this.#isOver || this.#tally.working.size > 0) return undefined;
    const { stop } = this.#state;
    if (stop !== undefined || this.#tally.waiting.size === 0) {
      this.#isOver = true;
      return stop === undefined ? { kind: 'done' } : { kind: 'stop', ...stop };
    }
    return this.#isPausing(now) ? undefined : this.#begin(now, isThere);
  }

  progress(): RolloutProgress {
    const { batch, endsAtMs, resumesAtMs, stop } = this.#state;
    const left = this.#plan.nodes.filter((node) => this.#tally.isLeft(node));
    const canaryLeft = left.filter((node) => this.#canary.has(node)).length;
    return {
      batch,
      batches: batch + batchSizes(left.length, canaryLeft, this.#plan.batch).length,
      started: this.#tally.startedCount,
      isPausing: resumesAtMs !== undefined && stop === undefined && !this.#isOver,
      untilMs: this.#isOver ? undefined : (resumesAtMs ?? endsAtMs),
      counts: {
        unstarted: left.length,
        working: this.#tally.working.size,
        ok: this.#tally.count('ok'),
        failed: this.#tally.count('failed'),
        unreachable: this.#tally.count('unreachable') + this.#tally.count('absent'),
      },
      stop,
    };
  }

  /** What was stored may be older than the entries, or younger; and the clock on the wall may have been set. */
  #resumed(stored: RolloutState | undefined, now: number): RolloutState {
    const { canary, batch: size, windowMs, pauseMs } = this.#plan;
    const batch = batchSizes(this.#tally.startedCount, canary, size).length;
    const { endsAtMs = Infinity, resumesAtMs = Infinity } = stored?.batch === batch ? stored : {};
    const stop = stored?.stop;
    const soonestMs = now + Math.min(windowMs, redeliveryMs);
    if (this.#tally.working.size > 0)
      return { batch, stop, endsAtMs: Math.max(soonestMs, Math.min(endsAtMs, now + windowMs)) };
    return batch === 0 ? { batch, stop } : { batch, stop, resumesAtMs: Math.min(resumesAtMs, now + pauseMs) };
  }

  #begin(now: number, isThere: (node: NodeName) => boolean): RolloutEffect {
    const nodes = this.#turn();
    const lost = nodes.filter((node) => !isThere(node));
    // First those alone: they may be too many for the limit, and then nobody starts.
    if (lost.length > 0) {
      for (const node of lost) this.#tally.skip(node);
      return { kind: 'skip', nodes: lost };
    }
    for (const node of nodes) this.#tally.start(node);
    const endsAtMs = now + this.#plan.windowMs;
    this.#state = { batch: this.#state.batch + 1, endsAtMs };
    return { kind: 'release', nodes, endsAtMs };
  }

  #turn(): NodeName[] {
    const left = [...this.#tally.waiting];
    const canary = left.filter((node) => this.#canary.has(node));
    return canary.length > 0 ? canary : left.slice(0, this.#plan.batch);
  }

  /** There is no pause before the first batch; behind each it begins when the last node has its outcome. */
  #isPausing(now: number): boolean {
    const { batch, resumesAtMs = now + this.#plan.pauseMs } = this.#state;
    if (batch === 0) return false;
    if (this.#state.resumesAtMs === undefined) this.#state = { batch, resumesAtMs };
    return now < resumesAtMs;
  }

  #checkLimits(): void {
    const { maxFail, maxUnreachable } = this.#plan;
    const unwell = [...this.#canary].find((node) => isUnwell(this.#tally.fate(node)));
    if (unwell !== undefined) this.#stop('canary', `${unwell} of the canary is not ok`);
    const failed = this.#tally.count('failed');
    if (failed > maxFail) this.#stop('failures', `${nodesOf(failed)} failed, ${limitOf(maxFail)}`);
    const absent = maxUnreachable === undefined ? 0 : this.#tally.count('absent');
    const gone = this.#tally.count('unreachable') + absent;
    if (gone > (maxUnreachable ?? 0)) {
      this.#stop('unreachable', `${nodesOf(gone)} unreachable or silent, ${limitOf(maxUnreachable ?? 0)}`);
    }
    // Only a rollout that stops leaves such; this is one whose end was not stored.
    if (this.#tally.count('unstarted') > 0) this.cancel();
  }

  #stop(reason: StopReason, why: string): void {
    if (this.#isOver || this.#state.stop !== undefined) return;
    const left = this.#tally.waiting.size;
    const text = `${why}: ${left === 0 ? 'every node had been started' : `${nodesOf(left)} not started`}`;
    this.#state = { ...this.#state, stop: { reason, text } };
  }
}

function isUnwell(fate: Fate | undefined): boolean {
  return fate !== undefined && fate !== 'ok' && fate !== 'unstarted';
}

function nodesOf(count: number): string {
  return count === 1 ? '1 node' : `${count} nodes`;
}

function limitOf(count: number): string {
  return count === 0 ? 'none may' : `at most ${count} may`;
}
