import type { Fingerprint } from '../security/fingerprint.ts';
import type { TokenEntry } from '../security/join-tokens.ts';
import type { KeyEntry } from '../security/key-index.ts';
import type { CurvePublic, SignPublic } from '../security/keys.ts';
import type { Connection } from './connection.ts';
import type { KeyStore } from './key-store.ts';

interface KeyRow {
  readonly fingerprint: Fingerprint;
  readonly state: KeyEntry['state'];
  readonly role: KeyEntry['role'];
  readonly name: string;
  readonly curve: CurvePublic;
  readonly sign: SignPublic | null;
  readonly address: string | null;
  readonly by_what: string | null;
  readonly since: number;
  readonly decided: number | null;
  readonly until: number | null;
  readonly refused_others: number;
}

interface TokenRow {
  readonly id: string;
  readonly verifier: SignPublic;
  readonly role: TokenEntry['role'];
  readonly name: string | null;
  readonly expires: number;
  readonly uses_left: number;
}

const saveKey = `
  INSERT INTO keys (fingerprint, state, role, name, curve, sign, address, by_what, since, decided, until,
      refused_others)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET state = excluded.state, role = excluded.role, name = excluded.name,
      curve = excluded.curve, sign = excluded.sign, address = excluded.address, by_what = excluded.by_what,
      since = excluded.since, decided = excluded.decided, until = excluded.until,
      refused_others = excluded.refused_others`;

const saveToken = `
  INSERT INTO tokens (id, verifier, role, name, expires, uses_left) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET verifier = excluded.verifier, role = excluded.role, name = excluded.name,
      expires = excluded.expires, uses_left = excluded.uses_left`;

/** Whoever was shut out must not come back with a power failure. */
const shutOut: ReadonlySet<KeyEntry['state']> = new Set(['revoked', 'rejected']);

/** The part of the store that is about keys. */
export class SqliteKeys implements KeyStore {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  keys(): KeyEntry[] {
    return this.#connection.all<KeyRow>('SELECT * FROM keys ORDER BY seq').map(keyOf);
  }

  saveKey(entry: KeyEntry): void {
    if (shutOut.has(entry.state)) this.#synced(() => this.#saveKey(entry));
    else this.#saveKey(entry);
  }

  removeKey(fingerprint: Fingerprint): void {
    this.#connection.run('DELETE FROM keys WHERE fingerprint = ?', fingerprint);
  }

  tokens(): TokenEntry[] {
    return this.#connection.all<TokenRow>('SELECT * FROM tokens ORDER BY seq').map(tokenOf);
  }

  saveToken({ id, verifier, role, name, expiresWallMs, usesLeft }: TokenEntry): void {
    this.#connection.run(saveToken, id, verifier, role, name ?? null, expiresWallMs, usesLeft);
  }

  removeToken(id: string): void {
    this.#synced(() => this.#connection.run('DELETE FROM tokens WHERE id = ?', id));
  }

  #saveKey(entry: KeyEntry): void {
    const { fingerprint, state, role, name, keys, address = null, by = null, refusedOthers } = entry;
    const { sinceWallMs, decidedWallMs = null, untilWallMs = null } = entry;
    this.#connection.run(
      saveKey,
      ...[fingerprint, state, role, name, keys.curve, keys.sign ?? null, address, by],
      ...[sinceWallMs, decidedWallMs, untilWallMs, refusedOthers],
    );
  }

  /** A power failure does not undo it. The rest costs at most that somebody has to ask once more. */
  #synced(act: () => void): void {
    this.#connection.execute('PRAGMA synchronous = FULL');
    try {
      act();
    } finally {
      this.#connection.execute('PRAGMA synchronous = NORMAL');
    }
  }
}

function keyOf(row: KeyRow): KeyEntry {
  const { fingerprint, state, role, name, curve, sign, address, by_what: by, decided, until } = row;
  return {
    ...{ fingerprint, state, role, name },
    keys: { curve, ...(sign === null ? {} : { sign }) },
    ...(address === null ? {} : { address }),
    ...(by === null ? {} : { by }),
    sinceWallMs: row.since,
    ...(decided === null ? {} : { decidedWallMs: decided }),
    ...(until === null ? {} : { untilWallMs: until }),
    refusedOthers: row.refused_others,
  };
}

function tokenOf({ id, verifier, role, name, expires, uses_left }: TokenRow): TokenEntry {
  const named = name === null ? {} : { name };
  return { id, verifier, role, ...named, expiresWallMs: expires, usesLeft: uses_left };
}
