import type { Target } from './target.ts';
import { operatorOf } from './target-tokens.ts';

// What looseness a part may have to stand in another without parentheses.
const looseness = { or: 2, and: 1, not: 0, list: 0, word: 0, fold: 0, glob: 0 } as const;
const needsQuotes = /[\s,()[\]'"*?]/;

/** The target as text in one form: `parseTarget` of it gives the same target. */
export function formatTarget(target: Target): string {
  switch (target.kind) {
    case 'or':
    case 'and':
      return target.operands.map((operand) => part(operand, looseness[target.kind])).join(` ${target.kind} `);
    case 'not':
      return `not ${part(target.operand, 1)}`;
    case 'list':
      return target.terms.map(formatTarget).join(',');
    case 'word':
      return needsQuotes.test(target.word) || operatorOf(target.word) !== undefined
        ? quoted(target.word)
        : target.word;
    default:
      return target.text;
  }
}

function part(target: Target, limit: number): string {
  const text = formatTarget(target);
  return looseness[target.kind] < limit ? text : `(${text})`;
}

function quoted(word: string): string {
  const quote = word.includes("'") && !word.includes('"') ? '"' : "'";
  return quote + word.replaceAll(quote, quote + quote) + quote;
}
