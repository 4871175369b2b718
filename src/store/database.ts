import {
  chmodSync,
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  statSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { type ErrorCode, isServiceManagerError, ServiceManagerError } from '../wire/errors.ts';
import { Connection, suspectMark, troubleOf, unusable } from './connection.ts';
import { loadSqlite, type Sqlite } from './runtime-sqlite.ts';

export interface DatabaseOptions {
  readonly file: string;
  /** Step N, counted from 0, brings a file from version N to N + 1. Steps are added, and never changed. */
  readonly schema: readonly string[];
  /** What a power failure may take: with NORMAL the last moments, with FULL nothing that was committed. */
  readonly synchronous: 'NORMAL' | 'FULL';
  /** Of trouble while it is in use. Trouble with the opening is always STORE_UNUSABLE. */
  readonly errorCode: ErrorCode;
  readonly nowWallMs: number;
  /** The file was damaged: it lies there now, and a new one was begun. */
  readonly onSetAside: (reason: string, movedTo: string) => void;
}

// Looking at every page takes about a second per gigabyte from memory, and much longer from a slow disk.
const thoroughCheckBytes = 64 * 1024 * 1024;
// A program that is being restarted waits for the one before it, but not for long: nothing else happens meanwhile.
const busyTimeoutMs = 1_000;
const largestIdleLogBytes = 16 * 1024 * 1024;

/**
 * Opens the database for this process alone, makes it where it is missing, and brings it to the newest version. A
 * damaged file is set aside. Throws STORE_UNUSABLE when another process has it, when it is of a newer version, or when
 * the disk does not let us.
 */
export async function openDatabase(options: DatabaseOptions): Promise<Connection> {
  const { file } = options;
  const SqliteClass = await loadSqlite();
  const begin = () => {
    makeFile(file);
    const sqlite = new SqliteClass(file, { enableForeignKeyConstraints: false });
    // The system ends this lock with the process, however that ends. Exclusive also means no shared memory file, whose
    // pages would kill the process on a full disk.
    sqlite.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}; PRAGMA locking_mode = EXCLUSIVE`);
    return sqlite;
  };
  try {
    let sqlite = begin();
    const damage = closingOnError(sqlite, () => damageOf(sqlite, options));
    if (damage !== undefined) {
      const movedTo = setAside(sqlite, file, options.nowWallMs);
      options.onSetAside(damage, movedTo);
      sqlite = begin();
    }
    return closingOnError(sqlite, () => prepare(sqlite, options));
  } catch (error) {
    if (isServiceManagerError(error)) throw error;
    const isBusy = troubleOf(error) === 'busy';
    throw isBusy
      ? new ServiceManagerError('STORE_UNUSABLE', `${file}: in use by another process`, { cause: error })
      : unusable('STORE_UNUSABLE', file, error);
  }
}

/**
 * With a mode that SQLite gives to the files beside it too. A file that is there is not opened: were it a database of
 * this process, closing it would end SQLite's lock.
 */
function makeFile(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const known = lstatSync(file, { throwIfNoEntry: false });
  if (known === undefined) closeSync(openSync(file, 'wx', 0o600));
  // Commands of root come here, too, and the folder is that of another user, who could have any file changed.
  else if (known.isSymbolicLink())
    throw new ServiceManagerError('STORE_UNUSABLE', `${file}: is a symbolic link, expected a file`);
  else if ((known.mode & 0o077) !== 0) chmodSync(file, 0o600);
}

/** The first to read the file, which takes the lock. */
function damageOf(sqlite: Sqlite, { file, schema }: DatabaseOptions): string | undefined {
  try {
    const version = Number(readOne(sqlite, 'user_version', 'pragma_user_version'));
    if (version > schema.length) {
      throw new ServiceManagerError(
        'STORE_UNUSABLE',
        `${file}: written by a newer service-mgr (version ${version} of the file, the newest known here is ${schema.length})`,
      );
    }
    return checkPages(sqlite, file);
  } catch (error) {
    if (troubleOf(error) !== 'damaged') throw error;
    return error instanceof Error ? error.message : String(error);
  }
}

function checkPages(sqlite: Sqlite, file: string): string | undefined {
  const isSuspect = readOne(sqlite, 'application_id', 'pragma_application_id') === suspectMark;
  // Reading the schema finds a file that was cut off, whatever its size.
  readOne(sqlite, 'count(*)', 'sqlite_schema');
  if (!isSuspect && statSync(file).size > thoroughCheckBytes) return undefined;
  const check = isSuspect ? 'integrity_check' : 'quick_check';
  const verdict = readOne(sqlite, check, `pragma_${check}`);
  if (verdict !== 'ok') return String(verdict);
  if (isSuspect) sqlite.exec('PRAGMA application_id = 0');
  return undefined;
}

/**
 * Reads one value without a prepared statement: the stand-in would keep that, and with it the file, for an unknown
 * time, and in the end delete the log of the file that had taken its place.
 */
function readOne(sqlite: Sqlite, expression: string, table: string): unknown {
  let found: unknown;
  sqlite.function('found', (value) => {
    found = value;
    return null;
  });
  sqlite.exec(`SELECT found(${expression}) FROM ${table} LIMIT 1`);
  return found;
}

/** Returns where the file lies now. The lock is held until then, so that nobody else does the same. */
function setAside(sqlite: Sqlite, file: string, nowWallMs: number): string {
  const movedTo = `${file}.corrupt-${nowWallMs}`;
  try {
    for (const part of ['', '-wal', '-shm']) {
      if (existsSync(file + part)) renameSync(file + part, movedTo + part);
    }
  } finally {
    sqlite.close();
  }
  return movedTo;
}

function prepare(sqlite: Sqlite, { file, schema, synchronous, errorCode }: DatabaseOptions): Connection {
  sqlite.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous}`);
  sqlite.exec(`PRAGMA journal_size_limit = ${largestIdleLogBytes}`);
  const connection = new Connection(sqlite, file, errorCode);
  const version = Number(readOne(sqlite, 'user_version', 'pragma_user_version'));
  for (const [index, step] of schema.slice(version).entries()) {
    connection.transaction(() => {
      connection.execute(step);
      connection.execute(`PRAGMA user_version = ${version + index + 1}`);
    });
  }
  return connection;
}

function closingOnError<Value>(sqlite: Sqlite, act: () => Value): Value {
  try {
    return act();
  } catch (error) {
    sqlite.close();
    throw error;
  }
}
