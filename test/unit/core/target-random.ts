import fc from 'fast-check';
import type { Target, Term } from '../../../src/core/target.ts';
import { topic } from './target-fleet.ts';

/** Nodes by name with their topics. */
export type Fleet = Readonly<Record<string, readonly string[]>>;

export const names = ['web1', 'web2', 'web3', 'web10', 'db1', 'db2', 'n1'];
export const topics = [
  'any',
  'Linux',
  'role:web',
  'role:db',
  'Debian GNU/Linux',
  'rack7',
  'and',
  "it's",
  'web*',
  'web2',
];
const words = [...names, ...topics, 'wbe3', 'role:none', 'web[1-2]', 'NOT', `a'b"c`, 'x,(y)'];

const word: fc.Arbitrary<Term> = fc
  .constantFrom(...words)
  .map((text) => ({ kind: 'word', word: topic(text), at: 0 }));
const fold: fc.Arbitrary<Term> = fc
  .tuple(fc.constantFrom('web', 'db', 'rack', 'role:'), fc.integer({ min: 1, max: 9 }), fc.nat({ max: 3 }))
  .map(([stem, first, more]) => ({
    kind: 'fold',
    text: `${stem}[${first}-${first + more},20]`,
    words: [...Array.from({ length: more + 1 }, (_, index) => `${stem}${first + index}`), `${stem}20`],
    at: 0,
  }));
const glob: fc.Arbitrary<Term> = fc.oneof(
  fc
    .stringMatching(/^[webd1*?]{0,4}[*?]$/)
    .map((text): Term => ({ kind: 'glob', text, patterns: [text], at: 0 })),
  fc.constant<Term>({ kind: 'glob', text: '*[1-2]?', patterns: ['*1?', '*2?'], at: 0 }),
);
export const term = fc.oneof({ weight: 4, arbitrary: word }, fold, glob);
export const anyWord: fc.Arbitrary<Term> = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 8 })
  .filter((text) => !/[\p{Cc}\p{Cs}]/u.test(text))
  .map((text) => ({ kind: 'word', word: topic(text), at: 0 }));

export function targets(terms: fc.Arbitrary<Term>): fc.Arbitrary<Target> {
  return fc.letrec<{ target: Target }>((tie) => ({
    target: fc.oneof(
      { maxDepth: 5, withCrossShrink: true },
      { weight: 3, arbitrary: terms },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('list' as const), terms: several(terms) }) },
      {
        weight: 3,
        arbitrary: fc.record({
          kind: fc.constantFrom('or' as const, 'and' as const),
          operands: several(tie('target')),
        }),
      },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('not' as const), operand: tie('target') }) },
    ),
  })).target;
}

function several<Item>(items: fc.Arbitrary<Item>): fc.Arbitrary<Item[]> {
  return fc.array(items, { minLength: 2, maxLength: 4 });
}

export const rosters: fc.Arbitrary<Fleet> = fc
  .dictionary(fc.constantFrom(...names), fc.subarray(topics), { maxKeys: names.length })
  .map((fleet) => ({ ...fleet }));

/** Node by node, and word by word. */
export function isReached(target: Target, node: string, on: readonly string[]): boolean {
  switch (target.kind) {
    case 'or':
      return target.operands.some((operand) => isReached(operand, node, on));
    case 'and':
      return target.operands.every((operand) => isReached(operand, node, on));
    case 'not':
      return !isReached(target.operand, node, on);
    case 'list':
      return target.terms.some((each) => isReached(each, node, on));
    case 'word':
      return node === target.word || on.includes(target.word);
    case 'fold':
      return target.words.some((each) => node === each || on.includes(each));
    case 'glob':
      return target.patterns.some((pattern) => isMatched(pattern, node));
  }
}

export function isMatched(pattern: string, node: string): boolean {
  return new RegExp(`^${pattern.replaceAll('?', '.').replaceAll('*', '.*')}$`).test(node);
}
