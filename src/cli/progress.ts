import { foldNames } from '../core/fold.ts';
import { inNaturalOrder } from '../core/natural-order.ts';
import type { Cancel, Clock } from '../platform/clock.ts';
import { type Answer, nodeOfAnswer } from '../wire/result.ts';
import { widthOf } from './formats/columns.ts';
import type { Output } from './output.ts';

// Ten times a second at most, and nothing at all when everybody is quick.
const pauseMs = 100;
// More names than any line holds: folding them again and again would only take time.
const mostNames = 500;

export interface Awaited {
  /** Who was asked, by name. */
  readonly nodes: readonly string[];
  /** How many were asked, v1 agents among them; undefined: nobody knows. */
  readonly expected: number | undefined;
}

/** The line that says how far a request is: `12/14 answered, waiting for web3, web7`. Close it before the end. */
export class Progress {
  readonly #waiting: Set<string>;
  readonly #expected: number | undefined;
  readonly #output: Output;
  readonly #clock: Clock;
  #answers = 0;
  #cancel: Cancel | undefined;

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

  close(): void {
    this.#cancel?.();
    this.#output.status('');
  }

  #schedule(): void {
    if (!this.#output.hasStatus) return;
    this.#cancel ??= this.#clock.after(pauseMs, 'progress', () => {
      this.#cancel = undefined;
      this.#output.status(this.#text());
    });
  }

  #text(): string {
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
}
