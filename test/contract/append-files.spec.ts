import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import {
  type AppendFile,
  type AppendFiles,
  longestLineBytes,
  partNumbers,
  type TornLine,
} from '../../src/platform/append-file.ts';
import { NodeAppendFiles } from '../../src/platform/node/append-files.ts';
import { DatabaseWriter } from '../fakes/database-writer.ts';
import { runOnFullDisk } from '../fakes/full-disk.ts';
import { MemoryAppendFiles } from '../fakes/memory-append-files.ts';
import { openDescriptors } from '../fakes/proc-files.ts';
import { refusalOf } from '../unit/security/refusal.ts';

/** A disk of which a test sees and changes all. */
interface Disk {
  readonly files: AppendFiles;
  put(name: string, text: string): void;
  /** By name. */
  texts(): Readonly<Record<string, string>>;
}

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'service-mgr-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

function nodeDisk(): Disk {
  return {
    files: new NodeAppendFiles(),
    put: (name, text) => writeFileSync(join(folder, name), text, { mode: 0o600 }),
    texts: () =>
      Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')])),
  };
}

function memoryDisk(): Disk {
  const files = new MemoryAppendFiles();
  return {
    files,
    put: (name, text) => files.texts.set(join(folder, name), text),
    texts: () => {
      const named = [...files.texts].map(([path, text]) => [path.slice(folder.length + 1), text] as const);
      return Object.fromEntries(named.sort());
    },
  };
}

function pathOf(name = 'audit.log'): string {
  return join(folder, name);
}

function notTorn(torn: TornLine): void {
  expect.fail(`torn: ${torn.movedTo}`);
}

async function textIn(files: AppendFiles): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of files.read(pathOf())) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

async function errorOf(files: AppendFiles): Promise<unknown> {
  return await textIn(files).catch((error: unknown) => error);
}

