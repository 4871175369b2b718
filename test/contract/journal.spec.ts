import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import type { Journal } from '../../src/store/journal.ts';
import { MemoryJournal } from '../../src/store/memory-journal.ts';
import { SqliteJournal } from '../../src/store/sqlite-journal.ts';
import { DatabaseWriter } from '../fakes/database-writer.ts';
import { runOnFullDisk } from '../fakes/full-disk.ts';
import { idOf } from '../fakes/stored-requests.ts';

const generous = { maxAgeMs: Infinity, maxEntries: Infinity };
const [one, two] = ['tcp://one:5700', 'tcp://two:5700'] as const;
const answer = Buffer.from([123, 0, 255, 125]);
const other = Buffer.from('another');

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'service-mgr-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function openSqlite(): Promise<SqliteJournal> {
  return SqliteJournal.open({
    file: join(folder, 'state', 'agent.db'),
    nowWallMs: 0,
    onSetAside: (reason) => expect.fail(`set aside: ${reason}`),
  });
}

interface Implementation {
  readonly name: string;
  open(): Journal | Promise<Journal>;
  /** As after a restart of the agent. */
  reopen(journal: Journal): Journal | Promise<Journal>;
}

const implementations: Implementation[] = [
  {
    name: 'MemoryJournal',
    open: () => new MemoryJournal(),
    reopen: (journal) => new MemoryJournal(journal instanceof MemoryJournal ? journal : undefined),
  },
  {
    name: 'SqliteJournal',
    open: openSqlite,
    reopen(journal) {
      journal.close();
      return openSqlite();
    },
  },
];

