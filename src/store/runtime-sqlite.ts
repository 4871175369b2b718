import { ServiceManagerError } from '../wire/errors.ts';

export type SqliteValue = null | number | string | Uint8Array;
/** In the order of the question marks, or by name. */
export type SqliteValues = SqliteValue[] | [Readonly<Record<string, SqliteValue>>];

/** What we use of `DatabaseSync`. */
export interface Sqlite {
  exec(sql: string): void;
  /** Makes a function known to SQL. */
  function(name: string, body: (value: SqliteValue) => null): void;
  prepare(sql: string): SqliteStatement;
  close(): void;
}

export interface SqliteStatement {
  run(...values: SqliteValues): { readonly changes: number | bigint };
  get(...values: SqliteValues): unknown;
  all(...values: SqliteValues): unknown[];
  iterate(...values: SqliteValues): Iterable<unknown>;
}

type SqliteClass = new (file: string, options: { readonly enableForeignKeyConstraints: boolean }) => Sqlite;

/** SQLite as the runtime has it, or the stand-in for Node.js before 22.13. Only who opens a database loads either. */
export async function loadSqlite(): Promise<SqliteClass> {
  const builtIn = withoutWarnings(() => process.getBuiltinModule('node:sqlite'));
  // Neither is in our type definitions with types that say anything; the stand-in has the API of the built-in.
  const { DatabaseSync } = (builtIn ?? (await importStandIn())) as { readonly DatabaseSync: SqliteClass };
  return DatabaseSync;
}

/** Node.js 22 calls its SQLite experimental on standard error, where an admin would take it for trouble of ours. */
function withoutWarnings<Value>(act: () => Value): Value {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return act();
  } finally {
    process.emitWarning = emitWarning;
  }
}

async function importStandIn(): Promise<object> {
  try {
    return await import('@photostructure/sqlite');
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ServiceManagerError(
      'STORE_UNUSABLE',
      `Node.js ${process.version} has no SQLite, and the package in its place cannot be loaded (${reason}); Node.js 22.13 and later need no package`,
      { cause },
    );
  }
}
