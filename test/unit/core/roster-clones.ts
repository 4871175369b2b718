import { Roster, type RosterEffect } from '../../../src/core/roster.ts';
import { message } from '../../../src/wire/codec.ts';
import { NodeName } from '../../../src/wire/fields.ts';
import type { BootId } from '../../../src/wire/presence.ts';
import { boot, bounds, helloOf, same, topics } from './roster-fleet.ts';

const web1 = message('node', 300, NodeName).parse('web1');
const pulseMs = 5_000;
const beatSpreadMs = 2_000;
const helloSpreadMs = 1_000;

export interface Clones {
  /** The second one says hello so much later. */
  readonly laterMs: number;
  readonly tickMs: number;
  /** How long after its pulse each beat comes, and after its question each hello. In turn, and over again. */
  readonly spreads: readonly number[];
  readonly stopsMs: number;
  readonly whoStops: 0 | 1;
  readonly saysBye: boolean;
  /** The manager is restarted then. */
  readonly restoresMs: number;
}

interface Clone {
  readonly boot: BootId;
  readonly startsMs: number;
  stopsMs: number;
  isStopped: boolean;
  hasSaidHello: boolean;
  /** Since both have said hello. */
  beats: number;
  due: { readonly kind: 'hello' | 'beat'; readonly atMs: number }[];
}

/** Two agents on one name, played in steps of a tick: when both have beaten twice, and whether the roster knows. */
export class TwoOfOneName {
  #roster = new Roster(bounds);
  readonly #plan: Clones;
  readonly #clones: readonly [Clone, Clone];
  #spread = 0;
  #flaggedMs: number | undefined;

  constructor(plan: Clones) {
    this.#plan = plan;
    this.#clones = [this.#clone(1, 0), this.#clone(2, plan.laterMs)];
    this.#clones[plan.whoStops].stopsMs = plan.stopsMs;
  }

  play(): void {
    const { tickMs, stopsMs, restoresMs } = this.#plan;
    // Its last beat, the bound, the next beat of the one that remains, who it is, and a tick.
    const clearedByMs =
      Math.max(stopsMs, restoresMs) +
      bounds.lostAfterMs +
      pulseMs +
      beatSpreadMs +
      helloSpreadMs +
      2 * tickMs;
    for (let ms = 0; ms <= clearedByMs + 20_000; ms += tickMs) {
      if (ms >= restoresMs && ms < restoresMs + tickMs) this.#restore(ms);
      if (ms % pulseMs < tickMs) this.#pulse(ms);
      for (const clone of this.#clones) this.#speak(clone, ms);
      this.#roster.tick({ ms, wallMs: ms });
      this.#check(ms, clearedByMs);
    }
    const [first, second] = this.#clones;
    const remaining = this.#plan.whoStops === 0 ? second : first;
    same(this.#roster.get(web1)?.facts.boot, remaining.boot, 'who has the name in the end');
    same(this.#roster.get(web1)?.presence, 'alive', 'presence in the end');
  }

  #check(ms: number, clearedByMs: number): void {
    const isFlagged = (this.#roster.get(web1)?.conflict.length ?? 0) > 0;
    if (isFlagged) this.#flaggedMs ??= ms;
    const isProven = this.#clones.every(({ beats }) => beats >= 2);
    if (isProven && ms < this.#plan.stopsMs) same(isFlagged, true, `in conflict at ${ms}`);
    if (ms >= clearedByMs) same(isFlagged, false, `still in conflict at ${ms}`);
  }

  #clone(count: number, startsMs: number): Clone {
    const due = [{ kind: 'hello' as const, atMs: startsMs }];
    return {
      boot: boot(count),
      startsMs,
      stopsMs: Number.POSITIVE_INFINITY,
      isStopped: false,
      hasSaidHello: false,
      beats: 0,
      due,
    };
  }

  /** What both said before is forgotten, except who said hello last. */
  #restore(ms: number): void {
    const members = this.#roster.all();
    this.#roster = new Roster(bounds);
    this.#roster.restore(members, { ms, wallMs: ms });
    for (const clone of this.#clones) {
      clone.hasSaidHello = clone.boot === this.#roster.get(web1)?.facts.boot;
      clone.beats = 0;
    }
  }

  #pulse(ms: number): void {
    for (const clone of this.#clones) {
      if (ms >= clone.startsMs) clone.due.push({ kind: 'beat', atMs: ms + this.#draw(beatSpreadMs) });
    }
  }

  #speak(clone: Clone, ms: number): void {
    if (ms >= clone.stopsMs && !clone.isStopped) this.#stop(clone, ms);
    if (clone.isStopped) return;
    const now = { ms, wallMs: ms };
    const due = clone.due.filter(({ atMs }) => atMs <= ms);
    clone.due = clone.due.filter(({ atMs }) => atMs > ms);
    for (const { kind } of due) {
      if (kind === 'beat' && this.#clones.every(({ hasSaidHello }) => hasSaidHello)) clone.beats += 1;
      clone.hasSaidHello ||= kind === 'hello';
      if (kind === 'hello') this.#roster.hello(helloOf(web1, clone.boot, topics), now);
      else this.#answer(this.#roster.beat(web1, clone.boot, now), ms);
    }
  }

  /** A question by name reaches both. */
  #answer(effects: readonly RosterEffect[], ms: number): void {
    if (!effects.some(({ kind }) => kind === 'who')) return;
    for (const { due } of this.#clones) due.push({ kind: 'hello', atMs: ms + this.#draw(helloSpreadMs) });
  }

  #stop(clone: Clone, ms: number): void {
    if (this.#plan.saysBye) this.#roster.bye(web1, clone.boot, { ms, wallMs: ms });
    clone.isStopped = true;
  }

  #draw(spreadMs: number): number {
    const draw = this.#plan.spreads[this.#spread++ % this.#plan.spreads.length] ?? 0;
    return draw * spreadMs;
  }
}