for (const { name, open, reopen } of implementations) {
  describe(`Journal as ${name}`, () => {
    let journal: Journal;

    beforeEach(async () => {
      journal = await open();
    });

    afterEach(() => {
      journal.close();
    });

    const start = (number: number, atWallMs = number * 1_000) =>
      journal.start({ id: idOf(number), service: 'nginx', action: 'restart', atWallMs });
    const finish = (number: number, managers: readonly string[] = [one], atWallMs = number * 1_000) =>
      journal.finish(idOf(number), answer, managers, atWallMs);
    const restart = async () => {
      journal = await reopen(journal);
    };
    const stateOf = (number: number) => journal.find(idOf(number))?.state;
    const owed = () => journal.undelivered().map(({ id, manager }) => [Number.parseInt(id, 16), manager]);

    it('knows nothing at first', () => {
      expect(journal.find(idOf(1))).to.equal(undefined);
      expect(journal.interrupted()).to.deep.equal([]);
      expect(journal.undelivered()).to.deep.equal([]);
    });

    describe('lets a request start', () => {
      it('once, and remembers what it was', () => {
        expect(start(1)).to.equal(true);
        expect(start(1, 9_000)).to.equal(false);
        expect(journal.find(idOf(1))).to.deep.equal({
          id: idOf(1),
          state: 'started',
          payload: undefined,
          service: 'nginx',
          action: 'restart',
          atWallMs: 1_000,
        });
      });

      it('not again after a restart of the agent', async () => {
        start(1);
        await restart();
        expect(start(1)).to.equal(false);
      });

      it('not when it is done, started or not', async () => {
        start(1);
        finish(1);
        finish(2);
        expect([start(1), start(2)]).to.deep.equal([false, false]);
        await restart();
        expect([start(1), start(2)]).to.deep.equal([false, false]);
      });

      it('not when it was cancelled before', async () => {
        journal.cancel(idOf(1), 1_000);
        expect(start(1)).to.equal(false);
        await restart();
        expect(start(1)).to.equal(false);
        expect(journal.find(idOf(1))).to.deep.include({ state: 'cancelled', service: '', atWallMs: 1_000 });
      });
    });

    describe('keeps the answer', () => {
      it('byte for byte, with the time of the end', async () => {
        start(1);
        finish(1, [one], 5_000);
        const entry = journal.find(idOf(1));
        expect(entry).to.deep.equal({
          id: idOf(1),
          state: 'done',
          payload: answer,
          service: 'nginx',
          action: 'restart',
          atWallMs: 5_000,
        });
        await restart();
        expect(journal.find(idOf(1))).to.deep.equal(entry);
      });

      it('of a request that was never started, or was cancelled', () => {
        journal.cancel(idOf(2), 0);
        finish(1);
        finish(2);
        for (const number of [1, 2]) {
          expect(journal.find(idOf(number))).to.deep.include({ state: 'done', payload: answer, service: '' });
        }
        expect(owed()).to.deep.equal([
          [1, one],
          [2, one],
        ]);
      });

      it('that it has, when there comes another, but owes that to one more manager', () => {
        finish(1);
        journal.finish(idOf(1), other, [two], 9_000);
        expect(journal.find(idOf(1))).to.deep.include({ payload: answer, atWallMs: 1_000 });
        expect(owed()).to.deep.equal([
          [1, one],
          [1, two],
        ]);
      });

      it('also when the request is cancelled too late', () => {
        start(1);
        journal.cancel(idOf(1), 9_000);
        expect(stateOf(1)).to.equal('started');
        finish(1);
        journal.cancel(idOf(1), 9_000);
        expect(journal.find(idOf(1))).to.deep.include({ state: 'done', payload: answer });
      });
    });

    describe('names as interrupted', () => {
      it('what an earlier run had started and not finished, first started first', async () => {
        for (const number of [3, 1, 2]) start(number);
        finish(1);
        expect(journal.interrupted()).to.deep.equal([]);
        await restart();
        start(4);
        expect(journal.interrupted().map(({ id }) => id)).to.deep.equal([idOf(3), idOf(2)]);
        expect(journal.interrupted()[0]).to.deep.include({ state: 'started', service: 'nginx' });
      });

      it('nothing any more that has got an answer', async () => {
        start(1);
        await restart();
        finish(1);
        expect(journal.interrupted()).to.deep.equal([]);
        await restart();
        expect(journal.interrupted()).to.deep.equal([]);
      });
    });

    describe('owes an answer', () => {
      it('to each manager until that has it, over a restart too', async () => {
        finish(1, [one, two]);
        finish(2, [two]);
        journal.delivered(idOf(1), one);
        journal.delivered(idOf(9), one);
        await restart();
        expect(journal.undelivered()).to.deep.equal([
          { id: idOf(1), payload: answer, manager: two, atWallMs: 1_000 },
          { id: idOf(2), payload: answer, manager: two, atWallMs: 2_000 },
        ]);
        journal.delivered(idOf(1), two);
        journal.delivered(idOf(2), two);
        expect(owed()).to.deep.equal([]);
        expect(stateOf(1)).to.equal('done');
      });

      it('first finished first', () => {
        for (const number of [3, 1, 2]) finish(number);
        expect(owed().map(([number]) => number)).to.deep.equal([1, 2, 3]);
      });

      it('to nobody, when there are no managers', () => {
        finish(1, []);
        expect(owed()).to.deep.equal([]);
      });

      it('to one more manager that wants it, once, and again to one that had it', () => {
        finish(1);
        journal.owe(idOf(1), two);
        journal.owe(idOf(1), two);
        journal.delivered(idOf(1), one);
        expect(owed()).to.deep.equal([[1, two]]);
        journal.owe(idOf(1), one);
        expect(owed()).to.deep.equal([
          [1, one],
          [1, two],
        ]);
      });

      it('only where there is one', () => {
        start(1);
        journal.cancel(idOf(2), 0);
        for (const number of [1, 2, 3]) journal.owe(idOf(number), one);
        expect(owed()).to.deep.equal([]);
        finish(1, []);
        expect(owed()).to.deep.equal([]);
      });
    });

    describe('forgets', () => {
      it('what has ended too long ago, delivered or not, and tombstones', () => {
        finish(1);
        finish(2, []);
        finish(3);
        journal.cancel(idOf(4), 1_500);
        expect(journal.prune({ ...generous, maxAgeMs: 1_000 }, 4_000)).to.equal(3);
        expect([1, 2, 3, 4].map(stateOf)).to.deep.equal([undefined, undefined, 'done', undefined]);
        expect(owed()).to.deep.equal([[3, one]]);
      });

      it('the oldest of too many', () => {
        for (const number of [3, 1, 2, 4]) finish(number);
        expect(journal.prune({ ...generous, maxEntries: 2 }, 0)).to.equal(2);
        expect([1, 2, 3, 4].map(stateOf)).to.deep.equal([undefined, undefined, 'done', 'done']);
        expect(journal.prune({ ...generous, maxEntries: 2 }, 0)).to.equal(0);
      });

      it('of too many those that were only cancelled, before any that was done', () => {
        for (const number of [1, 2]) finish(number);
        for (const number of [3, 4, 5]) journal.cancel(idOf(number), 9_000 - number);
        expect(journal.prune({ ...generous, maxEntries: 3 }, 0)).to.equal(2);
        expect([1, 2, 3, 4, 5].map(stateOf)).to.deep.equal([
          ...['done', 'done', 'cancelled'],
          ...[undefined, undefined],
        ]);
        expect(journal.prune({ ...generous, maxEntries: 1 }, 0)).to.equal(2);
        expect([1, 2, 3].map(stateOf)).to.deep.equal([undefined, 'done', undefined]);
      });

      it('never what is started, however old, but counts it', () => {
        for (const number of [1, 2]) start(number);
        finish(3);
        expect(journal.prune({ maxAgeMs: Infinity, maxEntries: 2 }, 0)).to.equal(1);
        expect(journal.prune({ maxAgeMs: 0, maxEntries: 0 }, 1e15)).to.equal(0);
        expect([1, 2].map(stateOf)).to.deep.equal(['started', 'started']);
      });
    });

    it('may be closed twice', () => {
      journal.close();
      journal.close();
    });
  });
}

