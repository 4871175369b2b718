import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { partNumbers } from '../append-file.ts';
import { isMissing } from './file-trouble.ts';

/** See `partNumbers`. */
export function numbersOf(path: string): number[] {
  try {
    return partNumbers(basename(path), readdirSync(dirname(path)));
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** The parts that were put aside, from the oldest to the newest. */
export function partsOf(path: string): string[] {
  return numbersOf(path).map((number) => join(dirname(path), `${basename(path)}.${number}`));
}
