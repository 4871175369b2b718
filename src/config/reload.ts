import type { Key } from './key.ts';

/** The keys whose values differ between two configurations; `keys` says which one each value comes from. */
export function keysThatDiffer<Name extends string>(
  keys: Readonly<Record<Name, Key<unknown>>>,
  one: Readonly<Record<Name, unknown>>,
  other: Readonly<Record<Name, unknown>>,
): string[] {
  const names = Object.keys(keys) as Name[];
  const differing = names.filter((name) => JSON.stringify(one[name]) !== JSON.stringify(other[name]));
  return differing.map((name) => keys[name].key);
}
