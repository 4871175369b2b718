import type { FreeSection } from './key.ts';
import type { EntryLine } from './lines.ts';
import { show } from './show.ts';

type Refuse = (line: number, message: string) => void;

type Entries = Map<string, EntryLine>;

/** What one file says in sections whose keys the admin names. */
export class FreeEntries {
  readonly #declared: readonly FreeSection<unknown>[];
  readonly #refuse: Refuse;
  /** By the section as it is written. */
  readonly #written = new Map<string, Entries>();

  constructor(declared: readonly FreeSection<unknown>[], refuse: Refuse) {
    this.#declared = declared;
    this.#refuse = refuse;
  }

  /** For messages about an unknown section. */
  get expected(): string[] {
    return this.#declared.map(({ section }) => (section.endsWith(':') ? `${section}NAME` : section));
  }

  has(section: string): boolean {
    return this.#declarationOf(section) !== undefined;
  }

  open(section: string, line: number): void {
    const declaration = this.#declarationOf(section);
    if (declaration === undefined) return;
    const { titles, section: beginning } = declaration;
    const title = section.slice(beginning.length);
    if (titles === undefined || titles.parse(title) !== undefined) this.#written.set(section, new Map());
    else this.#refuse(line, `section ${show(section)}: ${show(title)}, expected ${titles.expected}`);
  }

  /** False when the entry is in no such section. */
  take(section: string, entry: EntryLine): boolean {
    const declaration = this.#declarationOf(section);
    if (declaration === undefined) return false;
    // Keys of a section that was refused are not judged.
    const entries = this.#written.get(section);
    if (entries !== undefined) this.#add(entries, entry, declaration);
    return true;
  }

  named<T>(section: FreeSection<T>): ReadonlyMap<string, T> {
    return goodValues(section, this.#written.get(section.section) ?? new Map());
  }

  titled<T>(section: FreeSection<T>): ReadonlyMap<string, ReadonlyMap<string, T>> {
    const found = [...this.#written].filter(([name]) => this.#declarationOf(name) === section);
    return new Map(
      found.map(([name, entries]) => [name.slice(section.section.length), goodValues(section, entries)]),
    );
  }

  #add(entries: Entries, entry: EntryLine, { names, values }: FreeSection<unknown>): void {
    const { key, value, line } = entry;
    const first = entries.get(key);
    if (names.parse(key) === undefined) {
      this.#refuse(line, `key ${show(key)}, expected ${names.expected}`);
    } else if (first !== undefined) {
      this.#refuse(line, `key ${key} is given twice, first on line ${first.line}`);
    } else {
      entries.set(key, entry);
      if (values.parse(value) !== undefined) return;
      this.#refuse(line, `key ${key}: value ${show(value)}, expected ${values.expected}`);
    }
  }

  #declarationOf(section: string): FreeSection<unknown> | undefined {
    return this.#declared.find((each) =>
      each.section.endsWith(':') ? section.startsWith(each.section) : section === each.section,
    );
  }
}

function goodValues<T>({ values }: FreeSection<T>, entries: Entries): ReadonlyMap<string, T> {
  const good = new Map<string, T>();
  for (const [name, { value }] of entries) {
    const parsed = values.parse(value);
    if (parsed !== undefined) good.set(name, parsed);
  }
  return good;
}
