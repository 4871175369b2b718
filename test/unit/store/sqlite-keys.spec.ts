import { expect } from 'chai';
import { fingerprintOf } from '../../../src/security/fingerprint.ts';
import type { KeyEntry } from '../../../src/security/key-index.ts';
import { newCurveKeys } from '../../../src/security/keys.ts';
import { Connection } from '../../../src/store/connection.ts';
import { SqliteKeys } from '../../../src/store/sqlite-keys.ts';
import { keyStates } from '../../../src/wire/admin.ts';

const keys = { curve: newCurveKeys().publicKey };
const web1 = { fingerprint: fingerprintOf(keys), role: 'agent', name: 'web1', keys, sinceWallMs: 1 } as const;

/** A database that only hears what is asked of it. */
function heard(): { said: string[]; connection: Connection } {
  const said: string[] = [];
  const prepare = (sql: string) => ({
    run: () => {
      said.push(sql.trim().split(' ', 3).join(' '));
      return { changes: 1, lastInsertRowid: 1 };
    },
    get: () => undefined,
    all: () => [],
    iterate: () => [][Symbol.iterator](),
  });
  const sqlite = { prepare, exec: (sql: string) => said.push(sql), function: () => {}, close: () => {} };
  return { said, connection: new Connection(sqlite as never, 'keys.db', 'STORE_UNUSABLE') };
}

describe('keys in a database', () => {
  const synced = (what: string) => ['PRAGMA synchronous = FULL', what, 'PRAGMA synchronous = NORMAL'];

  it('are on the disk at once where they shut somebody out, and with the next writes where they do not', () => {
    for (const state of keyStates) {
      const { said, connection } = heard();
      const entry: KeyEntry = { ...web1, state, refusedOthers: 0 };
      new SqliteKeys(connection).saveKey(entry);
      const isSynced = state === 'revoked' || state === 'rejected';
      expect(said, state).to.deep.equal(isSynced ? synced('INSERT INTO keys') : ['INSERT INTO keys']);
    }
  });

  it('are on the disk at once without a token that is used up', () => {
    const { said, connection } = heard();
    new SqliteKeys(connection).removeToken('0123456789abcdef');
    expect(said).to.deep.equal(synced('DELETE FROM tokens'));
  });
});
