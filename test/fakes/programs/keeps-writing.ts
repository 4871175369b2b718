// Writes to a database, or a file that only grows, until it is killed, and prints the number of each write after it has returned.
// Usage: keeps-writing.ts store|journal|append-file|turned-file FILE
import { writeSync } from 'node:fs';
import { NodeAppendFiles } from '../../../src/platform/node/append-files.ts';
import { SqliteJournal } from '../../../src/store/sqlite-journal.ts';
import { SqliteStore } from '../../../src/store/sqlite-store.ts';
import { idOf, storedAnswer, storedEntry, storedRequest } from '../stored-requests.ts';

const [kind, file = ''] = process.argv.slice(2);
const options = { file, nowWallMs: 0, onSetAside: () => {} };
const payload = Buffer.alloc(2_000, 'x');

const writers = {
  async store() {
    const store = await SqliteStore.open(options);
    return (number: number) => {
      store.openRequest(storedRequest(number), [storedEntry('web1'), storedEntry('web2')]);
      store.saveAnswers([storedAnswer(number, 'web1', { payload }), storedAnswer(number, 'web2')]);
    };
  },
  async journal() {
    const journal = await SqliteJournal.open(options);
    return (number: number) => {
      journal.start({ id: idOf(number), service: 'nginx', action: 'restart', atWallMs: number });
      if (number % 3 > 0) journal.finish(idOf(number), payload, ['tcp://manager:5700'], number);
    };
  },
  async 'append-file'() {
    const lines = new NodeAppendFiles().open(file, () => {});
    return (number: number) => {
      lines.append(`${number} ${payload}`);
      if (number % 500 === 0) lines.turn(number, Infinity);
    };
  },
  async 'turned-file'() {
    const lines = new NodeAppendFiles().open(file, () => {});
    return (number: number) => {
      lines.append(String(number));
      lines.turn(number, 40);
    };
  },
};

const write = await (Object.entries(writers).find(([name]) => name === kind)?.[1] ?? writers.store)();
// Synchronous, so that nothing is said after the kill that was not written before it.
for (let number = 1; ; number += 1) {
  write(number);
  writeSync(1, `${number}\n`);
}
