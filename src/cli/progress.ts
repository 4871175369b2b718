import type { RolloutInfo } from '../client/index.ts';
import { foldNames } from '../core/fold.ts';
import { inNaturalOrder } from '../core/natural-order.ts';
import type { Cancel, Clock } from '../platform/clock.ts';
import { type Answer, nodeOfAnswer } from '../wire/result.ts';
import { widthOf } from './formats/columns.ts';
import type { Output } from './output.ts';
import { span } from './times.ts';

// Ten times a second at most, and nothing at all when everybody is quick.
const pauseMs = 100;
const secondMs = 1_000;
// More names than any line holds: folding them again and again would only take time.
const mostNames = 500;

export interface Awaited {
  /** Who was asked, by name. */
  readonly nodes: readonly string[];
  /** How many were asked, v1 agents among them; undefined: nobody knows. */
  readonly expected: number | undefined;
}

/** What is shown of a rollout in the place of names. */
interface Batch {
  readonly rollout: RolloutInfo;
  /** Nodes in it; undefined where that is not known. */
  readonly size: number | undefined;
  /** Answers that had come when it began. */
  readonly answersBefore: number;
}

/** The line that says how far a request is: `12/14 answered, waiting for web3, web7`. Close it before the end. */
export class Progress {
  readonly #waiting: Set<string>;
  readonly #expected: number | undefined;
  readonly #output: Output;
  readonly #clock: Clock;
  #answers = 0;
  #batch: Batch | undefined;
  #cancel: Cancel | undefined;
  #isClosed = false;

  constructor({ nodes, expected }: Awaited, output: Output, clock: Clock) {
    this.#waiting = new Set(nodes);
    this.#expected = expected;
    this.#output = output;
    this.#clock = clock;
    this.#schedule();
  }

  answered(answer: Answer): void {
    this.#answers += 1;
    const node = nodeOfAnswer(answer);
    if (node !== undefined) this.#waiting.delete(node);
    this.#schedule();
  }

  /** The rollout is so far. */
  advanced(rollout: RolloutInfo): void {
    const known = this.#batch?.rollout;
    const isSame = known?.batch === rollout.batch;
    const startedBefore = known === undefined && rollout.batch <= 1 ? 0 : known?.started;
    const size = startedBefore === undefined ? undefined : rollout.started - startedBefore || undefined;
    const { size: sizeNow, answersBefore = this.#answers } = isSame ? (this.#batch ?? {}) : {};
    this.#batch = { rollout, size: sizeNow ?? size, answersBefore };
    this.#schedule();
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel?.();
    this.#output.status('');
  }

  #schedule(delayMs = pauseMs): void {
    if (!this.#output.hasStatus || this.#isClosed) return;
    this.#cancel ??= this.#clock.after(delayMs, 'progress', () => {
      this.#cancel = undefined;
      this.#output.status(this.#text());
      // A pause is counted down.
      if (this.#pauseMs() > 0) this.#schedule(secondMs);
    });
  }

  #pauseMs(): number {
    const untilMs = this.#batch?.rollout.pauseUntilMs;
    return untilMs === undefined ? 0 : untilMs - this.#clock.wallMs();
  }

  #text(): string {
    if (this.#batch !== undefined) return this.#batchText(this.#batch);
    if (this.#expected === undefined) return `${this.#answers} answered`;
    const text = `${this.#answers}/${this.#expected} answered`;
    const names = inNaturalOrder([...this.#waiting], (name) => name);
    const unnamed = Math.max(0, this.#expected - this.#answers - names.length);
    const agents = unnamed === 0 ? [] : [unnamed === 1 ? '1 v1 agent' : `${unnamed} v1 agents`];
    if (names.length + unnamed === 0) return text;
    if (names.length > mostNames) return `${text}, waiting for ${names.length + unnamed} nodes`;
    const plain = `${text}, waiting for ${[...names, ...agents].join(', ')}`;
    if (widthOf(plain) <= this.#output.statusColumns) return plain;
    return `${text}, waiting for ${[foldNames(names), ...agents].join(', ')}`;
  }

  /** `batch 2/5: 3 of 4 answered, pause 10 s` */
  #batchText({ rollout, size, answersBefore }: Batch): string {
    if (rollout.batch === 0) return `0/${rollout.batches} batches`;
    const answers = this.#answers - answersBefore;
    const answered = size === undefined ? `${this.#answers}` : `${Math.min(answers, size)} of ${size}`;
    const pause = this.#pauseMs() > 0 ? `, pause ${span(this.#pauseMs())}` : '';
    return `batch ${rollout.batch}/${rollout.batches}: ${answered} answered${pause}`;
  }
}