for (const [name, open] of Object.entries({ NodeAppendFiles: nodeDisk, MemoryAppendFiles: memoryDisk })) {
  describe(`append files: ${name}`, () => {
    let disk: Disk;
    let files: AppendFiles;
    let file: AppendFile | undefined;

    const opened = (onTorn: (torn: TornLine) => void = notTorn): AppendFile => {
      file?.close();
      file = files.open(pathOf(), onTorn);
      return file;
    };

    beforeEach(() => {
      disk = open();
      files = disk.files;
    });
    afterEach(() => {
      file?.close();
      file = undefined;
    });

    it('take one line after the other, also when they are opened again', () => {
      const first = opened();
      first.append('one');
      first.append('');
      expect(first.bytes).to.equal(5);
      const second = opened();
      expect(second.bytes).to.equal(5);
      second.append('three');
      expect(disk.texts()).to.deep.equal({ 'audit.log': 'one\n\nthree\n' });
      expect(second.bytes).to.equal(11);
    });

    it('may be taken to the disk at any time, and be closed twice', () => {
      const open = opened();
      open.sync();
      open.append('one');
      open.sync();
      open.close();
      open.close();
      expect(disk.texts()).to.deep.equal({ 'audit.log': 'one\n' });
    });

    it('take nothing any more when they are closed', () => {
      const closed = opened();
      closed.append('one');
      closed.close();
      const other = files.open(pathOf('other'), notTorn);
      for (const act of [() => closed.append('two'), () => closed.sync(), () => closed.turn(1, 0)])
        expect(refusalOf(act).code).to.equal('STORE_UNUSABLE');
      other.close();
      expect(disk.texts()).to.deep.equal({ 'audit.log': 'one\n', other: '' });
    });

    it('lose a line that was cut off, which is kept beside them, and say so', () => {
      const torn: TornLine[] = [];
      const note = (each: TornLine) => torn.push(each);
      disk.put('audit.log', 'one\ntwo\nthr');
      opened(note).append('three');
      disk.put('audit.log', 'f');
      opened(note).append('four');
      expect(torn).to.deep.equal([
        { movedTo: pathOf('audit.log.torn-1'), bytes: 3 },
        { movedTo: pathOf('audit.log.torn-2'), bytes: 1 },
      ]);
      expect(disk.texts()).to.deep.equal({
        'audit.log': 'four\n',
        'audit.log.torn-1': 'thr',
        'audit.log.torn-2': 'f',
      });
    });

    it('lose the whole of what was cut off, however long it is', () => {
      const text = 'x'.repeat(200_000);
      disk.put('audit.log', `one\n${text}`);
      let lost = 0;
      expect(opened(({ bytes }) => (lost = bytes)).bytes).to.equal(4);
      expect(lost).to.equal(200_000);
      expect(disk.texts()).to.deep.equal({ 'audit.log': 'one\n', 'audit.log.torn-1': text });
    });

    it('are put aside by the number of their last line', () => {
      const open = opened();
      open.append('one');
      open.append('two');
      expect(open.turn(2, Infinity)).to.deep.equal([]);
      expect(open.bytes).to.equal(0);
      open.append('three');
      open.turn(3, Infinity);
      open.append('four');
      expect(open.bytes).to.equal(5);
      expect(disk.texts()).to.deep.equal({
        'audit.log': 'four\n',
        'audit.log.2': 'one\ntwo\n',
        'audit.log.3': 'three\n',
      });
    });

    it('are not put aside while they are empty', () => {
      expect(opened().turn(1, Infinity)).to.deep.equal([]);
      expect(disk.texts()).to.deep.equal({ 'audit.log': '' });
    });

    it('are put aside behind all others, and never in the place of one', () => {
      disk.put('audit.log.7', 'seven\n');
      for (const [index, number] of [7, 3, 0, 20].entries()) {
        opened().append(`line ${index}`);
        file?.turn(number, Infinity);
      }
      expect(disk.texts()).to.deep.equal({
        'audit.log': '',
        'audit.log.10': 'line 2\n',
        'audit.log.20': 'line 3\n',
        'audit.log.7': 'seven\n',
        'audit.log.8': 'line 0\n',
        'audit.log.9': 'line 1\n',
      });
    });

    it('are removed from the oldest on when all together have too many bytes, but not the last one', () => {
      const open = opened();
      const turned = (number: number, maxBytes: number) => {
        open.append('x'.repeat(99));
        return open.turn(number, maxBytes);
      };
      for (const number of [9, 10, 11]) expect(turned(number, 300)).to.deep.equal([]);
      expect(turned(12, 300)).to.deep.equal([pathOf('audit.log.9')]);
      expect(turned(13, 200)).to.deep.equal([pathOf('audit.log.10'), pathOf('audit.log.11')]);
      expect(turned(14, 0)).to.deep.equal([pathOf('audit.log.12'), pathOf('audit.log.13')]);
      expect(Object.keys(disk.texts())).to.deep.equal(['audit.log', 'audit.log.14']);
    });

    it('leave alone what only looks like a part of theirs', () => {
      const others = [
        'audit.log.torn-1',
        'audit.log.01',
        'audit.log.1.gz',
        'audit.log2.3',
        'xaudit.log.4',
        'audit.log.',
      ];
      for (const other of others) disk.put(other, 'x'.repeat(1_000));
      opened().append('one');
      file?.turn(1, 0);
      expect(Object.keys(disk.texts())).to.have.members([...others, 'audit.log', 'audit.log.1']);
      expect([...files.linesBackwards(pathOf())]).to.deep.equal(['one']);
    });

    it('are read as one, from the oldest part to the present one', async () => {
      disk.put('audit.log.9', 'one\n');
      disk.put('audit.log.10', 'two\n');
      disk.put('audit.log.torn-1', 'tor');
      opened().append('three');
      expect(await textIn(files)).to.equal('one\ntwo\nthree\n');
    });

    it('are read whatever is missing, but not where there is nothing', async () => {
      expect(await errorOf(files)).to.include({ code: 'BAD_CONFIG' });
      disk.put('audit.log.9', 'one\n');
      expect(await textIn(files)).to.equal('one\n');
      opened();
      expect(await textIn(files)).to.equal('one\n');
    });

    it('give their lines from the last one on', () => {
      expect([...files.linesBackwards(pathOf())]).to.deep.equal([]);
      disk.put('audit.log', '');
      expect([...files.linesBackwards(pathOf())]).to.deep.equal([]);
      disk.put('audit.log.9', 'one\n\n');
      disk.put('audit.log.10', 'three\nfour');
      expect([...files.linesBackwards(pathOf())]).to.deep.equal(['four', 'three', '', 'one']);
      disk.put('audit.log', '\n');
      expect([...files.linesBackwards(pathOf())]).to.deep.equal(['', 'four', 'three', '', 'one']);
    });

    it('give of a line that is too long its end', () => {
      disk.put('audit.log', `one\n${'a'.repeat(300_000)}end\ntwo\n`);
      const [, long = '', last] = files.linesBackwards(pathOf());
      expect(long.length).to.equal(longestLineBytes);
      expect(long.endsWith('aend')).to.equal(true);
      expect(last).to.equal('one');
    });

    it('give the same lines backwards, wherever they begin and end', () => {
      const length = fc.oneof(fc.nat(3), fc.nat(40_000), fc.integer({ min: 65_530, max: 65_540 }));
      fc.assert(
        fc.property(fc.array(length, { maxLength: 12 }), (lengths) => {
          const lines = lengths.map((each, index) =>
            String(index % 10).repeat(Math.min(each, longestLineBytes)),
          );
          disk.put('audit.log', lines.map((line) => `${line}\n`).join(''));
          expect([...files.linesBackwards(pathOf())]).to.deep.equal(lines.toReversed());
        }),
        { numRuns: 50 },
      );
    });
  });
}

