import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { fingerprintOf } from '../../src/security/fingerprint.ts';
import type { TokenEntry } from '../../src/security/join-tokens.ts';
import type { KeyEntry } from '../../src/security/key-index.ts';
import { newCurveKeys, newSignKeys } from '../../src/security/keys.ts';
import type { KeyStore } from '../../src/store/key-store.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import { SqliteStore } from '../../src/store/sqlite-store.ts';
import { keyStates } from '../../src/wire/admin.ts';
import { joinRoles } from '../../src/wire/fields.ts';

const pairs = Array.from({ length: 5 }, () => ({
  curve: newCurveKeys().publicKey,
  sign: newSignKeys().publicKey,
}));

/** Of the agent web1, web2 and so on, and with nothing that may be missing. */
function keyEntry(number: number, change: Partial<KeyEntry> = {}): KeyEntry {
  const curve = pairs[number]?.curve ?? newCurveKeys().publicKey;
  const keys = change.keys ?? { curve };
  return {
    fingerprint: fingerprintOf(keys),
    role: 'agent',
    name: `web${number}`,
    keys,
    state: 'pending',
    sinceWallMs: number * 1_000,
    refusedOthers: 0,
    ...change,
  };
}

const verifier = newSignKeys().publicKey;

function tokenEntry(number: number, change: Partial<TokenEntry> = {}): TokenEntry {
  const id = number.toString(16).padStart(16, '0');
  return { id, verifier, role: 'agent', expiresWallMs: 9_000, usesLeft: 1, ...change };
}

const operator: Partial<KeyEntry> = {
  role: 'operator',
  name: 'alice',
  keys: pairs[0] ?? { curve: newCurveKeys().publicKey },
  state: 'retiring',
  address: '192.0.2.1',
  by: 'token 0123456789abcdef',
  decidedWallMs: 2_000,
  untilWallMs: 3_000,
  refusedOthers: 7,
};

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'service-mgr-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function openSqlite(): Promise<SqliteStore> {
  return SqliteStore.open({
    file: join(folder, 'state', 'manager.db'),
    nowWallMs: 0,
    onSetAside: (reason) => expect.fail(`set aside: ${reason}`),
  });
}

const implementations = { MemoryStore: async () => new MemoryStore(), SqliteStore: openSqlite };

for (const [name, open] of Object.entries(implementations)) {
  describe(`KeyStore as ${name}`, () => {
    let store: KeyStore & { close(): void };

    beforeEach(async () => {
      store = await open();
    });

    afterEach(() => store.close());

    const namesOf = () => store.keys().map((entry) => entry.name);

    it('gives keys back with all that is known of them, or as little', () => {
      expect(store.keys()).to.deep.equal([]);
      const [full, bare] = [keyEntry(0, operator), keyEntry(1)];
      store.saveKey(full);
      store.saveKey(bare);
      expect(store.keys()).to.deep.equal([full, bare]);
    });

    it('puts a key in the place of what was known by its fingerprint', () => {
      store.saveKey(keyEntry(0, operator));
      store.saveKey(keyEntry(1));
      const changed = keyEntry(1, { state: 'accepted', by: 'accepted', decidedWallMs: 5_000 });
      store.saveKey(changed);
      const { address: _, by: __, untilWallMs: ___, ...less } = keyEntry(0, operator);
      store.saveKey(less);
      expect(store.keys()).to.deep.equal([less, changed]);
    });

    it('gives keys in the order in which they were first saved', () => {
      for (const number of [3, 1, 2, 1, 3]) store.saveKey(keyEntry(number));
      expect(namesOf()).to.deep.equal(['web3', 'web1', 'web2']);
      store.removeKey(keyEntry(3).fingerprint);
      store.saveKey(keyEntry(4));
      store.saveKey(keyEntry(3));
      expect(namesOf()).to.deep.equal(['web1', 'web2', 'web4', 'web3']);
    });

    it('removes keys, and takes no offence at unknown ones', () => {
      store.saveKey(keyEntry(1));
      store.removeKey(keyEntry(2).fingerprint);
      expect(namesOf()).to.deep.equal(['web1']);
      store.removeKey(keyEntry(1).fingerprint);
      expect(namesOf()).to.deep.equal([]);
    });

    it('keeps, changes and removes tokens in the same way', () => {
      expect(store.tokens()).to.deep.equal([]);
      const tokens = [2, 1, 3].map((number) => tokenEntry(number, { usesLeft: 5 }));
      for (const token of tokens) store.saveToken(token);
      expect(store.tokens()).to.deep.equal(tokens);
      const named = tokenEntry(2, { name: 'web1', role: 'monitor', usesLeft: 4 });
      store.saveToken(named);
      expect(store.tokens()).to.deep.equal([named, ...tokens.slice(1)]);
      store.removeToken(tokenEntry(1).id);
      store.removeToken(tokenEntry(9).id);
      expect(store.tokens()).to.deep.equal([named, ...tokens.slice(2)]);
    });

    it('keeps its own copy of what it is given', () => {
      const entry = { ...keyEntry(1) };
      const token = { ...tokenEntry(1) };
      store.saveKey(entry);
      store.saveToken(token);
      Object.assign(entry, { state: 'accepted' });
      Object.assign(token, { usesLeft: 99 });
      expect(store.keys()).to.deep.equal([keyEntry(1)]);
      expect(store.tokens()).to.deep.equal([tokenEntry(1)]);
    });
  });
}

describe('SqliteStore', () => {
  it('has keys and tokens when it is opened again', async () => {
    const before = await openSqlite();
    for (const number of [2, 0, 1]) before.saveKey(keyEntry(number));
    before.saveKey(keyEntry(2, { state: 'revoked' }));
    before.saveToken(tokenEntry(1));
    before.close();
    const after = await openSqlite();
    expect(after.keys()).to.deep.equal([keyEntry(2, { state: 'revoked' }), keyEntry(0), keyEntry(1)]);
    expect(after.tokens()).to.deep.equal([tokenEntry(1)]);
    after.close();
  });

  it('gives back whatever there may be in a key', async () => {
    const store = await openSqlite();
    const text = fc.string({ unit: 'grapheme', maxLength: 40 }).filter((each) => !each.includes('\0'));
    const wallMs = fc.nat(2 ** 31 - 1).map((seconds) => seconds * 1_000);
    const change = fc.record(
      {
        role: fc.constantFrom(...joinRoles),
        name: text,
        keys: fc.constantFrom(...pairs),
        state: fc.constantFrom(...keyStates),
        address: text,
        by: text,
        sinceWallMs: wallMs,
        decidedWallMs: wallMs,
        untilWallMs: wallMs,
        refusedOthers: fc.nat(),
      },
      { requiredKeys: [] },
    );
    try {
      fc.assert(
        fc.property(fc.nat(4), change, (number, changed) => {
          const entry = keyEntry(number, changed);
          store.saveKey(entry);
          expect(store.keys().find(({ fingerprint }) => fingerprint === entry.fingerprint)).to.deep.equal(
            entry,
          );
        }),
      );
    } finally {
      store.close();
    }
  });
});
