import type { Topic } from '../wire/fields.ts';

/** Whom a request is aimed at. docs/TARGETS.md has the grammar and what each form reaches. */
export type Target = Joined | Negated | List | Term;

/** Two operands or more. */
export interface Joined {
  readonly kind: 'or' | 'and';
  readonly operands: readonly Target[];
}

export interface Negated {
  readonly kind: 'not';
  readonly operand: Target;
}

/** Two terms or more with commas between them: who is in any of them. */
export interface List {
  readonly kind: 'list';
  readonly terms: readonly Term[];
}

export type Term = Word | Fold | Glob;

/** The node of this name, and all nodes on this topic. */
export interface Word extends Place {
  readonly kind: 'word';
  readonly word: Topic;
}

/** Several words in the notation of `core/fold.ts`; `text` is what was written, without blanks. */
export interface Fold extends Place {
  readonly kind: 'fold';
  readonly text: string;
  readonly words: readonly string[];
}

/** The nodes whose whole name matches one of the patterns, which are the text unfolded. */
export interface Glob extends Place {
  readonly kind: 'glob';
  readonly text: string;
  readonly patterns: readonly string[];
}

export interface Place {
  /** Where the term begins in the text that was parsed, in UTF-16 units. */
  readonly at: number;
}

/** What a target may hold at most, so that it costs little whoever sent it. */
export const targetLimits = {
  length: 65_536,
  depth: 100,
  terms: 10_000,
  /** Words that the brackets stand for, in all terms together. */
  unfolded: 100_000,
  /** Each is held against the name of every node. */
  patterns: 100,
  bracketsInWord: 5,
} as const;

/** The one topic that the target is, so that it can be dispatched by topic; undefined for everything else. */
export function plainTopic(target: Target): Topic | undefined {
  return target.kind === 'word' ? target.word : undefined;
}
