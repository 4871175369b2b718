import { ServiceManagerError } from '../wire/errors.ts';
import { FreeEntries } from './free-entries.ts';
import type { FreeSection, Key } from './key.ts';
import { type EntryLine, iniLines, type SectionLine } from './lines.ts';
import { show } from './show.ts';
import { advice } from './spelling.ts';

/** The values of one file. */
export interface Settings {
  /** The value in the file, else the fallback; undefined where there is neither, or the value was refused. */
  find<T>(key: Key<T>): T | undefined;
  /** For keys that are required or have a fallback. */
  get<T>(key: Key<T>): T;
  isWritten(key: Key<unknown>): boolean;
  /** The good values of the section, by name. */
  named<T>(section: FreeSection<T>): ReadonlyMap<string, T>;
  /** The same for each section that begins so, by its title; empty where a section is. */
  titled<T>(section: FreeSection<T>): ReadonlyMap<string, ReadonlyMap<string, T>>;
}

/** A value that is good by itself but not beside the others. */
export interface Refusal {
  readonly key: Key<unknown>;
  readonly expected: string;
}

export type Check = (settings: Settings) => readonly Refusal[];

/** Throws BAD_CONFIG with everything that is wrong with the file, one problem a line. */
export function readSettings(
  text: string,
  fileName: string,
  keys: readonly Key<unknown>[],
  checks: readonly Check[] = [],
  freeSections: readonly FreeSection<unknown>[] = [],
): Settings {
  const file = new SettingsFile(fileName, keys, freeSections);
  file.readText(text);
  file.checkValues();
  for (const { key, expected } of checks.flatMap((check) => check(file))) file.refuseValue(key, expected);
  file.throwProblems();
  return file;
}

interface Problem {
  readonly line: number;
  readonly message: string;
}

/** Keys that are missing are listed last. */
const afterTheLastLine = Number.MAX_SAFE_INTEGER;

class SettingsFile implements Settings {
  readonly #name: string;
  readonly #keys: readonly Key<unknown>[];
  readonly #sectionLines = new Map<string, number>();
  readonly #written = new Map<Key<unknown>, EntryLine>();
  readonly #free: FreeEntries;
  readonly #problems: Problem[] = [];
  #isSectionMissing = false;

  constructor(name: string, keys: readonly Key<unknown>[], freeSections: readonly FreeSection<unknown>[]) {
    this.#name = name;
    this.#keys = keys;
    this.#free = new FreeEntries(freeSections, (line, message) => this.#refuse(line, message));
  }

  find<T>(key: Key<T>): T | undefined {
    const text = this.#written.get(key)?.value ?? key.fallback;
    return text === undefined ? undefined : key.parse(text);
  }

  get<T>(key: Key<T>): T {
    const value = this.find(key);
    if (value === undefined) throw new ServiceManagerError('BAD_CONFIG', this.#missing(key));
    return value;
  }

  isWritten(key: Key<unknown>): boolean {
    return this.#written.has(key);
  }

  named<T>(section: FreeSection<T>): ReadonlyMap<string, T> {
    return this.#free.named(section);
  }

  titled<T>(section: FreeSection<T>): ReadonlyMap<string, ReadonlyMap<string, T>> {
    return this.#free.titled(section);
  }

  readText(text: string): void {
    for (const line of iniLines(text)) {
      if (line.kind === 'section') this.#takeSection(line);
      else if (line.kind === 'entry') this.#takeEntry(line);
      else this.#refuse(line.line, `${show(line.text)}, expected [SECTION] alone or KEY = VALUE`);
    }
  }

  checkValues(): void {
    for (const key of this.#keys) {
      if (this.isWritten(key)) {
        if (this.find(key) === undefined) this.refuseValue(key, key.expected);
      } else if (key.isRequired) {
        this.#problems.push({ line: afterTheLastLine, message: this.#missing(key) });
      }
    }
  }

  refuseValue(key: Key<unknown>, expected: string): void {
    const entry = this.#written.get(key);
    if (entry === undefined) throw new TypeError(`${key.key} is not in the file, so it cannot be refused`);
    this.#refuse(entry.line, `key ${key.key}: value ${show(entry.value)}, expected ${expected}`);
  }

  throwProblems(): void {
    if (this.#problems.length === 0) return;
    const sorted = this.#problems.toSorted((one, other) => one.line - other.line);
    throw new ServiceManagerError('BAD_CONFIG', sorted.map((problem) => problem.message).join('\n'));
  }

  #takeSection({ section, line }: SectionLine): void {
    const firstLine = this.#sectionLines.get(section);
    const known = [...new Set(this.#keys.map((key) => key.section))];
    if (!known.includes(section) && !this.#free.has(section)) {
      const expected = [...known, ...this.#free.expected];
      this.#refuse(line, `section ${show(section)} is unknown, ${advice(section, expected)}`);
    } else if (firstLine === undefined) {
      this.#sectionLines.set(section, line);
      this.#free.open(section, line);
    } else {
      this.#refuse(line, `section [${section}] is given twice, first on line ${firstLine}`);
    }
  }

  #takeEntry(entry: EntryLine): void {
    const section = entry.section ?? this.#sectionAbove(entry);
    if (section !== undefined && this.#free.take(section, entry)) return;
    const siblings = this.#keys.filter((key) => key.section === section);
    // Keys of an unknown section are not judged: the section has been refused already.
    if (siblings.length === 0) return;
    const key = siblings.find((sibling) => sibling.key === entry.key);
    if (key === undefined) {
      this.#refuse(entry.line, this.#unknownKey(entry.key, siblings));
      return;
    }
    const first = this.#written.get(key);
    if (first === undefined) this.#written.set(key, entry);
    else this.#refuse(entry.line, `key ${key.key} is given twice, first on line ${first.line}`);
  }

  /** For keys above every section: said once, and then they count as if the main section stood above them. */
  #sectionAbove({ line, key }: EntryLine): string | undefined {
    const section = this.#keys[0]?.section;
    if (!this.#isSectionMissing) {
      this.#refuse(line, `key ${show(key)} is in no section, expected [${section}] above it`);
    }
    this.#isSectionMissing = true;
    return section;
  }

  #unknownKey(name: string, siblings: readonly Key<unknown>[]): string {
    const elsewhere = this.#keys.find((key) => key.key === name);
    if (elsewhere !== undefined) {
      return `key ${name} is in the wrong section, expected it in [${elsewhere.section}]`;
    }
    const names = siblings.map((key) => key.key);
    return `key ${show(name)} is unknown, ${advice(name, names)}`;
  }

  #missing(key: Key<unknown>): string {
    return `${this.#name}: [${key.section}] ${key.key} is missing, expected ${key.expected}`;
  }

  #refuse(line: number, message: string): void {
    this.#problems.push({ line, message: `${this.#name}:${line}: ${message}` });
  }
}
