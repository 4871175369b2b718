import { ServiceManagerError } from '../wire/errors.ts';
import { inNaturalOrder } from './natural-order.ts';

const maxNames = 100_000;
const longestShownText = 60;

/** Names that differ in one number only; `width` is 0 where the number is not padded. */
interface Series {
  readonly before: string;
  readonly after: string;
  readonly width: number;
  readonly names: Map<number, string>;
}

/**
 * The names as one node set in the notation of clush: `db1,web[01-38,40]`. Each name once, in natural order.
 * One number of a name varies: the last one that other names share a series with, so `rack1-web[1-3].dc2`.
 * A zero in front makes a padded series of its own: `web[01-09],web1`.
 */
export function foldNames(names: readonly string[]): string {
  const folded: Array<{ first: string; text: string }> = [];
  let loose = inNaturalOrder([...new Set(names)], (name) => name);
  for (let fromEnd = 1; loose.length > 0; fromEnd += 1) {
    const { series, rest, isLast } = gather(loose, fromEnd);
    for (const one of series) folded.push({ first: [...one.names.values()][0] ?? '', text: seriesText(one) });
    if (isLast) folded.push(...rest.map((name) => ({ first: name, text: name })));
    loose = isLast ? [] : rest;
  }
  return inNaturalOrder(folded, ({ first }) => first)
    .map(({ text }) => text)
    .join(',');
}

/** Series of two names or more whose number at this place from the end varies, and the names that are in none. */
function gather(names: readonly string[], fromEnd: number) {
  const cuts = names.map((name) => ({ name, ...cut(name, fromEnd) }));
  const paddedStems = new Set(cuts.filter(isPadded).map(({ stem, digits }) => stem + digits.length));
  const found = new Map<string, Series>();
  for (const { name, stem, before, digits, after } of cuts) {
    if (digits === '') continue;
    const width = paddedStems.has(stem + digits.length) ? digits.length : 0;
    const series = found.get(stem + width) ?? { before, after, width, names: new Map() };
    found.set(stem + width, series);
    series.names.set(Number(digits), name);
  }
  const series = [...found.values()].filter((one) => one.names.size > 1);
  const folded = new Set(series.flatMap((one) => [...one.names.values()]));
  const rest = names.filter((name) => !folded.has(name));
  return { series, rest, isLast: cuts.every(({ digits }) => digits === '') };
}

/** Cuts a name at one of its numbers; `digits` is empty when it has not so many. `stem` tells what is around it. */
function cut(name: string, fromEnd: number) {
  // Longer runs of digits stay text: as a number they would lose digits.
  const run = [...name.matchAll(/(?<!\d)\d{1,15}(?!\d)/g)].at(-fromEnd);
  const digits = run?.[0] ?? '';
  const before = name.slice(0, run?.index ?? name.length);
  const after = name.slice(before.length + digits.length);
  return { before, digits, after, stem: `${before.length} ${before}${after} ` };
}

function isPadded({ digits }: { readonly digits: string }): boolean {
  return digits.length > 1 && digits.startsWith('0');
}

function seriesText({ before, after, width, names }: Series): string {
  const ranges: Array<[first: number, last: number]> = [];
  for (const number of names.keys()) {
    const range = ranges.at(-1);
    if (range?.[1] === number - 1) range[1] = number;
    else ranges.push([number, number]);
  }
  const padded = (number: number) => String(number).padStart(width, '0');
  const texts = ranges.map(([first, last]) =>
    first === last ? padded(first) : `${padded(first)}-${padded(last)}`,
  );
  return `${before}[${texts.join(',')}]${after}`;
}

/**
 * The names of a node set, each once, in natural order; none for an empty text. More than one number may vary:
 * `rack[1-2]web[01-10]`. Whether each is a good node name is not checked here.
 * Throws BAD_USAGE for what is malformed or names more than 100,000 nodes.
 */
export function unfoldNames(text: string): string[] {
  const names = new Set<string>();
  for (const part of partsOf(text)) {
    for (const name of unfoldWord(part)) names.add(name);
    if (names.size > maxNames) throw tooMany(text);
  }
  return inNaturalOrder([...names], (name) => name);
}

function partsOf(text: string): string[] {
  if (text.trim() === '') return [];
  const part = /\s*((?:[^\s,[\]]|\[[^[\]]*\])+)\s*(,|$)/y;
  const parts: string[] = [];
  for (let isMore = true; isMore; ) {
    const match = part.exec(text);
    if (match?.[1] === undefined) throw malformed(text);
    parts.push(match[1]);
    isMore = match[2] === ',';
  }
  return parts;
}

/**
 * The words that one part of a node set stands for, as they come; one that is written twice comes twice. The part is to
 * have nothing but pairs of brackets, which are not nested. Throws as `unfoldNames`.
 */
export function unfoldWord(part: string): string[] {
  // Split by a pattern with one group: what stood in brackets is at the odd places.
  return part.split(/\[([^[\]]*)\]/).reduce<string[]>(
    (names, piece, index) => {
      const choices = index % 2 === 1 ? numbersOf(piece, part) : [piece];
      if (names.length * choices.length > maxNames) throw tooMany(part);
      return names.flatMap((name) => choices.map((choice) => name + choice));
    },
    [''],
  );
}

function numbersOf(list: string, part: string): string[] {
  const numbers: string[] = [];
  for (const range of list.split(',')) {
    const [, first, last = first] = /^\s*(\d{1,15})(?:-(\d{1,15}))?\s*$/.exec(range) ?? [];
    if (first === undefined || last === undefined) throw malformed(part);
    const padded = (number: number) =>
      String(number).padStart(isPadded({ digits: first }) ? first.length : 0, '0');
    const count = Number(last) - Number(first) + 1;
    // The last number is written as the first one says: neither 1-010 nor 001-10.
    if (count < 1 || padded(Number(last)) !== last) throw malformed(part);
    if (numbers.length + count > maxNames) throw tooMany(part);
    for (let number = Number(first); number <= Number(last); number += 1) numbers.push(padded(number));
  }
  return numbers;
}

function malformed(text: string): ServiceManagerError {
  return new ServiceManagerError(
    'BAD_USAGE',
    `node set ${shown(text)}: expected names like web[01-38,40],db1`,
  );
}

function tooMany(text: string): ServiceManagerError {
  return new ServiceManagerError('BAD_USAGE', `node set ${shown(text)}: more than ${maxNames} names`);
}

function shown(text: string): string {
  return JSON.stringify(text.length <= longestShownText ? text : `${text.slice(0, longestShownText)}...`);
}
