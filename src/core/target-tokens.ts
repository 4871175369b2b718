export interface Token {
  readonly kind: TokenKind;
  /** Of a quoted word: what stands in the quotes. */
  readonly text: string;
  /** Where it begins and where the next one is looked for, in UTF-16 units. */
  readonly at: number;
  readonly end: number;
}

export type TokenKind = 'and' | 'or' | 'not' | '(' | ')' | ',' | 'bare' | 'quoted' | 'end' | 'bad';

const operators = ['and', 'or', 'not'] as const;
const blanks = /\s*/y;
// A bracket belongs to the word around it, with the commas and blanks in it.
const bare = /(?:[^\s,()[\]'"]|\[[^[\]]*\])+/y;
const quoted = /'((?:[^']|'')*)'|"((?:[^"]|"")*)"/y;

/** The token at or behind this place. `bad`: a quote or a bracket without its other half. Takes linear time in all. */
export function tokenFrom(text: string, from: number): Token {
  const at = from + matchAt(blanks, text, from).length;
  const first = text.charAt(at);
  if (first === '') return { kind: 'end', text: '', at, end: at };
  if (first === '(' || first === ')' || first === ',') return { kind: first, text: first, at, end: at + 1 };
  const word = matchAt(bare, text, at);
  if (word !== '') return { kind: operatorOf(word) ?? 'bare', text: word, at, end: at + word.length };
  const quotation = matchAt(quoted, text, at);
  if (quotation === '') return { kind: 'bad', text: first, at, end: at + 1 };
  const content = quotation.slice(1, -1).replaceAll(first + first, first);
  return { kind: 'quoted', text: content, at, end: at + quotation.length };
}

/** Read in any letter case, so that no one has to remember which. */
export function operatorOf(word: string): 'and' | 'or' | 'not' | undefined {
  if (word.length > 3) return undefined;
  return operators.find((operator) => operator === word.toLowerCase());
}

function matchAt(pattern: RegExp, text: string, at: number): string {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? '';
}
