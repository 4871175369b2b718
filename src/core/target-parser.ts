import { isServiceManagerError, type ServiceManagerError } from '../wire/errors.ts';
import { Topic } from '../wire/fields.ts';
import { unfoldWord } from './fold.ts';
import { type Target, type Term, targetLimits } from './target.ts';
import { badTarget } from './target-error.ts';
import { type Token, type TokenKind, tokenFrom } from './target-tokens.ts';

/**
 * Reads a target. Throws BAD_TARGET, which shows the place; `field` is what the message calls the text. Takes linear
 * time and little stack, whatever the text is.
 */
export function parseTarget(text: string, field = 'target'): Target {
  return new Parser(text, field).parse();
}

const topicForm = new RegExp(String(Topic['pattern']));
const brackets = /\[[^[\]]*\]/g;

function isTopic(text: string): text is Topic {
  return topicForm.test(text);
}

class Parser {
  readonly #text: string;
  readonly #field: string;
  #token: Token;
  #depth = 0;
  #parentheses = 0;
  #terms = 0;
  #unfolded = 0;
  #patterns = 0;

  constructor(text: string, field: string) {
    this.#text = text;
    this.#field = field;
    const { length } = targetLimits;
    if (text.length > length) throw this.#error(length, `longer than ${length} characters`);
    this.#token = this.#tokenFrom(0);
  }

  parse(): Target {
    const target = this.#or();
    if (this.#token.kind !== 'end') throw this.#unfinished();
    return target;
  }

  #or(): Target {
    return this.#joined('or', () => this.#and());
  }

  #and(): Target {
    return this.#joined('and', () => this.#not());
  }

  #joined(kind: 'or' | 'and', operand: () => Target): Target {
    const first = operand();
    const others: Target[] = [];
    while (this.#take(kind)) others.push(operand());
    return others.length === 0 ? first : { kind, operands: [first, ...others] };
  }

  #not(): Target {
    const { kind } = this.#token;
    if (kind !== 'not' && kind !== '(') return this.#list();
    this.#depth += 1;
    if (this.#depth > targetLimits.depth)
      throw this.#error(this.#token.at, `"not" and "(" are nested deeper than ${targetLimits.depth}`);
    this.#advance();
    const target: Target = kind === 'not' ? { kind, operand: this.#not() } : this.#parenthesis();
    this.#depth -= 1;
    return target;
  }

  #parenthesis(): Target {
    this.#parentheses += 1;
    const target = this.#or();
    if (!this.#take(')')) throw this.#unfinished();
    this.#parentheses -= 1;
    return target;
  }

  #list(): Target {
    const first = this.#term('a name, a topic, "not" or "("');
    const others: Term[] = [];
    while (this.#take(',')) others.push(this.#term('a name or a topic after the comma'));
    return others.length === 0 ? first : { kind: 'list', terms: [first, ...others] };
  }

  #term(expected: string): Term {
    const { kind, text, at } = this.#token;
    if (kind !== 'bare' && kind !== 'quoted') throw this.#unexpected(expected);
    this.#terms = this.#counted(this.#terms, 1, targetLimits.terms, 'terms');
    const term = kind === 'quoted' ? this.#word(text) : this.#bareTerm(text);
    this.#advance();
    return { ...term, at };
  }

  #bareTerm(text: string) {
    const literal = text.replace(brackets, '');
    const isGlob = /[*?]/.test(literal);
    if (literal === text && !isGlob) return this.#word(text);
    if (literal !== '') this.#word(literal);
    const folded = text.replace(/\s+/g, '');
    const words = literal === text ? [text] : this.#unfold(text);
    if (!isGlob) return { kind: 'fold', text: folded, words } as const;
    this.#patterns = this.#counted(
      this.#patterns,
      words.length,
      targetLimits.patterns,
      'names with "*" or "?"',
    );
    return { kind: 'glob', text: folded, patterns: words } as const;
  }

  #word(text: string) {
    if (isTopic(text)) return { kind: 'word', word: text } as const;
    throw this.#error(this.#token.at, `expected ${Topic.description}`);
  }

  #unfold(text: string): string[] {
    const { bracketsInWord, unfolded } = targetLimits;
    // Each of them copies all names once more.
    if (text.split('[').length - 1 > bracketsInWord)
      throw this.#error(this.#token.at, `more than ${bracketsInWord} brackets in a word`);
    const words = this.#unfoldAny(text);
    this.#unfolded = this.#counted(this.#unfolded, words.length, unfolded, 'names');
    return words;
  }

  #unfoldAny(text: string): string[] {
    try {
      return unfoldWord(text);
    } catch (error) {
      if (!isServiceManagerError(error)) throw error;
      throw this.#error(this.#token.at, error.message);
    }
  }

  #counted(before: number, more: number, most: number, what: string): number {
    if (before + more > most) throw this.#error(this.#token.at, `more than ${most} ${what}`);
    return before + more;
  }

  #take(kind: TokenKind): boolean {
    if (this.#token.kind !== kind) return false;
    this.#advance();
    return true;
  }

  #advance(): void {
    this.#token = this.#tokenFrom(this.#token.end);
  }

  #tokenFrom(from: number): Token {
    const token = tokenFrom(this.#text, from);
    if (token.kind === 'bad') throw this.#error(token.at, `the other half of ${shown(token)} is missing`);
    return token;
  }

  #unfinished(): ServiceManagerError {
    return this.#unexpected(`"and", "or" or ${this.#parentheses > 0 ? '")"' : 'the end'}`);
  }

  #unexpected(expected: string): ServiceManagerError {
    const { kind, at } = this.#token;
    const isWord = kind === 'bare' || kind === 'quoted';
    const hint = isWord ? '; a topic with blanks in it is written in quotes' : '';
    const found = kind === 'end' ? 'the end' : isWord ? 'another word' : shown(this.#token);
    return this.#error(at, `expected ${expected}, found ${found}${hint}`);
  }

  #error(at: number, what: string): ServiceManagerError {
    return badTarget(this.#field, this.#text, at, what);
  }
}

function shown({ text }: Token): string {
  return text === '"' ? `'"'` : `"${text}"`;
}
