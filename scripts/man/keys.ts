import type { Key } from '../../src/config/key.ts';
import { list, plain, sentences, word } from './mdoc.ts';
import type { NamedKeys, Repeated } from './sections.ts';

/** The keys of a configuration file, section by section. */
export function keySections(keys: readonly Key<unknown>[]): string {
  const sections = [...new Set(keys.map(({ section }) => section))];
  const membersOf = (section: string) => keys.filter((key) => key.section === section);
  return sections.map((name) => `.Ss [${plain(name)}]\n${keyList(membersOf(name))}`).join('\n');
}

/** The sections of which the file says more than the program does. */
export function openSectionParts(sections: readonly (NamedKeys | Repeated)[]): string {
  return sections
    .map((section) => ('keysIn' in section ? repeatedPart(section) : namedPart(section)))
    .join('\n');
}

function namedPart({ section, names, values, summary }: NamedKeys): string {
  const item = `.It Ar name No = Ar value\n${plain(`The name: ${names.expected}.\nThe value: ${values.expected}.`)}`;
  return `.Ss [${plain(section)}]\n${sentences(summary)}\n${list('-tag -width Ds', [item])}`;
}

function repeatedPart({ section, titles, keysIn }: Repeated): string {
  const intro = `There may be several, each with a NAME of its own: ${titles.expected}.`;
  return `.Ss [${plain(section)}NAME]\n${plain(intro)}\n${keyList(keysIn(`${section}NAME`))}`;
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