describe('SqliteJournal', function () {
  this.timeout(30_000);

  it('loses nothing that a call had returned for when its process is killed', async () => {
    const file = join(folder, 'state', 'agent.db');
    const writer = await DatabaseWriter.start('journal', file, join(folder, 'said'), 100);
    await writer.kill();
    const written = writer.written();
    expect(written.length).to.be.at.least(100);
    const journal = await openSqlite();
    const owed = new Set(journal.undelivered().map(({ id }) => id));
    for (const number of written) {
      const isDone = number % 3 > 0;
      const entry = journal.find(idOf(number));
      expect(entry?.state).to.equal(isDone ? 'done' : 'started');
      expect(entry?.payload?.byteLength).to.equal(isDone ? 2_000 : undefined);
      expect(owed.has(idOf(number))).to.equal(isDone);
    }
    journal.close();
  });

  it('has two files while it is open, and one when it is closed', async () => {
    const journal = await openSqlite();
    for (let number = 1; number < 100; number += 1) {
      journal.finish(idOf(number), Buffer.alloc(20_000), [one], number);
      journal.delivered(idOf(number), one);
      journal.prune({ ...generous, maxEntries: 10 }, 0);
      expect(readdirSync(join(folder, 'state'))).to.have.members(['agent.db', 'agent.db-wal']);
    }
    journal.close();
    expect(readdirSync(join(folder, 'state'))).to.deep.equal(['agent.db']);
  });

  it('fails with a code on a full disk, half writes nothing, and goes on when there is room', function () {
    const report = runOnFullDisk('journal', folder);
    if (report === undefined) {
      Object.assign(this.runnable(), { skipReason: 'this host lets us mount nothing' });
      return this.skip();
    }
    const code = 'JOURNAL_UNAVAILABLE';
    expect(report.written).to.be.greaterThan(20);
    expect(report.codes).to.deep.equal([code, code, code]);
    expect(report.writtenInTheEnd).to.equal(report.written + 10);
    expect(report).to.include({ lostWhileFull: 0, lostInTheEnd: 0, halves: 0 });
  });
});

interface Operation {
  run(journal: Journal): unknown;
  toString(): string;
}

const id = fc.integer({ min: 0, max: 3 }).map(idOf);
const manager = fc.constantFrom(one, two);
const time = fc.integer({ min: 0, max: 5 });
const bound = fc.constantFrom(0, 1, 3, Infinity);

function calls<Values extends unknown[]>(
  name: string,
  values: fc.Arbitrary<Values>,
  run: (journal: Journal, ...values: Values) => unknown,
): fc.Arbitrary<Operation> {
  return values.map((given) => ({
    run: (journal: Journal) => run(journal, ...given),
    toString: () => `${name}(${fc.stringify(given)})`,
  }));
}

const operation: fc.Arbitrary<Operation> = fc.oneof(
  calls('start', fc.tuple(id, time), (journal, ofId, atWallMs) =>
    journal.start({ id: ofId, service: 'nginx', action: 'stop', atWallMs }),
  ),
  calls(
    'finish',
    fc.tuple(id, fc.constantFrom(answer, other), fc.uniqueArray(manager), time),
    (journal, ...values) => journal.finish(...values),
  ),
  calls('cancel', fc.tuple(id, time), (journal, ...values) => journal.cancel(...values)),
  calls('owe', fc.tuple(id, manager), (journal, ...values) => journal.owe(...values)),
  calls('delivered', fc.tuple(id, manager), (journal, ...values) => journal.delivered(...values)),
  calls('prune', fc.tuple(fc.record({ maxAgeMs: bound, maxEntries: bound }), time), (journal, ...values) =>
    journal.prune(...values),
  ),
);

const restarting: Operation = { run: () => undefined, toString: () => 'restart()' };

function everythingIn(journal: Journal): unknown {
  const found = Array.from({ length: 4 }, (_, number) => journal.find(idOf(number)));
  return { found, interrupted: journal.interrupted(), undelivered: journal.undelivered() };
}

describe('MemoryJournal and SqliteJournal', function () {
  this.timeout(120_000);

  it('answer the same to whatever is asked of them', async () => {
    const operations = fc.array(fc.oneof({ weight: 15, arbitrary: operation }, fc.constant(restarting)), {
      minLength: 10,
      maxLength: 60,
      size: 'max',
    });
    const property = fc.asyncProperty(operations, async (sequence) => {
      let memory = new MemoryJournal();
      let sqlite = await openSqlite();
      try {
        for (const each of sequence) {
          if (each === restarting) {
            sqlite.close();
            sqlite = await openSqlite();
            memory = new MemoryJournal(memory);
          }
          expect(each.run(sqlite)).to.deep.equal(each.run(memory));
          expect(everythingIn(sqlite)).to.deep.equal(everythingIn(memory));
        }
      } finally {
        sqlite.close();
        rmSync(join(folder, 'state'), { recursive: true });
      }
    });
    await fc.assert(property, { numRuns: 40, interruptAfterTimeLimit: 60_000 });
  });
});
