import { closeSync, lstatSync, openSync } from 'node:fs';
import type { ProcessLock } from '../platform/pid-file.ts';
import { ServiceManagerError } from '../wire/errors.ts';
import { troubleOf } from './connection.ts';
import { loadSqlite } from './runtime-sqlite.ts';

/**
 * Locks a file, which is made when it is missing and stays when the lock is gone. Resolves to undefined while another
 * process holds it; rejects with BAD_CONFIG when it cannot be locked at all.
 *
 * Node.js has no call that locks a file. SQLite has: what it locks, the system unlocks when the process ends, whatever
 * ends it. So an empty database is held in an exclusive transaction that never writes anything.
 */
export async function lockFile(file: string): Promise<ProcessLock | undefined> {
  const SqliteClass = await loadSqlite();
  try {
    makeOwnFile(file);
    const sqlite = new SqliteClass(file, { enableForeignKeyConstraints: false });
    try {
      sqlite.exec('PRAGMA journal_mode = MEMORY; PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE');
      return { close: () => sqlite.close() };
    } catch (error) {
      sqlite.close();
      if (troubleOf(error) === 'busy') return undefined;
      throw error;
    }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ServiceManagerError('BAD_CONFIG', `${file} cannot be locked: ${reason}`, { cause });
  }
}

/** The folder may be open to another user, who must not lead us to a file elsewhere. */
function makeOwnFile(file: string): void {
  try {
    closeSync(openSync(file, 'wx', 0o600));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    const found = lstatSync(file);
    if (!found.isFile()) throw new Error('expected a file', { cause: error });
    if (found.uid !== process.getuid?.()) throw new Error('it belongs to another user', { cause: error });
  }
}
