import { expect } from 'chai';
import { Ledger, type LedgerOptions } from '../../../src/core/ledger.ts';
import type { Aim, LedgerEffect, LedgerEvent, StoredEntry } from '../../../src/core/ledger-events.ts';
import { message } from '../../../src/wire/codec.ts';
import { NodeName } from '../../../src/wire/fields.ts';
import type { Outcome, Phase } from '../../../src/wire/outcome.ts';
import type { AckPhase } from '../../../src/wire/presence.ts';

const nobody = message('node', 300, NodeName).parse('nobody');
export const pauses = { firstPauseMs: 1_000, longestPauseMs: 10_000, cancelGraceMs: 10_000 };
const shortestOf = 0.75;
const longestOf = 1.25;

export type Happening = LedgerEvent | { readonly kind: 'restart'; readonly knowsAim: boolean };

interface Told {
  phase: Phase;
  answer: { readonly outcome: Outcome; readonly isV1: boolean } | undefined;
}

interface AimedModel extends Told {
  readonly isAlive: boolean;
  readonly isRefused: boolean;
  isReachable: boolean;
  hasComeBack: boolean;
  /** It had gone when the request ended. */
  wasGone: boolean;
  asks: number;
  /** Not to be asked, or told to stop, again before the first, and not later than at the second. */
  due: readonly [earliestMs: number, latestMs: number];
}

/** How it was before a step. */
interface Before {
  /** Over, or its window is. */
  readonly isClosed: boolean;
  readonly isCancelled: boolean;
}

/** What the rules of the ledger say in words, for one request over all runs of its manager; compared after every step. */
export class History {
  readonly #aim: Aim;
  readonly #options: LedgerOptions;
  readonly #aimed = new Map<NodeName, AimedModel>();
  readonly #extra = new Map<NodeName, Told>();
  readonly #replayed = new Map<NodeName, StoredEntry>();
  #ledger: Ledger;
  #now: number;
  #endsAtMs: number;
  #v1Answers = 0;
  #isCancelled = false;
  #isOver = false;

  constructor(aim: Aim, options: LedgerOptions, now: number) {
    this.#aim = aim;
    this.#options = options;
    this.#now = now;
    this.#endsAtMs = aim.endsAtMs;
    for (const { node, isAlive, isRefused } of aim.nodes) {
      this.#aimed.set(node, {
        ...{ phase: 'asked', answer: undefined, isAlive, isRefused, isReachable: isAlive },
        ...{ hasComeBack: false, wasGone: false, asks: 0, due: this.#range(pauses.firstPauseMs) },
      });
    }
    this.#ledger = new Ledger(aim, options, now);
    for (const entry of this.#ledger.entries()) this.#replayed.set(entry.node, entry);
  }

  happen(happening: Happening, afterMs: number): void {
    this.#now += afterMs;
    if (happening.kind === 'restart') this.#restart(happening.knowsAim);
    else this.#step(happening);
  }

