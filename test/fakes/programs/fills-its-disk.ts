// Writes to a database, or a file that only grows, until its file system is full, makes room, and prints as JSON how that went.
// Usage: fills-its-disk.ts store|answers|journal|append-file FOLDER
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NodeAppendFiles } from '../../../src/platform/node/append-files.ts';
import { SqliteJournal } from '../../../src/store/sqlite-journal.ts';
import { SqliteStore } from '../../../src/store/sqlite-store.ts';
import { isServiceManagerError } from '../../../src/wire/errors.ts';
import { idOf, storedAnswer, storedEntry, storedRequest } from '../stored-requests.ts';

export interface FullDiskReport {
  /** Of three tries in a row on the full disk. */
  readonly codes: (string | undefined)[];
  readonly written: number;
  readonly writtenInTheEnd: number;
  /** Writes that had returned, and of which not all is there. */
  readonly lostWhileFull: number;
  readonly lostInTheEnd: number;
  /** Writes of which one part was found and the other not. */
  readonly halves: number;
}

interface Tried {
  write(number: number): void;
  /** Of each of these numbers how many parts of what `write` wrote are there. */
  partsOf(numbers: readonly number[]): number[];
  close(): void;
}

const [kind, folder = ''] = process.argv.slice(2);
const options = { file: join(folder, 'state', 'test.db'), nowWallMs: 0, onSetAside: () => {} };
const payload = Buffer.alloc(20_000, 'x');
const parts = 3;

async function tryStore(): Promise<Tried> {
  const store = await SqliteStore.open(options);
  const entries = ['web1', 'web2', 'web3'].map((node) => storedEntry(node));
  return {
    write: (number) => store.openRequest(storedRequest(number, { bodyBytes: payload }), entries),
    partsOf: (numbers) => numbers.map((number) => store.entries(idOf(number)).length),
    close: () => store.close(),
  };
}

async function tryAnswers(): Promise<Tried> {
  const store = await SqliteStore.open(options);
  store.openRequest(storedRequest(1), []);
  const nodesOf = (number: number) => [`a${number}`, `b${number}`, `c${number}`];
  return {
    write: (number) => store.saveAnswers(nodesOf(number).map((node) => storedAnswer(1, node, { payload }))),
    partsOf(numbers) {
      const nodes = new Set<string>(store.entries(idOf(1)).map(({ node }) => node));
      return numbers.map((number) => nodesOf(number).filter((node) => nodes.has(node)).length);
    },
    close: () => store.close(),
  };
}

async function tryJournal(): Promise<Tried> {
  const journal = await SqliteJournal.open(options);
  return {
    write: (number) => journal.finish(idOf(number), payload, ['tcp://one:5700', 'tcp://two:5700'], number),
    partsOf(numbers) {
      const owed = journal.undelivered().map(({ id }) => id);
      return numbers.map(
        (number) =>
          Number(journal.find(idOf(number)) !== undefined) + owed.filter((id) => id === idOf(number)).length,
      );
    },
    close: () => journal.close(),
  };
}

async function tryAppendFile(): Promise<Tried> {
  const path = join(folder, 'test.log');
  const file = new NodeAppendFiles().open(path, () => {});
  return {
    write: (number) => file.append(`${number} ${payload} ${number}`),
    partsOf(numbers) {
      const lines = readFileSync(path, 'utf8').split('\n');
      const begun = new Set(lines.map((line) => Number(line.split(' ')[0])));
      const whole = new Set(
        lines.map((line) => (line.split(' ').length === parts ? Number(line.split(' ')[2]) : 0)),
      );
      return numbers.map((number) => (whole.has(number) ? parts : Number(begun.has(number))));
    },
    close: () => file.close(),
  };
}

const kinds = { store: tryStore, answers: tryAnswers, journal: tryJournal, 'append-file': tryAppendFile };
const open = Object.entries(kinds).find(([name]) => name === kind)?.[1] ?? tryStore;

function codeOf(act: () => void): string | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    if (!isServiceManagerError(error)) throw error;
    return error.code;
  }
}

// More than the log of a database, which a checkpoint needs at once as soon as there is room.
const ballast = join(folder, 'ballast');
writeFileSync(ballast, Buffer.alloc(8_000_000));
let tried = await open();
const numbers: number[] = [];
let next = 1;
while (codeOf(() => tried.write(next)) === undefined) {
  numbers.push(next);
  next += 1;
}
const written = numbers.length;
const codes = [next, next + 1, next + 2].map((number) => codeOf(() => tried.write(number)));
const attempts = Array.from({ length: next + 2 }, (_, index) => index + 1);
const halves = tried.partsOf(attempts).filter((count) => count > 0 && count < parts).length;
const lost = () => tried.partsOf(numbers).filter((count) => count < parts).length;
const lostWhileFull = lost();

rmSync(ballast);
for (let number = next; number < next + 10; number += 1) {
  tried.write(number);
  numbers.push(number);
}
tried.close();
tried = await open();
const writtenInTheEnd = numbers.length;
const report: FullDiskReport = {
  codes,
  written,
  writtenInTheEnd,
  lostWhileFull,
  lostInTheEnd: lost(),
  halves,
};
tried.close();
process.stdout.write(JSON.stringify(report));
