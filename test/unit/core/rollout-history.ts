import { expect } from 'chai';
import type { Ledger } from '../../../src/core/ledger.ts';
import type { LedgerEvent, StoredEntry } from '../../../src/core/ledger-events.ts';
import { type RequestEffect, Requests } from '../../../src/core/requests.ts';
import type { RolloutPlan, StopReason } from '../../../src/core/rollout.ts';
import { batchSizes } from '../../../src/core/rollout-batches.ts';
import { rolloutStateOf, type StoredRollout, storedRolloutOf } from '../../../src/core/rollout-stored.ts';
import { message } from '../../../src/wire/codec.ts';
import { type NodeName, RequestId } from '../../../src/wire/fields.ts';
import type { Outcome } from '../../../src/wire/outcome.ts';
import type { AckPhase } from '../../../src/wire/presence.ts';

const id = message('id', 64, RequestId).parse('0123456789abcdef0123456789abcdef');
const options = { firstPauseMs: 1_000, longestPauseMs: 10_000, cancelGraceMs: 10_000, jitter: () => 0.5 };
const tickMs = 1_000;
const openedWallMs = 1_000_000;
const failing: readonly unknown[] = [
  'failed',
  'unverified',
  'refused',
  'expired',
  'interrupted',
  'cancelled',
];
const silent: readonly unknown[] = ['running', 'no-answer', 'unreachable'];

export interface Fleet {
  readonly node: NodeName;
  readonly isAlive: boolean;
  readonly isRefused: boolean;
}

/** `pick` is a number of a node, among those that the happening can befall. */
export type Happening =
  | { readonly kind: 'wait' }
  /** A node at work says something: its answer, or that it is at work. */
  | { readonly kind: 'answer'; readonly pick: number; readonly outcome: Outcome }
  | { readonly kind: 'ack'; readonly pick: number; readonly phase: AckPhase }
  /** Any node does, also one that was never asked, or has answered. */
  | { readonly kind: 'stray-answer'; readonly pick: number; readonly outcome: Outcome }
  | { readonly kind: 'stray-ack'; readonly pick: number; readonly phase: AckPhase }
  | { readonly kind: 'lost' | 'back'; readonly pick: number }
  | { readonly kind: 'cancel' }
  /** The manager dies at the next thing that it does, when it has carried out so much of it, and is away for so long. */
  | { readonly kind: 'crash'; readonly carriedOut: number; readonly downMs: number };

/** One rollout over all runs of its manager: what the manager would carry out is watched, and compared with plain counts. */
export class RolloutHistory {
  readonly #fleet: readonly Fleet[];
  readonly #plan: RolloutPlan;
  #requests = new Requests({ maxOpen: 10, maxEnded: 10, maxEndedNodes: 100 }, options);
  #ledger: Ledger;
  /** Wall clock; that of each run of the manager begins anew. */
  #wallMs = openedWallMs;
  #bootWallMs = openedWallMs;
  #crash: { readonly carriedOut: number; readonly downMs: number } | undefined;

  // What the store has.
  readonly #entries = new Map<NodeName, StoredEntry>();
  #rollout: StoredRollout | undefined;
  #isCancelled = false;
  #cancelEndsWallMs = 0;
  #ends = 0;

  // What is true of the nodes.
  readonly #isThere = new Map<NodeName, boolean>();
  readonly #begun = new Set<NodeName>();
  readonly #answered = new Set<NodeName>();

  readonly #asked = new Set<NodeName>();
  readonly #released = new Set<NodeName>();
  /** Every limit that was ever passed before the end, by what the store had. */
  readonly #passed = new Set<StopReason>();
  #wasCancelTried = false;
  #restarts = 0;
  #downMs = 0;

