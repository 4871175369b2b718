import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { expect } from 'chai';
import type { Connection } from '../../src/store/connection.ts';
import { type DatabaseOptions, openDatabase } from '../../src/store/database.ts';
import { SqliteJournal } from '../../src/store/sqlite-journal.ts';
import { SqliteStore } from '../../src/store/sqlite-store.ts';
import { isServiceManagerError, type ServiceManagerError } from '../../src/wire/errors.ts';
import { DatabaseWriter } from '../fakes/database-writer.ts';
import { program } from '../fakes/proc-files.ts';
import { idOf, listed, storedEntry, storedRequest } from '../fakes/stored-requests.ts';

const first = 'CREATE TABLE things (name TEXT PRIMARY KEY, bytes BLOB)';
const second = "ALTER TABLE things ADD COLUMN colour TEXT; UPDATE things SET colour = 'grey'";
const third = 'CREATE INDEX by_colour ON things (colour)';

async function failure(act: () => unknown): Promise<ServiceManagerError> {
  const error = await Promise.resolve()
    .then(act)
    .then(
      () => undefined,
      (reason: unknown) => reason,
    );
  if (isServiceManagerError(error)) return error;
  throw new Error('not an error of ours', { cause: error });
}

describe('openDatabase', function () {
  this.timeout(30_000);
  let file: string;
  let setAside: { reason: string; movedTo: string }[];
  let opened: Connection[];
  const writers: DatabaseWriter[] = [];

  beforeEach(() => {
    file = join(mkdtempSync(join(tmpdir(), 'service-mgr-')), 'state', 'test.db');
    setAside = [];
    opened = [];
  });

  afterEach(async () => {
    for (const writer of writers.splice(0)) await writer.kill();
    for (const each of opened) each.close();
    rmSync(dirname(dirname(file)), { recursive: true, force: true });
  });

  const open = async (change: Partial<DatabaseOptions> = {}): Promise<Connection> => {
    const connection = await openDatabase({
      file,
      schema: [first],
      synchronous: 'NORMAL',
      errorCode: 'STORE_UNUSABLE',
      nowWallMs: 1_234,
      onSetAside: (reason, movedTo) => setAside.push({ reason, movedTo }),
      ...change,
    });
    opened.push(connection);
    return connection;
  };
  const add = (connection: Connection, name: string, bytes = 0) =>
    connection.run('INSERT INTO things (name, bytes) VALUES (?, zeroblob(?))', name, bytes);
  const count = (connection: Connection) =>
    connection.get<{ count: number }>('SELECT count(*) AS count FROM things')?.count;
  /** Makes a database of some hundred pages, and closes it. */
  const fill = async () => {
    const connection = await open();
    connection.transaction(() => {
      for (let number = 0; number < 500; number += 1) add(connection, `thing ${number}`, 500);
    });
    connection.close();
  };
  const overwrite = (position: number, bytes: number) => {
    const descriptor = openSync(file, 'r+');
    writeSync(descriptor, Buffer.alloc(bytes, 0xa5), 0, bytes, position);
    closeSync(descriptor);
  };
  const startWriter = async (writes: number) => {
    const writer = await DatabaseWriter.start('store', file, join(dirname(dirname(file)), 'said'), writes);
    writers.push(writer);
    return writer;
  };
  const openStore = () =>
    SqliteStore.open({
      file,
      nowWallMs: 1_234,
      onSetAside: (reason, movedTo) => setAside.push({ reason, movedTo }),
    });

  it('makes the folder and the files, for their owner only', async () => {
    add(await open(), 'one');
    const modeOf = (path: string) => statSync(path).mode & 0o777;
    expect(modeOf(dirname(file))).to.equal(0o700);
    expect([modeOf(file), modeOf(`${file}-wal`)]).to.deep.equal([0o600, 0o600]);
  });

  it('takes a file from others that they could read', async () => {
    (await open()).close();
    chmodSync(file, 0o644);
    await open();
    expect(statSync(file).mode & 0o777).to.equal(0o600);
  });

  it('touches nothing that a link in its place leads to', async () => {
    const other = join(dirname(dirname(file)), 'of-root');
    writeFileSync(other, 'not ours', { mode: 0o644 });
    mkdirSync(dirname(file), { recursive: true });
    symlinkSync(other, file);
    expect(await failure(() => open())).to.include({ code: 'STORE_UNUSABLE' });
    expect([statSync(other).mode & 0o777, readFileSync(other, 'utf8')]).to.deep.equal([0o644, 'not ours']);
  });

  it('says nothing on standard error, whichever SQLite it takes, and silences nobody else', () => {
    const command = ['--import', 'tsx', program('opens-a-database.ts'), file];
    const { stderr, stdout } = spawnSync(process.execPath, command, { encoding: 'utf8' });
    expect(stderr).to.include('a warning of somebody else').and.not.include('SQLite');
    expect(stdout).to.equal('opened');
  });

  it('names the file and the reason when there can be no such folder', async () => {
    writeFileSync(join(dirname(dirname(file)), 'state'), 'a file');
    const error = await failure(() => open());
    expect(error.code).to.equal('STORE_UNUSABLE');
    expect(error.message)
      .to.include(file)
      .and.match(/ENOTDIR|EEXIST/);
  });

  describe('versions', () => {
    it('brings an older file to the newest one, step by step, and keeps what is in it', async () => {
      add(await open(), 'one');
      opened[0]?.close();
      const newer = await open({ schema: [first, second, third] });
      expect(
        newer.all('SELECT name, colour FROM things INDEXED BY by_colour WHERE colour = ?', 'grey'),
      ).to.deep.equal([Object.assign(Object.create(null), { name: 'one', colour: 'grey' })]);
      newer.close();
      const again = await open({ schema: [first, second, third] });
      expect(count(again)).to.equal(1);
    });

    it('undoes a step that fails, and keeps those before it', async () => {
      (await open()).close();
      const broken = `${third}; CREATE TABLE half (name TEXT); INSERT INTO nowhere VALUES (1)`;
      const error = await failure(() => open({ schema: [first, second, broken] }));
      expect(error.code).to.equal('STORE_UNUSABLE');
      expect(error.message).to.include('nowhere');
      const repaired = await open({ schema: [first, second, `${third}; CREATE TABLE half (name TEXT)`] });
      expect(repaired.get('PRAGMA user_version')).to.deep.include({ user_version: 3 });
    });

    it('refuses a file of a newer one, and leaves it as it is', async () => {
      add(await open({ schema: [first, second, third] }), 'one');
      opened[0]?.close();
      const error = await failure(() => open());
      expect(error.code).to.equal('STORE_UNUSABLE');
      expect(error.message).to.include(file).and.include('version 3').and.include('is 1');
      expect(setAside).to.deep.equal([]);
      expect(count(await open({ schema: [first, second, third] }))).to.equal(1);
    });
  });

  describe('a damaged file', () => {
    const damages: [name: string, damage: () => void][] = [
      ['that is cut off', () => truncateSync(file, 100_000)],
      ['that is cut off within its first page', () => truncateSync(file, 1_000)],
      ['with something else in place of its header', () => overwrite(0, 100)],
      ['with garbage in the middle', () => overwrite(80_000, 20_000)],
      ['that is no database', () => writeFileSync(file, 'state = running\n'.repeat(1_000))],
    ];
    for (const [name, damage] of damages) {
      it(`${name} is set aside, and a new one begun`, async () => {
        await fill();
        damage();
        const damaged = readFileSync(file);
        const connection = await open();
        expect(count(connection)).to.equal(0);
        expect(add(connection, 'new')).to.equal(1);
        const movedTo = `${file}.corrupt-1234`;
        expect(setAside.map((each) => each.movedTo)).to.deep.equal([movedTo]);
        expect(setAside[0]?.reason).to.not.be.empty;
        expect(readFileSync(movedTo).equals(damaged)).to.equal(true);
        connection.close();
        expect(count(await open())).to.equal(1);
        expect(setAside).to.have.length(1);
      });
    }

    it('takes its log along, so that the new one does not get it', async () => {
      const writer = await startWriter(1_000);
      await writer.kill();
      // What is in the log would stand in for what is damaged, so it has to be more than that.
      overwrite(8_192, statSync(file).size - 8_192);
      const store = await openStore();
      expect(listed(store, { limit: 10 })).to.deep.equal([]);
      store.openRequest(storedRequest(1), [storedEntry('web1')]);
      const names = readdirSync(dirname(file));
      const name = basename(file);
      const moved = `${name}.corrupt-1234`;
      expect(names).to.have.members([name, `${name}-wal`, moved, `${moved}-wal`]);
      expect(statSync(join(dirname(file), `${moved}-wal`)).size).to.be.greaterThan(0);
      expect((await failure(openStore)).message).to.include('in use by another process');
      store.close();
    });

    it('of large size is set aside at the next start after the damage was met', async () => {
      const connection = await open();
      for (let number = 0; number < 70; number += 1) add(connection, `thing ${number}`, 1_000_000);
      connection.close();
      overwrite(30_000_000, 5_000_000);
      const damaged = await open();
      expect(setAside).to.deep.equal([]);
      const error = await failure(() => damaged.all('SELECT name, bytes FROM things'));
      expect(error.code).to.equal('STORE_UNUSABLE');
      damaged.close();
      expect(count(await open())).to.equal(0);
      expect(setAside).to.have.length(1);
    });

    it('is looked for in vain in a large one that is as it should be', async () => {
      const connection = await open();
      for (let number = 0; number < 70; number += 1) add(connection, `thing ${number}`, 1_000_000);
      connection.execute('PRAGMA application_id = 1684106599');
      connection.close();
      const again = await open();
      expect(count(again)).to.equal(70);
      expect(again.get('PRAGMA application_id')).to.deep.include({ application_id: 0 });
      expect(setAside).to.deep.equal([]);
    });

    it('that was left empty by a crash is simply filled', async () => {
      await fill();
      truncateSync(file, 0);
      expect(count(await open())).to.equal(0);
      expect(setAside).to.deep.equal([]);
    });
  });

  describe('one process only', () => {
    it('has the file; another is refused until the first has gone, even by kill -9', async () => {
      const writer = await startWriter(1);
      const error = await failure(openStore);
      expect(error.code).to.equal('STORE_UNUSABLE');
      expect(error.message).to.include(file).and.include('in use by another process');
      await writer.kill();
      const store = await openStore();
      expect(store.request(idOf(1))?.service).to.equal('nginx');
      expect(setAside).to.deep.equal([]);
      store.close();
    });

    it('is refused also while this one has just begun, and by the journal too', async () => {
      await open();
      const options = { file, nowWallMs: 0, onSetAside: () => {} };
      for (const attempt of [() => open(), () => SqliteJournal.open(options)]) {
        expect((await failure(attempt)).message).to.include('in use by another process');
      }
    });

    it('gets the file again as soon as it has closed it', async () => {
      for (let round = 0; round < 3; round += 1) {
        const connection = await open();
        add(connection, `round ${round}`);
        expect(count(connection)).to.equal(round + 1);
        connection.close();
        expect(existsSync(`${file}-wal`)).to.equal(false);
      }
    });
  });

  describe('the connection', () => {
    it('undoes a transaction whose work throws, and hands on what was thrown', async () => {
      const connection = await open();
      const trouble = new Error('of the caller');
      const act = () =>
        connection.transaction(() => {
          add(connection, 'one');
          throw trouble;
        });
      expect(act).to.throw(trouble);
      expect(count(connection)).to.equal(0);
      connection.transaction(() => add(connection, 'two'));
      expect(count(connection)).to.equal(1);
    });

    it('does not call a mistake of ours trouble with the file', async () => {
      const connection = await open();
      add(connection, 'one');
      for (const mistake of [() => add(connection, 'one'), () => connection.execute('SELEC 1')]) {
        expect(mistake)
          .to.throw(Error)
          .and.satisfy((error: unknown) => !isServiceManagerError(error));
      }
    });

    it('can be used while rows are left that nobody took', async () => {
      const connection = await open();
      for (const name of ['one', 'two', 'three']) add(connection, name);
      const taken: string[] = [];
      const take = ({ name }: { name: string }) => {
        taken.push(name);
        return taken.length < 2;
      };
      connection.takeWhile(take, 'SELECT name FROM things ORDER BY rowid');
      expect(taken).to.deep.equal(['one', 'two']);
      connection.execute('DROP TABLE things');
    });
  });
});
