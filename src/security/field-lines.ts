import { ServiceManagerError } from '../wire/errors.ts';

interface Entry {
  readonly line: number;
  readonly value: string;
}

const longestFile = 16_384;

/** Reads the lines `FIELD = VALUE` of a file about keys, and gathers everything that is wrong with it. */
export class FieldLines<Field extends string> {
  readonly #name: string;
  readonly #fields: readonly Field[];
  readonly #entries = new Map<Field, Entry>();
  readonly #problems: string[] = [];

  constructor(text: string, fileName: string, fields: readonly Field[]) {
    this.#name = fileName;
    this.#fields = fields;
    if (text.length > longestFile) {
      this.#refuse(1, `${text.length} characters, expected a file of at most ${longestFile}`);
      this.throwProblems();
    }
    // A byte order mark is one of the blanks before the first field.
    for (const [index, line] of text.split(/\r\n|\r|\n/).entries()) this.#take(line, index + 1);
  }

  /** Undefined where it is missing or not good, which is a problem. */
  value<Value extends string>(
    field: Field,
    isGood: (text: string) => text is Value,
    expected: string,
  ): Value | undefined {
    if (this.#entries.has(field)) return this.optional(field, isGood, expected);
    this.#problems.push(`${this.#name}: ${field} is missing, expected ${expected}`);
    return undefined;
  }

  /** The same, but it may be missing. */
  optional<Value extends string>(
    field: Field,
    isGood: (text: string) => text is Value,
    expected: string,
  ): Value | undefined {
    const entry = this.#entries.get(field);
    if (entry === undefined) return undefined;
    const { line, value } = entry;
    if (isGood(value)) return value;
    this.#refuse(line, `${field} is ${shown(value)}, expected ${expected}`);
    return undefined;
  }

  refuse(field: Field, what: string): void {
    this.#refuse(this.#entries.get(field)?.line ?? 1, what);
  }

  refuseFields(refused: readonly Field[], reason: string): void {
    for (const field of refused) {
      const entry = this.#entries.get(field);
      if (entry !== undefined) this.#refuse(entry.line, `${field} is given, but ${reason}`);
    }
  }

  /** Throws BAD_CONFIG with all problems, one a line, if there are any. */
  throwProblems(): void {
    if (this.#problems.length > 0) throw new ServiceManagerError('BAD_CONFIG', this.#problems.join('\n'));
  }

  #take(content: string, line: number): void {
    if (/^\s*(?:[;#]|$)/.test(content)) return;
    // A secret may have any character that stands in an INI file, "=" and "#" too, but no blank.
    const [, written = '', value = ''] = /^\s*([a-z_]+)\s*=\s*(\S*)\s*$/.exec(content) ?? [];
    const field = this.#fields.find((known) => known === written);
    const first = field === undefined ? undefined : this.#entries.get(field);
    // Not shown as it stands: it may be a secret in the wrong place.
    if (field === undefined)
      this.#refuse(line, `expected FIELD = VALUE with one of ${this.#fields.join(', ')}`);
    else if (first !== undefined) this.#refuse(line, `${field} is given twice, first on line ${first.line}`);
    else this.#entries.set(field, { line, value });
  }

  #refuse(line: number, what: string): void {
    this.#problems.push(`${this.#name}:${line}: ${what}`);
  }
}

const longestShown = 20;

/** As long as half a secret, and it is only counted: somebody may have mixed up the lines. */
function shown(value: string): string {
  if (value === '') return 'empty';
  return value.length <= longestShown ? JSON.stringify(value) : `a text of ${value.length} characters`;
}
