import fc from 'fast-check';
import { isServiceManagerError } from '../../src/wire/errors.ts';
import type { Door } from './doors.ts';
import { type Input, mutate, Random } from './mutations.ts';

export interface Trouble {
  readonly door: string;
  readonly what: string;
  /** The frames as base64, as far as they are worth showing. */
  readonly input: string;
}

export interface Slowest {
  readonly door: string;
  readonly ms: number;
  readonly bytes: number;
}

export const longestCallMs = 250;
const mostTroubles = 20;
const mostKept = 100;
const longestKeptBytes = 4_096;
const samples = 64;

/** What a grammar would hardly give: any text, any JSON, and texts made of the words that our own parsers look for. */
const words = fc.constantFrom(
  ...[
    'web1',
    'any',
    'role:web',
    'web[1-3]',
    'w*',
    'and',
    'or',
    'not',
    '(',
    ')',
    ',',
    "'",
    '"',
    '[',
    ']',
    '1-9',
    '?',
  ],
  ...[
    'allow',
    'deny',
    '=',
    'operator:alice',
    'monitor',
    '@read',
    '*',
    'stop',
    'sshd',
    'at',
    '#',
    '\n',
    ' ',
    '\0',
  ],
  ...[
    'kind',
    'name',
    'curve_public',
    'sign_secret',
    'agent',
    '2026-11-05T10:00:00Z',
    'SHA256:',
    'smj1-',
    '1.',
  ],
);
const generated: fc.Arbitrary<Input> = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.json(),
      fc.array(words, { maxLength: 30 }).map((all) => all.join(' ')),
      fc.array(words, { maxLength: 30 }).map((all) => all.join('')),
    ),
    { minLength: 1, maxLength: 6 },
  )
  .map((frames) => frames.map((frame) => Buffer.from(frame)));

/**
 * Sends made-up inputs through all doors in turn. The same seed gives the same inputs. An input that got an answer which
 * no other had got is kept, and is changed further.
 */
export class Fuzz {
  readonly #seed: number;
  readonly #random: Random;
  readonly #doors: readonly Corpus[];
  #generated: readonly Input[] = [];
  #batches = 0;
  readonly troubles: Trouble[] = [];
  slowest: Slowest = { door: 'none', ms: 0, bytes: 0 };
  inputs = 0;

  constructor(doors: readonly Door[], seed: number) {
    this.#seed = seed;
    this.#random = new Random(seed);
    this.#doors = doors.map((door) => new Corpus(door));
  }

  get isStopped(): boolean {
    return this.troubles.length >= mostTroubles;
  }

  /** One input through each door. */
  async round(): Promise<void> {
    if (this.inputs % (this.#doors.length * samples) === 0) this.#generate();
    for (const corpus of this.#doors) {
      const input = this.#inputFor(corpus);
      this.inputs += 1;
      await this.#open(corpus, input);
    }
  }

  #generate(): void {
    this.#batches += 1;
    this.#generated = fc.sample(generated, { numRuns: samples, seed: this.#seed + this.#batches });
  }

  /** One of twenty is made up from nothing, the others are good ones with something wrong. */
  #inputFor(corpus: Corpus): Input {
    const random = this.#random;
    const made = random.oneOf(this.#generated, []);
    if (random.below(20) === 0) return made;
    const other = random.below(8) === 0 ? made : corpus.pick(random);
    return mutate(corpus.pick(random), other, random);
  }

  async #open(corpus: Corpus, input: Input): Promise<void> {
    const startedMs = performance.now();
    const answer = await this.#answerOf(corpus.door, input);
    const ms = performance.now() - startedMs;
    if (ms > this.slowest.ms) await this.#time(corpus.door, input, ms);
    corpus.keepIfNew(answer, input);
  }

  async #answerOf(door: Door, input: Input): Promise<string> {
    try {
      const opened = door.open(input);
      if (opened instanceof Promise) await opened;
      return 'ok';
    } catch (error) {
      if (isServiceManagerError(error)) return `${error.code} ${error.message.slice(0, 40)}`;
      this.#report(door, error instanceof Error ? `${error.name}: ${error.message}` : String(error), input);
      return 'crash';
    }
  }

  /** Tried again, because the machine may have been busy with something else: the quickest of four says how long it takes. */
  async #time(door: Door, input: Input, firstMs: number): Promise<void> {
    let ms = firstMs;
    for (let again = 0; again < 3; again += 1) {
      const startedMs = performance.now();
      await this.#answerOf(door, input);
      ms = Math.min(ms, performance.now() - startedMs);
    }
    if (ms > this.slowest.ms) this.slowest = { door: door.name, ms, bytes: sizeOf(input) };
    if (ms > longestCallMs) this.#report(door, `took ${Math.round(ms)} ms`, input);
  }

  #report(door: Door, what: string, input: Input): void {
    if (this.isStopped) return;
    const shown = input.map((frame) => frame.subarray(0, longestKeptBytes).toString('base64')).join(' ');
    this.troubles.push({ door: door.name, what, input: shown });
  }
}

class Corpus {
  readonly door: Door;
  readonly #inputs: Input[];
  readonly #answers = new Set<string>();

  constructor(door: Door) {
    this.door = door;
    this.#inputs = [...door.examples];
  }

  pick(random: Random): Input {
    return random.oneOf(this.#inputs, []);
  }

  keepIfNew(answer: string, input: Input): void {
    if (this.#answers.size >= mostKept || this.#answers.has(answer)) return;
    this.#answers.add(answer);
    // Copied, because a piece of a large buffer would keep all of it.
    if (sizeOf(input) <= longestKeptBytes) this.#inputs.push(input.map((frame) => Buffer.from(frame)));
  }
}

function sizeOf(input: Input): number {
  return input.reduce((sum, frame) => sum + frame.byteLength, 0);
}
