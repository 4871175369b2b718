import type { RequestId } from '../wire/fields.ts';
import type { Connection } from './connection.ts';
import { type DatabaseOptions, openDatabase } from './database.ts';
import type { Journal, JournalBounds, JournalEntry, Undelivered } from './journal.ts';
import { journalSchema } from './journal-schema.ts';
import { bufferOf } from './request-rows.ts';

interface EntryRow {
  readonly id: RequestId;
  readonly state: JournalEntry['state'];
  readonly service: string;
  readonly action: string;
  readonly at: number;
  readonly payload: Uint8Array | null;
}

interface OwedRow {
  readonly id: RequestId;
  readonly payload: Uint8Array;
  readonly manager: string;
  readonly at: number;
}

const insert = 'INSERT INTO entries (id, state, service, action, at, payload)';

/** The journal in one file of a state folder. */
export class SqliteJournal implements Journal {
  readonly #connection: Connection;
  /** Begun in this run of the agent, so not interrupted. */
  readonly #startedNow = new Set<RequestId>();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** See `openDatabase`. */
  static async open(
    options: Pick<DatabaseOptions, 'file' | 'nowWallMs' | 'onSetAside'>,
  ): Promise<SqliteJournal> {
    const connection = await openDatabase({
      ...options,
      schema: journalSchema,
      synchronous: 'FULL',
      errorCode: 'JOURNAL_UNAVAILABLE',
    });
    return new SqliteJournal(connection);
  }

  find(id: RequestId): JournalEntry | undefined {
    const row = this.#connection.get<EntryRow>('SELECT * FROM entries WHERE id = ?', id);
    return row === undefined ? undefined : entryOf(row);
  }

  start({ id, service, action, atWallMs }: Parameters<Journal['start']>[0]): boolean {
    const sql = `${insert} VALUES (?, 'started', ?, ?, ?, NULL) ON CONFLICT DO NOTHING`;
    const isNew = this.#connection.run(sql, id, service, action, atWallMs) === 1;
    if (isNew) this.#startedNow.add(id);
    return isNew;
  }

  finish(id: RequestId, payload: Buffer, managers: readonly string[], atWallMs: number): void {
    const sql = `${insert} VALUES (?, 'done', '', '', ?, ?)
      ON CONFLICT DO UPDATE SET state = 'done', at = excluded.at, payload = excluded.payload WHERE state <> 'done'`;
    this.#connection.transaction(() => {
      this.#connection.run(sql, id, atWallMs, payload);
      for (const manager of managers) this.#owe(id, manager);
    });
    this.#startedNow.delete(id);
  }

  cancel(id: RequestId, atWallMs: number): void {
    this.#connection.run(
      `${insert} VALUES (?, 'cancelled', '', '', ?, NULL) ON CONFLICT DO NOTHING`,
      id,
      atWallMs,
    );
  }

  interrupted(): JournalEntry[] {
    return this.#connection
      .all<EntryRow>("SELECT * FROM entries WHERE state = 'started' ORDER BY seq")
      .map(entryOf)
      .filter(({ id }) => !this.#startedNow.has(id));
  }

  owe(id: RequestId, manager: string): void {
    this.#unsynced(() => this.#owe(id, manager));
  }

  delivered(id: RequestId, manager: string): void {
    this.#unsynced(() => this.#connection.run('DELETE FROM owed WHERE id = ? AND manager = ?', id, manager));
  }

  undelivered(): Undelivered[] {
    const sql = `SELECT id, payload, manager, at FROM owed JOIN entries USING (id) ORDER BY at, seq, manager`;
    return this.#connection.all<OwedRow>(sql).map(({ id, payload, manager, at }) => ({
      ...{ id, manager, atWallMs: at },
      payload: bufferOf(payload),
    }));
  }

  prune({ maxAgeMs, maxEntries }: JournalBounds, nowWallMs: number): number {
    const byAge = "DELETE FROM entries WHERE state <> 'started' AND at < ?";
    const byCount = `DELETE FROM entries WHERE seq IN (
      SELECT seq FROM entries WHERE state <> 'started' ORDER BY state <> 'cancelled', at, seq
        LIMIT max(0, (SELECT count(*) FROM entries) - ?))`;
    return this.#unsynced(() =>
      this.#connection.transaction(
        () => this.#connection.run(byAge, nowWallMs - maxAgeMs) + this.#connection.run(byCount, maxEntries),
      ),
    );
  }

  close(): void {
    this.#connection.close();
  }

  #owe(id: RequestId, manager: string): void {
    const sql = `INSERT INTO owed SELECT id, ? FROM entries WHERE id = ? AND state = 'done' ON CONFLICT DO NOTHING`;
    this.#connection.run(sql, manager, id);
  }

  /** A power failure may undo it; then an answer is delivered once more, or asked for once more. */
  #unsynced<Value>(act: () => Value): Value {
    this.#connection.execute('PRAGMA synchronous = NORMAL');
    try {
      return act();
    } finally {
      this.#connection.execute('PRAGMA synchronous = FULL');
    }
  }
}

function entryOf({ id, state, service, action, at, payload }: EntryRow): JournalEntry {
  const answer = payload === null ? undefined : bufferOf(payload);
  return { id, state, payload: answer, service, action, atWallMs: at };
}
