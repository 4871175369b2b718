import type { StoredEntry } from '../core/ledger-events.ts';
import type { StoredMember } from '../core/roster.ts';
import type { Fingerprint } from '../security/fingerprint.ts';
import type { TokenEntry } from '../security/join-tokens.ts';
import type { KeyEntry } from '../security/key-index.ts';
import type { NodeName, RequestId } from '../wire/fields.ts';
import type { Connection } from './connection.ts';
import { type DatabaseOptions, openDatabase } from './database.ts';
import type { KeyStore } from './key-store.ts';
import { SqliteHistory } from './sqlite-history.ts';
import { SqliteKeys } from './sqlite-keys.ts';
import type {
  HistoryBounds,
  RequestFilter,
  RequestOverview,
  Store,
  StoredAnswer,
  StoredRequest,
} from './store.ts';
import { storeSchema } from './store-schema.ts';

interface MemberRow {
  readonly node: NodeName;
  readonly presence: StoredMember['presence'];
  readonly since: number;
  readonly last_seen: number;
  readonly facts: string;
}

const saveMember = `
  INSERT INTO members (node, presence, since, last_seen, facts) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET presence = excluded.presence, since = excluded.since,
      last_seen = excluded.last_seen, facts = excluded.facts`;

/** The store in one file of a state folder. */
export class SqliteStore implements Store, KeyStore {
  readonly #connection: Connection;
  readonly #history: SqliteHistory;
  readonly #keys: SqliteKeys;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#history = new SqliteHistory(connection);
    this.#keys = new SqliteKeys(connection);
  }

  /** See `openDatabase`. */
  static async open(
    options: Pick<DatabaseOptions, 'file' | 'nowWallMs' | 'onSetAside'>,
  ): Promise<SqliteStore> {
    const connection = await openDatabase({
      ...options,
      schema: storeSchema,
      synchronous: 'NORMAL',
      errorCode: 'STORE_UNUSABLE',
    });
    return new SqliteStore(connection);
  }

  openRequest(request: StoredRequest, entries: readonly StoredEntry[]): void {
    this.#history.open(request, entries);
  }

  saveAnswers(answers: Parameters<Store['saveAnswers']>[0]): void {
    this.#history.saveAnswers(answers);
  }

  updateRequest(id: RequestId, change: Parameters<Store['updateRequest']>[1]): void {
    this.#history.update(id, change);
  }

  request(id: RequestId): StoredRequest | undefined {
    return this.#history.request(id);
  }

  answers(id: RequestId, page: Parameters<Store['answers']>[1]): StoredAnswer[] {
    return this.#history.answers(id, page);
  }

  entries(id: RequestId): StoredEntry[] {
    return this.#history.entries(id);
  }

  visit(filter: RequestFilter, visitor: (overview: RequestOverview) => void): void {
    this.#history.visit(filter, visitor);
  }

  unfinished(endedSinceWallMs: number): StoredRequest[] {
    return this.#history.unfinished(endedSinceWallMs);
  }

  prune(bounds: HistoryBounds, nowWallMs: number, maxDeletions: number): number {
    return this.#history.prune(bounds, nowWallMs, maxDeletions);
  }

  isSpent(id: RequestId, nowWallMs: number): boolean {
    return this.#history.isSpent(id, nowWallMs);
  }

  keys(): KeyEntry[] {
    return this.#keys.keys();
  }

  saveKey(entry: KeyEntry): void {
    this.#keys.saveKey(entry);
  }

  removeKey(fingerprint: Fingerprint): void {
    this.#keys.removeKey(fingerprint);
  }

  tokens(): TokenEntry[] {
    return this.#keys.tokens();
  }

  saveToken(entry: TokenEntry): void {
    this.#keys.saveToken(entry);
  }

  removeToken(id: string): void {
    this.#keys.removeToken(id);
  }

  saveMember({ node, presence, sinceWallMs, lastSeenWallMs, facts }: StoredMember): void {
    this.#connection.run(saveMember, node, presence, sinceWallMs, lastSeenWallMs, JSON.stringify(facts));
  }

  saveLastSeen(members: readonly Pick<StoredMember, 'node' | 'lastSeenWallMs'>[]): void {
    this.#connection.transaction(() => {
      for (const { node, lastSeenWallMs } of members) {
        this.#connection.run('UPDATE members SET last_seen = ? WHERE node = ?', lastSeenWallMs, node);
      }
    });
  }

  members(): StoredMember[] {
    return this.#connection.all<MemberRow>('SELECT * FROM members ORDER BY node').map(memberOf);
  }

  forgetMember(node: NodeName): void {
    this.#connection.run('DELETE FROM members WHERE node = ?', node);
  }

  getSetting(name: string): string | undefined {
    return this.#connection.get<{ value: string }>('SELECT value FROM settings WHERE name = ?', name)?.value;
  }

  setSetting(name: string, value: string): void {
    const sql =
      'INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value';
    this.#connection.run(sql, name, value);
  }

  close(): void {
    this.#connection.close();
  }
}

function memberOf({ node, presence, since, last_seen, facts }: MemberRow): StoredMember {
  // What `saveMember` wrote.
  const hello = JSON.parse(facts) as StoredMember['facts'];
  return { node, presence, sinceWallMs: since, lastSeenWallMs: last_seen, facts: hello };
}