  /** Time goes on until the request must be over. */
  finish(): void {
    this.happen({ kind: 'tick' }, Math.max(0, this.#endsAtMs - this.#now));
    same(this.#ledger.isOver, true, 'over at the end of its window');
    for (const [name, { answer }] of this.#aimed) {
      const entry = this.#ledger.entry(name);
      same(entry?.outcome === undefined, false, `${name} without an outcome`);
      if (answer !== undefined) same(entry?.outcome, answer.outcome, name);
    }
  }

  #restart(knowsAim: boolean): void {
    const entries = this.#ledger.entries();
    const nodes = this.#aim.nodes.map(({ node, isRefused }) => {
      return { node, isRefused, isAlive: this.#aimed.get(node)?.isReachable === true };
    });
    const aim = { ...this.#aim, endsAtMs: this.#endsAtMs, nodes: knowsAim ? nodes : [] };
    const restored = new Ledger(aim, this.#options, this.#now);
    const isThere = (node: NodeName) => this.#aimed.get(node)?.isReachable === true;
    restored.restore(entries, this.#isOver, this.#isCancelled, isThere);
    this.#ledger = restored;
    for (const model of this.#aimed.values()) {
      model.asks = 0;
      model.due = knowsAim ? this.#range(pauses.firstPauseMs) : [Number.NEGATIVE_INFINITY, this.#now];
    }
    this.#compare();
  }

  #step(event: LedgerEvent): void {
    const wasOver = this.#isOver;
    const before = { isClosed: wasOver || this.#now >= this.#endsAtMs, isCancelled: this.#isCancelled };
    const effects = this.#ledger.step(event, this.#now);
    const answeredNow = this.#apply(event, effects, before);
    this.#checkNudges(event, effects, before);
    for (const effect of effects) {
      if (effect.kind === 'record') this.#replayed.set(effect.entry.node, effect.entry);
    }
    this.#isOver ||= this.#now >= this.#endsAtMs || this.#isComplete();
    if (!wasOver && this.#isOver)
      for (const model of this.#aimed.values()) model.wasGone = !model.isReachable;
    same(countOf(effects, 'publish'), answeredNow ? 1 : 0, 'answers published');
    same(countOf(effects, 'end'), !wasOver && this.#isOver ? 1 : 0, 'ends');
    this.#compare();
  }

  /** True when this is the first answer of its node. */
  #apply(event: LedgerEvent, effects: readonly LedgerEffect[], before: Before): boolean {
    if (event.kind === 'result') return this.#answer(event, effects);
    if (event.kind === 'ack') this.#acknowledge(event.node, event.phase);
    if (event.kind === 'cancel' && !before.isCancelled) {
      this.#isCancelled = true;
      this.#endsAtMs = Math.min(this.#endsAtMs, this.#now + pauses.cancelGraceMs);
      for (const model of this.#aimed.values()) model.due = [Number.NEGATIVE_INFINITY, this.#now];
    }
    if (event.kind !== 'lost' && event.kind !== 'back') return false;
    const model = this.#aimed.get(event.node);
    if (model === undefined) return false;
    model.isReachable = event.kind === 'back';
    if (event.kind !== 'back' || before.isClosed) return false;
    model.hasComeBack = true;
    model.due = [Number.NEGATIVE_INFINITY, this.#now];
    return false;
  }

  #acknowledge(name: NodeName, phase: AckPhase): void {
    const model = this.#aimed.get(name);
    if (model === undefined || model.answer !== undefined) return;
    if (model.phase === 'running' && phase === 'queued') return;
    model.phase = phase;
    model.isReachable = true;
    model.wasGone = false;
    model.due = this.#range(this.#isCancelled ? pauses.firstPauseMs : pauses.longestPauseMs);
  }

  #answer(event: Extract<LedgerEvent, { kind: 'result' }>, effects: readonly LedgerEffect[]): boolean {
    const { isV1, outcome } = event;
    const record = effects.find((effect) => effect.kind === 'record');
    const name = event.node ?? (record?.kind === 'record' ? record.entry.node : nobody);
    const known = this.#aimed.get(name) ?? this.#extra.get(name);
    if (known?.answer !== undefined) return false;
    if (isV1) this.#v1Answers += 1;
    const answered: Told = { phase: 'done', answer: { outcome, isV1 } };
    if (known === undefined) this.#extra.set(name, answered);
    else Object.assign(known, answered);
    return true;
  }

  /** Nodes are asked, or told to stop, when the rules say so and never else. */
  #checkNudges(event: LedgerEvent, effects: readonly LedgerEffect[], before: Before): void {
    const nudged = new Set<NodeName>();
    for (const effect of effects) {
      if (effect.kind !== 'ask' && effect.kind !== 'cancel') continue;
      same(effect.kind, this.#isCancelled ? 'cancel' : 'ask', 'what is said');
      same(nudged.has(effect.node), false, 'asked twice at once');
      nudged.add(effect.node);
    }
    for (const [name, model] of this.#aimed) {
      const [earliestMs, latestMs] = model.due;
      const mayBe = this.#mayBeNudged(event, name, model, before);
      if (nudged.has(name)) same(mayBe && this.#now >= earliestMs, true, `${name} was asked too early`);
      else same(mayBe && this.#now >= latestMs, false, `${name} was not asked`);
      if (nudged.delete(name)) this.#nudge(model);
    }
    same(nudged.size, 0, 'asked without being aimed at');
  }

  #mayBeNudged(event: LedgerEvent, name: NodeName, model: AimedModel, before: Before): boolean {
    // Who is cancelled is told, reachable or not; later only as one is asked.
    if (event.kind === 'cancel') return !before.isCancelled && model.answer === undefined;
    const isDue = event.kind === 'tick' || (event.kind === 'back' && event.node === name);
    return isDue && !before.isClosed && model.isReachable && this.#outcome(model, false) === undefined;
  }

  #nudge(model: AimedModel): void {
    model.asks += this.#isCancelled ? 0 : 1;
    const doubled = Math.min(pauses.longestPauseMs, pauses.firstPauseMs * 2 ** model.asks);
    const evenMs = model.phase === 'asked' ? doubled : pauses.longestPauseMs;
    model.due = this.#range(this.#isCancelled ? pauses.firstPauseMs : evenMs);
  }

  #range(pauseMs: number): [number, number] {
    return [this.#now + shortestOf * pauseMs, this.#now + longestOf * pauseMs];
  }

  #outcome(model: Told & Partial<AimedModel>, isOver: boolean): Outcome | undefined {
    if (model.answer !== undefined) return model.answer.outcome;
    if (model.phase !== 'asked') return isOver ? (model.wasGone ? 'no-answer' : 'running') : undefined;
    if (model.isRefused) return 'refused';
    if (model.isAlive === false && !model.hasComeBack) return 'unreachable';
    return isOver ? 'no-answer' : undefined;
  }

  #isComplete(): boolean {
    const isDecided = [...this.#aimed.values()].every((model) => this.#outcome(model, false) !== undefined);
    return isDecided && this.#v1Answers >= this.#aim.anonymous;
  }

  #compare(): void {
    const expected = [...this.#aimed, ...this.#extra].map(([name, told]) =>
      lineOf({
        node: name,
        phase: told.phase,
        outcome: this.#outcome(told, this.#isOver),
        isAnonymous: told.answer?.isV1 === true,
      }),
    );
    const entries = this.#ledger.entries();
    same(entries.map(lineOf).join('\n'), expected.join('\n'), 'entries');
    same([...this.#replayed.values()].map(lineOf).join('\n'), expected.join('\n'), 'records');
    same(this.#ledger.isOver, this.#isOver, 'over');
    same(this.#ledger.isCancelled, this.#isCancelled, 'cancelled');
    same(this.#ledger.endsAtMs, this.#endsAtMs, 'end of the window');
    if (!this.#isOver) return;
    const counted = Object.values(this.#ledger.counts()).reduce((sum, count) => sum + count, 0);
    const missing = Math.max(0, this.#aim.anonymous - this.#v1Answers);
    same(counted, entries.length + missing + this.#aim.withheld, 'sum of counts');
  }
}

function lineOf({ node, phase, outcome, isAnonymous }: StoredEntry): string {
  return `${node} ${phase} ${outcome} ${isAnonymous}`;
}

function countOf(effects: readonly LedgerEffect[], kind: LedgerEffect['kind']): number {
  return effects.filter((effect) => effect.kind === kind).length;
}

/** Millions of checks: chai is only asked for the words of the one that fails. */
function same<Value>(actual: Value, expected: Value, what: string): void {
  if (actual !== expected) expect(actual, what).to.equal(expected);
}
