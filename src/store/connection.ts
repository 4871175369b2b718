import { type ErrorCode, ServiceManagerError } from '../wire/errors.ts';
import type { Sqlite, SqliteStatement, SqliteValues } from './runtime-sqlite.ts';

/** `unclear`: of whichever kind; the stand-in does not say in every case. */
export type Trouble = 'busy' | 'damaged' | 'unclear' | 'other';

// SQLite's primary result codes.
const busy = 5;
const damaged: readonly number[] = [11, 26];
/** Wrong SQL and wrong values, and what constraints refuse: nothing that happens to a disk or a file. */
const mistakes: readonly number[] = [1, 19, 20, 21, 25];

/** What is wrong with the disk or the file; undefined when it is a mistake of ours, or no error of SQLite. */
export function troubleOf(error: unknown): Trouble | undefined {
  if (!(error instanceof Error && 'code' in error && error.code === 'ERR_SQLITE_ERROR')) return undefined;
  if (!('errcode' in error && typeof error.errcode === 'number')) return 'unclear';
  const primary = error.errcode & 0xff;
  if (mistakes.includes(primary)) return undefined;
  if (primary === busy) return 'busy';
  return damaged.includes(primary) ? 'damaged' : 'other';
}

/** Stands in the file's `application_id` once damage was met, so that the next start looks at every page. */
export const suspectMark = 0x64616d67;

/** An open database: remembers its statements, and turns trouble into an error with a code. */
export class Connection {
  readonly #sqlite: Sqlite;
  readonly #file: string;
  readonly #errorCode: ErrorCode;
  readonly #statements = new Map<string, SqliteStatement>();
  #isInTransaction = false;
  #isClosed = false;

  constructor(sqlite: Sqlite, file: string, errorCode: ErrorCode) {
    this.#sqlite = sqlite;
    this.#file = file;
    this.#errorCode = errorCode;
  }

  /** One or more statements without values and results. */
  execute(sql: string): void {
    this.#guard(() => this.#sqlite.exec(sql));
  }

  /** Resolves to the number of rows that it changed. */
  run(sql: string, ...values: SqliteValues): number {
    return this.#guard(() => Number(this.#statement(sql).run(...values).changes));
  }

  // In the three that follow, `Row` names the columns that stand in the SQL beside it: no checker sees both.

  get<Row>(sql: string, ...values: SqliteValues): Row | undefined {
    return this.#guard(() => this.#statement(sql).get(...values) as Row | undefined);
  }

  all<Row>(sql: string, ...values: SqliteValues): Row[] {
    return this.#guard(() => this.#statement(sql).all(...values) as Row[]);
  }

  /** Reads rows until `take` returns false. */
  takeWhile<Row>(take: (row: Row) => boolean, sql: string, ...values: SqliteValues): void {
    this.#guard(() => {
      for (const row of this.#statement(sql).iterate(...values) as Iterable<Row>) if (!take(row)) break;
    });
  }

  /** All or nothing. */
  transaction<Value>(act: () => Value): Value {
    return this.#guard(() => {
      this.#sqlite.exec('BEGIN IMMEDIATE');
      this.#isInTransaction = true;
      try {
        const value = act();
        this.#sqlite.exec('COMMIT');
        return value;
      } catch (error) {
        this.#rollBack();
        throw error;
      } finally {
        this.#isInTransaction = false;
      }
    });
  }

  /** Leaves one file and no lock. Closing twice is harmless. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#statements.clear();
    try {
      // The stand-in keeps a file open until its statements are collected as garbage. Without its lock and its log
      // that is no matter.
      this.#sqlite.exec(
        'PRAGMA journal_mode = DELETE; PRAGMA locking_mode = NORMAL; SELECT 1 FROM sqlite_schema',
      );
    } catch (error) {
      // A full disk, most likely: all that was written is in the log, and the next start finds it there.
      if (troubleOf(error) === undefined) throw error;
    } finally {
      this.#sqlite.close();
    }
  }

  #statement(sql: string): SqliteStatement {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#sqlite.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  #rollBack(): void {
    try {
      this.#sqlite.exec('ROLLBACK');
    } catch {
      // A full disk or an I/O error may already have ended the transaction: then there is none to roll back.
    }
  }

  #guard<Value>(act: () => Value): Value {
    try {
      return act();
    } catch (error) {
      const trouble = troubleOf(error);
      if (trouble === undefined || this.#isInTransaction) throw error;
      if (trouble !== 'busy' && trouble !== 'other') this.#markSuspect();
      throw unusable(this.#errorCode, this.#file, error);
    }
  }

  #markSuspect(): void {
    try {
      this.#sqlite.exec(`PRAGMA application_id = ${suspectMark}`);
    } catch {
      // Nothing can be written any more; the caller is told of the damage itself.
    }
  }
}

export function unusable(code: ErrorCode, file: string, cause: unknown): ServiceManagerError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new ServiceManagerError(code, `${file}: ${reason}`, { cause });
}
