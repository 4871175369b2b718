import type { NodeName } from '../wire/fields.ts';
import type { Outcome } from '../wire/outcome.ts';
import type { LedgerEntry } from './ledger-events.ts';

/**
 * What an outcome means for a rollout. `absent`: was not there already when it began. `unstarted`: its turn never came
 * because the rollout stopped; that counts against no limit.
 */
export type Fate = 'ok' | 'failed' | 'unreachable' | 'absent' | 'unstarted';

const fates: Readonly<Record<Outcome, Fate>> = {
  ok: 'ok',
  failed: 'failed',
  unverified: 'failed',
  refused: 'failed',
  expired: 'failed',
  interrupted: 'failed',
  cancelled: 'failed',
  running: 'unreachable',
  'no-answer': 'unreachable',
  unreachable: 'unreachable',
};

/** Undefined while nothing is decided. */
export function fateOf({ phase, outcome }: LedgerEntry): Fate | undefined {
  if (phase === 'waiting' && outcome === 'unreachable') return 'absent';
  if (phase === 'waiting' && outcome === 'cancelled') return 'unstarted';
  return outcome === undefined ? undefined : fates[outcome];
}

/** The part of a plan that says who takes part, in the order of their turns, and who does not. */
interface TallyPlan {
  readonly nodes: readonly NodeName[];
  readonly denied?: readonly NodeName[] | undefined;
}

/** Who waits, who is at work and how the others fared, kept up from one entry of the ledger to the next. */
export class RolloutTally {
  readonly #planned: ReadonlySet<NodeName>;
  readonly #denied: ReadonlySet<NodeName>;
  readonly #waiting: Set<NodeName>;
  readonly #working = new Set<NodeName>();
  readonly #started = new Set<NodeName>();
  readonly #fates = new Map<NodeName, Fate>();
  readonly #counts = new Map<Fate, number>();

  constructor({ nodes: order, denied = [] }: TallyPlan, entries: Iterable<LedgerEntry>) {
    const known = [...entries];
    this.#planned = new Set(order);
    this.#denied = new Set(denied);
    const open = new Set(known.filter(isWaiting).map(({ node }) => node));
    this.#waiting = new Set(order.filter((node) => open.has(node)));
    for (const entry of known) this.note(entry);
  }

  /** In the order of their turns. */
  get waiting(): ReadonlySet<NodeName> {
    return this.#waiting;
  }

  get working(): ReadonlySet<NodeName> {
    return this.#working;
  }

  /** Nodes that were asked to begin. */
  get startedCount(): number {
    return this.#started.size;
  }

  count(fate: Fate): number {
    return this.#counts.get(fate) ?? 0;
  }

  fate(node: NodeName): Fate | undefined {
    return this.#fates.get(node);
  }

  /** Its turn has not come, or will never come. */
  isLeft(node: NodeName): boolean {
    return this.#waiting.has(node) || this.fate(node) === 'unstarted';
  }

  start(node: NodeName): void {
    this.#waiting.delete(node);
    // Also somebody may answer who was not asked.
    if (this.#planned.has(node)) this.#started.add(node);
    this.#working.add(node);
  }

  skip(node: NodeName): void {
    this.#waiting.delete(node);
  }

  /** The same entry again changes nothing; a later one takes the place of the one before. */
  note(entry: LedgerEntry): void {
    const { node } = entry;
    if (isWaiting(entry) || this.#denied.has(node)) return;
    const fate = fateOf(entry);
    if (hasBegun(entry)) this.start(node);
    else this.skip(node);
    if (fate === undefined) return;
    this.#working.delete(node);
    this.#add(this.#fates.get(node), -1);
    this.#add(fate, 1);
    this.#fates.set(node, fate);
  }

  #add(fate: Fate | undefined, count: number): void {
    if (fate !== undefined) this.#counts.set(fate, this.count(fate) + count);
  }
}

function isWaiting({ phase, outcome }: LedgerEntry): boolean {
  return phase === 'waiting' && outcome === undefined;
}

function hasBegun({ phase, outcome }: LedgerEntry): boolean {
  return phase !== 'waiting' && !(phase === 'asked' && outcome === 'unreachable');
}
