import type { Key } from '../../src/config/key.ts';
import { list, plain, sentences, word } from './mdoc.ts';

/** The keys of a configuration file, section by section. */
export function keySections(keys: readonly Key<unknown>[]): string {
  const sections = [...new Set(keys.map(({ section }) => section))];
  const membersOf = (section: string) => keys.filter((key) => key.section === section);
  return sections.map((name) => `.Ss [${plain(name)}]\n${keyList(membersOf(name))}`).join('\n');
}

function keyList(keys: readonly Key<unknown>[]): string {
  return list(
    '-tag -width Ds',
    keys.map((key) => `.It Cm ${word(key.key)} = Ar value\n${explanation(key)}`),
  );
}

function explanation(key: Key<unknown>): string {
  return [sentences(key.summary), plain(`Expected: ${key.expected}.`), defaultOf(key)].join('\n');
}

function defaultOf({ isRequired, fallback }: Key<unknown>): string {
  if (isRequired) return 'It has to be given.';
  if (fallback === undefined) return 'By default it is not set.';
  return fallback === '' ? 'By default there is none.' : plain(`The default is ${fallback}.`);
}