  constructor(fleet: readonly Fleet[], plan: RolloutPlan) {
    this.#fleet = fleet;
    this.#plan = plan;
    for (const { node, isAlive } of fleet) this.#isThere.set(node, isAlive);
    this.#ledger = this.#requests.addRollout({ id, nodes: fleet, withheld: 0 }, plan, this.#now());
    for (const entry of this.#ledger.entries()) this.#entries.set(entry.node, entry);
    this.#compareLimits();
    this.#step({ kind: 'tick' });
  }

  happen(happening: Happening, afterMs: number): void {
    this.#pass(afterMs);
    if (happening.kind === 'crash') this.#crash = happening;
    else if (happening.kind === 'cancel') this.#cancel();
    else if (happening.kind !== 'wait') this.#befall(happening);
  }

  /** Time goes on until it is over, which must not take longer than all batches and pauses and what the crashes cost. */
  finish(): void {
    while (this.#ends === 0 && this.#wallMs < this.#latestEndMs()) this.#pass(tickMs);
    expect(this.#ends, 'ends').to.equal(1);
    this.#checkEnd();
  }

  #befall(happening: Extract<Happening, { pick: number }>): void {
    const isAtWork = happening.kind === 'answer' || happening.kind === 'ack';
    const node = this.#pickOf(happening.pick, isAtWork);
    if (node === undefined) return;
    if ('outcome' in happening) {
      this.#answered.add(node);
      this.#step({ kind: 'result', node, isV1: false, outcome: happening.outcome });
    } else if ('phase' in happening) this.#step({ kind: 'ack', node, phase: happening.phase });
    else {
      this.#isThere.set(node, happening.kind === 'back');
      this.#step({ kind: happening.kind, node });
    }
  }

  #latestEndMs(): number {
    const { nodes, canary, batch, windowMs, pauseMs } = this.#plan;
    const batches = batchSizes(nodes.length, canary, batch).length;
    const ownMs = batches * windowMs + Math.max(0, batches - 1) * pauseMs;
    const crashesMs = this.#restarts * (windowMs + pauseMs + tickMs) + this.#downMs;
    return openedWallMs + ownMs + crashesMs + tickMs * (2 * batches + 2);
  }

  #checkEnd(): void {
    const stop = this.#requests.progress(id)?.stop;
    for (const entry of this.#entries.values()) {
      expect(entry.outcome, `outcome of ${entry.node}`).to.not.equal(undefined);
      if (isUnstarted(entry)) expect(stop, `${entry.node} was not started`).to.not.equal(undefined);
    }
    expect(this.#ledger.entries(), 'what is stored').to.deep.equal([...this.#entries.values()]);
    if (this.#passed.size > 0 || this.#isCancelled) expect(stop, 'stop').to.not.equal(undefined);
    if (stop === undefined) return;
    const reasons: StopReason[] = [...this.#passed];
    expect(reasons.concat(this.#wasCancelTried ? 'cancelled' : [])).to.include(stop.reason);
  }

  #pass(forMs: number): void {
    const untilMs = this.#wallMs + forMs;
    while (this.#wallMs < untilMs) {
      this.#wallMs += Math.min(tickMs, untilMs - this.#wallMs);
      this.#step({ kind: 'tick' });
    }
  }

  #cancel(): void {
    // What is over is not cancelled.
    if (this.#ends > 0) return;
    this.#wasCancelTried = true;
    if (this.#step({ kind: 'cancel' }) === 'crashed') return;
    this.#isCancelled = true;
    this.#cancelEndsWallMs = this.#ledger.endsAtMs + this.#bootWallMs;
  }

  #step(event: LedgerEvent): 'crashed' | undefined {
    const effects = this.#requests.step(this.#ledger, event, this.#now());
    const crash = effects.length > 0 ? this.#crash : undefined;
    for (const effect of effects.slice(0, crash?.carriedOut)) this.#carryOut(effect);
    if (crash === undefined) return undefined;
    this.#crash = undefined;
    this.#restart(crash.downMs);
    return 'crashed';
  }

  #carryOut(effect: RequestEffect): void {
    if (effect.kind === 'record') this.#record(effect.entry);
    else if (effect.kind === 'ask') this.#ask(effect.node);
    else if (effect.kind === 'save') {
      const stored = storedRolloutOf(effect.rollout, { ms: this.#now(), wallMs: this.#wallMs });
      this.#rollout = JSON.parse(JSON.stringify(stored));
    } else if (effect.kind === 'end') this.#ends += 1;
    if (effect.kind === 'publish' || effect.kind === 'save') return;
    this.#compareLimits();
    this.#checkCrowd();
  }

  #record(entry: StoredEntry): void {
    const { node, phase, outcome } = entry;
    if (phase === 'asked' && outcome === undefined) {
      expect(this.#entries.get(node)?.phase, `phase of ${node} before its turn`).to.equal('waiting');
      expect(this.#released.has(node), `${node} had its turn`).to.equal(false);
      this.#released.add(node);
    }
    this.#entries.set(node, entry);
  }

  #ask(node: NodeName): void {
    expect(this.#ends, 'ends before somebody is asked').to.equal(0);
    expect(this.#isCancelled, 'cancelled before somebody is asked').to.equal(false);
    expect(this.#entries.get(node)?.phase, `what is stored of ${node} when it is asked`).to.not.equal(
      'waiting',
    );
    if (!this.#asked.has(node)) {
      expect([...this.#passed], `passed before ${node} is started`).to.deep.equal([]);
      const unstarted = [...this.#entries.values()].filter(isUnstarted);
      expect(unstarted, `given up before ${node} is started`).to.deep.equal([]);
    }
    this.#asked.add(node);
    if (this.#isThere.get(node) === true) this.#begun.add(node);
  }

  #restart(downMs: number): void {
    this.#restarts += 1;
    this.#downMs += downMs;
    this.#wallMs += downMs;
    this.#bootWallMs = this.#wallMs - 77;
    this.#requests = new Requests({ maxOpen: 10, maxEnded: 10, maxEndedNodes: 100 }, options);
    const now = { ms: this.#now(), wallMs: this.#wallMs };
    this.#ledger = this.#requests.restoreRollout(
      {
        aim: { id, withheld: 0, endsAtMs: this.#cancelEndsWallMs - this.#bootWallMs },
        plan: JSON.parse(JSON.stringify(this.#plan)),
        state: this.#rollout === undefined ? undefined : rolloutStateOf(this.#rollout, now),
        entries: [...this.#entries.values()],
        isOver: this.#ends > 0,
        isCancelled: this.#isCancelled,
        isThere: (node) => this.#isThere.get(node) === true,
      },
      now.ms,
    );
  }

  /** Counted anew each time, from what the store has. */
  #compareLimits(): void {
    if (this.#ends > 0) return;
    const { canary, nodes, maxFail, maxUnreachable } = this.#plan;
    const entries = [...this.#entries.values()].filter((entry) => !isUnstarted(entry));
    const goneBefore = new Set(this.#fleet.filter(({ isAlive }) => !isAlive).map(({ node }) => node));
    const isExempt = ({ node, outcome }: StoredEntry): boolean =>
      maxUnreachable === undefined && outcome === 'unreachable' && goneBefore.has(node);
    if (entries.filter(({ outcome }) => failing.includes(outcome)).length > maxFail)
      this.#passed.add('failures');
    const gone = entries.filter((entry) => silent.includes(entry.outcome) && !isExempt(entry));
    if (gone.length > (maxUnreachable ?? 0)) this.#passed.add('unreachable');
    const first = new Set(nodes.slice(0, canary));
    const unwell = entries.filter(({ outcome }) => outcome !== undefined && outcome !== 'ok');
    if (unwell.some(({ node }) => first.has(node))) this.#passed.add('canary');
  }

  #checkCrowd(): void {
    const { canary, nodes, batch, maxFail, maxUnreachable = 0 } = this.#plan;
    const first = new Set(nodes.slice(0, canary));
    const working = [...this.#entries.values()].filter(
      ({ phase, outcome }) => phase !== 'waiting' && outcome === undefined,
    );
    const isCanary = working.some(({ node }) => first.has(node));
    expect(working.length, 'nodes at work').to.be.at.most(isCanary ? canary : batch);
    const isOk = (node: NodeName): boolean => this.#entries.get(node)?.outcome === 'ok';
    const troubled = [...this.#begun].filter((node) => !isOk(node));
    const bound = Math.max(batch, canary) + maxFail + maxUnreachable;
    expect(troubled.length, 'nodes that were started and are not ok').to.be.at.most(bound);
  }

  #pickOf(pick: number, isAtWork: boolean): NodeName | undefined {
    const nodes = this.#fleet.map(({ node }) => node);
    const candidates = isAtWork
      ? nodes.filter((node) => this.#begun.has(node) && !this.#answered.has(node))
      : nodes;
    return candidates[pick % Math.max(1, candidates.length)];
  }

  #now(): number {
    return this.#wallMs - this.#bootWallMs;
  }
}

function isUnstarted({ phase, outcome }: StoredEntry): boolean {
  return phase === 'waiting' && outcome === 'cancelled';
}
