import { readdirSync } from 'node:fs';
import type { Format, Key } from '../../src/config/key.ts';

const configFolder = new URL('../../src/config/', import.meta.url);

/** A section whose keys the admin names. */
export interface NamedKeys {
  readonly section: string;
  readonly names: Format<unknown>;
  readonly values: Format<unknown>;
  readonly summary: string;
}

/** Sections that are alike, each under a title; `section` is how each of them begins. */
export interface Repeated {
  readonly section: string;
  readonly titles: Format<unknown>;
  readonly keysIn: (section: string) => readonly Key<unknown>[];
}

/** What src/config exports of these, by itself or in a table. */
export async function openSections(): Promise<readonly (NamedKeys | Repeated)[]> {
  const names = readdirSync(configFolder).sort();
  const modules = await Promise.all(names.map((name) => import(new URL(name, configFolder).href)));
  const exported = modules.flatMap((module) => Object.values<unknown>(module));
  const found = exported.flatMap((value) => [value, ...(isTable(value) ? Object.values(value) : [])]);
  return [...new Set(found)].filter((value) => isNamedKeys(value) || isRepeated(value));
}

function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function isNamedKeys(value: unknown): value is NamedKeys {
  return isTable(value) && 'section' in value && 'names' in value && 'values' in value;
}

function isRepeated(value: unknown): value is Repeated {
  return isTable(value) && 'section' in value && 'keysIn' in value;
}