describe('NodeAppendFiles', function () {
  this.timeout(30_000);
  const files = new NodeAppendFiles();

  it('makes the file with mode 0600 whatever the umask, and the folder that is missing with 0700', () => {
    const path = join(folder, 'a', 'audit.log');
    const before = process.umask(0);
    try {
      const file = files.open(path, notTorn);
      file.append('one');
      file.turn(1, 0);
      file.close();
    } finally {
      process.umask(before);
    }
    const modes = [path, `${path}.1`, join(folder, 'a')].map((each) => lstatSync(each).mode & 0o777);
    expect(modes).to.deep.equal([0o600, 0o600, 0o700]);
  });

  const unsafe: ReadonlyArray<[what: string, spoil: (path: string) => void]> = [
    ['is a symbolic link', (path) => symlinkSync(pathOf('elsewhere'), path)],
    ['is no regular file', (path) => mkdirSync(path)],
    ['mode is 0644', (path) => writeFileSync(path, 'one\n', { mode: 0o644 })],
  ];
  for (const [reason, spoil] of unsafe) {
    it(`does not use one of which is said: ${reason}`, async () => {
      writeFileSync(pathOf('elsewhere'), 'not ours\n', { mode: 0o600 });
      spoil(pathOf());
      const refusal = refusalOf(() => files.open(pathOf(), notTorn));
      expect(refusal).to.include({ code: 'STORE_UNUSABLE' });
      expect(refusal.message).to.include(pathOf()).and.include(reason);
      expect(await errorOf(files)).to.include({ code: 'BAD_CONFIG' });
      expect(refusalOf(() => [...files.linesBackwards(pathOf())]).code).to.equal('STORE_UNUSABLE');
      renameSync(pathOf(), pathOf('audit.log.1'));
      expect(await errorOf(files)).to.include({ code: 'BAD_CONFIG' });
      expect(readFileSync(pathOf('elsewhere'), 'utf8')).to.equal('not ours\n');
    });
  }

  it('does not use one of another user', function () {
    if (process.geteuid?.() !== 0) {
      Object.assign(this.runnable(), { skipReason: 'only root can give files away' });
      return this.skip();
    }
    writeFileSync(pathOf(), 'one\n', { mode: 0o600 });
    chownSync(pathOf(), 1_001, -1);
    const asUser = (uid: number) => () => new NodeAppendFiles(uid).open(pathOf(), notTorn).close();
    expect(refusalOf(asUser(1_000)).message).to.include('belongs to user 1001, expected user 1000 or root');
    asUser(1_001)();
    asUser(0)();
  });

  it('reads all of it while parts are put aside and removed, and gives nothing twice', async () => {
    const file = files.open(pathOf(), notTorn);
    const write = (number: number) => {
      file.append(`${number}`.padStart(70_000, ' '));
      file.turn(number, 5 * 70_001);
    };
    for (let number = 1; number <= 5; number += 1) write(number);
    file.append('6');
    const lines: string[] = [];
    for await (const piece of files.read(pathOf())) {
      lines.push(...Buffer.from(piece).toString().split('\n'));
      file.turn(6, 5 * 70_001);
      write(6 + lines.length);
    }
    file.close();
    expect(lines.map((line) => line.trim()).filter((line) => line !== '')).to.deep.equal([...'123456']);
  });

  it('goes on in the old part where it cannot be put aside', () => {
    const file = files.open(pathOf(), notTorn);
    file.append('one');
    renameSync(pathOf(), pathOf('moved'));
    expect(refusalOf(() => file.turn(1, 0)).code).to.equal('STORE_UNUSABLE');
    renameSync(pathOf('moved'), pathOf());
    file.append('two');
    expect(readFileSync(pathOf(), 'utf8')).to.equal('one\ntwo\n');
    file.close();
  });

  it('leaves no descriptor open', async () => {
    writeFileSync(pathOf('audit.log.1'), 'one\n', { mode: 0o600 });
    const before = openDescriptors();
    const file = files.open(pathOf(), notTorn);
    file.append('two');
    file.turn(2, Infinity);
    await textIn(files);
    for await (const _ of files.read(pathOf())) break;
    for (const _ of files.linesBackwards(pathOf())) break;
    chmodSync(pathOf('audit.log.2'), 0o644);
    await errorOf(files);
    refusalOf(() => files.open(pathOf('audit.log.2'), notTorn));
    file.close();
    expect(openDescriptors()).to.equal(before);
  });

  it('loses no line that a call had returned for when its process is killed', async () => {
    const writer = await DatabaseWriter.start('append-file', pathOf(), pathOf('said'), 2_000);
    await writer.kill();
    const written = writer.written();
    files.open(pathOf(), () => {}).close();
    const lines = (await textIn(files)).split('\n').slice(0, -1);
    expect(lines.length).to.be.within(written.length, written.length + 1);
    for (const [index, line] of lines.entries()) expect(line).to.equal(`${index + 1} ${'x'.repeat(2_000)}`);
    expect(partNumbers('audit.log', readdirSync(folder)).length).to.be.greaterThan(1);
  });

  it('reads lines without a gap whenever another process puts parts aside', async () => {
    const writer = await DatabaseWriter.start('turned-file', pathOf(), pathOf('said'), 20);
    try {
      for (let round = 0; round < 1_000; round += 1) {
        const numbers = (await textIn(files)).split('\n').slice(0, -1).map(Number);
        const expected = numbers.map((_, index) => (numbers[0] ?? 0) + index);
        expect(numbers).to.deep.equal(expected);
      }
    } finally {
      await writer.kill();
    }
  });

  it('fails with a code on a full disk, leaves no half line, and goes on when there is room', function () {
    const report = runOnFullDisk('append-file', folder);
    if (report === undefined) {
      Object.assign(this.runnable(), { skipReason: 'this host lets us mount nothing' });
      return this.skip();
    }
    expect(report.written).to.be.greaterThan(20);
    expect(report.codes).to.deep.equal(['STORE_UNUSABLE', 'STORE_UNUSABLE', 'STORE_UNUSABLE']);
    expect(report.writtenInTheEnd).to.equal(report.written + 10);
    expect(report).to.include({ lostWhileFull: 0, lostInTheEnd: 0, halves: 0 });
  });
});
